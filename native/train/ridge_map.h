// A linear map from what is known of a row (its features g) to what was learnt of it (its targets q), by ridge regression:
//
//   min_B Σ_i w_i |q_i − B g_i|² + λ |B|²,   λ = regularization · mean diagonal of Gᵀ W G
//
// λ is relative, so that it means the same whatever the features' lengths and the weights' sum. The features stay the same while
// the targets change, as the factors of a training do: their normal equations are factorised once.
#pragma once

#include <vector>

#include "base/buffer.h"
#include "base/matrix_view.h"

namespace nigh {

class RidgeMap {
 public:
  /// The equations are dense in the features: 8 bytes for every two of them.
  static constexpr size_t kMostFeatures = 4096;

  /// `features` is borrowed, rows × features. A row whose weight is 0, or whose features are, says nothing. Throws
  /// INVALID_ARGUMENT for a regularization that is not finite and above 0, too many features, a weight below 0; NOT_FINITE;
  /// EMPTY_DATASET where no row has both a weight and features.
  RidgeMap(MatrixView<const float> features, const std::vector<float>& weights, double regularization, size_t max_lanes);

  /// map (targets.dim × features): row k is the direction of the features that gives target k. `targets` has a row for every row
  /// of the features. The same bytes on any number of threads.
  void fit(MatrixView<const float> targets, size_t max_lanes, float* map) const;

  size_t features() const { return features_.dim; }

 private:
  MatrixView<const float> features_;
  Buffer<float> weighted_;      // rows w_i g_i
  std::vector<double> factor_;  // Cholesky factor of Gᵀ W G + λ I
};

}  // namespace nigh

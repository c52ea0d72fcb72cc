// Biased matrix factorisation by alternating least squares.
//
// Zhou, Wilkinson, Schreiber and Pan, "Large-scale parallel collaborative filtering for the Netflix prize", AAIM 2008 (ALS-WR:
// regularisation grows with the number of ratings), with the biases of Koren, Bell and Volinsky 2009 solved as one more factor:
//
//   min Σ (r − μ − b_u − b_i − p_u·q_i)² + λ Σ_u n_u (|p_u|² + b_u²) + λ Σ_i n_i (|q_i|² + b_i²)
//
// Given the items, the row of a user is a ridge regression of r − μ − b_i on [q_i; 1]; and the other way round.
#pragma once

#include <cstdint>

#include "base/task_control.h"
#include "train/rating_model.h"

namespace nigh {

struct RatingAlsParams {
  size_t iterations = 10;
  float regularization = 0.05f;
  float init_stddev = 0.1f;
  uint64_t seed = 42;
  size_t max_lanes = 0;
  float mean = 0;
};

/// Each iteration solves all items, then all users, exactly: the users are what rating_fold_in gives for the same ratings. The
/// same seed gives the same bytes on any number of threads (at one SIMD level). `control` counts rows: iterations × (users +
/// items). Throws EMPTY_DATASET, INVALID_ARGUMENT when a row is not determined (regularization is 0 or nearly), ABORTED.
void rating_als(const CsrView& ratings, const CsrView& transposed, const RatingAlsParams& params, const RatingFactors& out,
                TaskControl& control);

/// What a user is that training did not see.
struct RatingFoldIn {
  MatrixView<const float> items;
  const float* item_biases;
  float mean;
  float regularization;
};

/// Row by row the ridge regression above, for `ratings` (rows × items); `weights`, parallel to its entries, multiply the squared
/// errors and count for n_u; null is all 1. A row without entries is zeros. Throws as rating_als does.
void rating_fold_in(const CsrView& ratings, const float* weights, const RatingFoldIn& model, size_t max_lanes,
                    MatrixView<float> users, float* user_biases, TaskControl& control);

}  // namespace nigh

#include "train/ridge_map.h"

#include <cmath>
#include <string>

#include "base/cholesky.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "train/tall_matrix.h"

namespace nigh {

RidgeMap::RidgeMap(MatrixView<const float> features, const std::vector<float>& weights, double regularization, size_t max_lanes)
    : features_(features), factor_(features.dim * features.dim) {
  if (features.dim == 0 || features.dim > kMostFeatures) {
    throw Error("INVALID_ARGUMENT", "features: expected 1 to " + std::to_string(kMostFeatures) + " values a row, got " +
                                        std::to_string(features.dim) + ".");
  }
  if (!std::isfinite(regularization) || regularization <= 0) {
    throw Error("INVALID_ARGUMENT",
                "featureRegularization: expected a finite number above 0, got " + std::to_string(regularization) + ".");
  }
  const size_t dim = features.dim;
  weighted_ = Buffer<float>(features.rows * dim);
  for (size_t row = 0; row < features.rows; ++row) {
    if (!(weights[row] >= 0)) throw Error("INVALID_ARGUMENT", "weights: expected numbers of at least 0.");
    const float* source = features.row(row);
    float* target = weighted_.data() + row * dim;
    for (size_t k = 0; k < dim; ++k) {
      if (!std::isfinite(source[k])) {
        throw Error("NOT_FINITE", "features: row " + std::to_string(row) + " holds NaN or an infinity.");
      }
      target[k] = weights[row] * source[k];
    }
  }
  tall_cross(features, {weighted_.data(), features.rows, dim}, max_lanes, factor_.data());
  double trace = 0;
  for (size_t k = 0; k < dim; ++k) trace += factor_[k * dim + k];
  if (trace == 0) throw Error("EMPTY_DATASET", "features: no row that can be learnt from has any.");
  for (size_t k = 0; k < dim; ++k) factor_[k * dim + k] += regularization * trace / static_cast<double>(dim);
  if (!cholesky_factor(factor_.data(), dim)) {
    throw Error("INVALID_ARGUMENT", "featureRegularization: too small beside the features to determine their map; raise it.");
  }
}

void RidgeMap::fit(MatrixView<const float> targets, size_t max_lanes, float* map) const {
  const size_t dim = features_.dim;
  if (targets.rows != features_.rows) {
    throw Error("DIMENSION_MISMATCH", "targets: expected " + std::to_string(features_.rows) +
                                          " rows, one for every row of features, got " + std::to_string(targets.rows) + ".");
  }
  std::vector<double> sides(targets.dim * dim);
  tall_cross(targets, {weighted_.data(), features_.rows, dim}, max_lanes, sides.data());
  ThreadPool::shared().parallel_for(targets.dim, 1, max_lanes, [&](size_t begin, size_t end, size_t) {
    for (size_t k = begin; k < end; ++k) {
      double* side = sides.data() + k * dim;
      cholesky_solve(factor_.data(), dim, side);
      for (size_t j = 0; j < dim; ++j) map[k * dim + j] = static_cast<float>(side[j]);
    }
  });
  for (size_t at = 0; at < targets.dim * dim; ++at) {
    if (!std::isfinite(map[at])) throw Error("NOT_FINITE", "targets: they hold NaN or an infinity, or their map overflows.");
  }
}

}  // namespace nigh

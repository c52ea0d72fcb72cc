#include "train/pca.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "train/symmetric_eigen.h"
#include "train/tall_matrix.h"

namespace nigh {

namespace {

constexpr size_t kRowsAtOnce = 1024;

std::vector<double> mean_of(MatrixView<const float> rows) {
  std::vector<double> mean(rows.dim);
  for (size_t i = 0; i < rows.rows; ++i) {
    for (size_t d = 0; d < rows.dim; ++d) mean[d] += rows.row(i)[d];
  }
  for (double& value : mean) {
    value /= static_cast<double>(rows.rows);
    if (!std::isfinite(value)) throw Error("NOT_FINITE", "matrix: a value is not finite.");
  }
  return mean;
}

// Which of the two opposite directions is written must not depend on how it was computed.
double sign_of(const double* direction, size_t dim) {
  const double* largest =
      std::max_element(direction, direction + dim, [](double a, double b) { return std::abs(a) < std::abs(b); });
  return *largest < 0 ? -1 : 1;
}

}  // namespace

void pca(MatrixView<const float> rows, size_t components, size_t max_lanes, float* mean, double* variances, float* directions,
         float* projected, TaskControl& control) {
  const size_t dim = rows.dim;
  if (components == 0 || components > dim) {
    throw Error("INVALID_ARGUMENT",
                "components: expected 1 to " + std::to_string(dim) + ", got " + std::to_string(components) + ".");
  }
  if (rows.rows < 2) throw Error("INVALID_ARGUMENT", "matrix: expected at least 2 rows.");
  control.set_total(4);

  const std::vector<double> center = mean_of(rows);
  std::copy(center.begin(), center.end(), mean);
  control.advance(1);
  control.check();

  // Centred before they are multiplied: the difference of two large sums would keep few digits.
  const Buffer<float> centered(rows.rows * dim);
  ThreadPool::shared().parallel_for(rows.rows, kRowsAtOnce, max_lanes, [&](size_t begin, size_t end, size_t) {
    for (size_t i = begin; i < end; ++i) {
      for (size_t d = 0; d < dim; ++d) centered[i * dim + d] = static_cast<float>(rows.row(i)[d] - center[d]);
    }
  });
  const MatrixView<const float> view{centered.data(), rows.rows, dim};
  Buffer<double> covariance(dim * dim);
  tall_cross(view, view, max_lanes, covariance.data());
  for (size_t i = 0; i < dim * dim; ++i) covariance[i] /= static_cast<double>(rows.rows - 1);
  control.advance(1);
  control.check();

  symmetric_eigen(covariance.data(), dim, variances, covariance.data());
  for (size_t d = 0; d < dim; ++d) variances[d] = std::max(variances[d], 0.0);
  for (size_t c = 0; c < components; ++c) {
    const double* direction = covariance.data() + c * dim;
    const double sign = sign_of(direction, dim);
    for (size_t d = 0; d < dim; ++d) directions[c * dim + d] = static_cast<float>(sign * direction[d]);
  }
  control.advance(1);
  control.check();

  tall_project(view, directions, components, max_lanes, projected);
  control.advance(1);
}

}  // namespace nigh

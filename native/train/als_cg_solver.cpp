#include "train/als_cg_solver.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "simd/kernels.h"
#include "train/gathered_rows.h"

namespace nigh {

namespace {

// Entries scored by one kernel call before their rows are added up again, while the rows are still in the cache.
constexpr size_t kBatch = 128;

}  // namespace

AlsCgSolver::AlsCgSolver(MatrixView<const float> fixed, const double* shared_diagonal)
    : fixed_(fixed),
      shared_(shared_diagonal),
      diagonal_(fixed.dim),
      inverse_(fixed.dim),
      residual_(fixed.dim),
      direction_(fixed.dim),
      product_(fixed.dim),
      weights_(kBatch) {
  const auto [smallest, largest] = std::minmax_element(shared_diagonal, shared_diagonal + fixed.dim);
  smallest_shared_ = *smallest;
  smallest_pivot_ = 4 * double{std::numeric_limits<float>::epsilon()} * *largest;
}

void AlsCgSolver::solve(const AlsRow& row, double ridge, const float* mean, size_t steps, float* x) {
  if (!(smallest_shared_ + ridge > smallest_pivot_)) als_not_positive_definite();
  const Kernels& kernel = kernels();
  const size_t dim = fixed_.dim;
  float* diagonal = diagonal_.data();
  float* inverse = inverse_.data();
  float* residual = residual_.data();
  float* direction = direction_.data();
  float* product = product_.data();
  float* weights = weights_.data();

  // residual = Σ c (t − q·x) q + r m − D x; direction = D⁻¹ residual.
  for (size_t k = 0; k < dim; ++k) {
    diagonal[k] = static_cast<float>(shared_[k] + ridge);
    inverse[k] = 1.0f / diagonal[k];
    residual[k] = -diagonal[k] * x[k];
    if (mean != nullptr) residual[k] += static_cast<float>(ridge * mean[k]);
  }
  for (size_t first = 0; first < row.count; first += kBatch) {
    const size_t count = std::min(kBatch, row.count - first);
    kernel.dot_gather(x, fixed_.data, dim, row.columns + first, count, dim, weights);
    for (size_t e = 0; e < count; ++e) weights[e] = row.confidence(first + e) * (row.target(first + e) - weights[e]);
    add_gathered(weights, fixed_.data, row.columns + first, count, dim, residual);
  }
  for (size_t k = 0; k < dim; ++k) direction[k] = inverse[k] * residual[k];
  float measure = kernel.dot(residual, direction, dim);
  // Below this only rounding is left: seven digits of the residual's length.
  const float done = measure * 1e-14f;

  for (size_t step = 0; step < steps && measure > done; ++step) {
    for (size_t k = 0; k < dim; ++k) product[k] = diagonal[k] * direction[k];
    for (size_t first = 0; first < row.count; first += kBatch) {
      const size_t count = std::min(kBatch, row.count - first);
      kernel.dot_gather(direction, fixed_.data, dim, row.columns + first, count, dim, weights);
      for (size_t e = 0; e < count; ++e) weights[e] *= row.confidence(first + e);
      add_gathered(weights, fixed_.data, row.columns + first, count, dim, product);
    }
    const float curvature = kernel.dot(direction, product, dim);
    if (!std::isfinite(curvature)) als_overflow();
    if (curvature <= 0) break;  // the direction has vanished
    const float length = measure / curvature;
    kernel.axpy(length, direction, x, dim);
    if (step + 1 == steps) break;
    for (size_t k = 0; k < dim; ++k) {
      residual[k] -= length * product[k];
      product[k] = inverse[k] * residual[k];
    }
    const float next = kernel.dot(residual, product, dim);
    const float momentum = next / measure;
    for (size_t k = 0; k < dim; ++k) direction[k] = product[k] + momentum * direction[k];
    measure = next;
  }
  bool finite = std::isfinite(measure);
  for (size_t k = 0; k < dim; ++k) finite &= std::isfinite(x[k]);
  if (!finite) als_overflow();
}

}  // namespace nigh

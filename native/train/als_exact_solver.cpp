#include "train/als_exact_solver.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/cholesky.h"
#include "simd/kernels.h"
#include "train/gathered_rows.h"

namespace nigh {

namespace {

// From here on a register-blocked product beats one call a row.
constexpr size_t kBlockedFrom = 32;

}  // namespace

AlsExactSolver::AlsExactSolver(MatrixView<const float> fixed, const double* shared, bool diagonal)
    : fixed_(fixed),
      shared_(shared),
      diagonal_(diagonal),
      system_(fixed.dim * fixed.dim),
      solution_(fixed.dim),
      quads_(4 * fixed.dim),
      gathered_(std::max(fixed.dim, PanelProduct::kRows) * fixed.dim),
      scaled_(fixed.dim * fixed.dim),
      inverse_(fixed.dim),
      products_(fixed.dim * fixed.dim),
      scratch_(kernels().gemm_scratch(fixed.dim, fixed.dim, fixed.dim)),
      panels_(fixed.dim, fixed.dim) {
  const size_t step = diagonal ? 1 : fixed.dim + 1;
  double largest = 0;
  double smallest = std::numeric_limits<double>::infinity();
  for (size_t k = 0; k < fixed.dim; ++k) {
    largest = std::max(largest, shared[k * step]);
    smallest = std::min(smallest, shared[k * step]);
  }
  smallest_pivot_ = 4 * double{std::numeric_limits<float>::epsilon()} * largest;
  if (diagonal) smallest_shared_ = smallest;
}

void AlsExactSolver::solve(const AlsRow& row, double ridge, const float* mean, float* x) {
  if (row.count == 0) {
    std::fill(x, x + fixed_.dim, 0.0f);
    return;
  }
  if (diagonal_ && !(smallest_shared_ + ridge > smallest_pivot_)) als_not_positive_definite();
  if (diagonal_ && row.count < fixed_.dim) {
    solve_dual(row, ridge, mean, x);
  } else {
    solve_primal(row, ridge, mean, x);
  }
  bool finite = true;
  for (size_t k = 0; k < fixed_.dim; ++k) finite &= std::isfinite(x[k]);
  if (!finite) als_overflow();
}

// system_ (upper triangle) += Σ c q qᵀ.
void AlsExactSolver::add_outer_products(const AlsRow& row) {
  const size_t dim = fixed_.dim;
  if (row.count >= kBlockedFrom) {
    for (size_t first = 0; first < row.count; first += PanelProduct::kRows) {
      const size_t count = std::min(PanelProduct::kRows, row.count - first);
      for (size_t e = 0; e < count; ++e) {
        if (e + 4 < count) prefetch_row(fixed_.row(row.columns[first + e + 4]), dim);
        const float scale = std::sqrt(row.confidence(first + e));
        const float* q = fixed_.row(row.columns[first + e]);
        float* target = gathered_.data() + e * dim;
        for (size_t k = 0; k < dim; ++k) target[k] = scale * q[k];
      }
      panels_.add(gathered_.data(), nullptr, count, system_.data());
    }
    return;
  }
  // Few entries: four at a time, so that the matrix is read and written once for four of them.
  for (size_t first = 0; first < row.count; first += 4) {
    double* r[4];
    for (size_t t = 0; t < 4; ++t) {
      r[t] = quads_.data() + t * dim;
      if (first + t >= row.count) {
        std::fill(r[t], r[t] + dim, 0.0);
        continue;
      }
      const double scale = std::sqrt(double{row.confidence(first + t)});
      const float* q = fixed_.row(row.columns[first + t]);
      for (size_t k = 0; k < dim; ++k) r[t][k] = scale * q[k];
    }
    const double *r0 = r[0], *r1 = r[1], *r2 = r[2], *r3 = r[3];
    for (size_t i = 0; i < dim; ++i) {
      double* target = system_.data() + i * dim;
      const double f0 = r0[i], f1 = r1[i], f2 = r2[i], f3 = r3[i];
      for (size_t j = i; j < dim; ++j) target[j] += (f0 * r0[j] + f1 * r1[j]) + (f2 * r2[j] + f3 * r3[j]);
    }
  }
}

void AlsExactSolver::solve_primal(const AlsRow& row, double ridge, const float* mean, float* x) {
  const size_t dim = fixed_.dim;
  if (diagonal_) {
    std::fill(system_.begin(), system_.end(), 0.0);
    for (size_t k = 0; k < dim; ++k) system_[k * dim + k] = shared_[k];
  } else {
    std::copy_n(shared_, dim * dim, system_.data());
  }
  for (size_t k = 0; k < dim; ++k) system_[k * dim + k] += ridge;
  add_outer_products(row);

  for (size_t k = 0; k < dim; ++k) solution_[k] = mean == nullptr ? 0.0 : ridge * mean[k];
  for (size_t e = 0; e < row.count; ++e) {
    if (row.target(e) == 0) continue;
    const double confidence = row.confidence(e);
    const float* q = fixed_.row(row.columns[e]);
    for (size_t k = 0; k < dim; ++k) solution_[k] += confidence * q[k];
  }
  for (size_t k = 0; k < dim; ++k) {
    if (!std::isfinite(system_[k * dim + k])) als_overflow();
  }
  if (!cholesky_factor(system_.data(), dim, smallest_pivot_)) als_not_positive_definite();
  cholesky_solve(system_.data(), dim, solution_.data());
  for (size_t k = 0; k < dim; ++k) x[k] = static_cast<float>(solution_[k]);
}

void AlsExactSolver::solve_dual(const AlsRow& row, double ridge, const float* mean, float* x) {
  const Kernels& kernel = kernels();
  const size_t dim = fixed_.dim;
  const size_t n = row.count;
  for (size_t k = 0; k < dim; ++k) inverse_[k] = 1.0f / static_cast<float>(shared_[k] + ridge);
  for (size_t e = 0; e < n; ++e) {
    const float* q = fixed_.row(row.columns[e]);
    float* target = scaled_.data() + e * dim;
    for (size_t k = 0; k < dim; ++k) target[k] = q[k] * inverse_[k];
  }
  if (n >= kBlockedFrom) {
    for (size_t e = 0; e < n; ++e) std::copy_n(fixed_.row(row.columns[e]), dim, gathered_.data() + e * dim);
    kernel.gemm_nt(scaled_.data(), n, gathered_.data(), n, dim, products_.data(), n, scratch_.data());
  } else {
    for (size_t e = 0; e < n; ++e) {
      kernel.dot_gather(scaled_.data() + e * dim, fixed_.data, dim, row.columns + e, n - e, dim, products_.data() + e * n + e);
    }
  }
  for (size_t e = 0; e < n; ++e) solution_[e] = std::sqrt(double{row.confidence(e)});
  for (size_t e = 0; e < n; ++e) {
    double* target = system_.data() + e * n;
    const float* product = products_.data() + e * n;
    const double weight = solution_[e];
    for (size_t f = e; f < n; ++f) target[f] = weight * solution_[f] * product[f];
    target[e] += 1;
  }
  // x ← x₀, and what the entries ask for beyond it.
  for (size_t k = 0; k < dim; ++k) x[k] = mean == nullptr ? 0.0f : static_cast<float>(ridge * mean[k]) * inverse_[k];
  for (size_t e = 0; e < n; ++e) {
    solution_[e] *= row.target(e) - (mean == nullptr ? 0.0f : kernel.dot(x, fixed_.row(row.columns[e]), dim));
  }
  // Never fails for finite factors: every eigenvalue of the dual matrix is at least 1.
  if (!cholesky_factor(system_.data(), n)) als_overflow();
  cholesky_solve(system_.data(), n, solution_.data());
  for (size_t e = 0; e < n; ++e) {
    const double weight = std::sqrt(double{row.confidence(e)}) * solution_[e];
    kernel.axpy(static_cast<float>(weight), scaled_.data() + e * dim, x, dim);
  }
}

}  // namespace nigh

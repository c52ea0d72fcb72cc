#include "train/orthonormal.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/cholesky.h"
#include "base/error.h"
#include "train/symmetric_eigen.h"
#include "train/tall_matrix.h"

namespace nigh {

namespace {

// A Gram matrix of unit columns has this much rounding in it, so smaller eigenvalues or pivots say nothing.
constexpr double kNoise = 1e-6;
// A pivot above this bounds the error of one Cholesky step well enough for a second to finish.
constexpr double kSafePivot = 1e-3;
constexpr size_t kMostSteps = 6;

// The farthest that an entry of the Gram matrix is from the identity; zero columns are as they should be.
double departure(const std::vector<double>& gram, size_t n) {
  double worst = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      const double wanted = i == j && gram[i * n + i] != 0 ? 1 : 0;
      worst = std::max(worst, std::fabs(gram[i * n + j] - wanted));
    }
  }
  return worst;
}

// basis (n × n, row j makes column j of the next matrix) such that the columns become nearly orthonormal. `lengths` are those of
// the columns, `unit` the Gram matrix of the columns at unit length (a zero column has zeros).
void next_basis(const std::vector<double>& unit, const std::vector<double>& lengths, size_t n, std::vector<double>& basis) {
  std::fill(basis.begin(), basis.end(), 0.0);
  std::vector<double> factor = unit;
  for (size_t i = 0; i < n; ++i) {
    if (lengths[i] == 0) factor[i * n + i] = 1;
  }
  if (cholesky_factor(factor.data(), n, kSafePivot)) {
    invert_upper(factor.data(), n);
    for (size_t j = 0; j < n; ++j) {
      for (size_t i = 0; i <= j; ++i) {
        if (lengths[i] != 0) basis[j * n + i] = factor[i * n + j] / lengths[i];
      }
    }
    return;
  }
  std::vector<double> values(n), vectors(n * n);
  symmetric_eigen(unit.data(), n, values.data(), vectors.data());
  for (size_t j = 0; j < n; ++j) {
    // Directions below the noise are enlarged as far as the noise allows; the next step sees what they were.
    const double scale = 1.0 / std::sqrt(std::max(values[j], kNoise * values[0]));
    for (size_t i = 0; i < n; ++i) {
      if (lengths[i] != 0) basis[j * n + i] = vectors[j * n + i] * scale / lengths[i];
    }
  }
}

}  // namespace

void orthonormalize(MatrixView<float> tall, double tolerance, size_t max_lanes) {
  const size_t n = tall.dim;
  const MatrixView<const float> view{tall.data, tall.rows, n};
  std::vector<double> gram(n * n), unit(n * n), lengths(n), basis(n * n);
  for (size_t step = 0; step < kMostSteps; ++step) {
    tall_cross(view, view, max_lanes, gram.data());
    for (const double value : gram) {
      if (!std::isfinite(value)) throw Error("NOT_FINITE", "A matrix to be orthonormalised holds NaN, or overflows.");
    }
    if (departure(gram, n) < std::max(tolerance, kNoise)) return;
    for (size_t i = 0; i < n; ++i) lengths[i] = std::sqrt(gram[i * n + i]);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) {
        const double scale = lengths[i] * lengths[j];
        unit[i * n + j] = scale == 0 ? 0 : gram[i * n + j] / scale;
      }
    }
    next_basis(unit, lengths, n, basis);
    const std::vector<float> directions(basis.begin(), basis.end());
    tall_project(view, directions.data(), n, max_lanes, tall.data);
  }
}

}  // namespace nigh

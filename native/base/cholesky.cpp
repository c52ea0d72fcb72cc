#include "base/cholesky.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nigh {

namespace {

// Rows are eliminated four at a time: the trailing matrix is then read and written once for four updates.
constexpr size_t kPanel = 4;

}  // namespace

bool cholesky_factor(double* a, size_t n, double smallest_pivot) {
  double largest = 0;
  for (size_t k = 0; k < n; ++k) largest = std::max(largest, a[k * n + k]);
  const double floor = std::max(smallest_pivot, largest * static_cast<double>(n) * std::numeric_limits<double>::epsilon());

  for (size_t first = 0; first < n; first += kPanel) {
    const size_t last = std::min(first + kPanel, n);
    for (size_t k = first; k < last; ++k) {
      double* row = a + k * n;
      for (size_t t = first; t < k; ++t) {
        const double* done = a + t * n;
        const double factor = done[k];
        for (size_t j = k; j < n; ++j) row[j] -= factor * done[j];
      }
      // Written so that NaN fails too.
      if (!(row[k] > floor) || !std::isfinite(row[k])) return false;
      const double scale = 1.0 / std::sqrt(row[k]);
      for (size_t j = k; j < n; ++j) row[j] *= scale;
    }
    if (last - first < kPanel) break;
    const double* r0 = a + first * n;
    const double* r1 = r0 + n;
    const double* r2 = r1 + n;
    const double* r3 = r2 + n;
    for (size_t i = last; i < n; ++i) {
      double* row = a + i * n;
      const double f0 = r0[i], f1 = r1[i], f2 = r2[i], f3 = r3[i];
      for (size_t j = i; j < n; ++j) row[j] -= (f0 * r0[j] + f1 * r1[j]) + (f2 * r2[j] + f3 * r3[j]);
    }
  }
  return true;
}

void cholesky_solve(const double* u, size_t n, double* x) {
  for (size_t k = 0; k < n; ++k) {
    const double* row = u + k * n;
    const double value = x[k] / row[k];
    x[k] = value;
    for (size_t j = k + 1; j < n; ++j) x[j] -= value * row[j];
  }
  for (size_t k = n; k-- > 0;) {
    const double* row = u + k * n;
    double sums[4] = {};
    size_t j = k + 1;
    for (; j + 4 <= n; j += 4) {
      for (size_t lane = 0; lane < 4; ++lane) sums[lane] += row[j + lane] * x[j + lane];
    }
    for (; j < n; ++j) sums[0] += row[j] * x[j];
    x[k] = (x[k] - ((sums[0] + sums[1]) + (sums[2] + sums[3]))) / row[k];
  }
}

void invert_upper(double* u, size_t n) {
  // Rows from the last up: row i of U⁻¹ = (e_i − Σ_{t>i} U_it · row t of U⁻¹) / U_ii.
  for (size_t i = n; i-- > 0;) {
    double* row = u + i * n;
    const double inverse = 1.0 / row[i];
    row[i] = inverse;
    // U_it is read at step t, and what is written there before is only at columns below t: ascending t would overwrite it.
    for (size_t t = n; t-- > i + 1;) {
      const double factor = -row[t] * inverse;
      const double* done = u + t * n;
      row[t] = 0;
      for (size_t j = t; j < n; ++j) row[j] += factor * done[j];
    }
  }
}

}  // namespace nigh

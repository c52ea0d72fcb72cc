#include "train/symmetric_eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/error.h"

namespace nigh {

namespace {

// y += factor x.
void add_scaled(double factor, const double* x, double* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

// A ← T = Hᵀ A H with H = H₀ H₁ …, H_k = I − β_k v_k v_kᵀ. v_k stays in row k, right of the diagonal. T's diagonal and
// off-diagonal go to d (n) and e (e[k] joins k and k + 1).
void tridiagonalize(double* a, size_t n, double* d, double* e, double* beta) {
  std::vector<double> product(n);
  for (size_t k = 0; k + 1 < n; ++k) {
    const size_t rest = n - k - 1;
    double* v = a + k * n + k + 1;
    d[k] = a[k * n + k];
    beta[k] = 0;
    double scale = 0;
    for (size_t i = 1; i < rest; ++i) scale = std::max(scale, std::fabs(v[i]));
    if (scale == 0) {  // nothing to eliminate
      e[k] = v[0];
      continue;
    }
    scale = std::max(scale, std::fabs(v[0]));
    double squares = 0;
    for (size_t i = 0; i < rest; ++i) {
      v[i] /= scale;
      squares += v[i] * v[i];
    }
    const double alpha = -std::copysign(std::sqrt(squares), v[0]);
    e[k] = alpha * scale;
    beta[k] = 1.0 / (squares - alpha * v[0]);
    v[0] -= alpha;

    // The trailing block is kept whole, both triangles, so that its product with v runs along rows.
    double* w = product.data();
    std::fill(w, w + rest, 0.0);
    for (size_t i = 0; i < rest; ++i) add_scaled(beta[k] * v[i], a + (k + 1 + i) * n + k + 1, w, rest);
    double inner = 0;
    for (size_t i = 0; i < rest; ++i) inner += w[i] * v[i];
    add_scaled(-0.5 * beta[k] * inner, v, w, rest);
    for (size_t i = 0; i < rest; ++i) {
      double* row = a + (k + 1 + i) * n + k + 1;
      const double vi = v[i], wi = w[i];
      for (size_t j = 0; j < rest; ++j) row[j] -= vi * w[j] + wi * v[j];
    }
  }
  d[n - 1] = a[n * n - 1];
  e[n - 1] = 0;
}

// q ← H₀ H₁ … H_{n−2}, from the reflectors that tridiagonalize left in `a`.
void accumulate_reflectors(const double* a, const double* beta, size_t n, double* q) {
  std::fill(q, q + n * n, 0.0);
  for (size_t i = 0; i < n; ++i) q[i * n + i] = 1;
  std::vector<double> product(n);
  for (size_t k = n - 1; k-- > 0;) {
    if (beta[k] == 0) continue;
    const size_t rest = n - k - 1;
    const double* v = a + k * n + k + 1;
    double* w = product.data();
    std::fill(w, w + rest, 0.0);
    for (size_t i = 0; i < rest; ++i) add_scaled(v[i], q + (k + 1 + i) * n + k + 1, w, rest);
    for (size_t i = 0; i < rest; ++i) add_scaled(-beta[k] * v[i], w, q + (k + 1 + i) * n + k + 1, rest);
  }
}

void transpose_square(double* a, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i + 1; j < n; ++j) std::swap(a[i * n + j], a[j * n + i]);
  }
}

// Implicit QL on the tridiagonal (d, e); the rotations are applied to the rows of z.
void diagonalize(double* d, double* e, size_t n, double* z) {
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  constexpr int kMostSweeps = 100;  // two are usual
  for (size_t l = 0; l < n; ++l) {
    for (int sweep = 0;; ++sweep) {
      size_t m = l;
      while (m + 1 < n && std::fabs(e[m]) > kEpsilon * (std::fabs(d[m]) + std::fabs(d[m + 1]))) ++m;
      if (m == l) break;
      if (sweep == kMostSweeps) throw Error("INTERNAL", "The symmetric eigenvalue iteration did not converge.");

      // Wilkinson's shift from the leading 2 × 2 block.
      double g = (d[l + 1] - d[l]) / (2 * e[l]);
      g = d[m] - d[l] + e[l] / (g + std::copysign(std::hypot(g, 1.0), g));
      double s = 1, c = 1, p = 0;
      bool split = false;
      for (size_t i = m; i-- > l;) {
        const double f = s * e[i];
        const double b = c * e[i];
        double r = std::hypot(f, g);
        e[i + 1] = r;
        if (r == 0) {  // the matrix falls apart here
          d[i + 1] -= p;
          e[m] = 0;
          split = true;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        double* upper = z + i * n;
        double* lower = upper + n;
        for (size_t k = 0; k < n; ++k) {
          const double x = lower[k];
          lower[k] = s * upper[k] + c * x;
          upper[k] = c * upper[k] - s * x;
        }
      }
      if (split) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}

}  // namespace

void symmetric_eigen(const double* matrix, size_t n, double* values, double* vectors) {
  if (n == 0) return;
  for (size_t i = 0; i < n * n; ++i) {
    if (!std::isfinite(matrix[i])) throw Error("NOT_FINITE", "A matrix to be diagonalised holds NaN or an infinity.");
  }
  std::vector<double> work(matrix, matrix + n * n), d(n), e(n), beta(n);
  std::vector<double> z(n * n);
  tridiagonalize(work.data(), n, d.data(), e.data(), beta.data());
  accumulate_reflectors(work.data(), beta.data(), n, z.data());
  transpose_square(z.data(), n);
  diagonalize(d.data(), e.data(), n, z.data());

  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return d[a] > d[b]; });
  for (size_t k = 0; k < n; ++k) {
    values[k] = d[order[k]];
    std::copy_n(z.data() + order[k] * n, n, vectors + k * n);
  }
}

}  // namespace nigh

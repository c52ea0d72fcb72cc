// The randomised SVD against a naive dense one-sided Jacobi SVD in double.
#include "train/randomized_svd.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "check.h"
#include "sparse_fixture.h"

namespace {

using nigh::RandomizedSvdParams;
using nigh::TaskControl;

struct Svd {
  std::vector<float> u, s, v;
};

Svd factorize(const SparseFixture& matrix, const RandomizedSvdParams& params) {
  const SparseFixture transposed = matrix.transposed();
  Svd out{std::vector<float>(matrix.rows() * params.rank, 9.0f), std::vector<float>(params.rank, 9.0f),
          std::vector<float>(matrix.cols * params.rank, 9.0f)};
  TaskControl control;
  nigh::randomized_svd(matrix.view(), transposed.view(), params, out.u.data(), out.s.data(), out.v.data(), control);
  CHECK(control.done() == control.total() && control.total() > 0);
  return out;
}

// Singular values, descending, and right singular vectors (as rows) of a dense rows × cols matrix: one-sided Jacobi
// (Hestenes 1958) on the columns.
struct Oracle {
  std::vector<double> s;
  std::vector<std::vector<double>> v;
};

Oracle jacobi_svd(const std::vector<double>& dense, size_t rows, size_t cols) {
  std::vector<std::vector<double>> a(cols, std::vector<double>(rows)), v(cols, std::vector<double>(cols, 0.0));
  for (size_t j = 0; j < cols; ++j) {
    v[j][j] = 1;
    for (size_t i = 0; i < rows; ++i) a[j][i] = dense[i * cols + j];
  }
  const auto inner = [](const std::vector<double>& x, const std::vector<double>& y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  for (int sweep = 0; sweep < 60; ++sweep) {
    double off = 0;
    for (size_t p = 0; p < cols; ++p) {
      for (size_t q = p + 1; q < cols; ++q) {
        const double alpha = inner(a[p], a[p]), beta = inner(a[q], a[q]), gamma = inner(a[p], a[q]);
        if (std::fabs(gamma) <= 1e-15 * std::sqrt(alpha * beta) || gamma == 0) continue;
        off = std::max(off, std::fabs(gamma) / std::sqrt(alpha * beta));
        const double zeta = (beta - alpha) / (2 * gamma);
        const double t = std::copysign(1.0, zeta) / (std::fabs(zeta) + std::hypot(1.0, zeta));
        const double c = 1 / std::hypot(1.0, t), s = c * t;
        const auto rotate = [&](std::vector<double>& x, std::vector<double>& y) {
          for (size_t i = 0; i < x.size(); ++i) {
            const double xi = x[i];
            x[i] = c * xi - s * y[i];
            y[i] = s * xi + c * y[i];
          }
        };
        rotate(a[p], a[q]);
        rotate(v[p], v[q]);
      }
    }
    if (off < 1e-14) break;
  }
  std::vector<size_t> order(cols);
  std::iota(order.begin(), order.end(), size_t{0});
  std::vector<double> lengths(cols);
  for (size_t j = 0; j < cols; ++j) lengths[j] = std::sqrt(inner(a[j], a[j]));
  std::sort(order.begin(), order.end(), [&](size_t x, size_t y) { return lengths[x] > lengths[y]; });
  Oracle out;
  for (const size_t j : order) {
    out.s.push_back(lengths[j]);
    out.v.push_back(v[j]);
  }
  return out;
}

// The largest departure of the Gram matrix of the columns from the identity; columns ≥ `nonzero` must be zero.
double departure(const std::vector<float>& columns, size_t rank, size_t nonzero) {
  const size_t rows = columns.size() / rank;
  double worst = 0;
  for (size_t a = 0; a < rank; ++a) {
    for (size_t b = 0; b <= a; ++b) {
      double sum = 0;
      for (size_t i = 0; i < rows; ++i) sum += double{columns[i * rank + a]} * columns[i * rank + b];
      worst = std::max(worst, std::fabs(sum - (a == b && a < nonzero ? 1 : 0)));
    }
  }
  return worst;
}

// |A − U diag(s) Vᵀ|_F.
double reconstruction_error(const SparseFixture& matrix, const Svd& svd) {
  const size_t rank = svd.s.size();
  const std::vector<double> dense = matrix.dense();
  double squares = 0;
  for (size_t i = 0; i < matrix.rows(); ++i) {
    for (size_t j = 0; j < matrix.cols; ++j) {
      double value = dense[i * matrix.cols + j];
      for (size_t k = 0; k < rank; ++k) value -= double{svd.u[i * rank + k]} * svd.s[k] * svd.v[j * rank + k];
      squares += value * value;
    }
  }
  return std::sqrt(squares);
}

double normal(nigh::Rng& rng) { return rng.normal(); }

SparseFixture from_dense(const std::vector<double>& dense, size_t rows, size_t cols) {
  SparseFixture out(cols);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < cols; ++j) {
      if (dense[i * cols + j] != 0) out.push(static_cast<uint32_t>(j), static_cast<float>(dense[i * cols + j]));
    }
    out.end_row();
  }
  return out;
}

// A matrix of exactly this rank (up to float rounding), from factors with singular values that fall by `decay`.
SparseFixture of_rank(size_t rows, size_t cols, size_t rank, double decay, uint64_t seed) {
  nigh::Rng rng(seed);
  std::vector<double> dense(rows * cols, 0.0), x(rows), y(cols);
  double weight = 1;
  for (size_t k = 0; k < rank; ++k) {
    for (double& value : x) value = rng.normal();
    for (double& value : y) value = rng.normal();
    for (size_t i = 0; i < rows; ++i) {
      for (size_t j = 0; j < cols; ++j) dense[i * cols + j] += weight * x[i] * y[j];
    }
    weight *= decay;
  }
  return from_dense(dense, rows, cols);
}

}  // namespace

TEST("the randomised SVD has the singular values and spaces of a dense SVD") {
  struct Case {
    size_t rows, cols, rank;
    double density;
  };
  const Case cases[] = {{60, 40, 10, 0.3}, {40, 60, 10, 0.3}, {200, 35, 35, 0.2}, {35, 200, 35, 0.2}, {90, 90, 5, 0.1}};
  uint64_t seed = 100;
  for (const Case& c : cases) {
    const SparseFixture matrix = SparseFixture::random(c.rows, c.cols, c.density, true, ++seed, normal);
    RandomizedSvdParams params;
    params.rank = c.rank;
    params.power_iterations = 12;  // a flat random spectrum converges slowly
    const Svd svd = factorize(matrix, params);
    const Oracle oracle = jacobi_svd(matrix.dense(), c.rows, c.cols);
    size_t nonzero = 0;
    for (size_t k = 0; k < c.rank; ++k) {
      CHECK_NEAR(svd.s[k], oracle.s[k], 1e-4 * oracle.s[k] + 2e-6 * oracle.s[0]);
      if (k > 0) CHECK(svd.s[k] <= svd.s[k - 1]);
      nonzero += svd.s[k] > 0 ? 1 : 0;
    }
    CHECK(departure(svd.u, c.rank, nonzero) < 2e-5);
    CHECK(departure(svd.v, c.rank, nonzero) < 2e-5);
    // The space of the leading right vectors: a vector of it loses no length when projected on the oracle's. Cut where the
    // spectrum has a gap.
    size_t cut = 1;
    for (size_t k = 1; k < c.rank; ++k) {
      if (oracle.s[k - 1] - oracle.s[k] > oracle.s[cut - 1] - oracle.s[cut]) cut = k;
    }
    for (size_t k = 0; k < cut; ++k) {
      double kept = 0;
      for (size_t o = 0; o < cut; ++o) {
        double cosine = 0;
        for (size_t j = 0; j < c.cols; ++j) cosine += svd.v[j * c.rank + k] * oracle.v[o][j];
        kept += cosine * cosine;
      }
      CHECK_NEAR(kept, 1.0, 1e-4);
    }
    // The error of the truncation is what the left-out singular values make it.
    double rest = 0;
    for (size_t k = c.rank; k < oracle.s.size(); ++k) rest += oracle.s[k] * oracle.s[k];
    CHECK_NEAR(reconstruction_error(matrix, svd), std::sqrt(rest), 1e-3 * oracle.s[0]);
  }
}

TEST("singular values over a wide range keep their digits") {
  const SparseFixture matrix = of_rank(80, 70, 30, 0.7, 200);  // from 1 down to 3e-5
  RandomizedSvdParams params;
  params.rank = 25;
  const Svd svd = factorize(matrix, params);
  const Oracle oracle = jacobi_svd(matrix.dense(), 80, 70);
  for (size_t k = 0; k < 25; ++k) CHECK_NEAR(svd.s[k], oracle.s[k], 1e-4 * oracle.s[k] + 5e-7 * oracle.s[0]);
  CHECK(departure(svd.u, 25, 25) < 2e-5);
  CHECK(departure(svd.v, 25, 25) < 2e-5);
}

TEST("beyond the rank of a matrix singular values are zero, and so are their vectors") {
  for (const size_t rank : {size_t{1}, size_t{3}, size_t{7}}) {
    const SparseFixture matrix = of_rank(50, 30, rank, 0.8, 300 + rank);
    RandomizedSvdParams params;
    params.rank = 20;
    const Svd svd = factorize(matrix, params);
    const Oracle oracle = jacobi_svd(matrix.dense(), 50, 30);
    for (size_t k = 0; k < 20; ++k) {
      if (k < rank) {
        CHECK_NEAR(svd.s[k], oracle.s[k], 1e-4 * oracle.s[k]);
      } else {
        CHECK(svd.s[k] == 0);
      }
    }
    CHECK(departure(svd.u, 20, rank) < 2e-5);
    CHECK(departure(svd.v, 20, rank) < 2e-5);
    CHECK(reconstruction_error(matrix, svd) < 1e-5 * oracle.s[0]);
  }
}

TEST("repeated, empty and proportional rows and columns do no harm") {
  // Rows 0, 1 and 5 alike, row 3 empty, column 2 empty, column 4 twice column 0.
  SparseFixture matrix(5);
  for (const int kind : {1, 1, 2, 0, 3, 1}) {
    if (kind != 0) {
      matrix.push(0, static_cast<float>(kind));
      if (kind != 1) matrix.push(1, 1.0f);
      if (kind == 3) matrix.push(3, -2.0f);
      matrix.push(4, static_cast<float>(2 * kind));
    }
    matrix.end_row();
  }
  RandomizedSvdParams params;
  params.rank = 5;
  const Svd svd = factorize(matrix, params);
  const Oracle oracle = jacobi_svd(matrix.dense(), 6, 5);
  for (size_t k = 0; k < 3; ++k) CHECK_NEAR(svd.s[k], oracle.s[k], 1e-5 * oracle.s[0]);
  CHECK(svd.s[3] == 0 && svd.s[4] == 0);
  CHECK(departure(svd.u, 5, 3) < 1e-5);
  CHECK(departure(svd.v, 5, 3) < 1e-5);
  for (size_t k = 0; k < 5; ++k) CHECK_NEAR(svd.v[2 * 5 + k], 0.0, 1e-6);
  CHECK(reconstruction_error(matrix, svd) < 1e-5);
}

TEST("an identity, a single row, a single column and a zero matrix have their SVD") {
  SparseFixture identity(12);
  for (uint32_t i = 0; i < 12; ++i) {
    identity.push(i, 1.0f);
    identity.end_row();
  }
  RandomizedSvdParams params;
  params.rank = 12;
  const Svd of_identity = factorize(identity, params);
  for (size_t k = 0; k < 12; ++k) CHECK_NEAR(of_identity.s[k], 1.0, 1e-5);
  CHECK(reconstruction_error(identity, of_identity) < 1e-4);

  params.rank = 1;
  SparseFixture row(7);
  row.push(1, 3.0f);
  row.push(4, -4.0f);
  row.end_row();
  const Svd of_row = factorize(row, params);
  CHECK_NEAR(of_row.s[0], 5.0, 1e-5);
  CHECK_NEAR(of_row.v[4], 0.8, 1e-6);  // the largest entry is positive
  CHECK_NEAR(of_row.v[1], -0.6, 1e-6);
  CHECK_NEAR(of_row.u[0], -1.0, 1e-6);
  const Svd of_column = factorize(row.transposed(), params);
  CHECK_NEAR(of_column.s[0], 5.0, 1e-5);
  CHECK_NEAR(of_column.v[0], 1.0, 1e-6);
  CHECK_NEAR(of_column.u[4], -0.8, 1e-6);

  SparseFixture zero(4);
  for (int i = 0; i < 3; ++i) zero.end_row();
  params.rank = 3;
  const Svd of_zero = factorize(zero, params);
  for (const auto* values : {&of_zero.u, &of_zero.s, &of_zero.v}) {
    CHECK(std::all_of(values->begin(), values->end(), [](float value) { return value == 0; }));
  }
}

TEST("the scale of a matrix changes the singular values only") {
  const SparseFixture matrix = SparseFixture::random(50, 40, 0.2, false, 400, normal);
  RandomizedSvdParams params;
  params.rank = 6;
  const Svd plain = factorize(matrix, params);
  for (const int exponent : {-100, -60, 60, 100}) {
    SparseFixture scaled = matrix;
    for (float& value : scaled.values) value = std::ldexp(value, exponent);
    const Svd svd = factorize(scaled, params);
    CHECK(svd.u == plain.u);
    CHECK(svd.v == plain.v);
    for (size_t k = 0; k < 6; ++k) CHECK(svd.s[k] == std::ldexp(plain.s[k], exponent));
  }
}

TEST("the randomised SVD gives the same bytes on 1, 2, 3 and 4 threads, and signs that are fixed") {
  const SparseFixture matrix = SparseFixture::random(2500, 900, 0.01, true, 500, normal);
  RandomizedSvdParams params;
  params.rank = 21;
  params.max_lanes = 1;
  const Svd one = factorize(matrix, params);
  for (const size_t lanes : {size_t{2}, size_t{3}, size_t{0}}) {
    params.max_lanes = lanes;
    const Svd many = factorize(matrix, params);
    CHECK(std::memcmp(one.u.data(), many.u.data(), one.u.size() * sizeof(float)) == 0);
    CHECK(std::memcmp(one.s.data(), many.s.data(), one.s.size() * sizeof(float)) == 0);
    CHECK(std::memcmp(one.v.data(), many.v.data(), one.v.size() * sizeof(float)) == 0);
  }
  for (size_t k = 0; k < params.rank; ++k) {
    float largest = 0;
    for (size_t j = 0; j < matrix.cols; ++j) {
      const float value = one.v[j * params.rank + k];
      if (std::fabs(value) > std::fabs(largest)) largest = value;
    }
    CHECK(largest > 0);
  }
}

TEST("the randomised SVD refuses a wrong rank, values that are not finite, and a cancelled control") {
  const SparseFixture matrix = SparseFixture::random(20, 10, 0.3, false, 600, normal);
  for (const size_t rank : {size_t{0}, size_t{11}}) {
    RandomizedSvdParams params;
    params.rank = rank;
    CHECK_THROWS(factorize(matrix, params), "INVALID_ARGUMENT");
  }
  RandomizedSvdParams params;
  params.rank = 4;
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    SparseFixture bad = matrix;
    bad.values[5] = value;
    CHECK_THROWS(factorize(bad, params), "NOT_FINITE");
  }
  std::vector<float> u(80), s(4), v(40);
  TaskControl control;
  CHECK_THROWS(nigh::randomized_svd(matrix.view(), matrix.view(), params, u.data(), s.data(), v.data(), control),
               "INVALID_ARGUMENT");
  control.cancel();
  const SparseFixture transposed = matrix.transposed();
  CHECK_THROWS(nigh::randomized_svd(matrix.view(), transposed.view(), params, u.data(), s.data(), v.data(), control), "ABORTED");
}

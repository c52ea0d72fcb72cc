// The dense building blocks of training: Cholesky, symmetric eigenvectors, tall products, orthonormal bases, row chunks.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/cholesky.h"
#include "base/error.h"
#include "base/rng.h"
#include "check.h"
#include "sparse_fixture.h"
#include "train/gathered_rows.h"
#include "train/orthonormal.h"
#include "train/row_chunks.h"
#include "train/sparse_product.h"
#include "train/symmetric_eigen.h"
#include "train/tall_matrix.h"

namespace {

// XᵀX + ridge I for a random X of `rows` rows: of rank min(rows, n) when ridge is 0.
std::vector<double> random_gram(size_t n, size_t rows, double ridge, uint64_t seed) {
  nigh::Rng rng(seed);
  std::vector<double> out(n * n, 0.0), x(n);
  for (size_t r = 0; r < rows; ++r) {
    for (double& value : x) value = rng.normal();
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) out[i * n + j] += x[i] * x[j];
    }
  }
  for (size_t i = 0; i < n; ++i) out[i * n + i] += ridge;
  return out;
}

std::vector<float> random_floats(size_t count, uint64_t seed) {
  nigh::Rng rng(seed);
  std::vector<float> out(count);
  for (float& value : out) value = static_cast<float>(rng.normal());
  return out;
}

void check_eigen(const std::vector<double>& matrix, size_t n) {
  std::vector<double> values(n), vectors(n * n);
  nigh::symmetric_eigen(matrix.data(), n, values.data(), vectors.data());
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::fabs(value));
  for (size_t a = 0; a < n; ++a) {
    if (a > 0) CHECK(values[a] <= values[a - 1]);
    for (size_t b = 0; b <= a; ++b) {
      double sum = 0;
      for (size_t i = 0; i < n; ++i) sum += vectors[a * n + i] * vectors[b * n + i];
      CHECK_NEAR(sum, a == b ? 1.0 : 0.0, 1e-12);
    }
    for (size_t i = 0; i < n; ++i) {
      double sum = 0;
      for (size_t j = 0; j < n; ++j) sum += matrix[i * n + j] * vectors[a * n + j];
      CHECK_NEAR(sum, values[a] * vectors[a * n + i], 1e-12 * static_cast<double>(n) * (largest + 1e-300));
    }
  }
}

}  // namespace

TEST("Cholesky solves systems of every size to double precision") {
  for (size_t n = 1; n <= 37; ++n) {
    const std::vector<double> a = random_gram(n, 2 * n, 0.1, n);
    std::vector<double> wanted(n), x(n, 0.0);
    for (size_t i = 0; i < n; ++i) wanted[i] = static_cast<double>(i) - 3.5;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) x[i] += a[i * n + j] * wanted[j];
    }
    std::vector<double> u = a;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < i; ++j) u[i * n + j] = std::numeric_limits<double>::quiet_NaN();  // must not be read
    }
    CHECK(nigh::cholesky_factor(u.data(), n));
    nigh::cholesky_solve(u.data(), n, x.data());
    for (size_t i = 0; i < n; ++i) CHECK_NEAR(x[i], wanted[i], 1e-9);

    std::vector<double> inverse = u;
    nigh::invert_upper(inverse.data(), n);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = i; j < n; ++j) {
        double sum = 0;
        for (size_t t = i; t <= j; ++t) sum += u[i * n + t] * inverse[t * n + j];
        CHECK_NEAR(sum, i == j ? 1.0 : 0.0, 1e-10);
      }
    }
  }
}

TEST("Cholesky refuses what is not positive definite") {
  std::vector<double> singular = random_gram(9, 8, 0, 1);
  CHECK(!nigh::cholesky_factor(singular.data(), 9));
  std::vector<double> indefinite{1, 2, 2, 1};
  CHECK(!nigh::cholesky_factor(indefinite.data(), 2));
  std::vector<double> nan{std::numeric_limits<double>::quiet_NaN()};
  CHECK(!nigh::cholesky_factor(nan.data(), 1));
  std::vector<double> infinite{1, 0, 0, std::numeric_limits<double>::infinity()};
  CHECK(!nigh::cholesky_factor(infinite.data(), 2));
  std::vector<double> zero{0};
  CHECK(!nigh::cholesky_factor(zero.data(), 1));
  std::vector<double> small{1, 0, 0, 1e-3};
  CHECK(!nigh::cholesky_factor(small.data(), 2, 1e-2));
}

TEST("symmetric eigenvectors are orthonormal and satisfy their equation") {
  for (const size_t n : {1, 2, 3, 4, 7, 16, 33, 80}) {
    check_eigen(random_gram(n, 2 * n, 0, n), n);
    check_eigen(random_gram(n, n / 2, 0, n), n);  // of half rank, many equal eigenvalues
  }
  check_eigen(std::vector<double>(25, 0.0), 5);
  check_eigen(std::vector<double>(36, 2.5), 6);  // all ones, scaled: one eigenvalue, five zeros
  std::vector<double> diagonal(49, 0.0);
  for (size_t i = 0; i < 7; ++i) diagonal[i * 8] = i == 3 ? -1 : 1;
  check_eigen(diagonal, 7);
  std::vector<double> graded(64);
  for (size_t i = 0; i < 8; ++i) {
    for (size_t j = 0; j < 8; ++j) graded[i * 8 + j] = std::pow(10.0, -static_cast<double>(i + j));
  }
  check_eigen(graded, 8);
  std::vector<double> tiny = random_gram(6, 12, 0, 3);
  for (double& value : tiny) value *= 1e-200;
  check_eigen(tiny, 6);

  std::vector<double> bad{1, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN(), 1};
  double values[2], vectors[4];
  CHECK_THROWS(nigh::symmetric_eigen(bad.data(), 2, values, vectors), "NOT_FINITE");
}

TEST("tall products equal the naive sums in double, for every number of rows") {
  for (const size_t rows : {1, 2, 255, 256, 257, 1500, 3000}) {
    const size_t dim_a = 5, dim_b = 18;
    const std::vector<float> a = random_floats(rows * dim_a, rows), b = random_floats(rows * dim_b, rows + 1);
    std::vector<double> cross(dim_a * dim_b), gram(dim_b * dim_b);
    nigh::tall_cross({a.data(), rows, dim_a}, {b.data(), rows, dim_b}, 0, cross.data());
    nigh::tall_cross({b.data(), rows, dim_b}, {b.data(), rows, dim_b}, 0, gram.data());
    const double tolerance = 1e-6 * static_cast<double>(rows) + 1e-5;
    for (size_t j = 0; j < dim_b; ++j) {
      for (size_t i = 0; i < dim_b; ++i) {
        double wanted = 0;
        for (size_t r = 0; r < rows; ++r) wanted += double{b[r * dim_b + i]} * b[r * dim_b + j];
        CHECK_NEAR(gram[i * dim_b + j], wanted, tolerance);
      }
      for (size_t i = 0; i < dim_a; ++i) {
        double wanted = 0;
        for (size_t r = 0; r < rows; ++r) wanted += double{a[r * dim_a + i]} * b[r * dim_b + j];
        CHECK_NEAR(cross[i * dim_b + j], wanted, tolerance);
      }
    }

    const std::vector<float> basis = random_floats(dim_b * dim_b, 7);
    std::vector<float> three(rows * 3), in_place = b;
    nigh::tall_project({b.data(), rows, dim_b}, basis.data(), 3, 0, three.data());
    nigh::tall_project({in_place.data(), rows, dim_b}, basis.data(), dim_b, 0, in_place.data());
    for (size_t r = 0; r < rows; ++r) {
      for (size_t j = 0; j < dim_b; ++j) {
        double wanted = 0;
        for (size_t k = 0; k < dim_b; ++k) wanted += double{b[r * dim_b + k]} * basis[j * dim_b + k];
        CHECK_NEAR(in_place[r * dim_b + j], wanted, 1e-5);
        if (j < 3) CHECK_NEAR(three[r * 3 + j], wanted, 1e-5);
      }
    }
  }
}

TEST("a sparse product is the sum over each row's entries, scaled") {
  const SparseFixture sparse = SparseFixture::random(300, 120, 0.1, true, 21, [](nigh::Rng& rng) { return rng.normal(); });
  const std::vector<float> dense = random_floats(120 * 7, 22);
  std::vector<float> out(300 * 7, 9.0f);
  nigh::TaskControl control;
  nigh::sparse_product(sparse.view(), {dense.data(), 120, 7}, 0.5f, 0, out.data(), control);
  const std::vector<double> cells = sparse.dense();
  for (size_t i = 0; i < 300; ++i) {
    for (size_t k = 0; k < 7; ++k) {
      double wanted = 0;
      for (size_t j = 0; j < 120; ++j) wanted += 0.5 * cells[i * 120 + j] * dense[j * 7 + k];
      CHECK_NEAR(out[i * 7 + k], wanted, 1e-5);
    }
  }
}

TEST("orthonormalising keeps the space, also of nearly and exactly dependent columns") {
  constexpr size_t kRows = 700, kDim = 12;
  for (const double closeness : {1.0, 1e-2, 1e-4, 1e-6}) {
    // Column k leans on column 0; `closeness` is how far it leaves it.
    std::vector<float> tall = random_floats(kRows * kDim, 31);
    for (size_t r = 0; r < kRows; ++r) {
      for (size_t k = 1; k < kDim; ++k) {
        tall[r * kDim + k] = static_cast<float>(tall[r * kDim] + closeness * tall[r * kDim + k]);
      }
    }
    const std::vector<float> before = tall;
    nigh::orthonormalize({tall.data(), kRows, kDim}, 1e-6, 0);
    for (size_t a = 0; a < kDim; ++a) {
      for (size_t b = 0; b < kDim; ++b) {
        double sum = 0;
        for (size_t r = 0; r < kRows; ++r) sum += double{tall[r * kDim + a]} * tall[r * kDim + b];
        CHECK_NEAR(sum, a == b ? 1.0 : 0.0, 3e-6);
      }
      // Projecting an old column on the new ones loses nothing but rounding.
      double left = 0, length = 0;
      std::vector<double> projected(kRows, 0.0);
      for (size_t b = 0; b < kDim; ++b) {
        double inner = 0;
        for (size_t r = 0; r < kRows; ++r) inner += double{before[r * kDim + a]} * tall[r * kDim + b];
        for (size_t r = 0; r < kRows; ++r) projected[r] += inner * tall[r * kDim + b];
      }
      for (size_t r = 0; r < kRows; ++r) {
        left += std::pow(before[r * kDim + a] - projected[r], 2);
        length += std::pow(before[r * kDim + a], 2);
      }
      CHECK(std::sqrt(left / length) < 2e-6);
    }
  }

  // Zero columns stay zero beside others; uneven lengths do not matter; a matrix of zeros stays.
  std::vector<float> uneven = random_floats(kRows * 3, 32);
  for (size_t r = 0; r < kRows; ++r) {
    uneven[r * 3] *= 1e-12f;
    uneven[r * 3 + 1] = 0;
    uneven[r * 3 + 2] *= 1e12f;
  }
  nigh::orthonormalize({uneven.data(), kRows, 3}, 1e-6, 0);
  double lengths[3] = {};
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t k = 0; k < 3; ++k) lengths[k] += double{uneven[r * 3 + k]} * uneven[r * 3 + k];
  }
  CHECK_NEAR(lengths[0], 1.0, 1e-5);
  CHECK(lengths[1] == 0);
  CHECK_NEAR(lengths[2], 1.0, 1e-5);
  std::vector<float> zero(kRows * 2, 0.0f);
  nigh::orthonormalize({zero.data(), kRows, 2}, 1e-6, 0);
  CHECK(std::all_of(zero.begin(), zero.end(), [](float value) { return value == 0; }));
  zero[3] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS(nigh::orthonormalize({zero.data(), kRows, 2}, 1e-6, 0), "NOT_FINITE");
}

TEST("row chunks cover all rows once, in pieces of the wanted work") {
  const SparseFixture sparse = SparseFixture::random(500, 60, 0.2, true, 41, [](nigh::Rng&) { return 1.0; });
  const std::vector<size_t> bounds = nigh::row_chunks(sparse.view(), 3, 100);
  CHECK(bounds.front() == 0 && bounds.back() == 500);
  for (size_t i = 0; i + 1 < bounds.size(); ++i) {
    CHECK(bounds[i] < bounds[i + 1]);
    const size_t cost = 3 * (bounds[i + 1] - bounds[i]) + sparse.offsets[bounds[i + 1]] - sparse.offsets[bounds[i]];
    CHECK(cost <= 100 || bounds[i + 1] == bounds[i] + 1);
  }
  const SparseFixture nothing(5);
  CHECK(nigh::row_chunks(nothing.view(), 3, 100) == std::vector<size_t>{0});
}

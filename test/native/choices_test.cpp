// Models of choices against their definitions written out naively in double.
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "check.h"
#include "sparse_fixture.h"
#include "train/bpr.h"
#include "train/ease.h"
#include "train/nmf.h"
#include "train/sgd_strata.h"
#include "train/sppmi.h"

namespace {

using nigh::MatrixView;
using nigh::TaskControl;

SparseFixture counts(size_t users, size_t items, double density, uint64_t seed) {
  return SparseFixture::random(users, items, density, true, seed, [](nigh::Rng& rng) { return 1 + rng.below(3); });
}

struct Bpr {
  std::vector<float> users, items, user_biases, item_biases;
  bool operator==(const Bpr&) const = default;
};

Bpr bpr(const SparseFixture& matrix, size_t dim, const nigh::BprParams& params) {
  const SparseFixture transposed = matrix.transposed();
  Bpr out{std::vector<float>(matrix.rows() * dim), std::vector<float>(matrix.cols * dim), std::vector<float>(matrix.rows()),
          std::vector<float>(matrix.cols)};
  TaskControl control;
  nigh::bpr_train(matrix.view(), transposed.view(), params,
                  {{out.users.data(), matrix.rows(), dim},
                   {out.items.data(), matrix.cols, dim},
                   out.user_biases.data(),
                   out.item_biases.data()},
                  control);
  CHECK(control.done() == control.total());
  return out;
}

struct Nmf {
  std::vector<float> users, items;
  bool operator==(const Nmf&) const = default;
};

Nmf nmf(const SparseFixture& matrix, size_t dim, const nigh::NmfParams& params) {
  const SparseFixture transposed = matrix.transposed();
  Nmf out{std::vector<float>(matrix.rows() * dim), std::vector<float>(matrix.cols * dim)};
  TaskControl control;
  nigh::nmf_train(matrix.view(), transposed.view(), params, {out.users.data(), matrix.rows(), dim},
                  {out.items.data(), matrix.cols, dim}, control);
  CHECK(control.done() == control.total());
  return out;
}

double product(const Nmf& model, size_t dim, size_t u, size_t i) {
  double sum = 0;
  for (size_t k = 0; k < dim; ++k) sum += double{model.users[u * dim + k]} * model.items[i * dim + k];
  return sum;
}

double squared_error(const SparseFixture& matrix, const Nmf& model, size_t dim, bool observed_only) {
  const std::vector<double> dense = matrix.dense();
  double sum = 0;
  for (size_t u = 0; u < matrix.rows(); ++u) {
    for (size_t i = 0; i < matrix.cols; ++i) {
      const double value = dense[u * matrix.cols + i];
      if (observed_only && value == 0) continue;
      sum += std::pow(value - product(model, dim, u, i), 2);
    }
  }
  return sum;
}

}  // namespace

TEST("BPR takes the steps of the paper with items that the user did not choose") {
  const SparseFixture matrix = counts(160, 110, 0.25, 3);
  constexpr size_t kDim = 5;
  nigh::BprParams params;
  params.epochs = 0;
  const Bpr start = bpr(matrix, kDim, params);
  params.epochs = 3;
  const Bpr trained = bpr(matrix, kDim, params);
  const std::vector<double> dense = matrix.dense();
  std::vector<double> p(start.users.begin(), start.users.end()), q(start.items.begin(), start.items.end()), b(matrix.cols);
  nigh::SgdStrata strata(matrix.view(), params.seed);
  CHECK(strata.blocks() > 1);
  TaskControl control;
  for (size_t epoch = 0; epoch < params.epochs; ++epoch) {
    strata.run_epoch(epoch, 1, control, [&](const nigh::SgdCell& cell) {
      for (const nigh::SgdEntry& e : cell.entries) {
        uint32_t other;
        do {
          other = cell.columns[cell.rng.below(static_cast<uint32_t>(cell.columns.size()))];
        } while (dense[e.row * matrix.cols + other] != 0);
        double x = b[e.column] - b[other];
        for (size_t k = 0; k < kDim; ++k) x += p[e.row * kDim + k] * (q[e.column * kDim + k] - q[other * kDim + k]);
        const double pull = 1 / (1 + std::exp(x));
        const double rate = params.learning_rate, lambda = params.regularization;
        b[e.column] += rate * (pull - lambda * b[e.column]);
        b[other] += rate * (-pull - lambda * b[other]);
        for (size_t k = 0; k < kDim; ++k) {
          double &user = p[e.row * kDim + k], &chosen = q[e.column * kDim + k], &not_chosen = q[other * kDim + k];
          const double before = user;
          user += rate * (pull * (chosen - not_chosen) - lambda * user);
          chosen += rate * (pull * before - lambda * chosen);
          not_chosen += rate * (-pull * before - lambda * not_chosen);
        }
      }
    });
  }
  for (size_t i = 0; i < p.size(); ++i) CHECK_NEAR(trained.users[i], p[i], 2e-5);
  for (size_t i = 0; i < q.size(); ++i) CHECK_NEAR(trained.items[i], q[i], 2e-5);
  for (size_t i = 0; i < b.size(); ++i) CHECK_NEAR(trained.item_biases[i], b[i], 2e-5);
}

TEST("models of choices have the same bytes on any number of threads") {
  const SparseFixture matrix = counts(400, 150, 0.2, 4);
  const SparseFixture transposed = matrix.transposed();
  const auto run = [&](size_t lanes) {
    nigh::BprParams by_bpr;
    by_bpr.epochs = 3;
    by_bpr.max_lanes = lanes;
    nigh::NmfParams by_nmf;
    by_nmf.iterations = 3;
    by_nmf.max_lanes = lanes;
    std::vector<float> weights(matrix.cols * matrix.cols);
    TaskControl control;
    nigh::ease_weights(matrix.view(), transposed.view(), 20, lanes, weights.data(), nullptr, control);
    const nigh::OwnedCsr company = nigh::sppmi(matrix.view(), transposed.view(), 1, 1000, lanes, control);
    return std::tuple(bpr(matrix, 6, by_bpr), nmf(matrix, 6, by_nmf), weights, company.columns, company.values);
  };
  const auto one = run(1);
  CHECK(run(2) == one);
  CHECK(run(4) == one);
}

TEST("BPR gives up on a user who has everything, and refuses what it cannot train on") {
  SparseFixture full(6);
  for (uint32_t i = 0; i < 6; ++i) full.push(i, 1);
  full.end_row();
  nigh::BprParams params;
  params.epochs = 2;
  const Bpr model = bpr(full, 3, params);
  for (const float bias : model.item_biases) CHECK(bias == 0);
  params.learning_rate = 1e20f;
  params.epochs = 50;
  CHECK_THROWS(bpr(counts(30, 20, 0.3, 5), 3, params), "INVALID_ARGUMENT");
  SparseFixture none(4);
  none.end_row();
  CHECK_THROWS(bpr(none, 3, params), "EMPTY_DATASET");
  CHECK_THROWS(nmf(none, 3, {}), "EMPTY_DATASET");
  TaskControl control;
  const SparseFixture none_transposed = none.transposed();
  CHECK_THROWS(nigh::sppmi(none.view(), none_transposed.view(), 1, 10, 0, control), "EMPTY_DATASET");
  SparseFixture negative(2);
  negative.push(0, -1);
  negative.end_row();
  CHECK_THROWS(nmf(negative, 1, {}), "INVALID_ARGUMENT");
}

TEST("NMF comes closer with every sweep, and no user's row of at least 0 is better") {
  const SparseFixture matrix = counts(70, 50, 0.3, 6);
  constexpr size_t kDim = 4;
  for (const bool observed_only : {false, true}) {
    nigh::NmfParams params;
    params.observed_only = observed_only;
    double last = INFINITY;
    for (const size_t iterations : {1, 5, 40}) {
      params.iterations = iterations;
      const double error = squared_error(matrix, nmf(matrix, kDim, params), kDim, observed_only);
      CHECK(error < last);
      last = error;
    }
    params.regularization = 0.05f;
    const Nmf model = nmf(matrix, kDim, params);
    for (const float value : model.users) CHECK(value >= 0);
    for (const float value : model.items) CHECK(value >= 0);
    // Karush, Kuhn and Tucker: the gradient is 0 where the coordinate is above 0, and not below 0 where it is 0.
    const std::vector<double> dense = matrix.dense();
    for (size_t u = 0; u < matrix.rows(); ++u) {
      const double ridge =
          double{params.regularization} * (observed_only ? static_cast<double>(matrix.offsets[u + 1] - matrix.offsets[u]) : 1.0);
      if (matrix.offsets[u + 1] == matrix.offsets[u]) continue;
      for (size_t k = 0; k < kDim; ++k) {
        double gradient = ridge * model.users[u * kDim + k];
        for (size_t i = 0; i < matrix.cols; ++i) {
          const double value = dense[u * matrix.cols + i];
          if (observed_only && value == 0) continue;
          gradient += (product(model, kDim, u, i) - value) * model.items[i * kDim + k];
        }
        if (model.users[u * kDim + k] > 0) CHECK_NEAR(gradient, 0, 2e-4);
        CHECK(gradient > -2e-4);
      }
    }
    std::vector<float> folded(matrix.rows() * kDim);
    TaskControl control;
    nigh::nmf_fold_in(matrix.view(), {model.items.data(), matrix.cols, kDim}, nullptr, params,
                      {folded.data(), matrix.rows(), kDim}, control);
    for (size_t i = 0; i < folded.size(); ++i) CHECK_NEAR(folded[i], model.users[i], 1e-5);
  }
}

TEST("SPPMI is the shifted logarithm of how much oftener than chance two items share a user") {
  const SparseFixture matrix = counts(90, 140, 0.08, 7);
  const SparseFixture transposed = matrix.transposed();
  const std::vector<double> dense = matrix.dense();
  constexpr size_t kLongest = 14;
  constexpr double kNegatives = 1.5;
  const size_t n = matrix.cols;
  std::vector<double> pairs(n * n), marginals(n);
  double total = 0;
  size_t skipped = 0;
  for (size_t u = 0; u < matrix.rows(); ++u) {
    if (matrix.offsets[u + 1] - matrix.offsets[u] > kLongest) {
      ++skipped;
      continue;
    }
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) {
        if (i == j || dense[u * n + i] == 0 || dense[u * n + j] == 0) continue;
        ++pairs[i * n + j];
        ++marginals[i];
        ++total;
      }
    }
  }
  CHECK(skipped > 0 && skipped < matrix.rows());
  TaskControl control;
  const nigh::OwnedCsr found =
      nigh::sppmi(matrix.view(), transposed.view(), static_cast<float>(kNegatives), kLongest, 0, control);
  CHECK(control.done() == control.total());
  size_t entries = 0;
  for (size_t i = 0; i < n; ++i) {
    std::vector<double> row(n, 0.0);
    for (size_t e = found.offsets[i]; e < found.offsets[i + 1]; ++e) row[found.columns[e]] = found.values[e];
    for (size_t j = 0; j < n; ++j) {
      const double count = pairs[i * n + j];
      const double expected =
          count == 0 ? 0 : std::max(0.0, std::log(count * total / (marginals[i] * marginals[j])) - std::log(kNegatives));
      CHECK_NEAR(row[j], expected, 1e-5);
      if (expected > 0) ++entries;
    }
  }
  CHECK(found.columns.size() == entries);
}

TEST("EASE is the closed form of its paper: the columns of its weights solve their regressions") {
  const SparseFixture matrix = counts(300, 530, 0.05, 8);  // three blocks, the last of them partial
  const SparseFixture transposed = matrix.transposed();
  const size_t n = matrix.cols;
  constexpr double kLambda = 30;
  std::vector<float> weights(n * n);
  TaskControl control;
  nigh::ease_weights(matrix.view(), transposed.view(), static_cast<float>(kLambda), 0, weights.data(), nullptr, control);
  CHECK(control.done() == control.total());
  for (const size_t j : {size_t{0}, size_t{17}, size_t{255}, size_t{256}, size_t{400}, size_t{529}}) {
    // Half the gradient of |x_j − X b|² + λ |b|² in every b_i, i ≠ j.
    std::vector<double> gradient(n);
    for (size_t u = 0; u < matrix.rows(); ++u) {
      double residual = 0;
      for (size_t e = matrix.offsets[u]; e < matrix.offsets[u + 1]; ++e) {
        const size_t i = matrix.columns[e];
        residual += matrix.values[e] * (i == j ? -1.0 : double{weights[i * n + j]});
      }
      for (size_t e = matrix.offsets[u]; e < matrix.offsets[u + 1]; ++e) {
        gradient[matrix.columns[e]] += residual * matrix.values[e];
      }
    }
    CHECK(weights[j * n + j] == 0);
    for (size_t i = 0; i < n; ++i) {
      if (i != j) CHECK_NEAR(gradient[i] + kLambda * weights[i * n + j], 0, 5e-3);
    }
  }
  CHECK_THROWS(nigh::ease_weights(matrix.view(), transposed.view(), 0, 0, weights.data(), nullptr, control), "INVALID_ARGUMENT");
  control.cancel();
  CHECK_THROWS(nigh::ease_weights(matrix.view(), transposed.view(), 1, 0, weights.data(), nullptr, control), "ABORTED");
}

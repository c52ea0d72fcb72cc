// The factorisation of ratings against the same steps written out naively in double.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <vector>

#include "base/error.h"
#include "check.h"
#include "sparse_fixture.h"
#include "train/rating_als.h"
#include "train/rating_sgd.h"
#include "train/sgd_strata.h"

namespace {

using nigh::TaskControl;

SparseFixture ratings(size_t users, size_t items, double density, uint64_t seed) {
  return SparseFixture::random(users, items, density, true, seed, [](nigh::Rng& rng) { return 1 + rng.below(5); });
}

struct Model {
  size_t dim;
  std::vector<float> users, items, user_biases, item_biases;
  Model(const SparseFixture& matrix, size_t factors)
      : dim(factors),
        users(matrix.rows() * factors),
        items(matrix.cols * factors),
        user_biases(matrix.rows()),
        item_biases(matrix.cols) {}
  nigh::RatingFactors view() {
    return {
        {users.data(), user_biases.size(), dim}, {items.data(), item_biases.size(), dim}, user_biases.data(), item_biases.data()};
  }
  bool operator==(const Model&) const = default;
};

Model sgd(const SparseFixture& matrix, size_t factors, const nigh::RatingSgdParams& params) {
  Model model(matrix, factors);
  const SparseFixture transposed = matrix.transposed();
  TaskControl control;
  nigh::rating_sgd(matrix.view(), transposed.view(), params, model.view(), control);
  CHECK(control.done() == control.total());
  CHECK(control.total() == params.epochs * matrix.columns.size());
  return model;
}

Model als(const SparseFixture& matrix, size_t factors, const nigh::RatingAlsParams& params) {
  Model model(matrix, factors);
  const SparseFixture transposed = matrix.transposed();
  TaskControl control;
  nigh::rating_als(matrix.view(), transposed.view(), params, model.view(), control);
  CHECK(control.done() == control.total());
  return model;
}

double farthest(const std::vector<float>& actual, const std::vector<double>& expected) {
  double worst = 0;
  for (size_t i = 0; i < actual.size(); ++i) worst = std::max(worst, std::fabs(actual[i] - expected[i]));
  return worst;
}

}  // namespace

TEST("an epoch over strata visits every entry once, and cells of a stratum share no row and no column") {
  const SparseFixture matrix = ratings(300, 200, 0.3, 7);
  nigh::SgdStrata strata(matrix.view(), 5);
  CHECK(strata.blocks() > 2);
  for (size_t epoch = 0; epoch < 2; ++epoch) {
    std::vector<std::pair<std::set<uint32_t>, std::set<uint32_t>>> cells;
    std::multiset<std::pair<uint32_t, uint32_t>> visited;
    TaskControl control;
    strata.run_epoch(epoch, 1, control, [&](const nigh::SgdCell& cell) {
      cells.emplace_back();
      for (const nigh::SgdEntry& entry : cell.entries) {
        visited.insert({entry.row, entry.column});
        cells.back().first.insert(entry.row);
        CHECK(std::find(cell.columns.begin(), cell.columns.end(), entry.column) != cell.columns.end());
      }
      cells.back().second.insert(cell.columns.begin(), cell.columns.end());
    });
    CHECK(visited.size() == matrix.columns.size());
    CHECK(std::set(visited.begin(), visited.end()).size() == visited.size());
    CHECK(cells.size() == strata.blocks() * strata.blocks());
    for (size_t first = 0; first < cells.size(); first += strata.blocks()) {
      std::set<uint32_t> rows, columns;
      size_t row_count = 0, column_count = 0;
      for (size_t i = first; i < first + strata.blocks(); ++i) {
        rows.insert(cells[i].first.begin(), cells[i].first.end());
        columns.insert(cells[i].second.begin(), cells[i].second.end());
        row_count += cells[i].first.size();
        column_count += cells[i].second.size();
      }
      CHECK(rows.size() == row_count);
      CHECK(columns.size() == column_count && column_count == matrix.cols);
    }
  }
}

TEST("rating SGD takes the steps of the paper, in the order of its strata") {
  const SparseFixture matrix = ratings(150, 120, 0.3, 8);
  constexpr size_t kDim = 7;
  for (const bool sigmoid : {false, true}) {
    nigh::RatingSgdParams params;
    params.learning_rate = 0.02f;
    params.mean = sigmoid ? 0.1f : 3.2f;
    params.sigmoid = sigmoid;
    params.low = 0.5f;
    params.span = 5;
    params.epochs = 0;
    const Model start = sgd(matrix, kDim, params);
    params.epochs = 3;
    const Model trained = sgd(matrix, kDim, params);

    std::vector<double> p(start.users.begin(), start.users.end()), q(start.items.begin(), start.items.end());
    std::vector<double> bu(matrix.rows()), bi(matrix.cols);
    nigh::SgdStrata strata(matrix.view(), params.seed);
    TaskControl control;
    for (size_t epoch = 0; epoch < params.epochs; ++epoch) {
      strata.run_epoch(epoch, 1, control, [&](const nigh::SgdCell& cell) {
        for (const nigh::SgdEntry& e : cell.entries) {
          double x = double{params.mean} + bu[e.row] + bi[e.column];
          for (size_t k = 0; k < kDim; ++k) x += p[e.row * kDim + k] * q[e.column * kDim + k];
          double error = e.value - x;
          if (sigmoid) {
            const double s = 1 / (1 + std::exp(-x));
            error = (e.value - (params.low + params.span * s)) * params.span * s * (1 - s);
          }
          const double rate = params.learning_rate, lambda = params.regularization;
          bu[e.row] += rate * (error - lambda * bu[e.row]);
          bi[e.column] += rate * (error - lambda * bi[e.column]);
          for (size_t k = 0; k < kDim; ++k) {
            const double user = p[e.row * kDim + k], item = q[e.column * kDim + k];
            p[e.row * kDim + k] += rate * (error * item - lambda * user);
            q[e.column * kDim + k] += rate * (error * user - lambda * item);
          }
        }
      });
    }
    CHECK(farthest(trained.users, p) < 2e-5);
    CHECK(farthest(trained.items, q) < 2e-5);
    CHECK(farthest(trained.user_biases, bu) < 2e-5);
    CHECK(farthest(trained.item_biases, bi) < 2e-5);
  }
}

TEST("rating factors have the same bytes on any number of threads, and zeros for who has no rating") {
  SparseFixture matrix = ratings(400, 150, 0.2, 9);
  matrix.end_row();
  matrix.cols = 152;
  nigh::RatingSgdParams by_sgd;
  by_sgd.mean = 3;
  by_sgd.epochs = 4;
  nigh::RatingAlsParams by_als;
  by_als.mean = 3;
  by_als.iterations = 2;
  by_sgd.max_lanes = by_als.max_lanes = 1;
  const Model sgd_one = sgd(matrix, 9, by_sgd), als_one = als(matrix, 9, by_als);
  for (const size_t lanes : {2, 4}) {
    by_sgd.max_lanes = by_als.max_lanes = lanes;
    CHECK(sgd(matrix, 9, by_sgd) == sgd_one);
    CHECK(als(matrix, 9, by_als) == als_one);
  }
  by_sgd.seed = 1;
  CHECK(!(sgd(matrix, 9, by_sgd) == sgd_one));
  for (const Model* model : {&sgd_one, &als_one}) {
    for (size_t k = 0; k < 9; ++k) CHECK(model->users[400 * 9 + k] == 0 && model->items[151 * 9 + k] == 0);
    CHECK(model->user_biases[400] == 0 && model->item_biases[151] == 0);
  }
}

TEST("rating ALS ends where no user's row can be better, and fold-in gives the same row") {
  const SparseFixture matrix = ratings(60, 400, 0.25, 10);  // more than one panel of entries for some
  constexpr size_t kDim = 6;
  nigh::RatingAlsParams params;
  params.mean = 3;
  params.iterations = 3;
  const Model model = als(matrix, kDim, params);
  for (size_t u = 0; u < matrix.rows(); ++u) {
    // Half the gradient of Σ (r − μ − b − b_i − p·q)² + λ n (|p|² + b²) in (p, b).
    std::vector<double> gradient(kDim + 1);
    const size_t first = matrix.offsets[u], last = matrix.offsets[u + 1];
    for (size_t e = first; e < last; ++e) {
      const float* q = &model.items[matrix.columns[e] * kDim];
      double error = double{matrix.values[e]} - params.mean - model.user_biases[u] - model.item_biases[matrix.columns[e]];
      for (size_t k = 0; k < kDim; ++k) error -= double{model.users[u * kDim + k]} * q[k];
      for (size_t k = 0; k < kDim; ++k) gradient[k] -= error * q[k];
      gradient[kDim] -= error;
    }
    const double ridge = double{params.regularization} * static_cast<double>(last - first);
    for (size_t k = 0; k < kDim; ++k) CHECK_NEAR(gradient[k] + ridge * model.users[u * kDim + k], 0, 2e-4);
    CHECK_NEAR(gradient[kDim] + ridge * model.user_biases[u], 0, 2e-4);
  }

  Model folded(matrix, kDim);
  const nigh::RatingFoldIn fixed{
      {model.items.data(), matrix.cols, kDim}, model.item_biases.data(), params.mean, params.regularization};
  TaskControl control;
  nigh::rating_fold_in(matrix.view(), nullptr, fixed, 0, folded.view().users, folded.user_biases.data(), control);
  CHECK(folded.users == model.users);
  CHECK(folded.user_biases == model.user_biases);
  // A weight of 2 is the same rating twice, up to rounding; here everybody's all are.
  const std::vector<float> twice(matrix.values.size(), 2.0f);
  nigh::rating_fold_in(matrix.view(), twice.data(), fixed, 0, folded.view().users, folded.user_biases.data(), control);
  for (size_t i = 0; i < folded.users.size(); ++i) CHECK_NEAR(folded.users[i], model.users[i], 1e-5);
  const std::vector<float> negative(matrix.values.size(), -1.0f);
  CHECK_THROWS(
      nigh::rating_fold_in(matrix.view(), negative.data(), fixed, 0, folded.view().users, folded.user_biases.data(), control),
      "INVALID_ARGUMENT");
}

TEST("rating solvers refuse what they cannot train on, and stop when told") {
  const SparseFixture matrix = ratings(50, 40, 0.3, 11);
  const SparseFixture transposed = matrix.transposed();
  Model model(matrix, 4);
  TaskControl control;
  nigh::RatingSgdParams by_sgd;
  by_sgd.learning_rate = 1e6f;
  CHECK_THROWS(nigh::rating_sgd(matrix.view(), transposed.view(), by_sgd, model.view(), control), "INVALID_ARGUMENT");
  nigh::RatingAlsParams by_als;
  by_als.regularization = 0;  // some item has fewer ratings than factors
  CHECK_THROWS(nigh::rating_als(matrix.view(), transposed.view(), by_als, model.view(), control), "INVALID_ARGUMENT");
  SparseFixture none(3);
  none.end_row();
  const SparseFixture none_transposed = none.transposed();
  Model nothing(none, 4);
  CHECK_THROWS(nigh::rating_sgd(none.view(), none_transposed.view(), {}, nothing.view(), control), "EMPTY_DATASET");
  CHECK_THROWS(nigh::rating_als(none.view(), none_transposed.view(), {}, nothing.view(), control), "EMPTY_DATASET");
  control.cancel();
  CHECK_THROWS(nigh::rating_sgd(matrix.view(), transposed.view(), {}, model.view(), control), "ABORTED");
  CHECK_THROWS(nigh::rating_als(matrix.view(), transposed.view(), {}, model.view(), control), "ABORTED");
}

// The training of implicit factors against the objective written out naively in double.
#include "train/als.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "check.h"
#include "sparse_fixture.h"
#include "train/als_cg_solver.h"
#include "train/als_exact_solver.h"
#include "train/als_row.h"
#include "train/ridge_map.h"

namespace {

using nigh::AlsParams;
using nigh::CsrView;
using nigh::MatrixView;
using nigh::TaskControl;

#if !defined(_WIN32)
// More lanes than this machine may have cores, before anything starts the pool.
const bool pool_of_four = setenv("NIGH_THREADS", "4", 0) == 0;
#endif

struct Factors {
  std::vector<float> users;
  std::vector<float> items;
};

Factors train(const SparseFixture& matrix, const AlsParams& params, const nigh::AlsFeatures* features = nullptr) {
  const SparseFixture transposed = matrix.transposed();
  Factors out{std::vector<float>(matrix.rows() * params.factors), std::vector<float>(matrix.cols * params.factors)};
  TaskControl control;
  nigh::als_train(matrix.view(), transposed.view(), params, features, out.users.data(), out.items.data(), control);
  CHECK(control.done() == control.total());
  CHECK(control.total() == params.iterations * (matrix.rows() + matrix.cols));
  return out;
}

SparseFixture interactions(size_t users, size_t items, double density, uint64_t seed) {
  return SparseFixture::random(users, items, density, true, seed, [](nigh::Rng& rng) { return 0.5 + 3 * rng.uniform(); });
}

double dot(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t k = 0; k < dim; ++k) sum += double{a[k]} * b[k];
  return sum;
}

// A⁻¹ b by Gauss with pivots.
std::vector<float> solved(std::vector<double> a, std::vector<double> b) {
  const size_t n = b.size();
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i) {
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k])) pivot = i;
    }
    if (pivot != k) std::swap_ranges(&a[k * n], &a[k * n] + n, &a[pivot * n]);
    std::swap(b[k], b[pivot]);
    for (size_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (size_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
      b[i] -= factor * b[k];
    }
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t j = k + 1; j < n; ++j) b[k] -= a[k * n + j] * b[j];
    b[k] /= a[k * n + k];
  }
  return {b.begin(), b.end()};
}

double ridge(const AlsParams& params, size_t count, size_t others) {
  return double{params.regularization} *
         std::pow(static_cast<double>(count) + double{params.unobserved_weight} * static_cast<double>(others),
                  double{params.frequency_exponent});
}

// The objective of als.h, term by term.
double objective(const SparseFixture& matrix, const AlsParams& params, const Factors& factors) {
  const size_t dim = params.factors;
  const SparseFixture transposed = matrix.transposed();
  const std::vector<double> confidences = matrix.dense();
  double sum = 0;
  for (size_t u = 0; u < matrix.rows(); ++u) {
    for (size_t i = 0; i < matrix.cols; ++i) {
      const double prediction = dot(&factors.users[u * dim], &factors.items[i * dim], dim);
      sum += double{params.unobserved_weight} * prediction * prediction;
      sum += confidences[u * matrix.cols + i] * (1 - prediction) * (1 - prediction);
    }
    const size_t count = matrix.offsets[u + 1] - matrix.offsets[u];
    sum += ridge(params, count, matrix.cols) * dot(&factors.users[u * dim], &factors.users[u * dim], dim);
  }
  for (size_t i = 0; i < matrix.cols; ++i) {
    const size_t count = transposed.offsets[i + 1] - transposed.offsets[i];
    sum += ridge(params, count, matrix.rows()) * dot(&factors.items[i * dim], &factors.items[i * dim], dim);
  }
  return sum;
}

// |half the gradient in x| / |Σ c q| of one row against the fixed side, all pairs visited one by one.
double gradient_share(const CsrView& matrix, size_t row, const std::vector<float>& fixed, const float* x,
                      const AlsParams& params) {
  const size_t dim = params.factors;
  std::vector<double> gradient(dim), target(dim);
  for (size_t i = 0; i < matrix.cols; ++i) {
    const double prediction = dot(x, &fixed[i * dim], dim);
    for (size_t k = 0; k < dim; ++k) gradient[k] += double{params.unobserved_weight} * prediction * fixed[i * dim + k];
  }
  for (size_t e = matrix.offsets[row]; e < matrix.offsets[row + 1]; ++e) {
    const float* q = &fixed[matrix.columns[e] * dim];
    const double c = matrix.values[e];
    const double prediction = dot(x, q, dim);
    for (size_t k = 0; k < dim; ++k) {
      gradient[k] -= c * (1 - prediction) * q[k];
      target[k] += c * q[k];
    }
  }
  const double r = ridge(params, matrix.offsets[row + 1] - matrix.offsets[row], matrix.cols);
  double squares = 0, target_squares = 0;
  for (size_t k = 0; k < dim; ++k) {
    gradient[k] += r * x[k];
    squares += gradient[k] * gradient[k];
    target_squares += target[k] * target[k];
  }
  return std::sqrt(squares / target_squares);
}

double relative_difference(const float* a, const float* b, size_t dim) {
  double difference = 0, length = 0;
  for (size_t k = 0; k < dim; ++k) {
    difference += (double{a[k]} - b[k]) * (double{a[k]} - b[k]);
    length += double{b[k]} * b[k];
  }
  return length == 0 ? std::sqrt(difference) : std::sqrt(difference / length);
}

std::vector<float> fold_in(const SparseFixture& histories, const std::vector<float>& items, const AlsParams& params,
                           size_t other_side_total) {
  const MatrixView<const float> view{items.data(), items.size() / params.factors, params.factors};
  std::vector<float> gramian(params.factors * params.factors), out(histories.rows() * params.factors, 7.0f);
  nigh::als_gramian(view, params.unobserved_weight, 0, gramian.data());
  TaskControl control;
  nigh::als_fold_in(histories.view(), view, gramian.data(), nullptr, params, other_side_total, 0, out.data(), control);
  return out;
}

}  // namespace

TEST("iALS by Cholesky lowers its objective with every iteration") {
  const SparseFixture matrix = interactions(120, 90, 0.15, 1);
  AlsParams params;
  params.factors = 13;
  params.cg_steps = 0;
  for (const float exponent : {1.0f, 0.5f, 0.0f}) {
    params.frequency_exponent = exponent;
    double last = std::numeric_limits<double>::infinity();
    for (params.iterations = 1; params.iterations <= 6; ++params.iterations) {
      const double now = objective(matrix, params, train(matrix, params));
      CHECK(now < last * (1 + 1e-6));
      last = now;
    }
  }
}

TEST("iALS by three CG steps lowers its objective too, and ends where Cholesky does") {
  const SparseFixture matrix = interactions(150, 110, 0.3, 2);  // most rows have more entries than are solved exactly
  AlsParams params;
  params.factors = 16;
  double last = std::numeric_limits<double>::infinity();
  for (params.iterations = 1; params.iterations <= 6; ++params.iterations) {
    const double now = objective(matrix, params, train(matrix, params));
    CHECK(now < last * (1 + 1e-6));
    last = now;
  }
  params.iterations = 30;
  const double by_cg = objective(matrix, params, train(matrix, params));
  params.cg_steps = 0;
  const double by_cholesky = objective(matrix, params, train(matrix, params));
  CHECK_NEAR(by_cg / by_cholesky, 1.0, 1e-3);
}

TEST("after training the objective has no slope in any user") {
  const SparseFixture matrix = interactions(100, 200, 0.2, 3);
  for (const size_t cg_steps : {size_t{0}, size_t{3}}) {
    AlsParams params;
    params.factors = 24;
    params.iterations = 4;
    params.cg_steps = cg_steps;
    const Factors factors = train(matrix, params);
    for (size_t u = 0; u < matrix.rows(); ++u) {
      if (matrix.offsets[u] == matrix.offsets[u + 1]) continue;
      CHECK(gradient_share(matrix.view(), u, factors.items, &factors.users[u * 24], params) < 1e-5);
    }
  }
}

TEST("the last CG half-sweep leaves items close to their optimum") {
  // One iteration from a random start: items are solved against the starting users, which training does not return; so train
  // with the roles swapped, where the "users" of the result are exact and the "items" come from CG, and compare two runs that
  // differ in cg_steps only.
  const SparseFixture matrix = interactions(80, 100, 0.4, 4);
  AlsParams params;
  params.factors = 12;
  params.iterations = 1;
  params.cg_steps = 0;
  const Factors exact = train(matrix, params);
  params.cg_steps = 12;  // rows above 48 entries go through CG, and 12 steps span all 12 dimensions
  const Factors by_cg = train(matrix, params);
  for (size_t i = 0; i < matrix.cols; ++i) {
    CHECK(relative_difference(&by_cg.items[i * 12], &exact.items[i * 12], 12) < 1e-3);
  }
}

TEST("a row solved by CG, by its dual and by its primal equations is the row of a plain solution in double") {
  constexpr size_t kDim = 40, kItems = 300;
  constexpr double kRidge = 0.7;
  std::vector<float> fixed(kItems * kDim), prior(kDim);
  nigh::Rng rng(5);
  for (float& value : fixed) value = static_cast<float>(0.3 * rng.normal());
  for (float& value : prior) value = static_cast<float>(0.3 * rng.normal());
  // The solvers' shared part is any positive diagonal.
  std::vector<double> diagonal(kDim), full(kDim * kDim, 0.0);
  for (size_t k = 0; k < kDim; ++k) full[k * kDim + k] = diagonal[k] = 20.0 / static_cast<double>(1 + k);
  const MatrixView<const float> view{fixed.data(), kItems, kDim};
  nigh::AlsExactSolver in_basis(view, diagonal.data(), true);
  nigh::AlsExactSolver dense(view, full.data(), false);
  nigh::AlsCgSolver cg(view, diagonal.data());

  for (const bool dislikes : {false, true}) {
    for (const float* mean : {static_cast<const float*>(nullptr), static_cast<const float*>(prior.data())}) {
      for (const size_t count : {1, 2, 3, 5, 31, 32, 33, 39, 40, 41, 64, 129, 257, 300}) {
        std::vector<uint32_t> columns(count);
        std::vector<float> values(count);
        std::vector<double> system = full, expected(kDim);
        for (size_t k = 0; k < kDim; ++k) {
          system[k * kDim + k] += kRidge;
          expected[k] = mean == nullptr ? 0.0 : kRidge * mean[k];
        }
        for (size_t e = 0; e < count; ++e) {
          columns[e] = static_cast<uint32_t>(e * kItems / count);
          values[e] = static_cast<float>(0.1 + 10 * rng.uniform());
          const float* q = &fixed[columns[e] * kDim];
          for (size_t i = 0; i < kDim; ++i) {
            for (size_t j = 0; j < kDim; ++j) system[i * kDim + j] += double{values[e]} * q[i] * q[j];
          }
          if (dislikes && e % 3 == 1) {
            values[e] = -values[e];
          } else {
            for (size_t k = 0; k < kDim; ++k) expected[k] += double{values[e]} * q[k];
          }
        }
        const nigh::AlsRow row{columns.data(), values.data(), count};
        const std::vector<float> plain = solved(system, expected);
        std::vector<float> a(kDim), b(kDim), c(kDim, 0.5f);
        in_basis.solve(row, kRidge, mean, a.data());
        dense.solve(row, kRidge, mean, b.data());
        cg.solve(row, kRidge, mean, 400, c.data());
        CHECK(relative_difference(a.data(), plain.data(), kDim) < 1e-5);
        CHECK(relative_difference(b.data(), plain.data(), kDim) < 1e-5);
        CHECK(relative_difference(c.data(), plain.data(), kDim) < 1e-4);
        std::vector<float> few(kDim, 0.5f);
        cg.solve(row, kRidge, mean, 3, few.data());
        // The diagonal is the preconditioner, so the first step ends what it leaves and one more step does each entry.
        if (count <= 2) CHECK(relative_difference(few.data(), b.data(), kDim) < 1e-4);
        if (count >= 31) CHECK(relative_difference(few.data(), b.data(), kDim) > 1e-3);
      }
    }
  }
}

TEST("iALS with features is the alternation of its header, written out in double") {
  constexpr size_t kUsers = 60, kItems = 45, kDim = 6, kFeatures = 5;
  AlsParams params{.factors = kDim, .iterations = 4};
  params.regularization = 0.05f;
  params.frequency_exponent = 0.8f;
  params.cg_steps = 0;
  SparseFixture matrix = interactions(kUsers, kItems - 3, 0.2, 21);
  matrix.cols = kItems;  // the last three items are chosen by nobody
  const SparseFixture by_item = matrix.transposed();
  std::vector<float> features(kItems * kFeatures);
  nigh::Rng rng(22);
  for (float& value : features) value = static_cast<float>(rng.normal());
  std::fill_n(&features[7 * kFeatures], kFeatures, 0.0f);  // of item 7 nothing is known
  constexpr float kMapRegularization = 0.1f;

  std::vector<float> map(kDim * kFeatures);
  const nigh::AlsFeatures known{{features.data(), kItems, kFeatures}, kMapRegularization, map.data()};
  const Factors trained = train(matrix, params, &known);

  // The same from the same start.
  std::vector<double> users(kUsers * kDim), items(kItems * kDim), plain_map(kDim * kFeatures);
  const auto draw = [&](std::vector<double>& factors, uint64_t side) {
    for (size_t row = 0; row < factors.size() / kDim; ++row) {
      nigh::Rng start(params.seed, 2 * row + side);
      const double scale = double{params.init_stddev} / std::sqrt(double{kDim});
      for (size_t k = 0; k < kDim; ++k) factors[row * kDim + k] = static_cast<float>(scale * start.normal());
    }
  };
  draw(users, 0);
  draw(items, 1);
  const auto fit_map = [&] {
    std::vector<double> system(kFeatures * kFeatures), sides(kDim * kFeatures);
    for (size_t i = 0; i < kItems; ++i) {
      const size_t count = by_item.offsets[i + 1] - by_item.offsets[i];
      const double weight = count == 0 ? 0.0 : ridge(params, count, kUsers);
      const float* g = &features[i * kFeatures];
      for (size_t a = 0; a < kFeatures; ++a) {
        for (size_t b = 0; b < kFeatures; ++b) system[a * kFeatures + b] += weight * g[a] * g[b];
        for (size_t k = 0; k < kDim; ++k) sides[k * kFeatures + a] += weight * items[i * kDim + k] * g[a];
      }
    }
    double trace = 0;
    for (size_t a = 0; a < kFeatures; ++a) trace += system[a * kFeatures + a];
    for (size_t a = 0; a < kFeatures; ++a) system[a * kFeatures + a] += double{kMapRegularization} * trace / kFeatures;
    for (size_t k = 0; k < kDim; ++k) {
      const std::vector<double> row(&sides[k * kFeatures], &sides[(k + 1) * kFeatures]);
      const std::vector<float> direction = solved(system, row);
      std::copy(direction.begin(), direction.end(), &plain_map[k * kFeatures]);
    }
  };
  const auto solve_side = [&](const SparseFixture& rows, const std::vector<double>& fixed, std::vector<double>& out,
                              bool with_means) {
    std::vector<double> shared(kDim * kDim);
    for (size_t j = 0; j < rows.cols; ++j) {
      for (size_t a = 0; a < kDim; ++a) {
        for (size_t b = 0; b < kDim; ++b) {
          shared[a * kDim + b] += double{params.unobserved_weight} * fixed[j * kDim + a] * fixed[j * kDim + b];
        }
      }
    }
    for (size_t row = 0; row < rows.rows(); ++row) {
      const size_t count = rows.offsets[row + 1] - rows.offsets[row];
      if (count == 0) {
        std::fill_n(&out[row * kDim], kDim, 0.0);
        continue;
      }
      const double r = ridge(params, count, rows.cols);
      std::vector<double> system = shared, side(kDim);
      for (size_t a = 0; a < kDim; ++a) {
        system[a * kDim + a] += r;
        for (size_t f = 0; with_means && f < kFeatures; ++f) {
          side[a] += r * plain_map[a * kFeatures + f] * features[row * kFeatures + f];
        }
      }
      for (size_t e = rows.offsets[row]; e < rows.offsets[row + 1]; ++e) {
        const double* q = &fixed[rows.columns[e] * kDim];
        for (size_t a = 0; a < kDim; ++a) {
          side[a] += double{rows.values[e]} * q[a];
          for (size_t b = 0; b < kDim; ++b) system[a * kDim + b] += double{rows.values[e]} * q[a] * q[b];
        }
      }
      const std::vector<float> x = solved(system, side);
      std::copy(x.begin(), x.end(), &out[row * kDim]);
    }
  };
  for (size_t iteration = 0; iteration < params.iterations; ++iteration) {
    if (iteration > 0) fit_map();
    solve_side(by_item, users, items, iteration > 0);
    solve_side(matrix, items, users, false);
  }
  fit_map();

  const std::vector<float> plain_users(users.begin(), users.end()), plain_items(items.begin(), items.end());
  const std::vector<float> last_map(plain_map.begin(), plain_map.end());
  CHECK(relative_difference(trained.users.data(), plain_users.data(), users.size()) < 1e-4);
  CHECK(relative_difference(trained.items.data(), plain_items.data(), items.size()) < 1e-4);
  CHECK(relative_difference(map.data(), last_map.data(), map.size()) < 1e-4);

  // Features change what is learnt, by CG they end at the same, and any number of threads gives the same bytes.
  CHECK(relative_difference(train(matrix, params).items.data(), trained.items.data(), trained.items.size()) > 1e-2);
  params.cg_steps = 12;
  CHECK(relative_difference(train(matrix, params, &known).items.data(), trained.items.data(), trained.items.size()) < 1e-3);
  params.cg_steps = 2;
  params.max_lanes = 1;
  const Factors one = train(matrix, params, &known);
  const std::vector<float> map_of_one = map;
  params.max_lanes = 3;
  const Factors three = train(matrix, params, &known);
  CHECK(one.items == three.items && one.users == three.users && map_of_one == map);
}

TEST("an item is folded in towards its mean, and without anybody becomes it") {
  const SparseFixture matrix = interactions(80, 60, 0.2, 23);
  const SparseFixture by_item = matrix.transposed();
  AlsParams params{.factors = 7, .iterations = 3};
  const Factors trained = train(matrix, params);
  const MatrixView<const float> users{trained.users.data(), 80, 7};
  std::vector<float> gramian(49), means(60 * 7), out(60 * 7);
  nigh::als_gramian(users, params.unobserved_weight, 0, gramian.data());
  nigh::Rng rng(24);
  for (float& value : means) value = static_cast<float>(rng.normal());
  SparseFixture shown(80);
  for (size_t i = 0; i < 60; ++i) {
    for (size_t e = by_item.offsets[i]; e < by_item.offsets[i + 1] && i % 2 == 0; ++e)
      shown.push(by_item.columns[e], by_item.values[e]);
    shown.end_row();
  }
  TaskControl control;
  nigh::als_fold_in(shown.view(), users, gramian.data(), means.data(), params, 80, 0, out.data(), control);
  const std::vector<double> shared(gramian.begin(), gramian.end());
  nigh::AlsExactSolver solver(users, shared.data(), false);
  for (size_t i = 0; i < 60; ++i) {
    const nigh::AlsRow row = nigh::als_row(shown.view(), i);
    std::vector<float> expected(&means[i * 7], &means[(i + 1) * 7]);
    if (row.count > 0) solver.solve(row, ridge(params, row.count, 80), &means[i * 7], expected.data());
    CHECK(std::equal(expected.begin(), expected.end(), &out[i * 7]));
  }
}

TEST("a pair that is disliked asks for a score of 0, with its confidence") {
  SparseFixture matrix = interactions(60, 40, 0.3, 25);
  AlsParams params{.factors = 10, .iterations = 10};
  const Factors before = train(matrix, params);
  const double liked = dot(&before.users[0], &before.items[matrix.columns[0] * 10], 10);
  matrix.values[0] = -50;
  CHECK_THROWS(train(matrix, params), "INVALID_ARGUMENT");
  params.dislikes = true;
  const Factors after = train(matrix, params);
  const double disliked = dot(&after.users[0], &after.items[matrix.columns[0] * 10], 10);
  CHECK(liked > 0.3 && std::fabs(disliked) < 0.1);
}

TEST("a ridge map is the solution of its normal equations, whatever the scale of features and weights") {
  constexpr size_t kRows = 700, kFeatures = 9, kTargets = 4;
  constexpr double kRegularization = 0.3;
  nigh::Rng rng(26);
  std::vector<float> features(kRows * kFeatures), targets(kRows * kTargets), weights(kRows);
  for (float& value : features) value = static_cast<float>(0.5 + rng.normal());
  for (float& value : targets) value = static_cast<float>(rng.normal());
  for (float& value : weights) value = rng.uniform() < 0.2 ? 0.0f : static_cast<float>(5 * rng.uniform());
  std::vector<double> system(kFeatures * kFeatures), sides(kTargets * kFeatures);
  double trace = 0;
  for (size_t i = 0; i < kRows; ++i) {
    for (size_t a = 0; a < kFeatures; ++a) {
      const double weighted = double{weights[i]} * features[i * kFeatures + a];
      trace += weighted * features[i * kFeatures + a];
      for (size_t b = 0; b < kFeatures; ++b) system[a * kFeatures + b] += weighted * features[i * kFeatures + b];
      for (size_t k = 0; k < kTargets; ++k) sides[k * kFeatures + a] += weighted * targets[i * kTargets + k];
    }
  }
  for (size_t a = 0; a < kFeatures; ++a) system[a * kFeatures + a] += kRegularization * trace / kFeatures;
  std::vector<float> map(kTargets * kFeatures), again(kTargets * kFeatures);
  const MatrixView<const float> view{features.data(), kRows, kFeatures}, wanted{targets.data(), kRows, kTargets};
  nigh::RidgeMap(view, weights, kRegularization, 0).fit(wanted, 0, map.data());
  for (size_t k = 0; k < kTargets; ++k) {
    const std::vector<double> side(&sides[k * kFeatures], &sides[(k + 1) * kFeatures]);
    CHECK(relative_difference(&map[k * kFeatures], solved(system, side).data(), kFeatures) < 1e-5);
  }
  for (float& weight : weights) weight *= 1024;
  for (float& value : features) value *= 8;
  nigh::RidgeMap(view, weights, kRegularization, 1).fit(wanted, 1, again.data());
  for (float& value : again) value *= 8;
  CHECK(relative_difference(again.data(), map.data(), map.size()) < 1e-6);

  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS(nigh::RidgeMap(view, weights, bad, 0), "INVALID_ARGUMENT");
  }
  features[3] = std::numeric_limits<float>::infinity();
  CHECK_THROWS(nigh::RidgeMap(view, weights, 1, 0), "NOT_FINITE");
  std::fill(features.begin(), features.end(), 0.0f);
  CHECK_THROWS(nigh::RidgeMap(view, weights, 1, 0), "EMPTY_DATASET");
  weights[5] = -1;
  CHECK_THROWS(nigh::RidgeMap(view, weights, 1, 0), "INVALID_ARGUMENT");
}

TEST("iALS gives the same bytes on 1, 2, 3 and 4 threads") {
  const SparseFixture matrix = interactions(3000, 700, 0.02, 6);
  for (const size_t cg_steps : {size_t{0}, size_t{1}, size_t{3}}) {
    AlsParams params;
    params.factors = 19;
    params.iterations = 2;
    params.cg_steps = cg_steps;
    params.max_lanes = 1;
    const Factors one = train(matrix, params);
    for (const size_t lanes : {size_t{2}, size_t{3}, size_t{0}}) {
      params.max_lanes = lanes;
      const Factors many = train(matrix, params);
      CHECK(std::memcmp(one.users.data(), many.users.data(), one.users.size() * sizeof(float)) == 0);
      CHECK(std::memcmp(one.items.data(), many.items.data(), one.items.size() * sizeof(float)) == 0);
    }
    params.seed = 43;
    CHECK(train(matrix, params).items != one.items);
  }
}

TEST("folding a training history in gives the trained user to 1e-5") {
  const SparseFixture matrix = interactions(400, 300, 0.08, 7);
  for (const size_t factors : {size_t{1}, size_t{8}, size_t{64}}) {
    AlsParams params;
    params.factors = factors;
    params.iterations = 5;
    const Factors trained = train(matrix, params);
    const std::vector<float> folded = fold_in(matrix, trained.items, params, matrix.cols);
    for (size_t u = 0; u < matrix.rows(); ++u) {
      CHECK(relative_difference(&folded[u * factors], &trained.users[u * factors], factors) < 1e-5);
    }
  }
}

TEST("fold-in regularises by the catalogue's size at training") {
  AlsParams params;
  params.factors = 6;
  params.regularization = 0.1f;
  const SparseFixture matrix = interactions(50, 40, 0.2, 8);
  const Factors trained = train(matrix, params);
  SparseFixture history(40);
  history.push(3, 1.0f);
  history.end_row();
  const std::vector<float> small = fold_in(history, trained.items, params, 40);
  const std::vector<float> large = fold_in(history, trained.items, params, 4000);
  CHECK(dot(large.data(), large.data(), 6) < 0.5 * dot(small.data(), small.data(), 6));
  CHECK(gradient_share(history.view(), 0, trained.items, small.data(), params) < 1e-5);
}

TEST("users and items without interactions get the zero vector, in training and in fold-in") {
  SparseFixture matrix(4);
  matrix.push(0, 1.0f);
  matrix.push(2, 1.0f);
  matrix.end_row();
  matrix.end_row();
  matrix.push(2, 2.0f);
  matrix.end_row();
  AlsParams params;
  params.factors = 5;  // more factors than users or items
  for (const size_t cg_steps : {size_t{0}, size_t{1}}) {
    params.cg_steps = cg_steps;
    const Factors trained = train(matrix, params);
    const std::vector<float> folded = fold_in(matrix, trained.items, params, 4);
    for (size_t k = 0; k < 5; ++k) {
      CHECK(trained.users[5 + k] == 0 && folded[5 + k] == 0);
      CHECK(trained.items[5 + k] == 0 && trained.items[15 + k] == 0);
    }
    CHECK(dot(&trained.users[0], &trained.items[0], 5) > 0.2);
  }
}

TEST("two groups of users with separate items are told apart") {
  SparseFixture matrix(40);
  nigh::Rng rng(9);
  for (size_t u = 0; u < 60; ++u) {
    const uint32_t first = u % 2 == 0 ? 0 : 20;
    for (uint32_t i = 0; i < 20; ++i) {
      if (rng.uniform() < 0.5) matrix.push(first + i, 1.0f);
    }
    matrix.end_row();
  }
  AlsParams params;
  params.factors = 2;
  const Factors trained = train(matrix, params);
  for (size_t u = 0; u < 60; ++u) {
    double lowest_own = 1e9, highest_other = -1e9;
    for (size_t i = 0; i < 40; ++i) {
      const double score = dot(&trained.users[u * 2], &trained.items[i * 2], 2);
      if ((i < 20) == (u % 2 == 0)) {
        lowest_own = std::min(lowest_own, score);
      } else {
        highest_other = std::max(highest_other, score);
      }
    }
    CHECK(lowest_own > highest_other + 0.1);
  }
}

TEST("training that is cancelled on the way throws ABORTED") {
  const SparseFixture matrix = interactions(2000, 500, 0.03, 10);
  const SparseFixture transposed = matrix.transposed();
  AlsParams params;
  params.factors = 32;
  params.iterations = 100000;
  std::vector<float> users(matrix.rows() * 32), items(matrix.cols * 32);
  TaskControl control;
  std::thread canceller([&] {
    while (control.done() < 3000) std::this_thread::yield();
    control.cancel();
  });
  CHECK_THROWS(nigh::als_train(matrix.view(), transposed.view(), params, nullptr, users.data(), items.data(), control),
               "ABORTED");
  canceller.join();
  CHECK(control.done() < control.total());

  TaskControl cancelled;
  cancelled.cancel();
  std::vector<float> gramian(32 * 32);
  nigh::als_gramian({items.data(), matrix.cols, 32}, 0.3f, 0, gramian.data());
  CHECK_THROWS(nigh::als_fold_in(matrix.view(), {items.data(), matrix.cols, 32}, gramian.data(), nullptr, params, matrix.cols, 0,
                                 users.data(), cancelled),
               "ABORTED");
}

TEST("iALS refuses bad confidences, parameters, shapes and empty matrices") {
  const SparseFixture good = interactions(20, 30, 0.3, 11);
  const AlsParams params{.factors = 4, .iterations = 1};
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float value : {0.0f, -1.0f, kNan, kInfinity}) {
    SparseFixture bad = good;
    bad.values[7] = value;
    CHECK_THROWS(train(bad, params), "INVALID_ARGUMENT");
    CHECK_THROWS(fold_in(bad, std::vector<float>(30 * 4, 0.1f), params, 30), "INVALID_ARGUMENT");
  }
  AlsParams other = params;
  other.factors = 0;
  CHECK_THROWS(train(good, other), "INVALID_ARGUMENT");
  other = params;
  other.iterations = 0;
  CHECK_THROWS(train(good, other), "INVALID_ARGUMENT");
  for (const float value : {-0.1f, kNan, kInfinity}) {
    other = params;
    other.unobserved_weight = value;
    CHECK_THROWS(train(good, other), "INVALID_ARGUMENT");
    other = params;
    other.regularization = value;
    CHECK_THROWS(train(good, other), "INVALID_ARGUMENT");
    other = params;
    other.init_stddev = value;
    CHECK_THROWS(train(good, other), "INVALID_ARGUMENT");
  }
  other = params;
  other.frequency_exponent = kNan;
  CHECK_THROWS(train(good, other), "INVALID_ARGUMENT");

  SparseFixture empty(30);
  CHECK_THROWS(train(empty, params), "EMPTY_DATASET");
  empty.end_row();
  CHECK_THROWS(train(empty, params), "EMPTY_DATASET");

  std::vector<float> users(20 * 4), items(30 * 4);
  TaskControl control;
  CHECK_THROWS(nigh::als_train(good.view(), good.view(), params, nullptr, users.data(), items.data(), control),
               "INVALID_ARGUMENT");
  const std::vector<float> gramian(16);
  CHECK_THROWS(
      nigh::als_fold_in(good.view(), {items.data(), 29, 4}, gramian.data(), nullptr, params, 30, 0, users.data(), control),
      "DIMENSION_MISMATCH");
}

TEST("factors that regularisation shrinks to zero are refused instead of returned as noise") {
  const SparseFixture matrix = interactions(60, 50, 0.05, 15);
  AlsParams params{.factors = 8, .iterations = 40};
  params.regularization = 5;
  for (const size_t cg_steps : {size_t{0}, size_t{1}}) {
    params.cg_steps = cg_steps;
    CHECK_THROWS(train(matrix, params), "INVALID_ARGUMENT");
  }
  // Small factors that the data hold up are fine.
  SparseFixture faint = matrix;
  for (float& value : faint.values) value *= 1e-4f;
  params.regularization = 1e-6f;
  CHECK(objective(faint, params, train(faint, params)) > 0);
}

TEST("equations without a unique solution are refused, overflowing ones too") {
  const SparseFixture matrix = interactions(20, 30, 0.3, 12);
  // Without regularisation more factors than items leave directions that no pair determines.
  AlsParams params{.factors = 40, .iterations = 2};
  params.regularization = 0;
  CHECK_THROWS(train(matrix, params), "INVALID_ARGUMENT");
  params.cg_steps = 0;
  CHECK_THROWS(train(matrix, params), "INVALID_ARGUMENT");
  std::vector<float> items(30 * 40);
  nigh::Rng rng(13);
  for (float& value : items) value = static_cast<float>(rng.normal());
  CHECK_THROWS(fold_in(matrix, items, params, 30), "INVALID_ARGUMENT");

  // A sum of confidences beyond a float is refused by CG; the exact solution goes through doubles and may be finite.
  SparseFixture huge = interactions(20, 30, 0.9, 14);
  for (float& value : huge.values) value = 3e38f;
  AlsParams overflowing{.factors = 40, .iterations = 2};
  overflowing.cg_steps = 1;
  CHECK_THROWS(train(huge, overflowing), "INVALID_ARGUMENT");
  overflowing.factors = 4;
  overflowing.cg_steps = 0;
  try {
    for (const float value : train(huge, overflowing).users) CHECK(std::isfinite(value));
  } catch (const nigh::Error& error) {
    CHECK(std::strcmp(error.code(), "INVALID_ARGUMENT") == 0);
  }
}

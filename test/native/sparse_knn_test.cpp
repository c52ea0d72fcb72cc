#include "train/sparse_knn.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "check.h"
#include "sparse_fixture.h"

namespace {

using nigh::KnnMeasure;

// Two full loops over dense rows with holes; the sums are written from the definitions in the header, not from the code.
double naive_similarity(const SparseFixture& m, size_t a, size_t b, const nigh::SparseKnnParams& params) {
  const double hole = std::numeric_limits<double>::quiet_NaN();
  const auto dense = [&](size_t row) {
    std::vector<double> out(m.cols, hole);
    for (size_t e = m.offsets[row]; e < m.offsets[row + 1]; ++e) out[m.columns[e]] = m.values[e];
    return out;
  };
  const std::vector<double> left = dense(a);
  const std::vector<double> right = dense(b);
  std::vector<double> x;
  std::vector<double> y;
  double length_a = 0, length_b = 0;
  size_t size_a = 0, size_b = 0;
  for (size_t c = 0; c < m.cols; ++c) {
    const bool in_a = !std::isnan(left[c]);
    const bool in_b = !std::isnan(right[c]);
    if (in_a) length_a += left[c] * left[c];
    if (in_b) length_b += right[c] * right[c];
    size_a += in_a;
    size_b += in_b;
    if (!in_a || !in_b) continue;
    x.push_back(left[c]);
    y.push_back(right[c]);
  }
  const double n = static_cast<double>(x.size());
  if (x.empty() || n < params.min_support) return 0;
  double mean_x = 0, mean_y = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / n;
    mean_y += y[i] / n;
  }
  if (params.measure != KnnMeasure::kPearson) mean_x = mean_y = 0;
  double xy = 0, xx = 0, yy = 0, squares = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    squares += (x[i] - y[i]) * (x[i] - y[i]);
  }
  double raw = 0;
  switch (params.measure) {
    case KnnMeasure::kCosine:
      raw = length_a * length_b > 0 ? xy / std::sqrt(length_a * length_b) : 0;
      break;
    case KnnMeasure::kCommonCosine:
    case KnnMeasure::kPearson:
      raw = xx > 1e-9 && yy > 1e-9 ? xy / std::sqrt(xx * yy) : 0;
      break;
    case KnnMeasure::kMsd:
      raw = 1 / (squares / n + 1);
      break;
    case KnnMeasure::kJaccard:
      raw = n / (static_cast<double>(size_a + size_b) - n);
      break;
  }
  return raw * n / (n + params.shrinkage);
}

SparseFixture ratings(uint64_t seed, size_t rows = 40, size_t cols = 25) {
  return SparseFixture::random(rows, cols, 0.3, true, seed, [](nigh::Rng& rng) { return 1 + 0.5 * rng.below(9); });
}

template <class Body>
void for_every_measure(const Body& body) {
  for (uint32_t measure = 0; measure < nigh::kKnnMeasures; ++measure) {
    for (const uint32_t min_support : {1u, 3u}) {
      for (const double shrinkage : {0.0, 20.0}) {
        nigh::SparseKnnParams params;
        params.measure = static_cast<KnnMeasure>(measure);
        params.min_support = min_support;
        params.shrinkage = shrinkage;
        params.k = 5;
        body(params);
      }
    }
  }
}

}  // namespace

TEST("sparse neighbours are those of a naive double loop, by every measure, support and shrinkage") {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const SparseFixture m = ratings(seed);
    const SparseFixture transposed = m.transposed();
    for_every_measure([&](const nigh::SparseKnnParams& params) {
      std::vector<uint32_t> ids(m.rows() * params.k), counts(m.rows());
      std::vector<float> similarities(m.rows() * params.k);
      nigh::TaskControl control;
      nigh::sparse_knn(m.view(), m.view(), transposed.view(), true, params, ids.data(), similarities.data(), counts.data(),
                       control);
      for (size_t row = 0; row < m.rows(); ++row) {
        std::vector<double> truth;
        for (size_t other = 0; other < m.rows(); ++other) {
          const double similarity = other == row ? 0 : naive_similarity(m, row, other, params);
          if (similarity > 1e-12) truth.push_back(similarity);
        }
        std::sort(truth.rbegin(), truth.rend());
        CHECK(counts[row] == std::min(params.k, truth.size()));
        for (size_t i = 0; i < counts[row]; ++i) {
          const size_t at = row * params.k + i;
          CHECK_NEAR(similarities[at], truth[i], 1e-6);
          CHECK_NEAR(similarities[at], naive_similarity(m, row, ids[at], params), 1e-6);
          CHECK(ids[at] != row);
          if (i > 0)
            CHECK(similarities[at] < similarities[at - 1] || (similarities[at] == similarities[at - 1] && ids[at] > ids[at - 1]));
        }
      }
      CHECK(control.done() == m.rows());
    });
  }
}

TEST("sparse neighbour means weigh the k most similar rows that have the column, as a naive double loop does") {
  for (uint64_t seed = 11; seed <= 14; ++seed) {
    const SparseFixture m = ratings(seed);
    const SparseFixture transposed = m.transposed();
    std::vector<uint32_t> rows, columns;
    for (uint32_t column = 0; column < m.cols; ++column) {
      for (uint32_t row = 0; row < m.rows(); ++row) {
        rows.push_back(row);
        columns.push_back(column);
      }
    }
    for_every_measure([&](const nigh::SparseKnnParams& params) {
      std::vector<float> out(rows.size());
      nigh::TaskControl control;
      nigh::sparse_knn_means(m.view(), transposed.view(), transposed.values, rows, columns, params, out.data(), control);
      for (size_t pair = 0; pair < rows.size(); ++pair) {
        struct Rated {
          float similarity;
          uint32_t row;
          float value;
        };
        std::vector<Rated> rated;
        for (size_t e = transposed.offsets[columns[pair]]; e < transposed.offsets[columns[pair] + 1]; ++e) {
          const uint32_t other = transposed.columns[e];
          if (other == rows[pair]) continue;
          const double similarity = naive_similarity(m, rows[pair], other, params);
          if (similarity > 1e-12) rated.push_back({static_cast<float>(similarity), other, transposed.values[e]});
        }
        std::stable_sort(rated.begin(), rated.end(), [](const Rated& a, const Rated& b) { return a.similarity > b.similarity; });
        // Where the k-th and the next are equal but for rounding, either may be taken.
        if (rated.size() > params.k && rated[params.k - 1].similarity - rated[params.k].similarity < 1e-6F &&
            rated[params.k - 1].similarity != rated[params.k].similarity) {
          continue;
        }
        bool rounded = false;
        for (size_t i = 1; i < rated.size(); ++i) {
          const float gap = rated[i - 1].similarity - rated[i].similarity;
          rounded = rounded || gap < 1e-6F;
        }
        if (rounded && rated.size() > params.k) continue;
        double sum = 0, weights = 0;
        for (size_t i = 0; i < std::min(params.k, rated.size()); ++i) {
          sum += static_cast<double>(rated[i].similarity) * rated[i].value;
          weights += rated[i].similarity;
        }
        CHECK(std::isnan(out[pair]) == rated.empty());
        if (!rated.empty()) CHECK_NEAR(out[pair], sum / weights, 1e-5);
      }
    });
  }
}

TEST("sparse neighbours and their means are the same bytes on one thread and on many") {
  const SparseFixture m = ratings(3, 300, 60);
  const SparseFixture transposed = m.transposed();
  for_every_measure([&](nigh::SparseKnnParams params) {
    std::vector<std::vector<float>> answers;
    for (const size_t lanes : {size_t{1}, size_t{0}}) {
      params.max_lanes = lanes;
      std::vector<uint32_t> ids(m.rows() * params.k), counts(m.rows());
      std::vector<float> answer(m.rows() * params.k);
      nigh::TaskControl control;
      nigh::sparse_knn(m.view(), m.view(), transposed.view(), true, params, ids.data(), answer.data(), counts.data(), control);
      for (const uint32_t id : ids) answer.push_back(static_cast<float>(id));
      answers.push_back(answer);
    }
    CHECK(answers[0] == answers[1]);
  });
}

TEST("a cancelled search for sparse neighbours is aborted") {
  const SparseFixture m = ratings(4);
  const SparseFixture transposed = m.transposed();
  nigh::SparseKnnParams params;
  std::vector<uint32_t> ids(m.rows()), counts(m.rows());
  std::vector<float> similarities(m.rows());
  nigh::TaskControl control;
  control.cancel();
  CHECK_THROWS(nigh::sparse_knn(m.view(), m.view(), transposed.view(), true, params, ids.data(), similarities.data(),
                                counts.data(), control),
               "ABORTED");
}

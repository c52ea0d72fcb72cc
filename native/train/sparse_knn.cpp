#include "train/sparse_knn.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/thread_pool.h"
#include "base/top_k.h"

namespace nigh {

namespace {

constexpr size_t kRowsAtOnce = 8;

// What every row has by itself, for the measures that look beyond the common support.
struct RowFacts {
  std::vector<double> lengths;
  std::vector<uint32_t> sizes;

  explicit RowFacts(const CsrView& matrix) : lengths(matrix.rows()), sizes(matrix.rows()) {
    for (size_t row = 0; row < matrix.rows(); ++row) {
      double squares = 0;
      for (size_t e = matrix.offsets[row]; e < matrix.offsets[row + 1]; ++e) {
        squares += static_cast<double>(matrix.values[e]) * matrix.values[e];
      }
      lengths[row] = std::sqrt(squares);
      sizes[row] = matrix.offsets[row + 1] - matrix.offsets[row];
    }
  }
};

struct Support {
  uint32_t common;
  double own_length;
  double other_length;
  uint32_t own_size;
  uint32_t other_size;
};

double over_root(double numerator, double squared) { return squared > 0 ? numerator / std::sqrt(squared) : 0; }

// A measure is the sums that it keeps for a pair of rows, and what it makes of them.
struct Cosine {
  double xy = 0;
  void add(double x, double y) { xy += x * y; }
  double similarity(const Support& of) const {
    const double lengths = of.own_length * of.other_length;
    return lengths > 0 ? xy / lengths : 0;
  }
};

struct CommonCosine {
  double xy = 0, xx = 0, yy = 0;
  void add(double x, double y) {
    xy += x * y;
    xx += x * x;
    yy += y * y;
  }
  double similarity(const Support&) const { return over_root(xy, xx * yy); }
};

struct Pearson {
  double x1 = 0, y1 = 0, xy = 0, xx = 0, yy = 0;
  void add(double x, double y) {
    x1 += x;
    y1 += y;
    xy += x * y;
    xx += x * x;
    yy += y * y;
  }
  double similarity(const Support& of) const {
    const double n = of.common;
    const double spread_x = n * xx - x1 * x1;
    const double spread_y = n * yy - y1 * y1;
    // What is left of a row that does not vary is rounding.
    constexpr double kNone = 1e-12;
    if (spread_x <= kNone * n * xx || spread_y <= kNone * n * yy) return 0;
    return (n * xy - x1 * y1) / std::sqrt(spread_x * spread_y);
  }
};

struct Msd {
  double squares = 0;
  void add(double x, double y) { squares += (x - y) * (x - y); }
  double similarity(const Support& of) const { return 1 / (squares / of.common + 1); }
};

struct Jaccard {
  void add(double, double) {}
  double similarity(const Support& of) const { return of.common / (double(of.own_size) + of.other_size - of.common); }
};

// One thread's view of one row: its similarities to all rows that share a column with it.
template <class Measure>
class Lane {
 public:
  explicit Lane(size_t rows) : sums_(rows), common_(rows, 0), similarity_(rows, 0.0F), touched_(rows + 1) {
    candidates_.reserve(rows);
  }

  void compare(std::span<const uint32_t> columns, std::span<const float> values, double length, const CsrView& by_column,
               const RowFacts& facts, size_t own, const SparseKnnParams& params) {
    for (size_t i = 0; i < touched_count_; ++i) similarity_[touched_[i]] = 0;
    touched_count_ = 0;
    for (size_t e = 0; e < columns.size(); ++e) {
      const double x = values[e];
      const size_t end = by_column.offsets[columns[e] + 1];
      for (size_t at = by_column.offsets[columns[e]]; at < end; ++at) {
        const uint32_t other = by_column.columns[at];
        // Without a branch: whether a row is met for the first time cannot be predicted.
        touched_[touched_count_] = other;
        touched_count_ += common_[other]++ == 0 ? 1 : 0;
        sums_[other].add(x, by_column.values[at]);
      }
    }
    for (size_t i = 0; i < touched_count_; ++i) {
      const uint32_t other = touched_[i];
      const uint32_t common = common_[other];
      if (other != own && common >= params.min_support) {
        const double raw = sums_[other].similarity(
            {common, length, facts.lengths[other], static_cast<uint32_t>(columns.size()), facts.sizes[other]});
        similarity_[other] = static_cast<float>(raw * (common / (common + params.shrinkage)));
      }
      sums_[other] = Measure();
      common_[other] = 0;
    }
  }

  // Offers a row as a neighbour.
  void begin() { candidates_.clear(); }
  void offer(uint32_t row) {
    if (similarity_[row] > 0) candidates_.push_back({-similarity_[row], row});
  }
  void offer_touched() {
    for (size_t i = 0; i < touched_count_; ++i) offer(touched_[i]);
  }

  // The k best of the offered, best first; distances are negated similarities.
  std::span<const Neighbor> best(size_t k) {
    if (candidates_.size() > k) {
      std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(k), candidates_.end());
      candidates_.resize(k);
    }
    std::sort(candidates_.begin(), candidates_.end());
    return candidates_;
  }

 private:
  std::vector<Measure> sums_;
  std::vector<uint32_t> common_;
  std::vector<float> similarity_;  // 0 outside the touched
  std::vector<uint32_t> touched_;  // one more than rows: the slot after the last is written, too
  size_t touched_count_ = 0;
  std::vector<Neighbor> candidates_;
};

template <class Measure>
std::vector<Lane<Measure>> make_lanes(size_t lanes, size_t rows) {
  std::vector<Lane<Measure>> out;
  out.reserve(lanes);
  for (size_t lane = 0; lane < lanes; ++lane) out.emplace_back(rows);
  return out;
}

template <class Measure>
void nearest(const CsrView& queries, const CsrView& base, const CsrView& by_column, bool same, const SparseKnnParams& params,
             uint32_t* ids, float* similarities, uint32_t* counts, TaskControl& control) {
  ThreadPool& pool = ThreadPool::shared();
  const RowFacts facts(base);
  const RowFacts asked(queries);
  std::vector<Lane<Measure>> lanes = make_lanes<Measure>(pool.lanes(params.max_lanes), base.rows());
  control.set_total(queries.rows());
  pool.parallel_for(queries.rows(), kRowsAtOnce, params.max_lanes, [&](size_t begin, size_t end, size_t lane_number) {
    control.check();
    Lane<Measure>& lane = lanes[lane_number];
    for (size_t row = begin; row < end; ++row) {
      const size_t first = queries.offsets[row];
      const size_t size = queries.offsets[row + 1] - first;
      lane.compare(queries.columns.subspan(first, size), queries.values.subspan(first, size), asked.lengths[row], by_column,
                   facts, same ? row : std::numeric_limits<size_t>::max(), params);
      lane.begin();
      lane.offer_touched();
      const std::span<const Neighbor> best = lane.best(params.k);
      for (size_t i = 0; i < best.size(); ++i) {
        ids[row * params.k + i] = best[i].id;
        similarities[row * params.k + i] = -best[i].distance;
      }
      counts[row] = static_cast<uint32_t>(best.size());
    }
    control.advance(end - begin);
  });
}

// The pairs of every row, by a counting sort: those of row r are [offsets[r], offsets[r + 1]) of `order`.
struct PairsByRow {
  std::vector<size_t> offsets;
  std::vector<size_t> order;

  PairsByRow(std::span<const uint32_t> rows, size_t count) : offsets(count + 1, 0), order(rows.size()) {
    for (const uint32_t row : rows) ++offsets[row + 1];
    for (size_t row = 0; row < count; ++row) offsets[row + 1] += offsets[row];
    std::vector<size_t> next(offsets.begin(), offsets.end() - 1);
    for (size_t pair = 0; pair < rows.size(); ++pair) order[next[rows[pair]]++] = pair;
  }
};

template <class Measure>
float mean_of_neighbours(Lane<Measure>& lane, const CsrView& by_column, std::span<const float> targets, uint32_t column,
                         size_t k) {
  lane.begin();
  const size_t begin = by_column.offsets[column];
  const size_t end = by_column.offsets[column + 1];
  for (size_t at = begin; at < end; ++at) lane.offer(by_column.columns[at]);
  double sum = 0;
  double weights = 0;
  for (const Neighbor& neighbour : lane.best(k)) {
    const auto rows = by_column.columns.subspan(begin, end - begin);
    const size_t at = begin + static_cast<size_t>(std::lower_bound(rows.begin(), rows.end(), neighbour.id) - rows.begin());
    sum -= static_cast<double>(neighbour.distance) * targets[at];
    weights -= neighbour.distance;
  }
  return weights > 0 ? static_cast<float>(sum / weights) : std::numeric_limits<float>::quiet_NaN();
}

template <class Measure>
void means(const CsrView& base, const CsrView& by_column, std::span<const float> targets, std::span<const uint32_t> pair_rows,
           std::span<const uint32_t> pair_columns, const SparseKnnParams& params, float* out, TaskControl& control) {
  ThreadPool& pool = ThreadPool::shared();
  const RowFacts facts(base);
  const PairsByRow pairs(pair_rows, base.rows());
  std::vector<Lane<Measure>> lanes = make_lanes<Measure>(pool.lanes(params.max_lanes), base.rows());
  control.set_total(base.rows());
  pool.parallel_for(base.rows(), kRowsAtOnce, params.max_lanes, [&](size_t begin, size_t end, size_t lane_number) {
    control.check();
    Lane<Measure>& lane = lanes[lane_number];
    for (size_t row = begin; row < end; ++row) {
      if (pairs.offsets[row] == pairs.offsets[row + 1]) continue;
      const size_t first = base.offsets[row];
      const size_t size = base.offsets[row + 1] - first;
      lane.compare(base.columns.subspan(first, size), base.values.subspan(first, size), facts.lengths[row], by_column, facts, row,
                   params);
      for (size_t i = pairs.offsets[row]; i < pairs.offsets[row + 1]; ++i) {
        const size_t pair = pairs.order[i];
        out[pair] = mean_of_neighbours(lane, by_column, targets, pair_columns[pair], params.k);
      }
    }
    control.advance(end - begin);
  });
}

// Calls body.template operator()<Measure>() for the measure that is asked for.
template <class Body>
void with_measure(KnnMeasure measure, const Body& body) {
  switch (measure) {
    case KnnMeasure::kCosine:
      return body.template operator()<Cosine>();
    case KnnMeasure::kCommonCosine:
      return body.template operator()<CommonCosine>();
    case KnnMeasure::kPearson:
      return body.template operator()<Pearson>();
    case KnnMeasure::kMsd:
      return body.template operator()<Msd>();
    case KnnMeasure::kJaccard:
      return body.template operator()<Jaccard>();
  }
}

}  // namespace

void sparse_knn(const CsrView& queries, const CsrView& base, const CsrView& by_column, bool same, const SparseKnnParams& params,
                uint32_t* ids, float* similarities, uint32_t* counts, TaskControl& control) {
  with_measure(params.measure, [&]<class Measure>() {
    nearest<Measure>(queries, base, by_column, same, params, ids, similarities, counts, control);
  });
}

void sparse_knn_means(const CsrView& base, const CsrView& by_column, std::span<const float> targets,
                      std::span<const uint32_t> pair_rows, std::span<const uint32_t> pair_columns, const SparseKnnParams& params,
                      float* out, TaskControl& control) {
  with_measure(params.measure,
               [&]<class Measure>() { means<Measure>(base, by_column, targets, pair_rows, pair_columns, params, out, control); });
}

}  // namespace nigh

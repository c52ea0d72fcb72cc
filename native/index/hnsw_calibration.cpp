// Some rows are linked last. Before they are, they are questions that the graph has not seen: their true neighbours among the
// linked rows come from an exact scan, and the recall of walks is measured against them. Under inner product, where it is users
// who ask of items, every second one is turned into the question of somebody who chose that row (folded_questions.h), and an
// effort reaches the recall that it reaches for the worse of the two kinds. Better than either are questions that the caller
// gives.
//
// One walk measures all γ and numbers of neighbours at once: walks with different γ expand the same nodes in the same order and
// differ only in where they end, so what a walk has found when its next candidate first exceeds the reach of a γ is the answer
// at that γ.
#include "index/hnsw_calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/rng.h"
#include "base/thread_pool.h"
#include "index/exact_scan.h"
#include "index/flat_batch.h"
#include "index/folded_questions.h"
#include "index/hnsw_index.h"
#include "index/hnsw_stop.h"
#include "index/hnsw_walk.h"
#include "quant/scorers.h"
#include "simd/kernels.h"

namespace nigh {

namespace {

constexpr size_t kMostQuestions = 1000;
constexpr size_t kHeldOutShare = 20;
constexpr size_t kCounts = RecallTable::kCounts;
constexpr size_t kLevels = RecallTable::kLevels;

// True neighbours that were found, of one or more questions: [number of neighbours][effort].
using Hits = std::array<std::array<uint64_t, kLevels>, kCounts>;

// Calls measure(count, level) when a walk with the γ of this level would end for this number of neighbours.
template <class Measure>
class StopTracing {
 public:
  static constexpr bool kStops = true;

  StopTracing(const RecallTable& table, Measure measure) : table_(table), measure_(measure) {}

  bool ends(const SearchPool& pool) {
    bool all = true;
    for (size_t c = 0; c < kCounts; ++c) {
      const float kth = pool.kth_accepted(table_.neighbors[c]);
      while (levels_[c] < kLevels &&
             pool.expanded_distance() > StopFarther::bound(kth, slack_of_gamma(table_.efforts[levels_[c]]))) {
        measure_(c, levels_[c]++);
      }
      all &= levels_[c] == kLevels;
    }
    return all;
  }
  float reach() const { return std::numeric_limits<float>::infinity(); }

  /// The walk is over: larger γ have found the same.
  void finish() {
    for (size_t c = 0; c < kCounts; ++c) {
      for (; levels_[c] < kLevels; ++levels_[c]) measure_(c, levels_[c]);
    }
  }

 private:
  const RecallTable& table_;
  Measure measure_;
  std::array<size_t, kCounts> levels_{};
};

// One question at every effort.
template <class Scorer, class HitsOf>
void measure(const RowStore& store, const HnswGraph& graph, EntryPoint entry, size_t count, const void* prepared,
             const RecallTable& table, const HitsOf& hits_of, Hits& hits, SearchScratch& scratch) {
  Scorer score(store, ScoreFor::kSearch);
  score.set_query(prepared);
  const AcceptAll all;
  if (table.kind == RecallTable::Kind::kGamma) {
    StopTracing tracing(table, [&](size_t c, size_t level) { hits[c][level] += hits_of(c); });
    walk_graph(graph, entry, store.metric, count, score, WalkSize::of(store.metric, gamma_pool_size(table.neighbors.back()), 1),
               all, tracing, scratch);
    tracing.finish();
    return;
  }
  for (size_t level = 0; level < kLevels; ++level) {
    size_t walked = 0;  // the pool of the walk in scratch
    for (size_t c = 0; c < kCounts; ++c) {
      const WalkSize size = WalkSize::of(store.metric, static_cast<size_t>(table.efforts[level]), table.neighbors[c]);
      if (size.expansions < size.pool) {
        StopAfter stop(size.expansions);
        walk_graph(graph, entry, store.metric, count, score, size, all, stop, scratch);
      } else if (size.pool != walked) {
        StopNever never;
        walk_graph(graph, entry, store.metric, count, score, size, all, never, scratch);
        walked = size.pool;
      }
      hits[c][level] += hits_of(c);
    }
  }
}

// The nearest of the `present` rows (null: all) to evenly spread questions, as a blocked product.
void true_distances_by_products(const RowStore& store, size_t count, VectorsView questions, size_t asked, const IdSet* present,
                                size_t nearest, size_t most, size_t max_lanes, std::vector<float>& distances,
                                std::vector<uint32_t>& counts) {
  // Under ip a stored row has one value more, which a zero in the question leaves out.
  const size_t row_dim = store.stride_of<float>();
  std::vector<float> padded(asked * row_dim);
  for (size_t q = 0; q < asked; ++q) {
    std::copy_n(questions.float_row(q * questions.rows / asked), store.dim, &padded[q * row_dim]);
  }
  std::vector<float> norms(count);
  double longest = 0;
  for (size_t slot = 0; slot < count; ++slot) {
    norms[slot] = kernels().dot(store.row_as<float>(slot), store.row_as<float>(slot), row_dim);
    longest = std::max(longest, static_cast<double>(norms[slot]));
  }
  FlatBatch batch;
  batch.view = {store.metric, row_dim, count, store.row(0), store.ids.data()};
  batch.squared_norms = norms.data();
  batch.longest = std::sqrt(longest) * 1.01 + 2e-19;
  batch.filter = present;
  batch.k = nearest;
  std::vector<uint32_t> ids(asked * most);
  TaskControl uncounted;
  flat_search_batch(batch, {padded.data(), asked, row_dim}, most, max_lanes, ids.data(), distances.data(), counts.data(),
                    uncounted);
}

// The same under the metrics that have no product.
void true_distances_by_scans(const HnswSnapshot& now, VectorsView questions, size_t asked, const IdSet* present, size_t nearest,
                             size_t most, size_t max_lanes, std::vector<float>& distances, std::vector<uint32_t>& counts) {
  const RowStore& store = now.state->store;
  ThreadPool::shared().parallel_for(asked, 4, max_lanes, [&](size_t begin, size_t end, size_t) {
    PreparedQuery prepared;
    for (size_t q = begin; q < end; ++q) {
      store.prepare_query(questions.row(q * questions.rows / asked), prepared);
      const auto found = scan_rows(store, now.count, prepared.data(), nearest, present, now.liveness());
      counts[q] = static_cast<uint32_t>(found.size());
      for (size_t n = 0; n < found.size(); ++n) distances[q * most + n] = found[n].distance;
    }
  });
}

}  // namespace

std::vector<uint32_t> held_out_rows(size_t rows, uint64_t seed) {
  std::vector<uint32_t> chosen;
  if (rows < kCalibratedRows) return chosen;
  const size_t wanted = std::min(kMostQuestions, rows / kHeldOutShare);
  Rng rng(seed, rows);
  // One of each stretch of rows: distinct and ascending.
  for (size_t i = 0; i < wanted; ++i) {
    const size_t begin = rows * i / wanted;
    const size_t end = rows * (i + 1) / wanted;
    chosen.push_back(static_cast<uint32_t>(begin + rng.below(static_cast<uint32_t>(end - begin))));
  }
  return chosen;
}

RecallTable HnswIndex::calibrate(const HnswSnapshot& now, VectorsView questions, const IdSet* present, size_t linked,
                                 size_t max_lanes, TaskControl& control) const {
  const HnswState& state = *now.state;
  const size_t count = now.count;
  RecallTable table = RecallTable::unmeasured(metric_);
  const size_t most = table.neighbors.back();
  const size_t asked = std::min(questions.rows, kMostQuestions);
  table.queries = static_cast<uint32_t>(asked);

  // The distance of the n-th nearest row to question q at q × most + n.
  std::vector<float> distances(asked * most);
  std::vector<uint32_t> counts(asked);
  const size_t nearest = std::min(most, linked);
  if (on_products(metric_)) {
    true_distances_by_products(state.store, count, questions, asked, present, nearest, most, max_lanes, distances, counts);
  } else {
    true_distances_by_scans(now, questions, asked, present, nearest, most, max_lanes, distances, counts);
  }

  const EntryPoint entry = EntryPoint::unpack(state.entry.load(std::memory_order_acquire));
  std::vector<Hits> lane_hits(ThreadPool::shared().lanes(max_lanes), Hits{});
  ThreadPool::shared().parallel_for(asked, 8, max_lanes, [&](size_t begin, size_t end, size_t lane) {
    control.check();
    auto scratch = take_scratch();
    PreparedQuery prepared;
    for (size_t q = begin; q < end; ++q) {
      state.store.prepare_query(questions.row(q * questions.rows / asked), prepared);
      const auto hits_of = [&](size_t c) {
        SearchParams params;
        params.k = table.neighbors[c];
        const float truth = distances[q * most + std::min<size_t>(params.k, counts[q]) - 1];
        // Sums of another length may differ in the last bits.
        const float bound = truth + 1e-6f * std::fabs(truth);
        uint64_t hits = 0;
        for (const Neighbor& found : collect(now, prepared.data(), params, *scratch).found) hits += found.distance <= bound;
        return hits;
      };
      with_scorer(state.store, [&]<class Scorer>() {
        measure<Scorer>(state.store, state.graph, entry, count, prepared.data(), table, hits_of, lane_hits[lane], *scratch);
      });
    }
    return_scratch(std::move(scratch));
  });

  for (size_t c = 0; c < kCounts; ++c) {
    const double all = static_cast<double>(asked) * static_cast<double>(std::min<size_t>(table.neighbors[c], linked));
    float best = 0;
    for (size_t level = 0; level < kLevels; ++level) {
      uint64_t hits = 0;
      for (const Hits& lane : lane_hits) hits += lane[c][level];
      best = std::max(best, std::min(1.0f, static_cast<float>(static_cast<double>(hits) / all)));
      table.recall[c][level] = best;
    }
  }
  return table;
}

RecallTable HnswIndex::calibrate_by_rows(const HnswSnapshot& now, const std::vector<uint32_t>& slots, size_t max_lanes,
                                         TaskControl& control) const {
  const RowStore& store = now.state->store;
  const size_t rows = slots.size();
  const size_t bytes = vector_bytes(metric_, dim_);
  const size_t plain = metric_ == Metric::kIp ? (rows + 1) / 2 : rows;
  std::vector<uint32_t> ids;
  std::vector<uint8_t> vectors(rows * bytes);
  for (size_t i = 0; i < rows; ++i) {
    ids.push_back(store.ids[slots[i]]);
    const size_t place = plain == rows ? i : i % 2 * plain + i / 2;
    store.copy_vector(slots[i], vectors.data() + place * bytes);
  }
  const IdSet present = IdSet::deny(ids);
  const auto measured_by = [&](size_t begin, size_t end) {
    return calibrate(now, vectors_at(metric_, vectors.data() + begin * bytes, end - begin, dim_), &present, now.count - rows,
                     max_lanes, control);
  };
  RecallTable table = measured_by(0, plain);
  if (plain == rows) return table;
  fold_questions(store, now.count, reinterpret_cast<float*>(vectors.data() + plain * bytes), rows - plain);
  table.lower_to(measured_by(plain, rows));
  return table;
}

}  // namespace nigh

// The whole walk of one query: down the layers of the graph to the pool that its answer is taken from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "index/hnsw_graph.h"
#include "index/hnsw_search.h"
#include "index/hnsw_stop.h"
#include "index/metric.h"

namespace nigh {

/// What an effort comes to. From k on it is the size of the pool, all of which is expanded. Below k, which a pool must hold, it
/// is how many nodes of layer 0 are expanded.
///
/// Under ip nearly all answers are on layer 1 already, so that a quarter of those is enough; how well they are found there
/// depends on the pool of the layers above it, which hold the longest n / 256 rows and fewer
/// (docs/decisions/0003-inner-product-graph.md).
struct WalkSize {
  size_t pool = 0;
  size_t upper_pool = 0;  // under ip
  size_t expansions = 0;  // the whole pool, where it is no less

  static WalkSize of(Metric metric, size_t effort, size_t k) {
    constexpr size_t kMostUpper = 16;
    WalkSize size{std::max(effort, k), std::min(2 * effort, kMostUpper), effort};
    if (metric == Metric::kIp && effort < k) size.expansions = (effort + 3) / 4;
    return size;
  }

  /// Nodes that are expanded on all layers that are walked with a pool.
  size_t all_expansions(Metric metric) const {
    const size_t last = std::min(expansions, pool);
    return metric == Metric::kIp ? last + pool + 2 * upper_pool : last;
  }
};

// A walk that passes over the rejected starts at allowed rows from all over the index too: what is allowed may lie far from the
// query, and then nothing within two hops of the way there is.
inline constexpr size_t kSeeds = 32;
inline constexpr size_t kSeedTries = 64;

/// The share of allowed nodes among some 500 within two hops of a node: what a walk will meet there.
template <class Accept>
double share_around(const HnswGraph& graph, uint32_t node, const Accept& accept, size_t limit) {
  constexpr size_t kFirst = 16;
  constexpr size_t kSecond = 32;
  size_t asked = 0;
  size_t allowed = 0;
  const auto ask_row = [&](uint32_t owner, size_t most, const auto& then) {
    const uint32_t* links = graph.row(owner, 0);
    for (size_t i = 0; i < std::min(most, graph.degree0); ++i) {
      const uint32_t neighbor = HnswGraph::load(links + i);
      if (neighbor == kNoSlot) return;
      if (neighbor >= limit) continue;
      ++asked;
      allowed += accept(neighbor);
      then(neighbor);
    }
  };
  ask_row(node, kFirst, [&](uint32_t neighbor) { ask_row(neighbor, kSecond, [](uint32_t) {}); });
  return asked == 0 ? 0 : static_cast<double>(allowed) / static_cast<double>(asked);
}

/// Puts allowed nodes from all over the index into the pool.
template <class Scorer, class Accept>
void sow(const HnswGraph& graph, const Scorer& score, const Accept& accept, size_t count, SearchScratch& scratch) {
  size_t found = 0;
  for (size_t seed = 0; seed < kSeeds; ++seed) {
    size_t slot = count * seed / kSeeds;
    for (size_t tries = 0; tries < kSeedTries && slot < count; ++tries, ++slot) {
      const auto candidate = static_cast<uint32_t>(slot);
      if (graph.is_twin(candidate) || !accept(candidate) || !scratch.visited.insert(candidate)) continue;
      scratch.fresh[found++] = candidate;
      break;
    }
  }
  score(scratch.fresh, found, scratch.distances);
  scratch.scored += found;
  for (size_t j = 0; j < found; ++j) {
    if (scratch.distances[j] < scratch.pool.bound()) scratch.pool.insert(scratch.distances[j], scratch.fresh[j]);
  }
}

/// Leaves in scratch.pool the closest of the first `count` nodes that a walk of this size meets, unless `stop` ends it before.
template <class Scorer, class Accept, class Stop>
void walk_graph(const HnswGraph& graph, EntryPoint entry, Metric metric, size_t count, const Scorer& score, const WalkSize& size,
                const Accept& accept, Stop& stop, SearchScratch& scratch) {
  scratch.scored = 0;
  scratch.bridged = 0;
  // While rows are added the entry may already be one of them; limit is then too low for it, but its links lead back.
  const size_t limit = std::max<size_t>(count, entry.slot + size_t{1});
  if (metric != Metric::kIp) {
    const uint32_t start = entry.level == 0 ? entry.slot : descend(graph, score, entry.slot, entry.level, 1, limit, scratch);
    start_search(score, start, size.pool, limit, scratch, accept);
  } else {
    start_search(score, entry.slot, entry.level > 1 ? size.upper_pool : size.pool, limit, scratch, accept);
    for (size_t level = entry.level; level > 0; --level) {
      if constexpr (requires { stop.budget(); }) {
        StopNever never;
        StopOverBudget upper(never, stop.budget());
        search_layer(graph, level, score, accept.walking_through(), upper, limit, scratch);
        if (stop.budget().spent) return;
      } else {
        search_layer(graph, level, score, accept.walking_through(), limit, scratch);
      }
      carry_pool_down(level > 2 ? size.upper_pool : size.pool, limit, scratch);
    }
  }
  if constexpr (Accept::kRejected == Rejected::kPassOver) sow(graph, score, accept, count, scratch);
  search_layer(graph, 0, score, accept, stop, limit, scratch);
}

}  // namespace nigh

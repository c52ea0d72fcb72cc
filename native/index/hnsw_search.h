// Greedy best-first search on one layer of the graph: the one hot loop, used by searching and by building.
//
// Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable Small World
// graphs", IEEE TPAMI 42(4), 2020, algorithm 2 (SEARCH-LAYER) and 5 (K-NN-SEARCH).
//
//   paper                 here
//   C candidates, W found one SearchPool: what is not expanded is C, the accepted entries are W
//   ef                    capacity of the pool
//   v visited             VisitedSet
//
// Under a filter that allows part of the nodes the walk passes over the rest, as Patel et al., "ACORN: Performant and
// predicate-agnostic search over vector embeddings and structured data", SIGMOD 2024, do at query time (ACORN-1).
//
// Deviations: one sorted array instead of two heaps; neighbours of a node are gathered and prefetched first, then scored
// together.
//
// Outline
//   1. take the closest entry that was not expanded                       SearchPool::next
//   2. gather its neighbours that were not met yet, prefetching their rows
//      (or, past neighbours that a filter rejects, those behind them)     gather_within_two_hops
//   3. score them in one call
//   4. insert those closer than the pool's bound; prefetch the next candidate's links
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/id_set.h"
#include "base/visited_set.h"
#include "index/hnsw_graph.h"
#include "index/search_pool.h"

namespace nigh {

/// What becomes of the nodes that may not be returned.
enum class Rejected {
  kNone,         // there are none
  kWalkThrough,  // they stay in the pool and are expanded like others, but do not count
  kPassOver      // they are never scored: those of their neighbours that may be returned stand in for them
};

/// Every node may be returned.
struct AcceptAll {
  static constexpr Rejected kRejected = Rejected::kNone;
  bool operator()(uint32_t) const { return true; }
  AcceptAll walking_through() const { return {}; }
};

/// Nodes of which one, the node or a twin, was not removed may be returned; the others are walked through.
struct AcceptLive {
  static constexpr Rejected kRejected = Rejected::kWalkThrough;
  Liveness live;
  const HnswGraph& graph;
  AcceptLive walking_through() const { return *this; }
  bool operator()(uint32_t slot) const {
    bool found = false;
    graph.for_each_twin(slot, [&](uint32_t twin) { return !(found = live(twin)); });
    return found;
  }
};

/// Nodes of which one, the node or a twin, was not removed and has a member's id may be returned. `Dense`: every id is its slot.
template <Rejected How, bool Dense>
struct AcceptMembers {
  static constexpr Rejected kRejected = How;
  const IdSet& members;
  const uint32_t* ids;
  Liveness live;
  const HnswGraph& graph;
  /// The same members, for the sparse layers above the first, on which passing over nodes would lose the way.
  AcceptMembers<Rejected::kWalkThrough, Dense> walking_through() const { return {members, ids, live, graph}; }
  bool has(uint32_t slot) const { return members.contains(Dense ? slot : ids[slot]) && live(slot); }
  bool operator()(uint32_t slot) const {
    if (has(slot)) return true;
    bool found = false;
    graph.for_each_twin(slot, [&](uint32_t twin) { return !(found = has(twin)); });
    return found;
  }
};

/// Goes on until every entry of the pool is expanded.
struct StopNever {
  static constexpr bool kStops = false;
};

/// What a search needs besides the graph; reused from search to search, held by one thread at a time.
struct SearchScratch {
  static constexpr size_t kMaxDegree = 512;

  VisitedSet visited;
  SearchPool pool;
  uint32_t fresh[kMaxDegree];
  uint32_t bridges[kMaxDegree];
  float distances[kMaxDegree];
  uint32_t closer[kMaxDegree];
  uint64_t scored = 0;   // distances computed since the scratch was taken
  uint64_t bridged = 0;  // rejected nodes behind which was looked
};

/// Fills the pool with one node, for search_layer to start from.
template <class Scorer, class Accept = AcceptAll>
void start_search(const Scorer& score, uint32_t start, size_t ef, size_t limit, SearchScratch& scratch,
                  const Accept& accept = {}) {
  scratch.visited.reset(limit);
  scratch.visited.insert(start);
  scratch.pool.reset(ef);
  float distance;
  score(&start, 1, &distance);
  if (std::isnan(distance)) distance = std::numeric_limits<float>::infinity();  // the others stay out of the pool
  ++scratch.scored;
  if (accept(start)) {
    scratch.pool.insert(distance, start);
  } else {
    scratch.pool.insert_rejected(distance, start);
  }
}

/// Keeps what the pool found on one layer as the start on the next, with room for `ef`.
inline void carry_pool_down(size_t ef, size_t limit, SearchScratch& scratch) {
  scratch.pool.reopen(ef);
  scratch.visited.reset(limit);
  for (const SearchPool::Entry& entry : scratch.pool) scratch.visited.insert(entry.slot());
}

/// Gathers into scratch.fresh, and prefetches, the neighbours of a node that were not met yet. Whether one was met is a coin
/// toss, so nothing branches on it.
template <class Scorer>
size_t gather_neighbors(const HnswGraph& graph, uint32_t node, size_t level, const Scorer& score, size_t limit,
                        SearchScratch& scratch) {
  const size_t degree = graph.degree(level);
  const uint32_t* links = graph.row(node, level);
  size_t count = 0;
  for (size_t i = 0; i < degree; ++i) {
    const uint32_t neighbor = HnswGraph::load(links + i);
    if (neighbor >= limit) {
      if (neighbor == kNoSlot) break;
      continue;
    }
    scratch.fresh[count] = neighbor;
    count += scratch.visited.insert(neighbor) && graph.has_row(neighbor, level);
  }
  for (size_t j = 0; j < count; ++j) score.prefetch(scratch.fresh[j]);
  return count;
}

/// Gathers into scratch.fresh, and prefetches, the neighbours of a node that may be returned and were not met yet; in the place
/// of one that may not, those of its own neighbours that may, until there are as many as a row holds (ACORN-1).
template <class Scorer, class Accept>
size_t gather_within_two_hops(const HnswGraph& graph, uint32_t node, size_t level, const Scorer& score, const Accept& accept,
                              size_t limit, SearchScratch& scratch) {
  constexpr size_t kAhead = 4;
  VisitedSet& visited = scratch.visited;
  const size_t degree = graph.degree(level);
  uint32_t* bridges = scratch.bridges;
  size_t count = 0;
  size_t bridge_count = 0;
  const uint32_t* links = graph.row(node, level);
  for (size_t i = 0; i < degree; ++i) {
    const uint32_t neighbor = HnswGraph::load(links + i);
    if (neighbor == kNoSlot) break;
    if (neighbor >= limit || visited.contains(neighbor) || !graph.has_row(neighbor, level)) continue;
    if (accept(neighbor)) {
      visited.insert(neighbor);
      score.prefetch(neighbor);
      scratch.fresh[count++] = neighbor;
    } else {
      if (bridge_count < kAhead) graph.prefetch_links(neighbor);
      bridges[bridge_count++] = neighbor;
    }
  }
  for (size_t b = 0; b < bridge_count && count < degree; ++b) {
    if (b + kAhead < bridge_count) graph.prefetch_links(bridges[b + kAhead]);
    visited.insert(bridges[b]);
    ++scratch.bridged;
    const uint32_t* further = graph.row(bridges[b], level);
    for (size_t i = 0; i < degree && count < SearchScratch::kMaxDegree; ++i) {
      const uint32_t neighbor = HnswGraph::load(further + i);
      if (neighbor == kNoSlot) break;
      if (neighbor >= limit || visited.contains(neighbor) || !accept(neighbor) || !graph.has_row(neighbor, level)) continue;
      visited.insert(neighbor);
      score.prefetch(neighbor);
      scratch.fresh[count++] = neighbor;
    }
  }
  return count;
}

/// Walks the layer from what is in the pool until every entry is expanded or `stop` says so. The pool then holds the closest
/// nodes met. `limit` is the number of nodes: a link beyond it comes from a damaged file and is passed over.
template <class Scorer, class Accept, class Stop>
void search_layer(const HnswGraph& graph, size_t level, const Scorer& score, const Accept& accept, Stop& stop, size_t limit,
                  SearchScratch& scratch) {
  SearchPool& pool = scratch.pool;

  const auto offer = [&](float distance, uint32_t slot) {
    if (!(distance < pool.bound())) return;
    if constexpr (Stop::kStops) {
      if (distance > stop.reach()) return;
    }
    if constexpr (Accept::kRejected == Rejected::kWalkThrough) {
      if (!accept(slot)) {
        pool.insert_rejected(distance, slot);
        return;
      }
    }
    pool.insert(distance, slot);
  };

  uint32_t node;
  while (pool.next(node)) {
    if constexpr (Stop::kStops) {
      if (stop.ends(pool)) break;
    }
    size_t count = 0;
    if constexpr (Accept::kRejected == Rejected::kPassOver) {
      count = gather_within_two_hops(graph, node, level, score, accept, limit, scratch);
    } else {
      count = gather_neighbors(graph, node, level, score, limit, scratch);
    }
    // While the rows are on their way: the links of the node that is next unless one of them is closer.
    if (level == 0 && pool.peek(node)) graph.prefetch_links(node);
    score(scratch.fresh, count, scratch.distances);
    scratch.scored += count;

    // Few are closer than the last of a full pool. Those are listed first, without a branch that would be guessed wrong.
    const float bound = pool.bound();
    size_t closer = 0;
    for (size_t j = 0; j < count; ++j) {
      scratch.closer[closer] = static_cast<uint32_t>(j);
      closer += scratch.distances[j] < bound;
    }
    for (size_t c = 0; c < closer; ++c) offer(scratch.distances[scratch.closer[c]], scratch.fresh[scratch.closer[c]]);

    if (level == 0 && pool.peek(node)) graph.prefetch_links(node);
  }
}

template <class Scorer, class Accept>
void search_layer(const HnswGraph& graph, size_t level, const Scorer& score, const Accept& accept, size_t limit,
                  SearchScratch& scratch) {
  StopNever never;
  search_layer(graph, level, score, accept, never, limit, scratch);
}

/// Moves from `start` to the closest node that greedy descent finds on the layers `from` … `to`, highest first.
template <class Scorer>
uint32_t descend(const HnswGraph& graph, const Scorer& score, uint32_t start, size_t from, size_t to, size_t limit,
                 SearchScratch& scratch) {
  uint32_t best = start;
  float best_distance;
  score(&best, 1, &best_distance);
  ++scratch.scored;
  for (size_t level = from + 1; level-- > to;) {
    for (bool moved = true; moved;) {
      moved = false;
      const uint32_t* links = graph.row(best, level);
      size_t count = 0;
      for (size_t i = 0; i < graph.m; ++i) {
        const uint32_t neighbor = HnswGraph::load(links + i);
        if (neighbor == kNoSlot) break;
        // A link to a node that does not reach this layer has no row here: only a damaged file holds one.
        if (neighbor < limit && graph.has_row(neighbor, level)) scratch.fresh[count++] = neighbor;
      }
      score(scratch.fresh, count, scratch.distances);
      scratch.scored += count;
      for (size_t j = 0; j < count; ++j) {
        if (scratch.distances[j] < best_distance) {
          best_distance = scratch.distances[j];
          best = scratch.fresh[j];
          moved = true;
        }
      }
    }
  }
  return best;
}

}  // namespace nigh

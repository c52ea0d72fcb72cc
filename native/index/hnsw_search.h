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
// Deviations: one sorted array instead of two heaps; neighbours of a node are gathered and prefetched first, then scored
// together.
//
// Outline
//   1. take the closest entry that was not expanded                       SearchPool::next
//   2. gather its neighbours that were not met yet, prefetching their rows
//   3. score them in one call
//   4. insert those closer than the pool's bound; prefetch the next candidate's links
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/id_set.h"
#include "base/visited_set.h"
#include "index/hnsw_graph.h"
#include "index/search_pool.h"

namespace nigh {

/// Every node may be returned.
struct AcceptAll {
  static constexpr bool kFilters = false;
  bool operator()(uint32_t) const { return true; }
};

/// Nodes of which one, the node or a twin, was not removed may be returned; the others are walked through.
struct AcceptLive {
  static constexpr bool kFilters = true;
  Liveness live;
  const HnswGraph& graph;
  bool operator()(uint32_t slot) const {
    bool found = false;
    graph.for_each_twin(slot, [&](uint32_t twin) { return !(found = live(twin)); });
    return found;
  }
};

/// Nodes of which one, the node or a twin, was not removed and has a member's id may be returned; the others are walked through.
struct AcceptMembers {
  static constexpr bool kFilters = true;
  const IdSet& members;
  const uint32_t* ids;
  Liveness live;
  const HnswGraph& graph;
  bool operator()(uint32_t slot) const {
    bool found = false;
    graph.for_each_twin(slot, [&](uint32_t twin) { return !(found = live(twin) && members.contains(ids[twin])); });
    return found;
  }
};

/// What a search needs besides the graph; reused from search to search, held by one thread at a time.
struct SearchScratch {
  static constexpr size_t kMaxDegree = 512;

  VisitedSet visited;
  SearchPool pool;
  uint32_t fresh[kMaxDegree];
  float distances[kMaxDegree];
  uint64_t scored = 0;  // distances computed since the scratch was taken
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

/// Walks the layer from what is in the pool until every entry is expanded. The pool then holds the closest nodes met. `limit` is
/// the number of nodes: a link beyond it comes from a damaged file and is passed over.
template <class Scorer, class Accept>
void search_layer(const HnswGraph& graph, size_t level, const Scorer& score, const Accept& accept, size_t limit,
                  SearchScratch& scratch) {
  VisitedSet& visited = scratch.visited;
  SearchPool& pool = scratch.pool;
  const size_t degree = graph.degree(level);

  const auto offer = [&](float distance, uint32_t slot) {
    if (!(distance < pool.bound())) return;
    if constexpr (Accept::kFilters) {
      if (!accept(slot)) {
        pool.insert_rejected(distance, slot);
        return;
      }
    }
    pool.insert(distance, slot);
  };

  uint32_t node;
  while (pool.next(node)) {
    const uint32_t* links = graph.row(node, level);
    size_t count = 0;
    for (size_t i = 0; i < degree; ++i) {
      const uint32_t neighbor = HnswGraph::load(links + i);
      if (neighbor >= limit) {
        if (neighbor == kNoSlot) break;
        continue;
      }
      if (!visited.insert(neighbor) || !graph.has_row(neighbor, level)) continue;
      score.prefetch(neighbor);
      scratch.fresh[count++] = neighbor;
    }
    score(scratch.fresh, count, scratch.distances);
    scratch.scored += count;
    for (size_t j = 0; j < count; ++j) offer(scratch.distances[j], scratch.fresh[j]);

    if (level == 0 && pool.peek(node)) {
      const char* next = reinterpret_cast<const char*>(graph.row(node, 0));
      for (size_t byte = 0; byte < degree * sizeof(uint32_t); byte += 64) __builtin_prefetch(next + byte);
    }
  }
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

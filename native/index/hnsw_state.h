// Everything that a search of an HNSW index reads. Writers append to it and relink it in place while there is room; when there is
// not, or when too much of it is removed, they make another and put it in its place.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "index/hnsw_graph.h"
#include "index/liveness.h"
#include "index/row_store.h"
#include "index/slot_map.h"

namespace nigh {

struct HnswState {
  RowStore store;
  HnswGraph graph;
  std::atomic<uint64_t> entry{EntryPoint{}.packed()};
  size_t upper_rows_used = 0;
  std::unique_ptr<SlotMap> slots;
  bool changeable = false;  // has what only changes need (hnsw_graph.h), and its links were checked if they came from a file
  // A search may still be among the rows of a change that was undone, which it reached from an entry point or a chain that led
  // there. Rows to come must be stored in other memory.
  bool searched_beyond = false;
};

/// One moment of an index: what a search goes by from its beginning to its end.
struct HnswSnapshot {
  std::shared_ptr<HnswState> state;
  uint32_t count = 0;    // slots in use, removed ones among them
  uint32_t removed = 0;  // slots that were removed
  uint32_t change = 0;   // number of the last change that removed any

  size_t live() const { return count - removed; }
  Liveness liveness() const { return removed == 0 ? Liveness{} : Liveness{state->graph.removed_at.data(), change}; }

  /// The slot of an id, or SlotMap::kNone.
  uint32_t live_slot(uint32_t id) const {
    const uint32_t slot = state->slots->find(id, count);
    return slot != SlotMap::kNone && liveness()(slot) ? slot : SlotMap::kNone;
  }
};

/// The same rows and links in memory of their own, with room for `capacity` rows and `upper_capacity` rows of upper layers; or in
/// the same memory where that is room enough, unless searches may be beyond its rows. Slots keep their numbers.
std::shared_ptr<HnswState> grown(const HnswSnapshot& from, size_t capacity, size_t upper_capacity);

/// The live rows alone, in the same order, renumbered. Links to removed nodes are left out; whatever only they led to is to be
/// linked anew.
std::shared_ptr<HnswState> compacted(const HnswSnapshot& from, size_t capacity, size_t upper_capacity);

/// Rows of upper layers that the live rows need.
size_t live_upper_rows(const HnswSnapshot& from);

}  // namespace nigh

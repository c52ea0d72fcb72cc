// The links of an HNSW graph. Layer 0 is one contiguous array of rows of fixed degree; the upper layers, which hold a 1/m-th of
// the nodes each, are rows of degree m found through a table. An unused place holds kNoSlot, and used ones come first.
//
// Searches read rows while an insert writes them: entries are loaded and stored one by one as relaxed-or-stronger atomics, which
// on the processors we build for are plain moves. A reader may see a mixture of an old and a new row; every entry of either is
// a node whose vector was written before, so the mixture is a valid row too.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/buffer.h"
#include "index/liveness.h"

namespace nigh {

inline constexpr uint32_t kNoSlot = 0xffffffff;

/// Where searches start, packed so that it changes in one store: the top layer and a node on it.
struct EntryPoint {
  uint32_t slot = kNoSlot;
  uint32_t level = 0;

  uint64_t packed() const { return (static_cast<uint64_t>(level) << 32) | slot; }
  static EntryPoint unpack(uint64_t value) { return {static_cast<uint32_t>(value), static_cast<uint32_t>(value >> 32)}; }
};

struct HnswGraph {
  static constexpr size_t kMaxLevel = 31;

  size_t m = 0;             // degree of the upper layers
  size_t degree0 = 0;       // degree of layer 0, a multiple of 16 so that its rows fill cache lines
  Buffer<uint32_t> links0;  // capacity × degree0

  // What only changes need: made by prepare_for_changes, not stored. Each has an entry a slot.
  Buffer<uint32_t> in_degrees;  // how many links on layer 0 lead to a node from nodes that are not gone: none loses its last one
  Buffer<uint32_t> heads;       // of a twin: the node in whose chain it hangs
  Buffer<uint8_t> in_doubt;     // 1: on a list of nodes to be searched for (hnsw_resolve_doubts)
  Buffer<uint32_t> removed_at;  // the change that removed a slot (liveness.h), or 0

  Buffer<uint8_t> levels;       // capacity: top layer of a node
  Buffer<uint32_t> upper_rows;  // capacity: row number of the node's layer 1 in `upper`; layer l is l − 1 rows further
  Buffer<uint32_t> upper;       // rows × m

  // Nodes that the traversal cannot tell apart are one node to it: the first is in the graph, the others (twins) hang behind it
  // in a chain and have no links. A catalogue has large groups of them (all that one user alone touched, say), and a search among
  // hundreds of equally near nodes would see nothing else.
  Buffer<uint32_t> twins;                 // capacity: the next in the chain, or kNoSlot
  static constexpr uint8_t kTwin = 0xff;  // in `levels`: hangs in a chain

  size_t degree(size_t level) const { return level == 0 ? degree0 : m; }

  uint32_t* row(uint32_t slot, size_t level) const {
    return level == 0 ? links0.data() + slot * degree0 : upper.data() + (upper_rows[slot] + level - 1) * m;
  }

  /// Asks for a node's row of layer 0.
  void prefetch_links(uint32_t slot) const {
    const char* row0 = reinterpret_cast<const char*>(links0.data() + slot * degree0);
    for (size_t byte = 0; byte < degree0 * sizeof(uint32_t); byte += 64) __builtin_prefetch(row0 + byte);
  }

  static uint32_t load(const uint32_t* entry) {
    return std::atomic_ref<uint32_t>(*const_cast<uint32_t*>(entry)).load(std::memory_order_acquire);
  }
  static void store(uint32_t* entry, uint32_t slot) { std::atomic_ref<uint32_t>(*entry).store(slot, std::memory_order_release); }

  /// Calls visit(slot), visit(its twin) and so on until visit returns false. A chain that a damaged file has closed to a ring, or
  /// led out of the array, ends.
  template <class Visit>
  void for_each_twin(uint32_t slot, Visit visit) const {
    for (size_t steps = 0; slot < twins.size() && steps < twins.size(); slot = load(&twins[slot]), ++steps) {
      if (!visit(slot)) return;
    }
  }

  bool removed(uint32_t slot) const { return slot < removed_at.size() && Liveness::load(&removed_at[slot]) != 0; }

  /// Whether a node and all its twins were removed: it may be walked through, but nothing should lead to it.
  bool gone(uint32_t slot) const {
    for (bool live = !removed(slot); !live;) {
      slot = load(&twins[slot]);
      if (slot == kNoSlot) return true;
      live = !removed(slot);
    }
    return false;
  }

  bool is_twin(uint32_t slot) const { return levels[slot] == kTwin; }

  /// Puts a node on a list of those to be searched for, unless it is on one. From any thread, each with a list of its own.
  void put_in_doubt(uint32_t slot, std::vector<uint32_t>& doubts) const {
    std::atomic_ref<uint8_t> mark(in_doubt[slot]);
    if (mark.load(std::memory_order_relaxed) == 0 && mark.exchange(1, std::memory_order_relaxed) == 0) doubts.push_back(slot);
  }

  /// Makes in_degrees, heads, in_doubt and removed_at anew, with room for `capacity`; the first `count` slots are those of
  /// `removals`.
  void prepare_for_changes(size_t count, size_t capacity, const Buffer<uint32_t>& removals);

  /// Counts the in_degrees of the first `count` nodes anew.
  void count_in_degrees(size_t count);

  /// Whether a node has a row on this layer, also when levels and upper_rows come from a damaged file.
  bool has_row(uint32_t slot, size_t level) const {
    return level == 0 || (levels[slot] != kTwin && levels[slot] >= level && (upper_rows[slot] + level) * m <= upper.size());
  }

  size_t memory_bytes() const {
    return (links0.size() + in_degrees.size() + heads.size() + removed_at.size() + twins.size() + upper_rows.size() +
            upper.size()) *
               sizeof(uint32_t) +
           levels.size() + in_doubt.size();
  }
};

}  // namespace nigh

// External id → slot, read by many while one writer appends. Costs nothing while ids are 0 … n − 1 in order; otherwise a hash
// table of slots with linear probing, which looks ids up where they lie and never moves: it has twice as many places as there
// can be slots, and a reader takes no lock. The table of an index that was opened is filled at its first use, so that opening a
// mapped file does not depend on its size.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "base/buffer.h"

namespace nigh {

class SlotMap {
 public:
  static constexpr uint32_t kNone = 0xffffffff;

  SlotMap() = default;

  /// Over slots [0, count) of `ids`, whose length is the capacity. `dense`: they are known to be their own ids.
  SlotMap(Buffer<uint32_t> ids, size_t count, bool dense) : ids_(std::move(ids)), count_(count), dense_(dense) {
    if (!dense) return;
    filled_ = true;
  }

  /// The slot of `id` that is the newest below `count`, or kNone; it may have been removed. Safe from several threads, and
  /// beside append().
  uint32_t find(uint32_t id, size_t count) const {
    if (dense_.load(std::memory_order_acquire)) return id < count ? id : kNone;
    fill();
    if (table_.size() == 0) return kNone;
    const size_t mask = table_.size() - 1;
    for (size_t at = place_of(id, mask), steps = 0; steps <= mask; at = (at + 1) & mask, ++steps) {
      uint32_t slot = load(&table_[at]);
      if (slot == kEmpty) return kNone;
      slot -= 1;
      if (ids_[slot] != id) continue;
      // Slots that were added after the reader began are passed over for the one that they replaced.
      while (slot >= count && slot < older_.size()) slot = older_[slot] - 1;
      return slot < count ? slot : kNone;
    }
    return kNone;
  }

  bool dense() const { return dense_.load(std::memory_order_acquire); }

  /// Takes in slots [begin, end), whose ids are stored. For one writer, before the slots are visible to anybody.
  void append(size_t begin, size_t end) {
    if (dense()) {
      size_t own = begin;
      while (own < end && ids_[own] == own) ++own;
      if (own == end) {
        count_ = end;
        return;
      }
      // Filled out of sight while readers still go by the numbers.
      build(begin);
      for (size_t slot = begin; slot < end; ++slot) insert(static_cast<uint32_t>(slot));
      filled_ = true;
      dense_.store(false, std::memory_order_release);
    } else {
      fill();
      for (size_t slot = begin; slot < end; ++slot) insert(static_cast<uint32_t>(slot));
    }
    count_ = end;
  }

  /// Safe beside find() and append(): a table that is being filled counts from when it is used.
  size_t memory_bytes() const {
    if (dense() || !filled_.load(std::memory_order_acquire)) return 0;
    return (table_.size() + older_.size()) * sizeof(uint32_t);
  }

 private:
  static constexpr uint32_t kEmpty = 0;  // a place holds slot + 1, so that zeroed memory is empty

  static uint32_t load(const uint32_t* entry) {
    return std::atomic_ref<uint32_t>(*const_cast<uint32_t*>(entry)).load(std::memory_order_acquire);
  }
  static void store(uint32_t* entry, uint32_t value) {
    std::atomic_ref<uint32_t>(*entry).store(value, std::memory_order_release);
  }

  static size_t place_of(uint32_t id, size_t mask) { return (id * 0x9e3779b97f4a7c15ULL >> 32) & mask; }

  void fill() const {
    if (filled_.load(std::memory_order_acquire)) return;
    const std::lock_guard lock(fill_mutex_);
    if (filled_.load(std::memory_order_relaxed)) return;
    build(count_);
    filled_.store(true, std::memory_order_release);
  }

  void build(size_t count) const {
    table_ = Buffer<uint32_t>(std::bit_ceil(std::max<size_t>(ids_.size(), 1) * 2));
    older_ = Buffer<uint32_t>(ids_.size());
    for (size_t slot = 0; slot < count; ++slot) insert(static_cast<uint32_t>(slot));
  }

  void insert(uint32_t slot) const {
    const size_t mask = table_.size() - 1;
    const uint32_t id = ids_[slot];
    size_t at = place_of(id, mask);
    for (uint32_t held; (held = load(&table_[at])) != kEmpty; at = (at + 1) & mask) {
      if (ids_[held - 1] != id) continue;
      older_[slot] = held;
      break;
    }
    store(&table_[at], slot + 1);
  }

  Buffer<uint32_t> ids_;
  size_t count_ = 0;  // slots taken in
  std::atomic<bool> dense_{true};
  mutable std::mutex fill_mutex_;
  mutable std::atomic<bool> filled_{false};
  mutable Buffer<uint32_t> table_;
  mutable Buffer<uint32_t> older_;  // slot → 1 + the slot of the same id before it, or 0
};

}  // namespace nigh

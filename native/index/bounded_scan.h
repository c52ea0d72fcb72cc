// The k nearest of all rows, exactly: codes rule out the rows that are proven too far, and only the others have their float32
// distance computed. The answer is that of comparing every row, to the bit, because a row is left out only when its returned
// distance would be above that of the k-th best so far (sq8_blocks.h has the proof).
//
//   1. while fewer than k are held: compare the block of rows directly
//   2. values of a block from its codes; select those that the limit does not rule out
//   3. candidates wait in a short list while their rows come into the cache, then are scored together
//   4. where codes rule out too little, compare rows directly: a block at once, and for good when that is the rule
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/top_k.h"
#include "simd/kernels.h"

namespace nigh {

/// Bounds where there are no codes.
struct NoBounds {
  static constexpr size_t kGranularity = 1;
  bool usable() const { return false; }
  void values(size_t, size_t, float, float*) const {}
  float limit(float bound) const { return bound; }
};

/// Rows give: distances_range(begin, count, out), distances(slots, count, out), both without NaN, id(slot), may_return(slot) and
/// prefetch(slot).
template <class Rows, class Bounds>
class BoundedScan {
 public:
  BoundedScan(const Rows& rows, const Bounds& bounds, size_t count, size_t k)
      : rows_(rows), bounds_(bounds), count_(count), best_(std::min(k, count)) {}

  std::vector<Neighbor> run() {
    bool bounded = bounds_.usable();
    for (size_t begin = 0, block = 0; begin < count_; begin += block) {
      block = std::min(kBlock, count_ - begin);
      // What shares a group of codes with rows that may be added meanwhile is compared directly.
      const size_t beyond = block % Bounds::kGranularity;
      if (bounded && beyond != 0 && beyond != block) block -= beyond;
      if (beyond == block) bounded = false;
      if (!bounded || best_.bound() == std::numeric_limits<float>::infinity()) {
        compare(begin, block);
        continue;
      }
      rule_out(begin, block);
      bounded = begin < kTrial || rescored_ < begin / kFewRescored;
    }
    flush();
    return best_.take_sorted();
  }

 private:
  static constexpr size_t kBlock = 1024;     // its values stay in the first cache level
  static constexpr size_t kGroup = 16;       // candidates scored together
  static constexpr size_t kFewRescored = 4;  // a row out of order costs about as much as so many in order
  static constexpr size_t kTrial = 32 * kBlock;
  static_assert(kBlock % Bounds::kGranularity == 0);

  void compare(size_t begin, size_t count) {
    rows_.distances_range(begin, count, values_);
    const size_t found = kernels().select_le(values_, 1.0f, nullptr, count, best_.bound(), selected_);
    for (size_t i = 0; i < found; ++i) {
      const size_t j = selected_[i];
      const auto slot = static_cast<uint32_t>(begin + j);
      if (values_[j] <= best_.bound() && rows_.may_return(slot)) best_.push({values_[j], rows_.id(slot)});
    }
  }

  void rule_out(size_t begin, size_t count) {
    bounds_.values(begin, count, best_.bound(), values_);
    const size_t found = kernels().select_le(values_, 1.0f, nullptr, count, bounds_.limit(best_.bound()), selected_);
    if (found > count / kFewRescored) {
      rescored_ += count;
      return compare(begin, count);
    }
    for (size_t i = 0; i < found; ++i) {
      const auto slot = static_cast<uint32_t>(begin + selected_[i]);
      if (!rows_.may_return(slot)) continue;
      rows_.prefetch(slot);
      waiting_[waiting_count_++] = slot;
      ++rescored_;
      if (waiting_count_ == kGroup) flush();
    }
  }

  void flush() {
    float distances[kGroup];
    rows_.distances(waiting_, waiting_count_, distances);
    for (size_t i = 0; i < waiting_count_; ++i) {
      if (distances[i] <= best_.bound()) best_.push({distances[i], rows_.id(waiting_[i])});
    }
    waiting_count_ = 0;
  }

  const Rows& rows_;
  const Bounds& bounds_;
  size_t count_;
  TopK best_;
  size_t rescored_ = 0;
  size_t waiting_count_ = 0;
  uint32_t waiting_[kGroup];
  float values_[kBlock];
  uint32_t selected_[kBlock];
};

}  // namespace nigh

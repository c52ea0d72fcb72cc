// Which slots a search has met. Clearing is O(1): a slot counts as met when its mark equals the current epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/buffer.h"

namespace nigh {

class VisitedSet {
 public:
  /// Forgets everything and makes room for slots below `size`.
  void reset(size_t size) {
    if (marks_.size() < size) {
      marks_ = Buffer<uint16_t>(size + size / 2);  // an index that grows row by row must not reallocate row by row
      epoch_ = 0;
    }
    if (++epoch_ == 0) {
      std::memset(marks_.data(), 0, marks_.size() * sizeof(uint16_t));
      epoch_ = 1;
    }
  }

  /// True when the slot was not met before; it is now.
  bool insert(uint32_t slot) {
    uint16_t& mark = marks_[slot];
    const bool fresh = mark != epoch_;
    mark = epoch_;
    return fresh;
  }

  bool contains(uint32_t slot) const { return marks_[slot] == epoch_; }

  size_t memory_bytes() const { return marks_.size() * sizeof(uint16_t); }

 private:
  Buffer<uint16_t> marks_;
  uint16_t epoch_ = 0;
};

}  // namespace nigh

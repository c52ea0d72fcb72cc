// Which slots a search has met. A slot counts as met when its mark equals the current epoch, so that clearing is one addition,
// and once in 255 times a byte a slot. Of a million slots the marks stay in the second cache level, which two bytes a slot would
// not.
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
      marks_ = Buffer<Mark>(size + size / 2);  // an index that grows row by row must not reallocate row by row
      epoch_ = Mark{0};
    }
    if (epoch_ == kLast) std::memset(marks_.data(), 0, marks_.size());
    epoch_ = epoch_ == kLast ? Mark{1} : Mark{static_cast<uint8_t>(static_cast<uint8_t>(epoch_) + 1)};
  }

  /// True when the slot was not met before; it is now.
  bool insert(uint32_t slot) {
    Mark& mark = marks_[slot];
    const bool fresh = mark != epoch_;
    mark = epoch_;
    return fresh;
  }

  bool contains(uint32_t slot) const { return marks_[slot] == epoch_; }

  size_t memory_bytes() const { return marks_.size(); }

 private:
  // Not a plain byte, which might alias whatever else the loop over a row of links reads, so that it would be read again.
  enum class Mark : uint8_t {};
  static constexpr Mark kLast{255};

  Buffer<Mark> marks_;
  Mark epoch_{0};
};

}  // namespace nigh

// External id → slot. Costs nothing while ids are 0 … n − 1 in order; otherwise a hash table that is filled at first use, so that
// opening a mapped index does not depend on its size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/buffer.h"

namespace nigh {

class SlotMap {
 public:
  static constexpr uint32_t kNone = 0xffffffff;

  /// `dense`: the first `count` ids are known to be their own slots.
  explicit SlotMap(bool dense) : dense_(dense) {}

  /// The slot of `id` among the first `count` of `ids`, or kNone. Safe from several threads.
  uint32_t find(uint32_t id, const Buffer<uint32_t>& ids, size_t count) {
    const std::lock_guard lock(mutex_);
    if (dense_) return id < count ? id : kNone;
    fill(ids, count);
    const auto found = slots_.find(id);
    return found == slots_.end() || found->second >= count ? kNone : found->second;
  }

  bool dense() const { return dense_; }

  /// Ends density: called before ids that are not their own slots are appended.
  void set_sparse() {
    const std::lock_guard lock(mutex_);
    dense_ = false;
  }

 private:
  void fill(const Buffer<uint32_t>& ids, size_t count) {
    if (filled_ >= count) return;
    slots_.reserve(count);
    for (; filled_ < count; ++filled_) slots_.emplace(ids[filled_], static_cast<uint32_t>(filled_));
  }

  std::mutex mutex_;
  bool dense_;
  size_t filled_ = 0;
  std::unordered_map<uint32_t, uint32_t> slots_;
};

}  // namespace nigh

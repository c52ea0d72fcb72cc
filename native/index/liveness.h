// Which slots of an index are live, for a reader that must not wait: a removed slot keeps the number of the change that removed
// it, and a reader that began before that change still sees the slot. So a change that removes some slots and adds others is
// seen whole or not at all.
#pragma once

#include <atomic>
#include <cstdint>

namespace nigh {

struct Liveness {
  const uint32_t* removed_at = nullptr;  // per slot: the change that removed it, 0 for none; null: nothing was ever removed
  uint32_t change = 0;                   // the last change that this reader sees

  bool any_removed() const { return removed_at != nullptr; }

  bool operator()(uint32_t slot) const {
    if (removed_at == nullptr) return true;
    const uint32_t at = load(removed_at + slot);
    return at == 0 || at > change;
  }

  static uint32_t load(const uint32_t* entry) {
    return std::atomic_ref<uint32_t>(*const_cast<uint32_t*>(entry)).load(std::memory_order_relaxed);
  }
  static void store(uint32_t* entry, uint32_t change) {
    std::atomic_ref<uint32_t>(*entry).store(change, std::memory_order_relaxed);
  }
};

}  // namespace nigh

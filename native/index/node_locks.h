// Locks for the rows of a graph: one byte-sized lock for every 2^16-th node. Two nodes share one rarely enough, and no thread
// holds two.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

namespace nigh {

class NodeLocks {
 public:
  class Guard {
   public:
    explicit Guard(std::atomic_flag& flag) : flag_(flag) {
      for (int spins = 0; flag_.test_and_set(std::memory_order_acquire);) {
        if (++spins > 64) std::this_thread::yield();
      }
    }
    ~Guard() { flag_.clear(std::memory_order_release); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    std::atomic_flag& flag_;
  };

  Guard lock(uint32_t slot) { return Guard(flags_[slot & (flags_.size() - 1)]); }

 private:
  std::array<std::atomic_flag, 1 << 16> flags_{};
};

}  // namespace nigh

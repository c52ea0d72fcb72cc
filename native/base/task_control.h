// How a long native task is watched and stopped from outside: one object shared by the task and whoever started it.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/error.h"

namespace nigh {

class TaskControl {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

  /// Throws ABORTED once cancel() was called. Cheap enough for every few microseconds of work.
  void check() const {
    if (cancelled()) throw Error("ABORTED", "The operation was aborted.");
  }

  /// Work is counted in units that the task chooses; total is 0 until the task knows it.
  void set_total(uint64_t units) noexcept { total_.store(units, std::memory_order_relaxed); }
  void advance(uint64_t units) noexcept { done_.fetch_add(units, std::memory_order_relaxed); }
  uint64_t done() const noexcept { return done_.load(std::memory_order_relaxed); }
  uint64_t total() const noexcept { return total_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
  std::atomic<uint64_t> done_{0};
  std::atomic<uint64_t> total_{0};
};

}  // namespace nigh

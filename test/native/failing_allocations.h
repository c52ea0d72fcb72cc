// Allocations that fail, or take their time, when a test says so. The program's operator new and aligned_alloc are those of
// failing_allocations.cpp.
#pragma once

#include <chrono>
#include <cstddef>

namespace nigh::test {

/// While one lives, the n-th allocation (from 1) of any thread fails, or every one from the n-th on.
class FailingAllocations {
 public:
  enum class Which { kOne, kAllFrom };

  FailingAllocations(size_t n, Which which);
  ~FailingAllocations();
  FailingAllocations(const FailingAllocations&) = delete;
  FailingAllocations& operator=(const FailingAllocations&) = delete;

  /// Whether an allocation has failed since.
  bool failed() const;
};

/// While one lives, every allocation of the thread that made it takes so long: what it does comes apart between them.
class SlowAllocations {
 public:
  explicit SlowAllocations(std::chrono::milliseconds each);
  ~SlowAllocations();
  SlowAllocations(const SlowAllocations&) = delete;
  SlowAllocations& operator=(const SlowAllocations&) = delete;
};

/// Whether the allocations of this program can be made to fail.
bool allocations_can_fail();

}  // namespace nigh::test

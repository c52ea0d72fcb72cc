#include "failing_allocations.h"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <thread>

namespace {

std::atomic<bool> armed{false};
std::atomic<bool> all_from{false};
std::atomic<int64_t> left{0};  // allocations until the one that fails
std::atomic<size_t> failures{0};
thread_local std::chrono::milliseconds delay{0};

bool fails() noexcept {
  if (!armed.load(std::memory_order_relaxed)) return false;
  const int64_t before = left.fetch_sub(1, std::memory_order_relaxed);
  const bool now = before == 1 || (before < 1 && all_from.load(std::memory_order_relaxed));
  if (now) failures.fetch_add(1, std::memory_order_relaxed);
  return now;
}

void* allocate(size_t bytes) {
  if (delay.count() != 0) std::this_thread::sleep_for(delay);
  void* memory = fails() ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t bytes) { return allocate(bytes); }
void* operator new[](size_t bytes) { return allocate(bytes); }
// std::stable_sort asks for its memory in this way, and gives it back like any other.
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return fails() ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
}
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept {
  return fails() ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

#if defined(__linux__)
// The one that rows and links come from (base/buffer.cpp). What it gives is freed by free, also under a sanitizer.
extern "C" void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  void* memory = nullptr;
  const int error = fails() ? ENOMEM : posix_memalign(&memory, alignment, bytes);
  if (error != 0) errno = error;
  return error == 0 ? memory : nullptr;
}
#endif

namespace nigh::test {

FailingAllocations::FailingAllocations(size_t n, Which which) {
  left = static_cast<int64_t>(n);
  all_from = which == Which::kAllFrom;
  failures = 0;
  armed = true;
}

FailingAllocations::~FailingAllocations() { armed = false; }

bool FailingAllocations::failed() const { return failures != 0; }

SlowAllocations::SlowAllocations(std::chrono::milliseconds each) { delay = each; }
SlowAllocations::~SlowAllocations() { delay = std::chrono::milliseconds(0); }

bool allocations_can_fail() {
#if defined(__linux__)
  return true;
#else
  return false;
#endif
}

}  // namespace nigh::test

#include "base/buffer.h"

#include <cstdlib>
#include <string>

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(_WIN32)
#include <malloc.h>
#endif

#include "base/error.h"

namespace nigh {

namespace {
constexpr size_t kHugePage = size_t{2} << 20;
}

void* allocate_aligned(size_t bytes) {
  const size_t alignment = bytes >= 2 * kHugePage ? kHugePage : 64;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
#if defined(_WIN32)
  void* memory = rounded < bytes ? nullptr : _aligned_malloc(rounded, alignment);
#else
  void* memory = rounded < bytes ? nullptr : std::aligned_alloc(alignment, rounded);
#endif
  if (memory == nullptr) throw Error("OUT_OF_MEMORY", "Could not allocate " + std::to_string(bytes) + " bytes.");
#if defined(__linux__)
  if (alignment == kHugePage) madvise(memory, rounded, MADV_HUGEPAGE);
#endif
  std::memset(memory, 0, rounded);
  return memory;
}

void free_aligned(void* memory) noexcept {
#if defined(_WIN32)
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

}  // namespace nigh

// What the AVX2 kernels are written in. Included by kernels_avx2.cpp and its parts only, and all of it has internal linkage:
// a linker must find nothing here that it could share with code for lesser processors.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#if defined(_MSC_VER)
#define NIGH_INLINE __forceinline
#define NIGH_UNROLL
#define NIGH_IN_ORDER()
#else
#define NIGH_INLINE inline __attribute__((always_inline))
#define NIGH_UNROLL _Pragma("GCC unroll 32")
// Keeps the compiler from moving loads across: memory read in ascending order is what the hardware's prefetcher follows. With
// the loads of four rows shuffled, a scan ran at 12 instead of 35 GB/s.
#define NIGH_IN_ORDER() __asm__ volatile("" ::: "memory")
#endif

namespace nigh {
namespace {

constexpr size_t kLanes = 8;

// Masks of the first or last 0 … 8 lanes are eight words in a row of this.
alignas(64) constexpr int32_t kMaskWords[24] = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
NIGH_INLINE __m256i first(size_t count) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMaskWords + 2 * kLanes - count));
}
NIGH_INLINE __m256i last(size_t count) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMaskWords + count)); }

// Asks for every line of a row, into the second cache level.
NIGH_INLINE void prefetch(const void* data, size_t bytes) {
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data);
  for (uintptr_t line = begin & ~uintptr_t{63}; line < begin + bytes; line += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(line), _MM_HINT_T1);
  }
}

}  // namespace
}  // namespace nigh

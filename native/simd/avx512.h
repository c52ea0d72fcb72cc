// What the AVX-512 kernels are written in. Included by the files of the avx512 level only, and all of it has internal linkage:
// a linker must find nothing here that it could share with code for lesser processors.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 warns of its own header: _mm512_undefined_epi32().
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

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

constexpr size_t kLanes = 16;

NIGH_INLINE __mmask16 first(size_t count) { return static_cast<__mmask16>((1u << count) - 1); }
NIGH_INLINE __mmask16 last(size_t count) { return static_cast<__mmask16>(0xffffu << (kLanes - count)); }

// Asks for every line of a row, into the second cache level.
NIGH_INLINE void prefetch(const void* data, size_t bytes) {
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data);
  for (uintptr_t line = begin & ~uintptr_t{63}; line < begin + bytes; line += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(line), _MM_HINT_T1);
  }
}

}  // namespace
}  // namespace nigh

// Bit vectors in AVX-512. Included by kernels_avx512.cpp, and by bits_avx512_vpopcntdq.cpp for processors that count bits in one
// instruction; everything has internal linkage.
#pragma once

#include "simd/avx512.h"
#include "simd/kernels.h"

namespace nigh {
namespace {

// Counts the bits of bytes in two look-ups, and adds the bytes of every 64-bit lane.
struct NibbleCount {
  static NIGH_INLINE __m512i count(__m512i bits) {
    const __m512i table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i low = _mm512_shuffle_epi8(table, _mm512_and_si512(bits, nibble));
    const __m512i high = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(bits, 4), nibble));
    return _mm512_sad_epu8(_mm512_add_epi8(low, high), _mm512_setzero_si512());
  }
};

NIGH_INLINE float to_float(__m512i counts) { return static_cast<float>(_mm512_reduce_add_epi64(counts)); }

// Calls step(words of a, words of b) for eight words at a time; past the end both are 0.
template <class Step>
NIGH_INLINE void each_words(const uint64_t* a, const uint64_t* b, size_t words, const Step& step) {
  size_t i = 0;
  for (; i + 8 <= words; i += 8) step(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i));
  if (i < words) {
    const auto tail = static_cast<__mmask8>((1u << (words - i)) - 1);
    step(_mm512_maskz_loadu_epi64(tail, a + i), _mm512_maskz_loadu_epi64(tail, b + i));
  }
}

template <class Count>
struct Hamming {
  static NIGH_INLINE float distance(const uint64_t* a, const uint64_t* b, size_t words) {
    __m512i differing = _mm512_setzero_si512();
    each_words(a, b, words,
               [&](__m512i x, __m512i y) { differing = _mm512_add_epi64(differing, Count::count(_mm512_xor_si512(x, y))); });
    return to_float(differing);
  }
};

template <class Count>
struct Jaccard {
  static NIGH_INLINE float distance(const uint64_t* a, const uint64_t* b, size_t words) {
    __m512i differing = _mm512_setzero_si512(), either = differing;
    each_words(a, b, words, [&](__m512i x, __m512i y) {
      differing = _mm512_add_epi64(differing, Count::count(_mm512_xor_si512(x, y)));
      either = _mm512_add_epi64(either, Count::count(_mm512_or_si512(x, y)));
    });
    const float all = to_float(either);
    return all == 0 ? 0 : to_float(differing) / all;
  }
};

// As for rows of floats: all are asked for before the first is used, as far as the second cache level holds them with ease.
template <class Distance>
void bit_gather(const uint64_t* query, const uint64_t* rows, size_t stride, const uint32_t* slots, size_t count, size_t words,
                float* out) {
  const size_t bytes = words * sizeof(uint64_t);
  const size_t ahead = 128 * 1024 / bytes + 4;
  for (size_t j = 0; j < ahead && j < count; ++j) prefetch(rows + slots[j] * stride, bytes);
  for (size_t j = 0; j < count; ++j) {
    if (j + ahead < count) prefetch(rows + slots[j + ahead] * stride, bytes);
    out[j] = Distance::distance(query, rows + slots[j] * stride, words);
  }
}

template <class Distance>
void bit_scan(const uint64_t* query, const uint64_t* rows, size_t stride, size_t count, size_t words, float* out) {
  for (size_t j = 0; j < count; ++j) out[j] = Distance::distance(query, rows + j * stride, words);
}

template <class Count>
constexpr BitKernels bit_kernels() {
  return {bit_gather<Hamming<Count>>, bit_scan<Hamming<Count>>, bit_gather<Jaccard<Count>>, bit_scan<Jaccard<Count>>};
}

}  // namespace
}  // namespace nigh

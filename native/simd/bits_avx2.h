// Bit vectors in AVX2. Included by kernels_avx2.cpp only; everything has internal linkage.
#pragma once

#include "simd/avx2.h"
#include "simd/kernels.h"

namespace nigh {
namespace {

// Counts the bits of bytes in two look-ups, and adds the bytes of every 64-bit lane.
NIGH_INLINE __m256i count_bits(__m256i bits) {
  const __m256i table =
      _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(bits, nibble));
  const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(bits, 4), nibble));
  return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

NIGH_INLINE float to_float(__m256i counts) {
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(counts), _mm256_extracti128_si256(counts, 1));
  return static_cast<float>(_mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0x4e))));
}

NIGH_INLINE __m256i load_words(const uint64_t* words) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words)); }

// The first 1 … 3 words; the others are 0.
NIGH_INLINE __m256i load_words(const uint64_t* words, size_t count) {
  return _mm256_maskload_epi64(reinterpret_cast<const long long*>(words), first(2 * count));
}

// Calls step(words of a, words of b) for four words at a time; past the end both are 0.
template <class Step>
NIGH_INLINE void each_words(const uint64_t* a, const uint64_t* b, size_t words, const Step& step) {
  size_t i = 0;
  for (; i + 4 <= words; i += 4) step(load_words(a + i), load_words(b + i));
  if (i < words) step(load_words(a + i, words - i), load_words(b + i, words - i));
}

struct Hamming {
  static NIGH_INLINE float distance(const uint64_t* a, const uint64_t* b, size_t words) {
    __m256i differing = _mm256_setzero_si256();
    each_words(a, b, words,
               [&](__m256i x, __m256i y) { differing = _mm256_add_epi64(differing, count_bits(_mm256_xor_si256(x, y))); });
    return to_float(differing);
  }
};

struct Jaccard {
  static NIGH_INLINE float distance(const uint64_t* a, const uint64_t* b, size_t words) {
    __m256i differing = _mm256_setzero_si256(), either = differing;
    each_words(a, b, words, [&](__m256i x, __m256i y) {
      differing = _mm256_add_epi64(differing, count_bits(_mm256_xor_si256(x, y)));
      either = _mm256_add_epi64(either, count_bits(_mm256_or_si256(x, y)));
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

constexpr BitKernels kBits = {bit_gather<Hamming>, bit_scan<Hamming>, bit_gather<Jaccard>, bit_scan<Jaccard>};

}  // namespace
}  // namespace nigh

// Rows of int8 codes, for the avx512 level.
#include "simd/parts_avx512.h"

#ifdef NIGH_AVX512

#include <cstring>

#include "simd/rows_avx512.h"

namespace nigh {
namespace {

NIGH_INLINE void fold4(__m512i a, __m512i b, __m512i c, __m512i d, int32_t* out) {
  const __m512i ab = _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x44), _mm512_shuffle_i32x4(a, b, 0xee));
  const __m512i cd = _mm512_add_epi32(_mm512_shuffle_i32x4(c, d, 0x44), _mm512_shuffle_i32x4(c, d, 0xee));
  const __m512i four = _mm512_add_epi32(_mm512_shuffle_i32x4(ab, cd, 0x88), _mm512_shuffle_i32x4(ab, cd, 0xdd));
  const __m512i two = _mm512_add_epi32(four, _mm512_shuffle_epi32(four, _MM_PERM_BADC));
  const __m512i one = _mm512_add_epi32(two, _mm512_shuffle_epi32(two, _MM_PERM_CDAB));
  const __m512i lanes = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_castsi512_si128(_mm512_permutexvar_epi32(lanes, one)));
}

// The instruction multiplies unsigned by signed bytes, so the codes go in as stored and every sum starts at −128 Σ query.
template <size_t kVectors>
struct HeldCodes {
  __m512i query[kVectors];
  __m512i start;

  NIGH_INLINE explicit HeldCodes(const int8_t* values) : start(_mm512_setzero_si512()) {
    const __m512i offset = _mm512_set1_epi8(static_cast<char>(128));
    NIGH_UNROLL for (size_t v = 0; v < kVectors; ++v) {
      query[v] = _mm512_loadu_si512(values + v * 64);
      start = _mm512_dpbusd_epi32(start, offset, query[v]);
    }
    start = _mm512_sub_epi32(_mm512_setzero_si512(), start);
  }

  NIGH_INLINE __m512i operator()(const uint8_t* code) const {
    __m512i even = start, odd = _mm512_setzero_si512();
    NIGH_UNROLL for (size_t v = 0; v < kVectors; ++v) {
      __m512i& sum = v % 2 == 0 ? even : odd;
      sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(code + v * 64), query[v]);
    }
    return _mm512_add_epi32(even, odd);
  }
};

struct LoadedCodes {
  const int8_t* query;
  size_t dim;
  __m512i start;

  NIGH_INLINE LoadedCodes(const int8_t* values, size_t dimension) : query(values), dim(dimension), start(_mm512_setzero_si512()) {
    const __m512i offset = _mm512_set1_epi8(static_cast<char>(128));
    for (size_t i = 0; i < dim; i += 64) start = _mm512_dpbusd_epi32(start, offset, _mm512_loadu_si512(query + i));
    start = _mm512_sub_epi32(_mm512_setzero_si512(), start);
  }

  NIGH_INLINE __m512i operator()(const uint8_t* code) const {
    __m512i even = start, odd = _mm512_setzero_si512();
    size_t i = 0;
    for (; i + 128 <= dim; i += 128) {
      even = _mm512_dpbusd_epi32(even, _mm512_loadu_si512(code + i), _mm512_loadu_si512(query + i));
      odd = _mm512_dpbusd_epi32(odd, _mm512_loadu_si512(code + i + 64), _mm512_loadu_si512(query + i + 64));
    }
    if (i < dim) even = _mm512_dpbusd_epi32(even, _mm512_loadu_si512(code + i), _mm512_loadu_si512(query + i));
    return _mm512_add_epi32(even, odd);
  }
};

struct ListedCodes {
  const uint8_t* codes;
  size_t stride;
  const uint32_t* slots;
  NIGH_INLINE const uint8_t* operator()(size_t j) const { return codes + slots[j] * stride; }
};

template <class Sum>
NIGH_INLINE void score_codes(const Sum& sum, const ListedCodes& row, const Requests<ListedCodes>& requests, size_t count,
                             int32_t* out) {
  size_t j = 0;
  for (; j + 4 <= count; j += 4) {
    requests.advance(j);
    const __m512i a = sum(row(j));
    const __m512i b = sum(row(j + 1));
    const __m512i c = sum(row(j + 2));
    const __m512i d = sum(row(j + 3));
    fold4(a, b, c, d, out + j);
  }
  for (; j < count; ++j) out[j] = _mm512_reduce_add_epi32(sum(row(j)));
}

NIGH_INLINE __m512i four_of(const int8_t* values) {
  int32_t four;
  std::memcpy(&four, values, sizeof four);
  return _mm512_set1_epi32(four);
}

}  // namespace

namespace avx512 {

void dot_i8_gather(const int8_t* query, const uint8_t* codes, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                   int32_t* out) {
  const ListedCodes row{codes, stride, slots};
  const Requests requests(row, count, dim);
  switch (dim / 64) {
    case 1:
      return score_codes(HeldCodes<1>(query), row, requests, count, out);
    case 2:
      return score_codes(HeldCodes<2>(query), row, requests, count, out);
    case 3:
      return score_codes(HeldCodes<3>(query), row, requests, count, out);
    case 4:
      return score_codes(HeldCodes<4>(query), row, requests, count, out);
    default:
      return score_codes(LoadedCodes(query, dim), row, requests, count, out);
  }
}

void score_i8_blocks(const I8BlockQuery& query, const uint8_t* blocks, size_t stride, size_t count, float* out) {
  int32_t high_sum = 0, low_sum = 0;
  for (size_t i = 0; i < query.groups * 4; ++i) high_sum += query.high[i], low_sum += query.low[i];
  const __m512i high_start = _mm512_set1_epi32(-128 * high_sum);
  const __m512i low_start = _mm512_set1_epi32(-128 * low_sum);
  const __m512 factor = _mm512_set1_ps(query.factor), slack = _mm512_set1_ps(query.slack), weight = _mm512_set1_ps(query.weight);
  for (const uint8_t* block = blocks; block != blocks + count * stride; block += stride, out += kLanes) {
    // Two chains of additions each, for even and odd groups.
    __m512i high0 = high_start, low0 = low_start, high1 = _mm512_setzero_si512(), low1 = high1;
    size_t g = 0;
    for (; g + 2 <= query.groups; g += 2) {
      const __m512i even = _mm512_loadu_si512(block + g * 64);
      const __m512i odd = _mm512_loadu_si512(block + g * 64 + 64);
      high0 = _mm512_dpbusd_epi32(high0, even, four_of(query.high + g * 4));
      low0 = _mm512_dpbusd_epi32(low0, even, four_of(query.low + g * 4));
      high1 = _mm512_dpbusd_epi32(high1, odd, four_of(query.high + g * 4 + 4));
      low1 = _mm512_dpbusd_epi32(low1, odd, four_of(query.low + g * 4 + 4));
    }
    if (g < query.groups) {
      const __m512i even = _mm512_loadu_si512(block + g * 64);
      high0 = _mm512_dpbusd_epi32(high0, even, four_of(query.high + g * 4));
      low0 = _mm512_dpbusd_epi32(low0, even, four_of(query.low + g * 4));
    }
    const uint8_t* end = block + query.groups * 64;
    const __m512 high = _mm512_cvtepi32_ps(_mm512_add_epi32(high0, high1));
    const __m512 low = _mm512_cvtepi32_ps(_mm512_add_epi32(low0, low1));
    const __m512i terms = _mm512_loadu_si512(end);
    const __m512 scale = _mm512_castsi512_ps(_mm512_and_si512(terms, _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
    const __m512 error = _mm512_castsi512_ps(_mm512_slli_epi32(terms, 16));
    const __m512 product = _mm512_fmadd_ps(_mm512_set1_ps(255.0f), high, low);
    __m512 value = _mm512_mul_ps(scale, _mm512_fmsub_ps(factor, product, slack));
    value = _mm512_fnmadd_ps(weight, error, value);
    if (query.companions) value = _mm512_add_ps(value, _mm512_loadu_ps(end + 64));
    _mm512_storeu_ps(out, value);
  }
}

}  // namespace avx512
}  // namespace nigh

#endif

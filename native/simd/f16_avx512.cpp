// Rows of half-precision values, for the avx512 level.
#include "simd/parts_avx512.h"

#ifdef NIGH_AVX512

#include "simd/rows_avx512.h"

namespace nigh::avx512 {

void dot_f16_gather(const float* query, const uint16_t* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                    float* out) {
  gather<Dot>(query, rows, stride, slots, count, dim, out);
}

void l2_f16_gather(const float* query, const uint16_t* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                   float* out) {
  gather<L2>(query, rows, stride, slots, count, dim, out);
}

void l1_f16_gather(const float* query, const uint16_t* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                   float* out) {
  gather<L1>(query, rows, stride, slots, count, dim, out);
}

void chebyshev_f16_gather(const float* query, const uint16_t* rows, size_t stride, const uint32_t* slots, size_t count,
                          size_t dim, float* out) {
  gather<Chebyshev>(query, rows, stride, slots, count, dim, out);
}

void to_f16(const float* values, size_t count, uint16_t* out) {
  constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm512_cvtps_ph(load(values + i), kNearest));
  }
  if (i < count) {
    const __mmask16 tail = first(count - i);
    _mm256_mask_storeu_epi16(out + i, tail, _mm512_cvtps_ph(_mm512_maskz_loadu_ps(tail, values + i), kNearest));
  }
}

void from_f16(const uint16_t* values, size_t count, float* out) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) _mm512_storeu_ps(out + i, load(values + i));
  if (i < count) {
    const __mmask16 tail = first(count - i);
    _mm512_mask_storeu_ps(out + i, tail, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(tail, values + i)));
  }
}

}  // namespace nigh::avx512

#endif

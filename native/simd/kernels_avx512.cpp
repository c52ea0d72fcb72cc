// AVX-512 (F, BW, DQ, VL, VNNI): the table of the level, and products and squared differences of float32 rows. Includes nothing
// but intrinsics and its own parts: see kernels.h.
#include "simd/kernels.h"
#include "simd/parts_avx512.h"

#ifdef NIGH_AVX512

#include "simd/avx512.h"
#include "simd/bits_avx512.h"
#include "simd/gemm_avx512.h"
#include "simd/rows_avx512.h"

namespace nigh {
namespace {

float dot(const float* a, const float* b, size_t dim) { return fold<Dot>(row_sum<Dot>(a, b, dim)); }
float l2(const float* a, const float* b, size_t dim) { return fold<L2>(row_sum<L2>(a, b, dim)); }

void axpy(float alpha, const float* x, float* y, size_t dim) {
  const __m512 factor = _mm512_set1_ps(alpha);
  size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    _mm512_storeu_ps(y + i, _mm512_fmadd_ps(factor, _mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i)));
  }
  if (i < dim) {
    const __mmask16 tail = first(dim - i);
    const __m512 sum = _mm512_fmadd_ps(factor, _mm512_maskz_loadu_ps(tail, x + i), _mm512_maskz_loadu_ps(tail, y + i));
    _mm512_mask_storeu_ps(y + i, tail, sum);
  }
}

size_t select_le(const float* values, float scale, const float* offsets, size_t count, float limit, uint32_t* out) {
  const __m512 factor = _mm512_set1_ps(scale);
  const __m512 highest = _mm512_set1_ps(limit);
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  size_t found = 0;
  const auto test = [&](size_t j) {
    const __m512 offset = offsets == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(offsets + j);
    return _mm512_cmp_ps_mask(_mm512_fmadd_ps(factor, _mm512_loadu_ps(values + j), offset), highest, _CMP_NGT_UQ);
  };
  const auto keep = [&](__mmask16 selected, size_t j) {
    // Compressed in a register: a compressing store to memory is microcoded on some processors.
    const __m512i at = _mm512_maskz_compress_epi32(selected, _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(j))));
    const size_t hits = static_cast<size_t>(_mm_popcnt_u32(selected));
    _mm512_mask_storeu_epi32(out + found, first(hits), at);
    found += hits;
  };
  size_t j = 0;
  for (; j + 4 * kLanes <= count; j += 4 * kLanes) {  // mostly nothing is selected
    const __mmask16 a = test(j), b = test(j + 16), c = test(j + 32), d = test(j + 48);
    if ((a | b | c | d) == 0) continue;
    keep(a, j);
    keep(b, j + 16);
    keep(c, j + 32);
    keep(d, j + 48);
  }
  for (; j + kLanes <= count; j += kLanes) keep(test(j), j);
  if (j < count) {
    const __mmask16 valid = first(count - j);
    const __m512 offset = offsets == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(valid, offsets + j);
    const __m512 value = _mm512_fmadd_ps(factor, _mm512_maskz_loadu_ps(valid, values + j), offset);
    keep(_mm512_mask_cmp_ps_mask(valid, value, highest, _CMP_NGT_UQ), j);
  }
  return found;
}

constexpr BitKernels kBits = bit_kernels<NibbleCount>();
constexpr Kernels kTable = {"avx512",
                            dot,
                            l2,
                            axpy,
                            gather<Dot>,
                            gather<L2>,
                            scan<Dot>,
                            scan<L2>,
                            gemm_nt,
                            gemm_scratch,
                            select_le,
                            avx512::dot_i8_gather,
                            avx512::score_i8_blocks,
                            true,
                            avx512::l1_gather,
                            avx512::l1_scan,
                            avx512::chebyshev_gather,
                            avx512::chebyshev_scan,
                            avx512::dot_f16_gather,
                            avx512::l2_f16_gather,
                            avx512::l1_f16_gather,
                            avx512::chebyshev_f16_gather,
                            avx512::to_f16,
                            avx512::from_f16,
                            &kBits};

}  // namespace

const Kernels* const kAvx512Kernels = &kTable;

}  // namespace nigh

#else

namespace nigh {
const Kernels* const kAvx512Kernels = nullptr;
}

#endif

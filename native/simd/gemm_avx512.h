// The blocked product for AVX-512: 12 rows of a against 32 rows of b, in 24 registers. Both operands are first
// packed into panels in which a step of the inner loop reads consecutive floats. Included by kernels_avx512.cpp only.
#pragma once

#include "simd/avx512.h"

namespace nigh {
namespace {

constexpr size_t kRowsA = 12;
constexpr size_t kRowsB = 32;
constexpr size_t kDepth = 384;  // a panel of a (18 KB) stays in the first cache level, one of b (48 KB) in the second

// in[r][c] → in[c][r].
NIGH_INLINE void transpose16(__m512 (&in)[16]) {
  __m512 t[16];
  NIGH_UNROLL for (size_t i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(in[i], in[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(in[i], in[i + 1]);
  }
  const auto low = [](__m512 a, __m512 b) {
    return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
  };
  const auto high = [](__m512 a, __m512 b) {
    return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
  };
  NIGH_UNROLL for (size_t i = 0; i < 16; i += 4) {
    in[i] = low(t[i], t[i + 2]);
    in[i + 1] = high(t[i], t[i + 2]);
    in[i + 2] = low(t[i + 1], t[i + 3]);
    in[i + 3] = high(t[i + 1], t[i + 3]);
  }
  // in[4g + c] now holds, for rows 4g … 4g + 3, column c of each of its four 128-bit parts.
  NIGH_UNROLL for (size_t c = 0; c < 4; ++c) {
    t[c] = _mm512_shuffle_f32x4(in[c], in[4 + c], 0x88);
    t[4 + c] = _mm512_shuffle_f32x4(in[8 + c], in[12 + c], 0x88);
    t[8 + c] = _mm512_shuffle_f32x4(in[c], in[4 + c], 0xdd);
    t[12 + c] = _mm512_shuffle_f32x4(in[8 + c], in[12 + c], 0xdd);
  }
  NIGH_UNROLL for (size_t c = 0; c < 4; ++c) {
    in[c] = _mm512_shuffle_f32x4(t[c], t[4 + c], 0x88);
    in[8 + c] = _mm512_shuffle_f32x4(t[c], t[4 + c], 0xdd);
    in[4 + c] = _mm512_shuffle_f32x4(t[8 + c], t[12 + c], 0x88);
    in[12 + c] = _mm512_shuffle_f32x4(t[8 + c], t[12 + c], 0xdd);
  }
}

// out[k * width + r] = rows[r * dim + k] for r < count, k < depth; places r in [count, 16) become 0 as far as `kept` has them.
NIGH_INLINE void pack16(const float* rows, size_t count, size_t dim, size_t depth, __mmask16 kept, size_t width, float* out) {
  for (size_t k0 = 0; k0 < depth; k0 += kLanes) {
    const size_t columns = depth - k0 < kLanes ? depth - k0 : kLanes;
    const __mmask16 inside = columns == kLanes ? static_cast<__mmask16>(0xffff) : first(columns);
    __m512 block[16];
    NIGH_UNROLL for (size_t r = 0; r < 16; ++r) {
      block[r] = r < count ? _mm512_maskz_loadu_ps(inside, rows + r * dim + k0) : _mm512_setzero_ps();
    }
    transpose16(block);
    NIGH_UNROLL for (size_t c = 0; c < 16; ++c) {
      if (c < columns) _mm512_mask_storeu_ps(out + (k0 + c) * width, kept, block[c]);
    }
  }
}

template <size_t kRows>
NIGH_INLINE void multiply_panel(const float* a, const float* b, size_t depth, bool add, float* out, size_t ld_out, size_t rows,
                                __mmask16 left, __mmask16 right) {
  __m512 sum[kRows][2];
  NIGH_UNROLL for (size_t r = 0; r < kRows; ++r) {
    sum[r][0] = _mm512_setzero_ps();
    sum[r][1] = _mm512_setzero_ps();
  }
  for (size_t k = 0; k < depth; ++k) {
    const __m512 b0 = _mm512_load_ps(b + k * kRowsB);
    const __m512 b1 = _mm512_load_ps(b + k * kRowsB + kLanes);
    NIGH_UNROLL for (size_t r = 0; r < kRows; ++r) {
      const __m512 x = _mm512_set1_ps(a[k * kRowsA + r]);
      sum[r][0] = _mm512_fmadd_ps(x, b0, sum[r][0]);
      sum[r][1] = _mm512_fmadd_ps(x, b1, sum[r][1]);
    }
  }
  NIGH_UNROLL for (size_t r = 0; r < kRows; ++r) {
    if (r >= rows) break;
    float* line = out + r * ld_out;
    if (add) {
      sum[r][0] = _mm512_add_ps(sum[r][0], _mm512_maskz_loadu_ps(left, line));
      sum[r][1] = _mm512_add_ps(sum[r][1], _mm512_maskz_loadu_ps(right, line + kLanes));
    }
    _mm512_mask_storeu_ps(line, left, sum[r][0]);
    _mm512_mask_storeu_ps(line + kLanes, right, sum[r][1]);
  }
}

size_t gemm_scratch(size_t m, size_t /*n*/, size_t dim) {
  const size_t depth = dim < kDepth ? dim : kDepth;
  return ((m + kRowsA - 1) / kRowsA * kRowsA + kRowsB) * depth + kLanes;
}

// Asks for the part of the next panel's rows that falls to the `done`-th of `total` steps through this panel, so that packing
// finds them in the cache. Rows after the last are asked for too: a caller that goes through a matrix in blocks packs them next.
NIGH_INLINE void prefetch_rows(const float* rows, size_t dim, size_t depth, size_t done, size_t total) {
  const uintptr_t begin = reinterpret_cast<uintptr_t>(rows);
  for (size_t r = done * kRowsB / total; r < (done + 1) * kRowsB / total; ++r) {
    prefetch(reinterpret_cast<const void*>(begin + r * dim * sizeof(float)), depth * sizeof(float));
  }
}

void gemm_nt(const float* a, size_t m, const float* b, size_t n, size_t dim, float* out, size_t ld_out, float* scratch) {
  for (size_t k0 = 0; k0 < dim; k0 += kDepth) {
    const size_t depth = dim - k0 < kDepth ? dim - k0 : kDepth;
    float* packed_b = scratch;
    float* packed_a = scratch + kRowsB * depth;
    for (size_t i = 0; i < m; i += kRowsA) {
      const size_t rows = m - i < kRowsA ? m - i : kRowsA;
      pack16(a + i * dim + k0, rows, dim, depth, first(kRowsA), kRowsA, packed_a + i * depth);
    }
    for (size_t j = 0; j < n; j += kRowsB) {
      const size_t columns = n - j < kRowsB ? n - j : kRowsB;
      const size_t left = columns < kLanes ? columns : kLanes;
      pack16(b + j * dim + k0, left, dim, depth, 0xffff, kRowsB, packed_b);
      pack16(b + (j + left) * dim + k0, columns - left, dim, depth, 0xffff, kRowsB, packed_b + kLanes);
      const __mmask16 left_mask = left == kLanes ? static_cast<__mmask16>(0xffff) : first(left);
      const __mmask16 right_mask = columns == kRowsB ? static_cast<__mmask16>(0xffff) : first(columns - left);
      for (size_t i = 0; i < m; i += kRowsA) {
        const size_t rows = m - i < kRowsA ? m - i : kRowsA;
        const float* panel = packed_a + i * depth;
        prefetch_rows(b + j * dim + k0 + kRowsB * dim, dim, depth, i / kRowsA, (m + kRowsA - 1) / kRowsA);
        float* target = out + i * ld_out + j;
        if (rows > 8) {
          multiply_panel<12>(panel, packed_b, depth, k0 != 0, target, ld_out, rows, left_mask, right_mask);
        } else if (rows > 4) {
          multiply_panel<8>(panel, packed_b, depth, k0 != 0, target, ld_out, rows, left_mask, right_mask);
        } else {
          multiply_panel<4>(panel, packed_b, depth, k0 != 0, target, ld_out, rows, left_mask, right_mask);
        }
      }
    }
  }
}

}  // namespace
}  // namespace nigh

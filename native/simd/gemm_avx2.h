// The blocked product for AVX2: 6 rows of a against 16 rows of b, in 12 registers. Both operands are first
// packed into panels in which a step of the inner loop reads consecutive floats. Included by kernels_avx2.cpp only.
#pragma once

#include "simd/avx2.h"

namespace nigh {
namespace {

constexpr size_t kRowsA = 6;
constexpr size_t kRowsB = 16;
constexpr size_t kDepth = 384;  // a panel of b is 24 KB, one of a 9 KB

// in[r][c] → in[c][r].
NIGH_INLINE void transpose8(__m256 (&in)[8]) {
  __m256 t[8];
  NIGH_UNROLL for (size_t i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(in[i], in[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(in[i], in[i + 1]);
  }
  NIGH_UNROLL for (size_t i = 0; i < 8; i += 4) {
    in[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    in[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    in[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    in[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  NIGH_UNROLL for (size_t c = 0; c < 4; ++c) {
    t[c] = _mm256_permute2f128_ps(in[c], in[4 + c], 0x20);
    t[4 + c] = _mm256_permute2f128_ps(in[c], in[4 + c], 0x31);
  }
  NIGH_UNROLL for (size_t c = 0; c < 8; ++c) in[c] = t[c];
}

// out[k * width + r] = rows[r * dim + k] for r < count, k < depth; places r in [count, width) become 0. Columns are written in
// ascending order and eight wide whatever the width, so with width < 8 the floats after the last column are overwritten too.
NIGH_INLINE void pack8(const float* rows, size_t count, size_t dim, size_t depth, size_t width, float* out) {
  for (size_t k0 = 0; k0 < depth; k0 += kLanes) {
    const size_t columns = depth - k0 < kLanes ? depth - k0 : kLanes;
    const __m256i inside = first(columns);
    __m256 block[8];
    NIGH_UNROLL for (size_t r = 0; r < 8; ++r) {
      block[r] = r < count ? _mm256_maskload_ps(rows + r * dim + k0, inside) : _mm256_setzero_ps();
    }
    transpose8(block);
    NIGH_UNROLL for (size_t c = 0; c < 8; ++c) {
      if (c < columns) _mm256_storeu_ps(out + (k0 + c) * width, block[c]);
    }
  }
}

template <size_t kRows>
NIGH_INLINE void multiply_panel(const float* a, const float* b, size_t depth, bool add, float* out, size_t ld_out, size_t rows,
                                size_t columns) {
  __m256 sum[kRows][2];
  NIGH_UNROLL for (size_t r = 0; r < kRows; ++r) {
    sum[r][0] = _mm256_setzero_ps();
    sum[r][1] = _mm256_setzero_ps();
  }
  for (size_t k = 0; k < depth; ++k) {
    const __m256 b0 = _mm256_load_ps(b + k * kRowsB);
    const __m256 b1 = _mm256_load_ps(b + k * kRowsB + kLanes);
    NIGH_UNROLL for (size_t r = 0; r < kRows; ++r) {
      const __m256 x = _mm256_broadcast_ss(a + k * kRowsA + r);
      sum[r][0] = _mm256_fmadd_ps(x, b0, sum[r][0]);
      sum[r][1] = _mm256_fmadd_ps(x, b1, sum[r][1]);
    }
  }
  if (columns == kRowsB) {
    NIGH_UNROLL for (size_t r = 0; r < kRows; ++r) {
      if (r >= rows) break;
      float* line = out + r * ld_out;
      if (add) {
        sum[r][0] = _mm256_add_ps(sum[r][0], _mm256_loadu_ps(line));
        sum[r][1] = _mm256_add_ps(sum[r][1], _mm256_loadu_ps(line + kLanes));
      }
      _mm256_storeu_ps(line, sum[r][0]);
      _mm256_storeu_ps(line + kLanes, sum[r][1]);
    }
  } else {
    alignas(32) float tile[kRowsB];
    NIGH_UNROLL for (size_t r = 0; r < kRows; ++r) {
      if (r >= rows) break;
      _mm256_store_ps(tile, sum[r][0]);
      _mm256_store_ps(tile + kLanes, sum[r][1]);
      float* line = out + r * ld_out;
      for (size_t c = 0; c < columns; ++c) line[c] = add ? tile[c] + line[c] : tile[c];
    }
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
      pack8(a + i * dim + k0, rows, dim, depth, kRowsA, packed_a + i * depth);
    }
    for (size_t j = 0; j < n; j += kRowsB) {
      const size_t columns = n - j < kRowsB ? n - j : kRowsB;
      const size_t left = columns < kLanes ? columns : kLanes;
      pack8(b + j * dim + k0, left, dim, depth, kRowsB, packed_b);
      pack8(b + (j + left) * dim + k0, columns - left, dim, depth, kRowsB, packed_b + kLanes);
      for (size_t i = 0; i < m; i += kRowsA) {
        const size_t rows = m - i < kRowsA ? m - i : kRowsA;
        const float* panel = packed_a + i * depth;
        prefetch_rows(b + j * dim + k0 + kRowsB * dim, dim, depth, i / kRowsA, (m + kRowsA - 1) / kRowsA);
        float* target = out + i * ld_out + j;
        if (rows > 3) {
          multiply_panel<6>(panel, packed_b, depth, k0 != 0, target, ld_out, rows, columns);
        } else {
          multiply_panel<3>(panel, packed_b, depth, k0 != 0, target, ld_out, rows, columns);
        }
      }
    }
  }
}

}  // namespace
}  // namespace nigh

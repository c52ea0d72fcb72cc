// The oracle: plain C++ that every other level is tested against, and what runs where no other level does.
//
// Sums run in eight float lanes (element i goes to lane i mod 8) that are added pairwise at the end, so the rounding error
// grows with dim / 8 and the baseline compiler may keep the lanes in registers.
#include <algorithm>
#include <cstring>

#include "simd/kernels.h"

namespace nigh {
namespace {

constexpr size_t kLanes = 8;

float fold(const float (&lane)[kLanes]) {
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

float dot(const float* a, const float* b, size_t dim) {
  float lane[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) lane[j] += a[i + j] * b[i + j];
  }
  for (size_t j = 0; i + j < dim; ++j) lane[j] += a[i + j] * b[i + j];
  return fold(lane);
}

float l2(const float* a, const float* b, size_t dim) {
  float lane[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) {
      const float difference = a[i + j] - b[i + j];
      lane[j] += difference * difference;
    }
  }
  for (size_t j = 0; i + j < dim; ++j) {
    const float difference = a[i + j] - b[i + j];
    lane[j] += difference * difference;
  }
  return fold(lane);
}

void axpy(float alpha, const float* x, float* y, size_t dim) {
  for (size_t i = 0; i < dim; ++i) y[i] += alpha * x[i];
}

// Every line of all rows of a hop is asked for before the first row is used, so that their cache misses overlap.
constexpr size_t kAheadBytes = 128 * 1024;

template <class T>
void prefetch(const T* row, size_t bytes) {
#if defined(__GNUC__)
  const uintptr_t begin = reinterpret_cast<uintptr_t>(row);
  for (uintptr_t line = begin & ~uintptr_t{63}; line < begin + bytes; line += 64) {
    __builtin_prefetch(reinterpret_cast<const char*>(line), 0, 2);
  }
#endif
}

// Calls score(j, row) for every listed row.
template <class T, class Score>
void visit(const T* rows, size_t stride, const uint32_t* slots, size_t count, size_t row_bytes, const Score& score) {
  const size_t ahead = kAheadBytes / row_bytes + 4;
  for (size_t j = 0; j < ahead && j < count; ++j) prefetch(rows + slots[j] * stride, row_bytes);
  for (size_t j = 0; j < count; ++j) {
    if (j + ahead < count) prefetch(rows + slots[j + ahead] * stride, row_bytes);
    score(j, rows + slots[j] * stride);
  }
}

void dot_gather(const float* query, const float* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                float* out) {
  visit(rows, stride, slots, count, dim * sizeof(float), [&](size_t j, const float* row) { out[j] = dot(query, row, dim); });
}

void l2_gather(const float* query, const float* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
               float* out) {
  visit(rows, stride, slots, count, dim * sizeof(float), [&](size_t j, const float* row) { out[j] = l2(query, row, dim); });
}

void dot_scan(const float* query, const float* rows, size_t stride, size_t count, size_t dim, float* out) {
  for (size_t j = 0; j < count; ++j) out[j] = dot(query, rows + j * stride, dim);
}

void l2_scan(const float* query, const float* rows, size_t stride, size_t count, size_t dim, float* out) {
  for (size_t j = 0; j < count; ++j) out[j] = l2(query, rows + j * stride, dim);
}

// Tiles keep the rows of b in the first cache level while the rows of a pass by.
void gemm_nt(const float* a, size_t m, const float* b, size_t n, size_t dim, float* out, size_t ld_out, float* /*scratch*/) {
  constexpr size_t kTile = 16;
  for (size_t j0 = 0; j0 < n; j0 += kTile) {
    const size_t j1 = std::min(n, j0 + kTile);
    for (size_t i = 0; i < m; ++i) {
      for (size_t j = j0; j < j1; ++j) out[i * ld_out + j] = dot(a + i * dim, b + j * dim, dim);
    }
  }
}

size_t gemm_scratch(size_t /*m*/, size_t /*n*/, size_t /*dim*/) { return 0; }

size_t select_le(const float* values, float scale, const float* offsets, size_t count, float limit, uint32_t* out) {
  size_t found = 0;
  for (size_t j = 0; j < count; ++j) {
    const float value = scale * values[j] + (offsets == nullptr ? 0.0f : offsets[j]);
    out[found] = static_cast<uint32_t>(j);
    found += !(value > limit);
  }
  return found;
}

void dot_i8_gather(const int8_t* query, const uint8_t* codes, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                   int32_t* out) {
  visit(codes, stride, slots, count, dim, [&](size_t j, const uint8_t* code) {
    int32_t sum = 0;
    for (size_t i = 0; i < dim; ++i) sum += query[i] * (code[i] - 128);
    out[j] = sum;
  });
}

float as_float(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

void score_i8_blocks(const I8BlockQuery& query, const uint8_t* blocks, size_t stride, size_t count, float* out) {
  constexpr size_t kRows = 16;
  for (const uint8_t* block = blocks; block != blocks + count * stride; block += stride, out += kRows) {
    int32_t high[kRows] = {}, low[kRows] = {};
    for (size_t i = 0; i < query.groups * 4; i += 4) {
      for (size_t r = 0; r < kRows; ++r) {
        for (size_t c = 0; c < 4; ++c) {
          const int32_t code = block[i * kRows + r * 4 + c] - 128;
          high[r] += code * query.high[i + c];
          low[r] += code * query.low[i + c];
        }
      }
    }
    const uint8_t* end = block + query.groups * 64;
    for (size_t r = 0; r < kRows; ++r) {
      uint32_t terms;
      std::memcpy(&terms, end + r * 4, sizeof terms);
      const float product = 255.0f * static_cast<float>(high[r]) + static_cast<float>(low[r]);
      out[r] = as_float(terms & 0xffff0000u) * (query.factor * product - query.slack) - query.weight * as_float(terms << 16);
      if (query.companions) {
        float companion;
        std::memcpy(&companion, end + 64 + r * 4, sizeof companion);
        out[r] += companion;
      }
    }
  }
}

constexpr Kernels kTable = {"scalar", dot,     l2,           axpy,      dot_gather,    l2_gather,       dot_scan,
                            l2_scan,  gemm_nt, gemm_scratch, select_le, dot_i8_gather, score_i8_blocks, false};

}  // namespace

const Kernels* const kScalarKernels = &kTable;

}  // namespace nigh

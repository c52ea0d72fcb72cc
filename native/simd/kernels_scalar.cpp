// The oracle: plain C++ that every other level is tested against, and what runs where no other level does.
//
// Sums run in eight float lanes (element i goes to lane i mod 8) that are added pairwise at the end, so the rounding error
// grows with dim / 8 and the baseline compiler may keep the lanes in registers.
#include <algorithm>
#include <bit>
#include <cmath>
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

template <class T>
float value_of(T value);
template <>
float value_of(float value) {
  return value;
}
template <>
float value_of(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1fu;
  const uint32_t fraction = half & 0x3ffu;
  if (exponent == 0) return std::copysign(static_cast<float>(fraction) * 0x1p-24f, sign == 0 ? 1.0f : -1.0f);
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  // A signalling NaN becomes a quiet one, as the instructions do it.
  const uint32_t quiet = exponent == 31 && fraction != 0 ? 0x400000u : 0;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13 | quiet);
}

uint16_t half_of(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x47800000u) return static_cast<uint16_t>(sign | 0x7c00u);  // 65536 and beyond
  if (magnitude <
      0x38800000u) {  // below the smallest normal half: adding 0.5 leaves the rounded multiple of 2⁻²⁴ in the lowest bits
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u));
  }
  const uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
  return static_cast<uint16_t>(sign | (rounded - 0x38000000u) >> 13);
}

struct Dot {
  static float step(float a, float b, float sum) { return sum + a * b; }
  static float join(float a, float b) { return a + b; }
};
struct L2 {
  static float step(float a, float b, float sum) { return sum + (a - b) * (a - b); }
  static float join(float a, float b) { return a + b; }
};
struct L1 {
  static float step(float a, float b, float sum) { return sum + std::fabs(a - b); }
  static float join(float a, float b) { return a + b; }
};
struct Chebyshev {
  static float step(float a, float b, float largest) { return std::max(largest, std::fabs(a - b)); }
  static float join(float a, float b) { return std::max(a, b); }
};

template <class Op, class T>
float row_sum(const float* a, const T* b, size_t dim) {
  float lane[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) lane[j] = Op::step(a[i + j], value_of(b[i + j]), lane[j]);
  }
  for (size_t j = 0; i + j < dim; ++j) lane[j] = Op::step(a[i + j], value_of(b[i + j]), lane[j]);
  return Op::join(Op::join(Op::join(lane[0], lane[4]), Op::join(lane[2], lane[6])),
                  Op::join(Op::join(lane[1], lane[5]), Op::join(lane[3], lane[7])));
}

template <class Op, class T>
void gather(const float* query, const T* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim, float* out) {
  visit(rows, stride, slots, count, dim * sizeof(T), [&](size_t j, const T* row) { out[j] = row_sum<Op>(query, row, dim); });
}

template <class Op>
void scan(const float* query, const float* rows, size_t stride, size_t count, size_t dim, float* out) {
  for (size_t j = 0; j < count; ++j) out[j] = row_sum<Op>(query, rows + j * stride, dim);
}

void to_f16(const float* values, size_t count, uint16_t* out) {
  for (size_t i = 0; i < count; ++i) out[i] = half_of(values[i]);
}

void from_f16(const uint16_t* values, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = value_of(values[i]);
}

// ---- bits

float hamming(const uint64_t* a, const uint64_t* b, size_t words) {
  uint32_t differing = 0;
  for (size_t i = 0; i < words; ++i) differing += static_cast<uint32_t>(std::popcount(a[i] ^ b[i]));
  return static_cast<float>(differing);
}

float jaccard(const uint64_t* a, const uint64_t* b, size_t words) {
  uint32_t differing = 0, either = 0;
  for (size_t i = 0; i < words; ++i) {
    differing += static_cast<uint32_t>(std::popcount(a[i] ^ b[i]));
    either += static_cast<uint32_t>(std::popcount(a[i] | b[i]));
  }
  return either == 0 ? 0.0f : static_cast<float>(differing) / static_cast<float>(either);
}

template <auto kDistance>
void bit_gather(const uint64_t* query, const uint64_t* rows, size_t stride, const uint32_t* slots, size_t count, size_t words,
                float* out) {
  visit(rows, stride, slots, count, words * sizeof(uint64_t),
        [&](size_t j, const uint64_t* row) { out[j] = kDistance(query, row, words); });
}

template <auto kDistance>
void bit_scan(const uint64_t* query, const uint64_t* rows, size_t stride, size_t count, size_t words, float* out) {
  for (size_t j = 0; j < count; ++j) out[j] = kDistance(query, rows + j * stride, words);
}

constexpr BitKernels kBits = {bit_gather<hamming>, bit_scan<hamming>, bit_gather<jaccard>, bit_scan<jaccard>};

constexpr Kernels kTable = {"scalar",
                            dot,
                            l2,
                            axpy,
                            dot_gather,
                            l2_gather,
                            dot_scan,
                            l2_scan,
                            gemm_nt,
                            gemm_scratch,
                            select_le,
                            dot_i8_gather,
                            score_i8_blocks,
                            false,
                            gather<L1>,
                            scan<L1>,
                            gather<Chebyshev>,
                            scan<Chebyshev>,
                            gather<Dot>,
                            gather<L2>,
                            gather<L1>,
                            gather<Chebyshev>,
                            to_f16,
                            from_f16,
                            &kBits};

}  // namespace

const Kernels* const kScalarKernels = &kTable;

}  // namespace nigh

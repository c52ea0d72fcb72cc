// NEON for 64-bit ARM; the int8 product uses the dot-product instructions where the build allows them. Includes nothing but
// intrinsics: see kernels.h.
//
// Sums: vector v of a row (elements 4v … 4v + 3) goes to accumulator v mod 4; the four are added as (0 + 1) + (2 + 3), then
// the upper half to the lower until one lane is left, then the last dim mod 4 elements are added one by one. Every function
// keeps to this order, which is what makes gather and scan give the bits of dot.
#include <cstring>

#include "simd/kernels.h"

#if defined(__aarch64__) || defined(_M_ARM64)

#include <arm_neon.h>

#if defined(_MSC_VER)
#define NIGH_INLINE __forceinline
#define NIGH_UNROLL
#define NIGH_PREFETCH(line) __prefetch2(line, 2)  // PLDL2KEEP
#else
#define NIGH_INLINE inline __attribute__((always_inline))
#define NIGH_UNROLL _Pragma("GCC unroll 32")
#define NIGH_PREFETCH(line) __builtin_prefetch(line, 0, 2)
#endif

namespace nigh {
namespace {

constexpr size_t kLanes = 4;

NIGH_INLINE float32x4_t load(const float* values) { return vld1q_f32(values); }
NIGH_INLINE float32x4_t load(const uint16_t* values) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(values))); }
NIGH_INLINE float load_one(const float* value) { return *value; }
NIGH_INLINE float load_one(const uint16_t* value) {
  return vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(*value))), 0);
}

// What a sum consists of, and how its parts are joined; of Chebyshev the "sum" is the largest.
struct Sum {
  static NIGH_INLINE float32x4_t join(float32x4_t a, float32x4_t b) { return vaddq_f32(a, b); }
  static NIGH_INLINE float32x2_t join(float32x2_t a, float32x2_t b) { return vadd_f32(a, b); }
  static NIGH_INLINE float join(float a, float b) { return a + b; }
};
struct Dot : Sum {
  static NIGH_INLINE float32x4_t step(float32x4_t a, float32x4_t b, float32x4_t sum) { return vfmaq_f32(sum, a, b); }
  static NIGH_INLINE float step(float a, float b, float sum) { return sum + a * b; }
};
struct L2 : Sum {
  static NIGH_INLINE float32x4_t step(float32x4_t a, float32x4_t b, float32x4_t sum) {
    const float32x4_t difference = vsubq_f32(a, b);
    return vfmaq_f32(sum, difference, difference);
  }
  static NIGH_INLINE float step(float a, float b, float sum) {
    const float difference = a - b;
    return sum + difference * difference;
  }
};
struct L1 : Sum {
  static NIGH_INLINE float32x4_t step(float32x4_t a, float32x4_t b, float32x4_t sum) { return vaddq_f32(sum, vabdq_f32(a, b)); }
  static NIGH_INLINE float step(float a, float b, float sum) { return sum + (a > b ? a - b : b - a); }
};
struct Chebyshev {
  static NIGH_INLINE float32x4_t step(float32x4_t a, float32x4_t b, float32x4_t largest) {
    return vmaxq_f32(largest, vabdq_f32(a, b));
  }
  static NIGH_INLINE float step(float a, float b, float largest) { return join(largest, (a > b ? a - b : b - a)); }
  static NIGH_INLINE float32x4_t join(float32x4_t a, float32x4_t b) { return vmaxq_f32(a, b); }
  static NIGH_INLINE float32x2_t join(float32x2_t a, float32x2_t b) { return vmax_f32(a, b); }
  static NIGH_INLINE float join(float a, float b) { return a > b ? a : b; }
};

template <class Op, class T>
NIGH_INLINE float row_sum(const float* a, const T* b, size_t dim) {
  float32x4_t s0 = vdupq_n_f32(0), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + 4 * kLanes <= dim; i += 4 * kLanes) {
    s0 = Op::step(load(a + i), load(b + i), s0);
    s1 = Op::step(load(a + i + 4), load(b + i + 4), s1);
    s2 = Op::step(load(a + i + 8), load(b + i + 8), s2);
    s3 = Op::step(load(a + i + 12), load(b + i + 12), s3);
  }
  if (i + 4 <= dim) {
    s0 = Op::step(load(a + i), load(b + i), s0);
    i += 4;
    if (i + 4 <= dim) {
      s1 = Op::step(load(a + i), load(b + i), s1);
      i += 4;
      if (i + 4 <= dim) {
        s2 = Op::step(load(a + i), load(b + i), s2);
        i += 4;
      }
    }
  }
  const float32x4_t four = Op::join(Op::join(s0, s1), Op::join(s2, s3));
  const float32x2_t two = Op::join(vget_low_f32(four), vget_high_f32(four));
  float sum = Op::join(vget_lane_f32(two, 0), vget_lane_f32(two, 1));
  for (; i < dim; ++i) sum = Op::step(a[i], load_one(b + i), sum);
  return sum;
}

float dot(const float* a, const float* b, size_t dim) { return row_sum<Dot>(a, b, dim); }
float l2(const float* a, const float* b, size_t dim) { return row_sum<L2>(a, b, dim); }

void axpy(float alpha, const float* x, float* y, size_t dim) {
  size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) vst1q_f32(y + i, vfmaq_n_f32(vld1q_f32(y + i), vld1q_f32(x + i), alpha));
  for (; i < dim; ++i) y[i] += alpha * x[i];
}

// ---- many rows against one query

// How the rows of a hop, which lie anywhere in memory, come near in time: every line of all of them is asked for before the first
// is used, so that their misses overlap, and of a longer list as much as the second cache level holds with ease.
constexpr size_t kAheadBytes = 128 * 1024;

NIGH_INLINE void prefetch(const void* data, size_t bytes) {
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data);
  for (uintptr_t line = begin & ~uintptr_t{63}; line < begin + bytes; line += 64) {
    NIGH_PREFETCH(reinterpret_cast<const char*>(line));
  }
}

// Calls score(j, row) for every listed row, with the rows to come asked for ahead.
template <class T, class Score>
NIGH_INLINE void visit(const T* rows, size_t stride, const uint32_t* slots, size_t count, size_t row_bytes, const Score& score) {
  const size_t ahead = kAheadBytes / row_bytes + 4;
  for (size_t j = 0; j < ahead && j < count; ++j) prefetch(rows + slots[j] * stride, row_bytes);
  for (size_t j = 0; j < count; ++j) {
    if (j + ahead < count) prefetch(rows + slots[j + ahead] * stride, row_bytes);
    score(j, rows + slots[j] * stride);
  }
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
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) vst1_u16(out + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(values + i))));
  for (; i < count; ++i) out[i] = vget_lane_u16(vreinterpret_u16_f16(vcvt_f16_f32(vdupq_n_f32(values[i]))), 0);
}

void from_f16(const uint16_t* values, size_t count, float* out) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) vst1q_f32(out + i, load(values + i));
  for (; i < count; ++i) out[i] = load_one(values + i);
}

// ---- bits

// Calls step(words of a, words of b) for two words at a time; past the end both are 0.
template <class Step>
NIGH_INLINE void each_words(const uint64_t* a, const uint64_t* b, size_t words, const Step& step) {
  size_t i = 0;
  for (; i + 2 <= words; i += 2) step(vreinterpretq_u8_u64(vld1q_u64(a + i)), vreinterpretq_u8_u64(vld1q_u64(b + i)));
  const auto one = [](const uint64_t* word) { return vreinterpretq_u8_u64(vcombine_u64(vld1_u64(word), vdup_n_u64(0))); };
  if (i < words) step(one(a + i), one(b + i));
}

NIGH_INLINE uint32x4_t add_bits(uint8x16_t bits, uint32x4_t sum) { return vpadalq_u16(sum, vpaddlq_u8(vcntq_u8(bits))); }

struct Hamming {
  static NIGH_INLINE float distance(const uint64_t* a, const uint64_t* b, size_t words) {
    uint32x4_t differing = vdupq_n_u32(0);
    each_words(a, b, words, [&](uint8x16_t x, uint8x16_t y) { differing = add_bits(veorq_u8(x, y), differing); });
    return static_cast<float>(vaddvq_u32(differing));
  }
};

struct Jaccard {
  static NIGH_INLINE float distance(const uint64_t* a, const uint64_t* b, size_t words) {
    uint32x4_t differing = vdupq_n_u32(0), either = differing;
    each_words(a, b, words, [&](uint8x16_t x, uint8x16_t y) {
      differing = add_bits(veorq_u8(x, y), differing);
      either = add_bits(vorrq_u8(x, y), either);
    });
    const uint32_t all = vaddvq_u32(either);
    return all == 0 ? 0 : static_cast<float>(vaddvq_u32(differing)) / static_cast<float>(all);
  }
};

template <class Distance>
void bit_gather(const uint64_t* query, const uint64_t* rows, size_t stride, const uint32_t* slots, size_t count, size_t words,
                float* out) {
  visit(rows, stride, slots, count, words * sizeof(uint64_t),
        [&](size_t j, const uint64_t* row) { out[j] = Distance::distance(query, row, words); });
}

template <class Distance>
void bit_scan(const uint64_t* query, const uint64_t* rows, size_t stride, size_t count, size_t words, float* out) {
  for (size_t j = 0; j < count; ++j) out[j] = Distance::distance(query, rows + j * stride, words);
}

constexpr BitKernels kBits = {bit_gather<Hamming>, bit_scan<Hamming>, bit_gather<Jaccard>, bit_scan<Jaccard>};

size_t select_le(const float* values, float scale, const float* offsets, size_t count, float limit, uint32_t* out) {
  const float32x4_t highest = vdupq_n_f32(limit);
  size_t found = 0;
  size_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    const float32x4_t offset = offsets == nullptr ? vdupq_n_f32(0) : vld1q_f32(offsets + j);
    const uint32x4_t above = vcgtq_f32(vfmaq_n_f32(offset, vld1q_f32(values + j), scale), highest);
    if (vminvq_u32(above) != 0) continue;
    uint32_t lanes[kLanes];
    vst1q_u32(lanes, above);
    for (size_t lane = 0; lane < kLanes; ++lane) {
      out[found] = static_cast<uint32_t>(j + lane);
      found += lanes[lane] == 0;
    }
  }
  for (; j < count; ++j) {
    const float value = scale * values[j] + (offsets == nullptr ? 0.0f : offsets[j]);
    out[found] = static_cast<uint32_t>(j);
    found += !(value > limit);
  }
  return found;
}

// ---- blocked product: 8 rows of a against 12 rows of b, in 24 registers

constexpr size_t kRowsA = 8;
constexpr size_t kRowsB = 12;
constexpr size_t kDepth = 384;  // a panel of b is 18 KB, one of a 12 KB

// out[k * width + r] = rows[r * dim + k] for r < count, k < depth; places r in [count, width) become 0.
NIGH_INLINE void pack(const float* rows, size_t count, size_t dim, size_t depth, size_t width, float* out) {
  for (size_t k = 0; k < depth; ++k) {
    for (size_t r = 0; r < width; ++r) out[k * width + r] = r < count ? rows[r * dim + k] : 0.0f;
  }
}

NIGH_INLINE void multiply_panel(const float* a, const float* b, size_t depth, float (&tile)[kRowsA][kRowsB]) {
  float32x4_t sum[kRowsA][3];
  NIGH_UNROLL for (size_t r = 0; r < kRowsA; ++r) sum[r][0] = sum[r][1] = sum[r][2] = vdupq_n_f32(0);
  for (size_t k = 0; k < depth; ++k, a += kRowsA, b += kRowsB) {
    const float32x4_t b0 = vld1q_f32(b), b1 = vld1q_f32(b + 4), b2 = vld1q_f32(b + 8);
    NIGH_UNROLL for (size_t r = 0; r < kRowsA; ++r) {
      const float32x4_t x = vld1q_dup_f32(a + r);
      sum[r][0] = vfmaq_f32(sum[r][0], x, b0);
      sum[r][1] = vfmaq_f32(sum[r][1], x, b1);
      sum[r][2] = vfmaq_f32(sum[r][2], x, b2);
    }
  }
  NIGH_UNROLL for (size_t r = 0; r < kRowsA; ++r) {
    vst1q_f32(tile[r], sum[r][0]);
    vst1q_f32(tile[r] + 4, sum[r][1]);
    vst1q_f32(tile[r] + 8, sum[r][2]);
  }
}

size_t gemm_scratch(size_t m, size_t /*n*/, size_t dim) {
  const size_t depth = dim < kDepth ? dim : kDepth;
  return ((m + kRowsA - 1) / kRowsA * kRowsA + kRowsB) * depth;
}

void gemm_nt(const float* a, size_t m, const float* b, size_t n, size_t dim, float* out, size_t ld_out, float* scratch) {
  for (size_t k0 = 0; k0 < dim; k0 += kDepth) {
    const size_t depth = dim - k0 < kDepth ? dim - k0 : kDepth;
    float* packed_b = scratch;
    float* packed_a = scratch + kRowsB * depth;
    for (size_t i = 0; i < m; i += kRowsA) {
      pack(a + i * dim + k0, m - i < kRowsA ? m - i : kRowsA, dim, depth, kRowsA, packed_a + i * depth);
    }
    for (size_t j = 0; j < n; j += kRowsB) {
      const size_t columns = n - j < kRowsB ? n - j : kRowsB;
      pack(b + j * dim + k0, columns, dim, depth, kRowsB, packed_b);
      for (size_t i = 0; i < m; i += kRowsA) {
        const size_t rows = m - i < kRowsA ? m - i : kRowsA;
        float tile[kRowsA][kRowsB];
        multiply_panel(packed_a + i * depth, packed_b, depth, tile);
        for (size_t r = 0; r < rows; ++r) {
          float* line = out + (i + r) * ld_out + j;
          for (size_t c = 0; c < columns; ++c) line[c] = k0 == 0 ? tile[r][c] : line[c] + tile[r][c];
        }
      }
    }
  }
}

// ---- int8 codes

// Flipping the top bit turns a code with offset 128 into the signed value it stands for.
NIGH_INLINE int8x16_t signed_codes(const uint8_t* code) {
  return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(code), vdupq_n_u8(0x80)));
}

NIGH_INLINE int32x4_t multiply_codes(int8x16_t code, int8x16_t query, int32x4_t sum) {
#if defined(__ARM_FEATURE_DOTPROD)
  return vdotq_s32(sum, code, query);
#else
  sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(code), vget_low_s8(query)));
  return vpadalq_s16(sum, vmull_high_s8(code, query));
#endif
}

void dot_i8_gather(const int8_t* query, const uint8_t* codes, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                   int32_t* out) {
  visit(codes, stride, slots, count, dim, [&](size_t j, const uint8_t* code) {
    int32x4_t s0 = vdupq_n_s32(0), s1 = s0, s2 = s0, s3 = s0;
    for (size_t i = 0; i < dim; i += 64) {
      s0 = multiply_codes(signed_codes(code + i), vld1q_s8(query + i), s0);
      s1 = multiply_codes(signed_codes(code + i + 16), vld1q_s8(query + i + 16), s1);
      s2 = multiply_codes(signed_codes(code + i + 32), vld1q_s8(query + i + 32), s2);
      s3 = multiply_codes(signed_codes(code + i + 48), vld1q_s8(query + i + 48), s3);
    }
    out[j] = vaddvq_s32(vaddq_s32(vaddq_s32(s0, s1), vaddq_s32(s2, s3)));
  });
}

// Adds to lane r the products of row r's four codes with four values of the query, which `query` repeats four times.
NIGH_INLINE int32x4_t multiply_four(int8x16_t code, int8x16_t query, int32x4_t sum) {
#if defined(__ARM_FEATURE_DOTPROD)
  return vdotq_s32(sum, code, query);
#else
  const int32x4_t rows01 = vpaddlq_s16(vmull_s8(vget_low_s8(code), vget_low_s8(query)));
  const int32x4_t rows23 = vpaddlq_s16(vmull_high_s8(code, query));
  return vaddq_s32(sum, vpaddq_s32(rows01, rows23));
#endif
}

void score_i8_blocks(const I8BlockQuery& query, const uint8_t* blocks, size_t stride, size_t count, float* out) {
  const auto four_of = [](const int8_t* values) {
    int32_t four;
    std::memcpy(&four, values, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
  };
  for (const uint8_t* block = blocks; block != blocks + count * stride; block += stride) {
    int32x4_t high[4], low[4];
    NIGH_UNROLL for (size_t v = 0; v < 4; ++v) high[v] = low[v] = vdupq_n_s32(0);
    for (size_t g = 0; g < query.groups; ++g) {
      const int8x16_t upper = four_of(query.high + g * 4), lower = four_of(query.low + g * 4);
      NIGH_UNROLL for (size_t v = 0; v < 4; ++v) {
        const int8x16_t code = signed_codes(block + g * 64 + v * 16);
        high[v] = multiply_four(code, upper, high[v]);
        low[v] = multiply_four(code, lower, low[v]);
      }
    }
    const uint8_t* end = block + query.groups * 64;
    NIGH_UNROLL for (size_t v = 0; v < 4; ++v, end += 16, out += kLanes) {
      const uint32x4_t terms = vreinterpretq_u32_u8(vld1q_u8(end));
      const float32x4_t scale = vreinterpretq_f32_u32(vandq_u32(terms, vdupq_n_u32(0xffff0000u)));
      const float32x4_t error = vreinterpretq_f32_u32(vshlq_n_u32(terms, 16));
      const float32x4_t product = vfmaq_n_f32(vcvtq_f32_s32(low[v]), vcvtq_f32_s32(high[v]), 255.0f);
      const float32x4_t inner = vsubq_f32(vmulq_n_f32(product, query.factor), vdupq_n_f32(query.slack));
      float32x4_t value = vfmsq_f32(vmulq_f32(scale, inner), error, vdupq_n_f32(query.weight));
      if (query.companions) value = vaddq_f32(value, vreinterpretq_f32_u8(vld1q_u8(end + 64)));
      vst1q_f32(out, value);
    }
  }
}

constexpr Kernels kTable = {"neon",
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
                            dot_i8_gather,
                            score_i8_blocks,
                            true,
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

const Kernels* const kNeonKernels = &kTable;

}  // namespace nigh

#else

namespace nigh {
const Kernels* const kNeonKernels = nullptr;
}

#endif

// The arithmetic that depends on the instruction set, as one table of functions per level. The level is chosen once, at first
// use, from what the processor has (or NIGH_SIMD names); every level gives the scalar oracle's answer up to rounding.
//
// This header is included by the per-level files, so it must stay free of inline functions and templates: a linker may keep
// any one of several copies of those, also the one compiled for AVX-512.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nigh {

/// A query for score_i8_blocks. `high` and `low` have 4 · groups values in [−127, 127].
struct I8BlockQuery {
  const int8_t* high;
  const int8_t* low;
  size_t groups;
  float factor;
  float slack;
  float weight;
  bool companions;  // whether blocks end with them
};

/// Distances of one query to rows listed by slot, or to rows in order; `stride` counts elements of a row's type.
using GatherF32 = void (*)(const float* query, const float* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                           float* out);
using ScanF32 = void (*)(const float* query, const float* rows, size_t stride, size_t count, size_t dim, float* out);
using GatherF16 = void (*)(const float* query, const uint16_t* rows, size_t stride, const uint32_t* slots, size_t count,
                           size_t dim, float* out);
using GatherBits = void (*)(const uint64_t* query, const uint64_t* rows, size_t stride, const uint32_t* slots, size_t count,
                            size_t words, float* out);
using ScanBits = void (*)(const uint64_t* query, const uint64_t* rows, size_t stride, size_t count, size_t words, float* out);

/// Bit vectors of `words` 64-bit words. Whole numbers are exact; the quotient is rounded once, so every level gives the same
/// bits.
struct BitKernels {
  /// Number of bits that differ.
  GatherBits hamming_gather;
  ScanBits hamming_scan;
  /// |a xor b| / |a or b|, which is 1 − |a and b| / |a or b|; 0 for two vectors without a bit.
  GatherBits jaccard_gather;
  ScanBits jaccard_scan;
};

struct Kernels {
  /// "scalar", "avx2", "avx512" or "neon".
  const char* name;

  /// Σ a_i b_i.
  float (*dot)(const float* a, const float* b, size_t dim);
  /// Σ (a_i − b_i)².
  float (*l2)(const float* a, const float* b, size_t dim);
  /// y += alpha x.
  void (*axpy)(float alpha, const float* x, float* y, size_t dim);

  /// out[j] = dot(query, rows + slots[j] * stride) for j < count; the same bits as `dot`. One call scores a whole graph hop.
  void (*dot_gather)(const float* query, const float* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                     float* out);
  /// out[j] = l2(query, rows + slots[j] * stride); the same bits as `l2`.
  void (*l2_gather)(const float* query, const float* rows, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                    float* out);

  /// out[j] = dot(query, rows + j * stride) for j < count, rows read in order; the same bits as `dot`.
  void (*dot_scan)(const float* query, const float* rows, size_t stride, size_t count, size_t dim, float* out);
  void (*l2_scan)(const float* query, const float* rows, size_t stride, size_t count, size_t dim, float* out);

  /// out (m × n, row stride ld_out) = a (m × dim, packed) · b (n × dim, packed)ᵀ, register-blocked over packed panels.
  /// `scratch` holds gemm_scratch(m, n, dim) floats, 64-byte aligned.
  void (*gemm_nt)(const float* a, size_t m, const float* b, size_t n, size_t dim, float* out, size_t ld_out, float* scratch);
  size_t (*gemm_scratch)(size_t m, size_t n, size_t dim);

  /// Writes to `out` (room for `count`) the positions j, ascending, where offsets[j] + scale · values[j] is not above `limit`
  /// (so a NaN is selected), and gives how many there are. Null offsets are zeros.
  size_t (*select_le)(const float* values, float scale, const float* offsets, size_t count, float limit, uint32_t* out);

  /// out[j] = Σ_i query[i] · (codes[slots[j] * stride + i] − 128) for j < count: int8 query codes against codes stored with an
  /// offset of 128. `dim` is a multiple of 64, rows and query padded with zero codes (128 in rows, 0 in the query).
  void (*dot_i8_gather)(const int8_t* query, const uint8_t* codes, size_t stride, const uint32_t* slots, size_t count, size_t dim,
                        int32_t* out);

  /// Sixteen rows a block, laid out as quant/sq8_blocks.h says: for row r of block b, with P = Σ (255 high + low) · (code − 128),
  /// out[16 b + r] = scale · (factor · P − slack) − weight · error + companion. Both sums are exact; what is done with them in
  /// float32 differs between levels in rounding. `stride` is the bytes of a block.
  void (*score_i8_blocks)(const I8BlockQuery& query, const uint8_t* blocks, size_t stride, size_t count, float* out);
  /// Whether it reads a catalogue of codes faster than l2_scan and dot_scan read the float32 rows.
  bool i8_blocks_pay;

  /// Σ |a_i − b_i|, and max |a_i − b_i|.
  GatherF32 l1_gather;
  ScanF32 l1_scan;
  GatherF32 chebyshev_gather;
  ScanF32 chebyshev_scan;

  /// The same sums over rows of IEEE half-precision values; the query and the arithmetic are float32.
  GatherF16 dot_f16_gather;
  GatherF16 l2_f16_gather;
  GatherF16 l1_f16_gather;
  GatherF16 chebyshev_f16_gather;
  /// Rounded to nearest, ties to even; every level gives the same bits but for a NaN's payload.
  void (*to_f16)(const float* values, size_t count, uint16_t* out);
  void (*from_f16)(const uint16_t* values, size_t count, float* out);

  const BitKernels* bits;
};

/// The table in force. Throws SIMD_UNSUPPORTED when NIGH_SIMD names a level that this processor or build has not.
const Kernels& kernels();

/// The table of a named level, or nullptr where this processor or build has not got it.
const Kernels* kernels_for(const char* name);

/// Names of the levels this processor and build have, best last; ends with nullptr.
const char* const* available_levels();

/// The tables themselves, defined one per file; null where a file is compiled for another architecture.
extern const Kernels* const kScalarKernels;
extern const Kernels* const kAvx2Kernels;
extern const Kernels* const kAvx512Kernels;
extern const Kernels* const kNeonKernels;

/// Population counts in the instructions of AVX512-VPOPCNTDQ, which not every processor of the avx512 level has.
extern const BitKernels* const kVpopcntdqBits;

}  // namespace nigh

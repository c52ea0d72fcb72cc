// int8 codes laid out to be scanned: what exact search reads instead of the float32 rows, to rule out all but a few of them.
//
// x ≈ x̂ = s·c with c ∈ [−127, 127] and one scale s a row, as in sq8.h, but sixteen rows make a block, four dimensions of each at
// a time, so that a vector instruction multiplies sixteen rows at once and no sum across lanes is left to do:
//
//   groups × 64 bytes   group g: dimensions 4g … 4g + 3 of row 0, of row 1, … of row 15, as c + 128; groups = ⌈dim / 4⌉
//   64 bytes            16 × uint32: the scale s in the upper, the error e ≥ |x − x̂| in the lower half, both bfloat16
//   64 bytes, l2 only   16 × float32: the companion, a little below |x̂|² − e²
//
// The bound. Let q be the prepared query, q̂ = t·m its codes with ρ ≥ |q − q̂| (query_codes.h), P = m·c (an integer), n = dim, and
// |x̂| ≤ 127 √n s =: X. u = 2⁻²⁴, and γ = 1.02 (n + 16) u bounds the relative error of a float32 sum of n terms in any order
// (Higham 2002, section 3.1).
//
//   ip, cosine   q·x = tsP + (q − q̂)·x̂ + q·(x − x̂), so by Cauchy and Schwarz
//                −q·x ≥ −tsP − ρX − |q| e
//                and the kernel's product K, of which the returned distance is −K or fl(1 − K), has |K − q·x| ≤ γ |q| (X + e).
//                A returned distance ≤ B then implies  −tsP − (ρ + γ|q|) X − (1 + γ) |q| e ≤ B  (cosine: B − 1 + 4u (1 + |B|)).
//   l2           |q − x̂| ≤ |q − x| + e. A returned distance ≤ B implies |q − x|² ≤ B' := (1 + 2γ) B, so |q − x̂|² ≤ (√B' + e)²:
//                (|x̂|² − e²) − 2tsP − 2ρX − 2√B' e ≤ B' − |q|².
//
// Both are  value := s (factor·P − slack) − weight·e + companion ≤ limit.  The kernel evaluates this in float32: P from two sums,
// 255·high + low, each rounded, and at most six more operations. Their errors are below
//   20u |q̂| X + 256u √n t X   for what is multiplied by s (|tP| s ≤ |q̂| X; the two sums are below (2|m| + 254 √n) 127 √n)
//   8u of the other two terms,
// which are taken off beforehand: in slack, in weight, and in the companion when it is stored. Doubles are rounded to float32
// towards selecting. Numbers are kept where no intermediate overflows (|q_i|, |x_i| ≤ 2⁵⁰) and no underflow is scaled up again
// (max|q| ≥ 2⁻⁶⁰; rows below 2⁻⁶⁰ are coded as 0 with e ≥ |x|); what underflow remains is below n·2⁻¹²⁰, which limit adds. A
// larger row is stored with e = ∞, which makes its value −∞ or NaN: never ruled out. A query beyond is not served (usable()).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/buffer.h"
#include "index/metric.h"
#include "quant/query_codes.h"

namespace nigh {

class Sq8Blocks {
 public:
  static constexpr size_t kRows = 16;  // of a block

  /// Bytes for `count` rows.
  static size_t bytes_for(Metric metric, size_t dim, size_t count);

  /// No codes.
  Sq8Blocks() = default;
  /// Over bytes_for(metric, dim, capacity) bytes: zeroed, to be filled by put, or from a file.
  Sq8Blocks(Metric metric, size_t dim, Buffer<uint8_t> bytes);

  bool empty() const { return bytes_.size() == 0; }
  std::span<const uint8_t> bytes() const { return {bytes_.data(), bytes_.size()}; }

  /// Codes a row (finite; unit length under cosine). Touches no byte of another row.
  void put(size_t slot, const float* row) const;

 private:
  friend class Sq8BlockBounds;

  Metric metric_ = Metric::kL2;
  size_t dim_ = 0;
  size_t block_bytes_ = 0;
  Buffer<uint8_t> bytes_;
};

/// One query against the blocks.
class Sq8BlockBounds {
 public:
  Sq8BlockBounds(const Sq8Blocks& blocks, const float* prepared);

  /// Whether the other functions may be called: the query's numbers are in range.
  bool usable() const { return query_.usable; }

  /// The first row of a call to values() is a multiple of this, and it writes a multiple of it.
  static constexpr size_t kGranularity = Sq8Blocks::kRows;

  /// out[j] for rows begin … begin + count − 1 (and on to a multiple of 16), for a `bound` < +inf or any smaller one later.
  void values(size_t begin, size_t count, float bound, float* out) const;

  /// A row whose value is above this has a returned distance above `bound`.
  float limit(float bound) const;

 private:
  const Sq8Blocks& blocks_;
  QueryCodes query_;
  double gamma_ = 0;
  double slack_ = 0;
};

}  // namespace nigh

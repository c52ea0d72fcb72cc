// Bounds for exact search over the code rows of a graph index (sq8.h), which store no error: it follows from the scale.
//
// With h = 0.5001 √dim (a code is the nearest integer, and scale and reciprocal are rounded), |x − x̂| is at most
//   l2, ip    e = h s. A vector below the smallest normal float is coded as 0 with s = 0; its length is under e₀ = 1.5e-36 √dim,
//             which limit() allows for in every row.
//   cosine    x̂ = c / |c|, and the stored t = 1 / |c|. Let y = s c be the unscaled codes, δ = h s ≥ |x − y|, |x| = 1 up to
//             rounding. s |c| = |y| ≤ 1 + δ, so s ≤ 1.00001 t / (1 − h t). The angle between x and y has a sine of at most δ, and
//             x̂ lies on y's ray: e = δ (1 + δ² / 4) + 1e-6 for δ ≤ 1/2. Instead of 1 / (1 − x) for x < 0.3 the larger
//             1 + x (1 + 1.43 x) is taken.
// The rest of the proof is that of sq8_blocks.h; the arithmetic here is in double, and what the stored floats were rounded by is
// taken off: 8u of |x̂|² (l2) and, under ip and cosine, of the length of x̂.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/metric.h"
#include "quant/query_codes.h"
#include "quant/sq8.h"

namespace nigh {

/// One query against code rows; borrowed.
class Sq8RowBounds {
 public:
  Sq8RowBounds(const Sq8Rows& rows, size_t dim, Metric metric, const float* prepared);

  /// See Sq8BlockBounds.
  bool usable() const { return query_.usable; }
  static constexpr size_t kGranularity = 1;
  void values(size_t begin, size_t count, float bound, float* out) const;
  /// The same of listed rows.
  void listed_values(const uint32_t* slots, size_t count, float bound, float* out) const;
  float limit(float bound) const;

 private:
  void block_values(const Sq8Rows& rows, const uint32_t* slots, size_t count, double reach, float* out) const;
  template <Metric kMetric>
  void values_of(const double* scales, const double* companions, const double* products, size_t count, double reach,
                 float* out) const;
  double reach_of(float bound) const;

  Sq8Rows rows_;
  size_t dim_;
  Metric metric_;
  QueryCodes query_;
  double gamma_ = 0;
  double half_ = 0;        // h
  double per_length_ = 0;  // error a unit of |x̂|
};

}  // namespace nigh

// A query in 16-bit fixed point, as two rows of int8: q ≈ q̂ = t·m, m = 255·high + low ∈ [−32512, 32512], t = max|q| / 32512. Two
// byte products with a code row then give q̂·x̂ at 1/256 of the error that one would leave, and cost nothing where memory is the
// limit. With 255 instead of 256 both halves lie in [−127, 127], whose negatives are bytes too.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/buffer.h"

namespace nigh {

struct QueryCodes {
  Buffer<int8_t> high, low;  // stride values each, zero past dim
  float step = 0;            // t
  double length = 0;         // |q|
  double error = 0;          // not below |q − q̂|

  /// Whether the arithmetic on the codes stays far from overflow and underflow: max|q| is 0 or in [2⁻⁶⁰, 2⁵⁰]. Otherwise the
  /// codes are not set.
  bool usable = false;

  /// `stride` ≥ dim.
  QueryCodes(const float* query, size_t dim, size_t stride);
};

}  // namespace nigh

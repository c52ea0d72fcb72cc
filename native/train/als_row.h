// One row of the alternating problem: the entries of a user (or item) and the fixed factors of the other side. The solvers of
// a row share these terms.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/matrix_view.h"
#include "train/als.h"

namespace nigh {

/// The observed entries of one row. A value above 0 is the confidence that the score is 1, one below 0 that it is 0.
struct AlsRow {
  const uint32_t* columns;
  const float* values;
  size_t count;

  float confidence(size_t entry) const { return std::fabs(values[entry]); }
  /// The score that the entry asks for.
  float target(size_t entry) const { return values[entry] > 0 ? 1.0f : 0.0f; }
};

inline AlsRow als_row(const CsrView& matrix, size_t row) {
  const size_t first = matrix.offsets[row];
  return {matrix.columns.data() + first, matrix.values.data() + first, matrix.offsets[row + 1] - first};
}

/// λ (count + w0 · other_side_total)^ν.
double als_ridge(const AlsParams& params, size_t count, size_t other_side_total);

/// Throws INVALID_ARGUMENT: the equations of a row have no unique solution.
[[noreturn]] void als_not_positive_definite();
/// Throws INVALID_ARGUMENT: a solution overflowed.
[[noreturn]] void als_overflow();

/// INVALID_ARGUMENT for factors = 0, weights and exponents that are negative or not finite.
void als_check_params(const AlsParams& params);
/// INVALID_ARGUMENT for a confidence that is not finite, is 0, or is below 0 unless `dislikes`, naming its row; `what` says which
/// matrix.
void als_check_confidences(const CsrView& matrix, bool dislikes, const char* what);

}  // namespace nigh

// One row of the alternating problem: the entries of a user (or item) and the fixed factors of the other side. The solvers of
// a row share these terms.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/matrix_view.h"
#include "train/als.h"

namespace nigh {

/// The observed entries of one row.
struct AlsRow {
  const uint32_t* columns;
  const float* confidences;
  size_t count;
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
/// INVALID_ARGUMENT for a confidence that is not finite or not positive, naming its row; `what` says which matrix.
void als_check_confidences(const CsrView& matrix, const char* what);

}  // namespace nigh

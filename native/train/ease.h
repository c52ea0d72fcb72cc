// EASE: a linear item-to-item model of choices, in closed form.
//
// Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019:
//
//   min |X − X B|² + λ |B|²,  diag(B) = 0     ⇒     P = (XᵀX + λ I)⁻¹,   B = I − P diag(1 / diag P)
//
// so that B_ij = −P_ij / P_jj, and the scores of a history x are x B.
#pragma once

#include <cstddef>

#include "base/matrix_view.h"
#include "base/task_control.h"

namespace nigh {

/// B (items × items, row-major) of `interactions` (users × items) and its transpose; λ > 0. Computed in 32-bit floats, in place:
/// `out` is all the memory that is quadratic. Rounding grows with the largest eigenvalue of XᵀX over λ: some 1e-7 times it. Some
/// items³ / 2 multiplications. Byte-identical on any number of threads (at one SIMD level). An item without interactions has
/// zeros in its row and column. `diagonal` gets diag P (items), unless it is null. `control` counts blocks of items. Throws
/// EMPTY_DATASET, INVALID_ARGUMENT when λ is not above 0 or too small for 32-bit floats, ABORTED.
void ease_weights(const CsrView& interactions, const CsrView& transposed, float regularization, size_t max_lanes, float* out,
                  float* diagonal, TaskControl& control);

}  // namespace nigh

// Cholesky factorisation of a small dense matrix, in double: the exact row solves of the factor models, and what turns rows into
// questions.
#pragma once

#include <cstddef>

namespace nigh {

/// Overwrites the upper triangle of `a` (n × n, row-major, symmetric; the lower triangle is neither read nor written) with U,
/// A = UᵀU. Returns false, with `a` in an undefined state, when a pivot (at least the smallest eigenvalue of A) does not exceed
/// `smallest_pivot` ≥ 0 or working precision, or is not finite.
[[nodiscard]] bool cholesky_factor(double* a, size_t n, double smallest_pivot = 0);

/// Overwrites `x` (n) with A⁻¹ x, given U.
void cholesky_solve(const double* u, size_t n, double* x);

/// Overwrites the upper triangle of `u` with that of U⁻¹.
void invert_upper(double* u, size_t n);

}  // namespace nigh

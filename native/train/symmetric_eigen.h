// Eigenvalues and eigenvectors of a small dense symmetric matrix, in double.
//
// Householder reduction to tridiagonal form, then implicit QL: Martin, Reinsch and Wilkinson, "Householder's tridiagonalization
// of a symmetric matrix", and Bowdler, Martin, Reinsch and Wilkinson, "The QR and QL algorithms for symmetric matrices",
// Numerische Mathematik 11, 1968 (tred2 and tql2). Some 9 n³ operations; everything inner runs along contiguous rows.
#pragma once

#include <cstddef>

namespace nigh {

/// A = Vᵀ diag(values) V: `values` (n) descending, `vectors` (n × n) holds the unit eigenvector of values[k] as row k, signs
/// arbitrary but reproducible. `matrix` (n × n, row-major) must be symmetric and may be `vectors`. Throws NOT_FINITE.
void symmetric_eigen(const double* matrix, size_t n, double* values, double* vectors);

}  // namespace nigh

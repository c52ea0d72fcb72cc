// An orthonormal basis of the columns of a tall matrix.
//
// Cholesky QR, repeated (Yamamoto, Nakatsukasa, Yanagisawa and Fukaya, "Roundoff error analysis of the CholeskyQR2 algorithm",
// ETNA 44, 2015), with an eigenvector step in its place while the Gram matrix is ill-conditioned (SVQB: Stathopoulos and Wu,
// "A block orthogonalization procedure with constant synchronization requirements", SIAM J. Sci. Comput. 23, 2002).
#pragma once

#include <cstddef>

#include "base/matrix_view.h"

namespace nigh {

/// Replaces the columns of `tall` by orthonormal columns that span them: no entry of their Gram matrix is farther than about
/// `tolerance` (at least 1e-6, the precision of a float) from the identity's. Columns that depend on the others only up to
/// rounding are filled with what rounding left of them, orthonormal to the rest; where nothing is left, with zeros.
/// Byte-identical on any number of threads. Throws NOT_FINITE.
void orthonormalize(MatrixView<float> tall, double tolerance, size_t max_lanes);

}  // namespace nigh

// Truncated singular value decomposition of a sparse or dense matrix by random projection.
//
// Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 53(2), 2011, algorithms 4.4 (randomised
// subspace iteration) and 5.1 (direct SVD).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/matrix_view.h"
#include "base/task_control.h"

namespace nigh {

struct RandomizedSvdParams {
  size_t rank = 100;
  size_t oversampling = 16;
  size_t power_iterations = 4;
  uint64_t seed = 42;
  size_t max_lanes = 0;
};

/// A (n × m, sparse) ≈ U diag(s) Vᵀ. Writes u (n × rank), s (rank, descending) and v (m × rank). `transposed` is Aᵀ as rows.
/// Each singular pair has the sign that makes the largest |v| entry of its column positive (the first of equals), so the answer
/// is unique up to near-ties. Byte-identical on any number of threads (at one SIMD level).
///
/// Computed in 32-bit floats: singular values below 2e-6 of the largest cannot be told from rounding. They are written as 0 with
/// zero columns in u and v, so rank may exceed the rank of A; all other columns are orthonormal to some 1e-5.
///
/// `control` counts passes over the matrix. Throws INVALID_ARGUMENT when rank is 0 or above min(n, m) or the two matrices are
/// not of transposed shape, NOT_FINITE for values that are not finite, ABORTED.
void randomized_svd(const CsrView& matrix, const CsrView& transposed, const RandomizedSvdParams& params, float* u, float* s,
                    float* v, TaskControl& control);

/// The same for a dense matrix (rows n, dim m), two products with it for each power iteration.
void dense_svd(MatrixView<const float> matrix, const RandomizedSvdParams& params, float* u, float* s, float* v,
               TaskControl& control);

}  // namespace nigh

// Truncated singular value decomposition of a sparse matrix by random projection.
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
/// Each singular pair has the sign that makes the largest |v| entry of its column positive, so the answer is unique.
/// Byte-identical on any number of threads. Throws INVALID_ARGUMENT when rank > min(n, m).
void randomized_svd(const CsrView& matrix, const CsrView& transposed, const RandomizedSvdParams& params, float* u, float* s,
                    float* v, TaskControl& control);

}  // namespace nigh

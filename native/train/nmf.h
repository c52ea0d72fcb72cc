// Non-negative matrix factorisation, by coordinates: each number of a row of X takes the value that is best given the others.
//
// Cichocki and Phan, "Fast local algorithms for large scale nonnegative matrix and tensor factorizations", IEICE Trans. E92-A(3),
// 2009 (HALS); the same minimum as the multiplicative rules of Lee and Seung 2001, in fewer sweeps. Two objectives:
//
//   all        min |R − W Hᵀ|² + λ (|W|² + |H|²)                              where nothing was observed, R is 0
//   observed   min Σ_observed (r − w_u·h_i)² + λ Σ_u n_u |w_u|² + λ Σ_i n_i |h_i|²
//
//   paper   here
//   Y, A, X   the matrix, users, items
#pragma once

#include <cstdint>

#include "base/matrix_view.h"
#include "base/task_control.h"

namespace nigh {

struct NmfParams {
  size_t iterations = 50;
  float regularization = 0;
  bool observed_only = false;
  uint64_t seed = 42;
  size_t max_lanes = 0;
};

/// Trains on `matrix` (users × items, values of at least 0) and its transpose. Each iteration goes over all items, then all
/// users, once a coordinate; the users at the end are swept until they rest, so they are what nmf_fold_in gives. Rows without
/// entries are zeros. The same seed gives the same bytes on any number of threads (at one SIMD level). `control` counts rows.
/// Throws EMPTY_DATASET, INVALID_ARGUMENT for a value below 0, ABORTED.
void nmf_train(const CsrView& matrix, const CsrView& transposed, const NmfParams& params, MatrixView<float> users,
               MatrixView<float> items, TaskControl& control);

/// The best non-negative row for each row of `matrix` against fixed items. `gramian` (dim × dim) is HᵀH over all items of the
/// training, of which `items` may then hold a part; null: `items` is all of them. Under observed_only it is not read. Throws as
/// nmf_train does.
void nmf_fold_in(const CsrView& matrix, MatrixView<const float> items, const float* gramian, const NmfParams& params,
                 MatrixView<float> users, TaskControl& control);

}  // namespace nigh

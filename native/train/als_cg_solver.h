// A few conjugate-gradient steps on one row of the alternating problem, without forming its matrix.
//
// Hestenes and Stiefel 1952 with a preconditioner; warm-started conjugate gradients for implicit ALS are from Takács, Pilászy
// and Tikk, "Applications of the conjugate gradient method for implicit feedback collaborative filtering", RecSys 2011.
// Training works in the eigenbasis of w0 QᵀQ, so the part that all rows share is a diagonal: it costs dim operations a step
// instead of dim², and it is the preconditioner as well, D = diag(S + r). What is left has rank n, so that a row of n entries
// is exact after n + 1 steps.
#pragma once

#include "base/buffer.h"
#include "train/als_row.h"

namespace nigh {

/// Scratch of one thread. Byte-identical whatever rows were solved before.
class AlsCgSolver {
 public:
  /// `shared_diagonal` (fixed.dim values) is the diagonal of w0 QᵀQ in the basis of `fixed`. Both are borrowed.
  AlsCgSolver(MatrixView<const float> fixed, const double* shared_diagonal);

  /// Improves x (dim) by at most `steps` steps. `mean` (dim) is the prior mean of the row, or null. Throws INVALID_ARGUMENT when
  /// the diagonal is singular to float precision or the solution overflows.
  void solve(const AlsRow& row, double ridge, const float* mean, size_t steps, float* x);

 private:
  MatrixView<const float> fixed_;
  const double* shared_;
  double smallest_pivot_;
  double smallest_shared_;
  Buffer<float> diagonal_;  // D
  Buffer<float> inverse_;   // D⁻¹
  Buffer<float> residual_;
  Buffer<float> direction_;
  Buffer<float> product_;  // A · direction
  Buffer<float> weights_;  // of one batch of entries
};

}  // namespace nigh

// The exact solution of one row of the alternating problem,
//
//   A x = Σ c t q + r m,   A = S + r I + Σ c q qᵀ,   S = w0 QᵀQ,
//
// where t is 1 for what was liked and 0 for what was not, and m is the prior mean of the row (zero where there is none), by
// Cholesky. With S given as a diagonal (training works in the eigenbasis of S) a row of n < dim entries is solved through its n ×
// n dual instead, which costs n² dim rather than dim³:
//
//   D = S + r I,   x = x₀ + D⁻¹ Qᵀ √C y,   (I + √C Q D⁻¹ Qᵀ √C) y = √C (t − Q x₀),   x₀ = D⁻¹ r m.
#pragma once

#include <vector>

#include "base/buffer.h"
#include "train/als_row.h"
#include "train/tall_matrix.h"

namespace nigh {

/// Scratch of one thread. Byte-identical whatever rows were solved before.
class AlsExactSolver {
 public:
  /// `shared` is S: its diagonal (fixed.dim values) when `diagonal`, else all of it (dim × dim). Both are borrowed.
  AlsExactSolver(MatrixView<const float> fixed, const double* shared, bool diagonal);

  /// x (dim) ← the solution; zero for a row without entries. `mean` (dim) is m, in the basis of `fixed`, or null. Throws
  /// INVALID_ARGUMENT when A is singular to float precision or the solution overflows.
  void solve(const AlsRow& row, double ridge, const float* mean, float* x);

 private:
  void solve_primal(const AlsRow& row, double ridge, const float* mean, float* x);
  void solve_dual(const AlsRow& row, double ridge, const float* mean, float* x);
  void add_outer_products(const AlsRow& row);

  MatrixView<const float> fixed_;
  const double* shared_;
  bool diagonal_;
  double smallest_pivot_;       // what float rounding of S can hide
  double smallest_shared_ = 0;  // of the diagonal
  std::vector<double> system_;  // A, or the dual matrix
  std::vector<double> solution_;
  std::vector<double> quads_;  // four scaled rows in double
  Buffer<float> gathered_;     // rows of a panel, or Q of the dual
  Buffer<float> scaled_;       // Q D⁻¹ of the dual
  Buffer<float> inverse_;      // D⁻¹ of the dual
  Buffer<float> products_;     // Q D⁻¹ Qᵀ
  Buffer<float> scratch_;
  PanelProduct panels_;
};

}  // namespace nigh

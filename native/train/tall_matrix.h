// Dense products in which one side is tall (a row per user or item) and the other is small (dim × dim): Gram matrices, changes
// of basis, orthonormal bases. Work is cut into blocks that depend on the shape alone and partial sums are added in a fixed
// order, so that the result has the same bytes on any number of threads.
#pragma once

#include <cstddef>

#include "base/buffer.h"
#include "base/matrix_view.h"

namespace nigh {

/// Sums AᵀB over panels of rows: each panel is one float product, panels are summed in double.
class PanelProduct {
 public:
  /// Rows of one panel at most. Short enough that a float sum over it keeps six digits.
  static constexpr size_t kRows = 256;

  PanelProduct(size_t dim_a, size_t dim_b);

  /// sum (dim_a × dim_b) += AᵀB for `rows` ≤ kRows packed rows of each. A null `b` means A itself (dim_a = dim_b).
  void add(const float* a, const float* b, size_t rows, double* sum);

 private:
  size_t dim_a_;
  size_t dim_b_;
  Buffer<float> a_columns_;
  Buffer<float> b_columns_;
  Buffer<float> product_;
  Buffer<float> scratch_;
};

/// out (a.dim × b.dim) = AᵀB. `a` and `b` have the same number of rows and may be the same matrix.
void tall_cross(MatrixView<const float> a, MatrixView<const float> b, size_t max_lanes, double* out);

/// out (rows × directions) = rows · basisᵀ, `basis` being directions × dim: row j is the j-th direction. `out` may be rows.data
/// when directions = dim; otherwise the two must not overlap.
void tall_project(MatrixView<const float> rows, const float* basis, size_t directions, size_t max_lanes, float* out);

}  // namespace nigh

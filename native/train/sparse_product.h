// Sparse × dense on all cores.
#pragma once

#include <cstddef>

#include "base/matrix_view.h"
#include "base/task_control.h"

namespace nigh {

/// out (sparse.rows() × dense.dim) = scale · sparse · dense; dense has sparse.cols rows. Each row is summed in the order of its
/// entries, so the bytes do not depend on the number of threads. `control` is checked, not advanced.
void sparse_product(const CsrView& sparse, MatrixView<const float> dense, float scale, size_t max_lanes, float* out,
                    const TaskControl& control);

}  // namespace nigh

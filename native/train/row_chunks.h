// Cutting the rows of a sparse matrix into pieces of about equal work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/matrix_view.h"

namespace nigh {

/// Boundaries 0 = b_0 < b_1 < … = rows: chunk i is the rows [b_i, b_{i+1}). A row costs `row_cost` plus one per entry, a chunk
/// about `chunk_cost`; a row that costs more stands alone. Depends on the matrix only, never on the number of threads.
std::vector<size_t> row_chunks(const CsrView& matrix, size_t row_cost, size_t chunk_cost);

}  // namespace nigh

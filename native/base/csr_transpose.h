// The transpose of a sparse matrix, in time linear in its entries.
#pragma once

#include <cstdint>
#include <vector>

#include "base/matrix_view.h"

namespace nigh {

/// A sparse matrix that owns its arrays.
struct OwnedCsr {
  std::vector<uint32_t> offsets;
  std::vector<uint32_t> columns;
  std::vector<float> values;
  size_t cols = 0;

  CsrView view() const { return {offsets, columns, values, cols}; }
};

/// Columns within the rows of the result ascend. `matrix` holds what CsrView promises.
OwnedCsr transpose(const CsrView& matrix);

}  // namespace nigh

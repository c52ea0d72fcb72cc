#include "train/row_chunks.h"

namespace nigh {

std::vector<size_t> row_chunks(const CsrView& matrix, size_t row_cost, size_t chunk_cost) {
  std::vector<size_t> bounds{0};
  size_t cost = 0;
  for (size_t row = 0; row < matrix.rows(); ++row) {
    const size_t next = row_cost + (matrix.offsets[row + 1] - matrix.offsets[row]);
    if (cost != 0 && cost + next > chunk_cost) {
      bounds.push_back(row);
      cost = 0;
    }
    cost += next;
  }
  if (matrix.rows() != 0) bounds.push_back(matrix.rows());
  return bounds;
}

}  // namespace nigh

#include "base/csr_transpose.h"

namespace nigh {

// A counting sort by column. Rows are visited in ascending order, so the entries of every result row ascend.
OwnedCsr transpose(const CsrView& matrix) {
  OwnedCsr out;
  out.cols = matrix.rows();
  out.offsets.assign(matrix.cols + 1, 0);
  out.columns.resize(matrix.entries());
  out.values.resize(matrix.entries());
  for (const uint32_t column : matrix.columns) ++out.offsets[column + 1];
  for (size_t column = 0; column < matrix.cols; ++column) out.offsets[column + 1] += out.offsets[column];
  std::vector<uint32_t> next(out.offsets.begin(), out.offsets.end() - 1);
  for (size_t row = 0; row < matrix.rows(); ++row) {
    for (size_t entry = matrix.offsets[row]; entry < matrix.offsets[row + 1]; ++entry) {
      const uint32_t at = next[matrix.columns[entry]]++;
      out.columns[at] = static_cast<uint32_t>(row);
      out.values[at] = matrix.values[entry];
    }
  }
  return out;
}

}  // namespace nigh

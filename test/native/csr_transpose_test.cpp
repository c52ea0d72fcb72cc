#include "base/csr_transpose.h"

#include <map>
#include <utility>

#include "base/rng.h"
#include "check.h"

namespace {

using nigh::CsrView;
using nigh::OwnedCsr;

OwnedCsr random_matrix(nigh::Rng& rng, uint32_t rows, uint32_t cols) {
  OwnedCsr matrix;
  matrix.cols = cols;
  matrix.offsets.push_back(0);
  for (uint32_t row = 0; row < rows; ++row) {
    for (uint32_t column = 0; column < cols; ++column) {
      if (rng.below(3) != 0) continue;
      matrix.columns.push_back(column);
      matrix.values.push_back(static_cast<float>(rng.uniform()));
    }
    matrix.offsets.push_back(static_cast<uint32_t>(matrix.columns.size()));
  }
  return matrix;
}

std::map<std::pair<uint32_t, uint32_t>, float> entries_of(const CsrView& matrix, bool swapped) {
  std::map<std::pair<uint32_t, uint32_t>, float> out;
  for (uint32_t row = 0; row < matrix.rows(); ++row) {
    for (uint32_t entry = matrix.offsets[row]; entry < matrix.offsets[row + 1]; ++entry) {
      const uint32_t column = matrix.columns[entry];
      out[swapped ? std::pair(column, row) : std::pair(row, column)] = matrix.values[entry];
    }
  }
  return out;
}

}  // namespace

TEST("a transpose has every entry at the mirrored place, in ascending columns") {
  nigh::Rng rng(7);
  for (int round = 0; round < 50; ++round) {
    const uint32_t rows = rng.below(12);
    const uint32_t cols = rng.below(12);
    const OwnedCsr matrix = random_matrix(rng, rows, cols);
    const OwnedCsr mirrored = nigh::transpose(matrix.view());
    CHECK(mirrored.view().rows() == cols);
    CHECK(mirrored.cols == rows);
    CHECK(entries_of(matrix.view(), true) == entries_of(mirrored.view(), false));
    for (uint32_t row = 0; row < cols; ++row) {
      for (uint32_t entry = mirrored.offsets[row] + 1; entry < mirrored.offsets[row + 1]; ++entry) {
        CHECK(mirrored.columns[entry] > mirrored.columns[entry - 1]);
      }
    }
  }
}

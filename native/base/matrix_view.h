// Borrowed, row-major dense and sparse matrices. The convention everywhere: n rows of dim columns, one vector a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nigh {

/// n × dim, row-major, packed (no gap between rows). Does not own its memory.
template <class T>
struct MatrixView {
  T* data = nullptr;
  size_t rows = 0;
  size_t dim = 0;

  T* row(size_t i) const { return data + i * dim; }
  std::span<T> row_span(size_t i) const { return {row(i), dim}; }
};

/// Compressed sparse rows: the entries of row r are [offsets[r], offsets[r + 1]). Columns within a row ascend strictly.
/// Offsets are uint32, so a matrix holds at most 2^32 − 1 entries; the binding checks all of this once, on entry.
struct CsrView {
  std::span<const uint32_t> offsets;  // rows + 1
  std::span<const uint32_t> columns;  // entries
  std::span<const float> values;      // entries
  size_t cols = 0;

  size_t rows() const { return offsets.size() - 1; }
  size_t entries() const { return columns.size(); }
};

}  // namespace nigh

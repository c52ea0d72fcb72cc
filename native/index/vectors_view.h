// Vectors as callers give them, float32 or bits, borrowed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/matrix_view.h"

namespace nigh {

/// n rows, packed, of dim float32 values or of dim bits. Row i lies at row(i), in the form that vector_bytes() describes.
class VectorsView {
 public:
  VectorsView(MatrixView<const float> matrix)
      : rows(matrix.rows), dim(matrix.dim), data_(matrix.data) {}  // NOLINT: a view as good
  VectorsView(const float* data, size_t row_count, size_t dimension) : rows(row_count), dim(dimension), data_(data) {}

  static VectorsView of_bits(const uint8_t* data, size_t rows, size_t dim) {
    VectorsView view(nullptr, rows, dim);
    view.data_ = data;
    view.bits_ = true;
    return view;
  }

  size_t rows;
  size_t dim;

  bool bits() const { return bits_; }
  size_t row_bytes() const { return bits_ ? (dim + 7) / 8 : dim * sizeof(float); }
  const void* row(size_t i) const { return static_cast<const uint8_t*>(data_) + i * row_bytes(); }

  /// Only of a view of float32 values.
  MatrixView<const float> floats() const { return {static_cast<const float*>(data_), rows, dim}; }
  const float* float_row(size_t i) const { return floats().row(i); }

 private:
  const void* data_;
  bool bits_ = false;
};

}  // namespace nigh

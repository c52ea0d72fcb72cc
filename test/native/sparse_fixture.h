// Small sparse matrices for the training tests, owned.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/matrix_view.h"
#include "base/rng.h"

struct SparseFixture {
  std::vector<uint32_t> offsets{0};
  std::vector<uint32_t> columns;
  std::vector<float> values;
  size_t cols = 0;

  explicit SparseFixture(size_t columns_of_it) : cols(columns_of_it) {}

  size_t rows() const { return offsets.size() - 1; }
  nigh::CsrView view() const { return {offsets, columns, values, cols}; }

  void push(uint32_t column, float value) {
    columns.push_back(column);
    values.push_back(value);
  }
  void end_row() { offsets.push_back(static_cast<uint32_t>(columns.size())); }

  SparseFixture transposed() const {
    SparseFixture out(rows());
    std::vector<std::vector<std::pair<uint32_t, float>>> lists(cols);
    for (size_t row = 0; row < rows(); ++row) {
      for (size_t e = offsets[row]; e < offsets[row + 1]; ++e) {
        lists[columns[e]].push_back({static_cast<uint32_t>(row), values[e]});
      }
    }
    for (const auto& list : lists) {
      for (const auto& [column, value] : list) out.push(column, value);
      out.end_row();
    }
    return out;
  }

  std::vector<double> dense() const {
    std::vector<double> out(rows() * cols, 0.0);
    for (size_t row = 0; row < rows(); ++row) {
      for (size_t e = offsets[row]; e < offsets[row + 1]; ++e) out[row * cols + columns[e]] = values[e];
    }
    return out;
  }

  /// Every cell is present with probability `density` and drawn from `draw(rng)`. Low columns are likelier when `skewed`.
  template <class Draw>
  static SparseFixture random(size_t rows, size_t cols, double density, bool skewed, uint64_t seed, Draw draw) {
    nigh::Rng rng(seed);
    SparseFixture out(cols);
    for (size_t row = 0; row < rows; ++row) {
      for (size_t column = 0; column < cols; ++column) {
        const double place = static_cast<double>(column) / static_cast<double>(cols);
        const double chance = skewed ? std::min(1.0, density * 3 * (1 - place) * (1 - place)) : density;
        if (rng.uniform() < chance) out.push(static_cast<uint32_t>(column), static_cast<float>(draw(rng)));
      }
      out.end_row();
    }
    return out;
  }
};

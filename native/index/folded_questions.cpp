#include "index/folded_questions.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/buffer.h"
#include "base/cholesky.h"
#include "simd/kernels.h"

namespace nigh {

namespace {

constexpr size_t kBlock = 512;
constexpr size_t kMostProducts = size_t{1} << 34;  // some tenths of a second: all of a million rows of 128 dimensions
constexpr size_t kPanel = 2048;                    // rows of one product
constexpr double kRidge = 1e-3;
constexpr int kTimes = 2;

// Rows of a store: all, or where they are too many some from all over it.
struct SpreadRows {
  const RowStore& store;
  size_t count;
  size_t taken;

  const float* row(size_t i) const { return store.row_as<float>(i * count / taken); }
};

// So that no square overflows.
float largest_value(const SpreadRows& rows) {
  float largest = 0;
  for (size_t i = 0; i < rows.taken; ++i) {
    const float* row = rows.row(i);
    for (size_t d = 0; d < rows.store.dim; ++d) largest = std::max(largest, std::fabs(row[d]));
  }
  return largest;
}

// Sums of the products of coordinates from `first` on, `width` of them, over all rows divided by `scale`.
std::vector<double> moments(const SpreadRows& rows, float scale, size_t first, size_t width) {
  std::vector<double> sums(width * width);
  Buffer<float> columns(width * kPanel);
  Buffer<float> products(width * width);
  Buffer<float> scratch(kernels().gemm_scratch(width, width, kPanel));
  for (size_t begin = 0; begin < rows.taken; begin += kPanel) {
    const size_t panel = std::min(kPanel, rows.taken - begin);
    for (size_t i = 0; i < panel; ++i) {
      const float* row = rows.row(begin + i) + first;
      for (size_t d = 0; d < width; ++d) columns[d * panel + i] = row[d] / scale;
    }
    kernels().gemm_nt(columns.data(), width, columns.data(), width, panel, products.data(), width, scratch.data());
    for (size_t e = 0; e < sums.size(); ++e) sums[e] += static_cast<double>(products[e]);
  }
  return sums;
}

}  // namespace

void fold_questions(const RowStore& store, size_t count, float* rows, size_t asked) {
  const size_t dim = store.dim;
  const size_t block_width = std::min(dim, kBlock);
  const SpreadRows sample{store, count, std::min(count, kMostProducts / (block_width * block_width))};
  const float largest = largest_value(sample);
  if (!(largest > 0)) return;
  std::vector<double> folded(asked * dim);
  for (size_t e = 0; e < folded.size(); ++e) folded[e] = static_cast<double>(rows[e]) / static_cast<double>(largest);

  const size_t blocks = (dim + kBlock - 1) / kBlock;
  for (size_t block = 0; block < blocks; ++block) {
    const size_t first = dim * block / blocks;
    const size_t width = dim * (block + 1) / blocks - first;
    std::vector<double> sums = moments(sample, largest, first, width);
    double trace = 0;
    for (size_t d = 0; d < width; ++d) trace += sums[d * width + d];
    for (size_t d = 0; d < width; ++d) sums[d * width + d] += kRidge * trace / static_cast<double>(width);
    if (!cholesky_factor(sums.data(), width)) continue;  // no row has anything in these coordinates
    for (size_t q = 0; q < asked; ++q) {
      for (int time = 0; time < kTimes; ++time) cholesky_solve(sums.data(), width, folded.data() + q * dim + first);
    }
  }

  for (size_t q = 0; q < asked; ++q) {
    const double* values = folded.data() + q * dim;
    double squares = 0;
    for (size_t d = 0; d < dim; ++d) squares += values[d] * values[d];
    if (!(squares > 0) || !std::isfinite(squares)) continue;
    for (size_t d = 0; d < dim; ++d) rows[q * dim + d] = static_cast<float>(values[d] / std::sqrt(squares));
  }
}

}  // namespace nigh

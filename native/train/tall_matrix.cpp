#include "train/tall_matrix.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/thread_pool.h"
#include "simd/kernels.h"

namespace nigh {

namespace {

// out (dim × rows) = in (rows × dim)ᵀ, tile by tile.
void transpose(const float* in, size_t rows, size_t dim, float* out) {
  constexpr size_t kTile = 16;
  for (size_t i0 = 0; i0 < rows; i0 += kTile) {
    const size_t i1 = std::min(i0 + kTile, rows);
    for (size_t j0 = 0; j0 < dim; j0 += kTile) {
      const size_t j1 = std::min(j0 + kTile, dim);
      for (size_t j = j0; j < j1; ++j) {
        for (size_t i = i0; i < i1; ++i) out[j * rows + i] = in[i * dim + j];
      }
    }
  }
}

// In how many partial sums a cross product of this shape is split: enough for many cores, bounded in memory.
size_t partial_sums(size_t rows, size_t cells) {
  constexpr size_t kMost = 32;
  constexpr size_t kMostBytes = size_t{64} << 20;
  const size_t by_rows = (rows + 4 * PanelProduct::kRows - 1) / (4 * PanelProduct::kRows);
  const size_t by_memory = kMostBytes / (cells * sizeof(double));
  return std::max<size_t>(1, std::min({kMost, by_rows, by_memory}));
}

}  // namespace

PanelProduct::PanelProduct(size_t dim_a, size_t dim_b)
    : dim_a_(dim_a),
      dim_b_(dim_b),
      a_columns_(dim_a * kRows),
      b_columns_(dim_b * kRows),
      product_(dim_a * dim_b),
      scratch_(kernels().gemm_scratch(dim_a, dim_b, kRows)) {}

void PanelProduct::add(const float* a, const float* b, size_t rows, double* sum) {
  transpose(a, rows, dim_a_, a_columns_.data());
  const float* right = a_columns_.data();
  if (b != nullptr) {
    transpose(b, rows, dim_b_, b_columns_.data());
    right = b_columns_.data();
  }
  kernels().gemm_nt(a_columns_.data(), dim_a_, right, dim_b_, rows, product_.data(), dim_b_, scratch_.data());
  const float* product = product_.data();
  for (size_t i = 0; i < dim_a_ * dim_b_; ++i) sum[i] += static_cast<double>(product[i]);
}

void tall_cross(MatrixView<const float> a, MatrixView<const float> b, size_t max_lanes, double* out) {
  const size_t cells = a.dim * b.dim;
  std::fill(out, out + cells, 0.0);
  if (a.rows == 0 || cells == 0) return;
  const bool same = a.data == b.data && a.dim == b.dim;
  const size_t parts = partial_sums(a.rows, cells);
  const size_t panels = (a.rows + PanelProduct::kRows - 1) / PanelProduct::kRows;
  Buffer<double> sums(parts * cells);

  ThreadPool::shared().parallel_for(parts, 1, max_lanes, [&](size_t begin, size_t end, size_t) {
    PanelProduct product(a.dim, b.dim);
    for (size_t part = begin; part < end; ++part) {
      const size_t last = panels * (part + 1) / parts;
      for (size_t panel = panels * part / parts; panel < last; ++panel) {
        const size_t first_row = panel * PanelProduct::kRows;
        const size_t rows = std::min(PanelProduct::kRows, a.rows - first_row);
        product.add(a.row(first_row), same ? nullptr : b.row(first_row), rows, sums.data() + part * cells);
      }
    }
  });
  for (size_t part = 0; part < parts; ++part) {
    const double* sum = sums.data() + part * cells;
    for (size_t i = 0; i < cells; ++i) out[i] += sum[i];
  }
}

void tall_project(MatrixView<const float> rows, const float* basis, size_t directions, size_t max_lanes, float* out) {
  constexpr size_t kBlock = 256;
  const Kernels& k = kernels();
  const bool in_place = out == rows.data;
  const size_t scratch_size = k.gemm_scratch(kBlock, directions, rows.dim);
  struct Lane {
    Buffer<float> scratch;
    Buffer<float> block;
  };
  std::vector<Lane> lanes(ThreadPool::shared().lanes(max_lanes));
  const size_t blocks = (rows.rows + kBlock - 1) / kBlock;
  ThreadPool::shared().parallel_for(blocks, 1, max_lanes, [&](size_t begin, size_t end, size_t lane_number) {
    Lane& lane = lanes[lane_number];
    if (lane.scratch.size() == 0) lane.scratch = Buffer<float>(scratch_size);
    if (in_place && lane.block.size() == 0) lane.block = Buffer<float>(kBlock * directions);
    for (size_t block = begin; block < end; ++block) {
      const size_t first = block * kBlock;
      const size_t count = std::min(kBlock, rows.rows - first);
      float* target = out + first * directions;
      float* product = in_place ? lane.block.data() : target;
      k.gemm_nt(rows.row(first), count, basis, directions, rows.dim, product, directions, lane.scratch.data());
      if (in_place) std::memcpy(target, product, count * directions * sizeof(float));
    }
  });
}

}  // namespace nigh

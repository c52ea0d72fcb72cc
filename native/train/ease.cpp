// EASE, see ease.h for the paper.
//
//   paper   here
//   X       interactions
//   G, λ    the lower triangle of `out` after step 1
//   P       minus what step 2 leaves there
//   B       `out`
//
// The inverse is by symmetric sweeps (Goodnight, "A tutorial on the SWEEP operator", The American Statistician 33(3), 1979), a
// block of columns at once: sweeping block k of a symmetric A gives
//   A_kk ← −A_kk⁻¹,   A_ik ← A_ik A_kk⁻¹,   A_ij ← A_ij − A_ik A_kk⁻¹ A_kj
// and after all blocks A is minus its inverse. The pivots are those of a blocked Cholesky factorisation, so for A positive
// definite no pivoting is needed; it costs the same n³ / 2, all of it in products of tall panels, and no second matrix.
//
// Outline:
//   1. G + λ I, lower triangle, from the sparse rows
//   2. sweeps
//   3. B, both triangles
#include "train/ease.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/cholesky.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "simd/kernels.h"
#include "train/tall_matrix.h"

namespace nigh {

namespace {

// Columns of one sweep and the sides of a tile of the update.
constexpr size_t kBlock = 256;

class Sweeps {
 public:
  Sweeps(float* matrix, size_t n, size_t max_lanes, TaskControl& control)
      : a_(matrix),
        n_(n),
        max_lanes_(max_lanes),
        control_(control),
        blocks_((n + kBlock - 1) / kBlock),
        panel_(n * kBlock),
        product_(n * kBlock),
        lanes_(ThreadPool::shared().lanes(max_lanes)) {}

  void run() {
    for (size_t k = 0; k < blocks_; ++k) {
      sweep(k);
      control_.advance(1);
    }
  }

 private:
  struct Lane {
    Buffer<float> tile;
    Buffer<float> scratch;
  };

  size_t begin(size_t block) const { return block * kBlock; }
  size_t end(size_t block) const { return std::min(n_, (block + 1) * kBlock); }

  void sweep(size_t k) {
    const size_t first = begin(k);
    const size_t width = end(k) - first;
    const std::vector<double> inverse = inverse_of_block(first, width);
    read_panel(first, width);
    const std::vector<float> right(inverse.begin(), inverse.end());  // symmetric, so its rows are its columns
    tall_project({panel_.data(), n_, width}, right.data(), width, max_lanes_, product_.data());
    update_tiles(k, width);
    write_panel(first, width, inverse);
  }

  std::vector<double> inverse_of_block(size_t first, size_t width) const {
    std::vector<double> factor(width * width), inverse(width * width, 0.0);
    for (size_t i = 0; i < width; ++i) {
      for (size_t j = 0; j <= i; ++j) factor[j * width + i] = a_[(first + i) * n_ + first + j];
    }
    if (!cholesky_factor(factor.data(), width)) {
      throw Error("INVALID_ARGUMENT", "The interactions are too alike for 32-bit floats: raise regularization.");
    }
    invert_upper(factor.data(), width);
    // (UᵀU)⁻¹ = U⁻¹ U⁻ᵀ.
    for (size_t i = 0; i < width; ++i) {
      for (size_t j = i; j < width; ++j) {
        double sum = 0;
        for (size_t t = j; t < width; ++t) sum += factor[i * width + t] * factor[j * width + t];
        inverse[i * width + j] = inverse[j * width + i] = sum;
      }
    }
    return inverse;
  }

  // panel_ (n × width) ← the columns of the block, of which the rows above it are stored as its row.
  void read_panel(size_t first, size_t width) {
    ThreadPool::shared().parallel_for(n_, kBlock, max_lanes_, [&](size_t row_begin, size_t row_end, size_t) {
      for (size_t i = row_begin; i < row_end; ++i) {
        float* target = panel_.data() + i * width;
        if (i >= first) {
          std::copy_n(a_ + i * n_ + first, width, target);
        } else {
          for (size_t t = 0; t < width; ++t) target[t] = a_[(first + t) * n_ + i];
        }
      }
    });
  }

  // A_ij −= product_i · panel_j for the tiles of the lower triangle, block k left out.
  void update_tiles(size_t k, size_t width) {
    const Kernels& kernel = kernels();
    std::vector<std::pair<uint32_t, uint32_t>> tiles;
    for (size_t i = 0; i < blocks_; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        if (i != k && j != k) tiles.push_back({static_cast<uint32_t>(i), static_cast<uint32_t>(j)});
      }
    }
    ThreadPool::shared().parallel_for(tiles.size(), 1, max_lanes_, [&](size_t tile_begin, size_t tile_end, size_t number) {
      Lane& lane = lanes_[number];
      if (lane.tile.size() == 0) {
        lane.tile = Buffer<float>(kBlock * kBlock);
        lane.scratch = Buffer<float>(kernel.gemm_scratch(kBlock, kBlock, kBlock));
      }
      for (size_t at = tile_begin; at < tile_end; ++at) {
        control_.check();
        const auto [block_i, block_j] = tiles[at];
        const size_t i0 = begin(block_i), j0 = begin(block_j);
        const size_t rows = end(block_i) - i0, columns = end(block_j) - j0;
        kernel.gemm_nt(product_.data() + i0 * width, rows, panel_.data() + j0 * width, columns, width, lane.tile.data(), columns,
                       lane.scratch.data());
        for (size_t i = 0; i < rows; ++i) {
          float* target = a_ + (i0 + i) * n_ + j0;
          const float* change = lane.tile.data() + i * columns;
          for (size_t j = 0; j < columns; ++j) target[j] -= change[j];
        }
      }
    });
  }

  void write_panel(size_t first, size_t width, const std::vector<double>& inverse) {
    ThreadPool::shared().parallel_for(n_, kBlock, max_lanes_, [&](size_t row_begin, size_t row_end, size_t) {
      for (size_t i = row_begin; i < row_end; ++i) {
        const float* from = product_.data() + i * width;
        if (i >= first + width) {
          std::copy_n(from, width, a_ + i * n_ + first);
        } else if (i < first) {
          for (size_t t = 0; t < width; ++t) a_[(first + t) * n_ + i] = from[t];
        } else {
          for (size_t t = 0; t < width; ++t) a_[i * n_ + first + t] = static_cast<float>(-inverse[(i - first) * width + t]);
        }
      }
    });
  }

  float* a_;
  size_t n_;
  size_t max_lanes_;
  TaskControl& control_;
  size_t blocks_;
  Buffer<float> panel_;
  Buffer<float> product_;
  std::vector<Lane> lanes_;
};

// Step 1, row by row: columns up to the diagonal.
void gram_matrix(const CsrView& interactions, const CsrView& transposed, float ridge, size_t max_lanes, float* out,
                 const TaskControl& control) {
  const size_t n = interactions.cols;
  ThreadPool::shared().parallel_for(n, 16, max_lanes, [&](size_t begin, size_t end, size_t) {
    control.check();
    for (size_t i = begin; i < end; ++i) {
      float* row = out + i * n;
      std::fill(row, row + n, 0.0f);
      for (size_t e = transposed.offsets[i]; e < transposed.offsets[i + 1]; ++e) {
        const size_t user = transposed.columns[e];
        const float weight = transposed.values[e];
        const size_t last = interactions.offsets[user + 1];
        for (size_t f = interactions.offsets[user]; f < last && interactions.columns[f] <= i; ++f) {
          row[interactions.columns[f]] += weight * interactions.values[f];
        }
      }
      row[i] += ridge;
    }
  });
}

// Step 3: the lower triangle is −P.
void to_weights(size_t n, size_t max_lanes, float* matrix, float* diagonal) {
  std::vector<float> scales(n);
  for (size_t j = 0; j < n; ++j) {
    scales[j] = -1.0f / matrix[j * n + j];
    if (diagonal != nullptr) diagonal[j] = -matrix[j * n + j];
  }
  // Row i of the lower triangle and column i above it: no other row touches either. By tiles, because columns are far apart.
  const size_t tiles = (n + kBlock - 1) / kBlock;
  ThreadPool::shared().parallel_for(tiles, 1, max_lanes, [&](size_t begin, size_t end, size_t) {
    for (size_t tile = begin; tile < end; ++tile) {
      const size_t i_end = std::min(n, (tile + 1) * kBlock);
      for (size_t j0 = 0; j0 < i_end; j0 += kBlock) {
        for (size_t i = tile * kBlock; i < i_end; ++i) {
          for (size_t j = j0; j < std::min(i, j0 + kBlock); ++j) {
            const float value = matrix[i * n + j];
            matrix[j * n + i] = value * scales[i];
            matrix[i * n + j] = value * scales[j];
          }
        }
      }
      for (size_t i = tile * kBlock; i < i_end; ++i) matrix[i * n + i] = 0;
    }
  });
}

}  // namespace

void ease_weights(const CsrView& interactions, const CsrView& transposed, float regularization, size_t max_lanes, float* out,
                  float* diagonal, TaskControl& control) {
  if (interactions.entries() == 0) throw Error("EMPTY_DATASET", "There are no interactions to train on.");
  if (!(regularization > 0) || !std::isfinite(regularization)) {
    throw Error("INVALID_ARGUMENT",
                "regularization: expected a finite number above 0, got " + std::to_string(regularization) + ".");
  }
  const size_t n = interactions.cols;
  control.set_total((n + kBlock - 1) / kBlock);
  gram_matrix(interactions, transposed, regularization, max_lanes, out, control);
  Sweeps(out, n, max_lanes, control).run();
  to_weights(n, max_lanes, out, diagonal);
}

}  // namespace nigh

// Randomised SVD, see randomized_svd.h for the paper.
//
//   paper            here
//   A, m × n         matrix, n × m (rows × columns)
//   k, p, l = k + p  rank, oversampling, width
//   q                power_iterations
//   Ω                the Gaussian start of `right`
//   Q                left
//   B = Q*A          transposed, as `right` after step 3
//
// Deviations: l is cut to min(n, m), where the answer is exact. The small factorisation is that of R in Bᵀ = W R rather than of
// B, which keeps V orthonormal for small singular values.
//
// Outline:
//   1. left = orth(A Ω)
//   2. q times: right = orth(Aᵀ left), left = orth(A right)
//   3. Bᵀ = Aᵀ left = W R
//   4. RᵀR = E diag(s²) Eᵀ; U = left E, V = W (R E / s)
//   5. signs
#include "train/randomized_svd.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/thread_pool.h"
#include "train/orthonormal.h"
#include "train/sparse_product.h"
#include "train/symmetric_eigen.h"
#include "train/tall_matrix.h"

namespace nigh {

namespace {

// Singular values below this share of the largest are rounding.
constexpr double kNumericalRank = 2e-6;
// Between the power iterations a basis needs to be well conditioned only.
constexpr double kRough = 0.1;
constexpr double kFine = 1e-6;

// A as the algorithm needs it, with entries near 1: `apply` writes scale · A · in, `apply_transposed` scale · Aᵀ · in.
struct LinearMap {
  size_t rows;
  size_t cols;
  float scale;
  std::function<void(MatrixView<const float> in, float* out)> apply;
  std::function<void(MatrixView<const float> in, float* out)> apply_transposed;
};

void check_rank(size_t rows, size_t cols, size_t rank) {
  const size_t most = std::min(rows, cols);
  if (rank == 0 || rank > most) {
    throw Error("INVALID_ARGUMENT", "rank: expected 1 to " + std::to_string(most) + " for a matrix of " + std::to_string(rows) +
                                        " × " + std::to_string(cols) + ", got " + std::to_string(rank) + ".");
  }
}

// The power of two that brings the largest |value| near 1, so that squares neither overflow nor vanish. Throws NOT_FINITE.
float scale_of(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) throw Error("NOT_FINITE", "The matrix to be factorised holds NaN or an infinity.");
    largest = std::max(largest, std::fabs(value));
  }
  if (largest == 0) return 1;
  return std::ldexp(1.0f, std::clamp(-std::ilogb(largest), -120, 120));
}

void fill_gaussian(MatrixView<float> out, uint64_t seed, size_t max_lanes) {
  ThreadPool::shared().parallel_for(out.rows, 256, max_lanes, [&](size_t begin, size_t end, size_t) {
    for (size_t row = begin; row < end; ++row) {
      Rng rng(seed, row);
      for (float& value : out.row_span(row)) value = static_cast<float>(rng.normal());
    }
  });
}

// Makes the largest |v| entry of every column positive.
void fix_signs(MatrixView<float> u, MatrixView<float> v) {
  std::vector<float> largest(v.dim, 0.0f);
  for (size_t row = 0; row < v.rows; ++row) {
    for (size_t k = 0; k < v.dim; ++k) {
      const float value = v.row(row)[k];
      if (std::fabs(value) > std::fabs(largest[k])) largest[k] = value;
    }
  }
  for (const MatrixView<float>& side : {u, v}) {
    for (size_t row = 0; row < side.rows; ++row) {
      for (size_t k = 0; k < side.dim; ++k) {
        if (largest[k] < 0) side.row(row)[k] = -side.row(row)[k];
      }
    }
  }
}

void decompose(const LinearMap& matrix, const RandomizedSvdParams& params, float* u, float* s, float* v, TaskControl& control) {
  const size_t width = std::min({params.rank + params.oversampling, matrix.rows, matrix.cols});
  const float scale = matrix.scale;
  const size_t lanes = params.max_lanes;
  control.set_total(2 * params.power_iterations + 2);

  Buffer<float> left_memory(matrix.rows * width), right_memory(matrix.cols * width);
  const MatrixView<float> left{left_memory.data(), matrix.rows, width};
  const MatrixView<float> right{right_memory.data(), matrix.cols, width};
  const MatrixView<const float> left_view{left.data, left.rows, width};
  const MatrixView<const float> right_view{right.data, right.rows, width};

  // 1 and 2: the range of A.
  fill_gaussian(right, params.seed, lanes);
  for (size_t iteration = 0;; ++iteration) {
    matrix.apply(right_view, left.data);
    orthonormalize(left, iteration == params.power_iterations ? kFine : kRough, lanes);
    control.advance(1);
    matrix.apply_transposed(left_view, right.data);
    control.advance(1);
    if (iteration == params.power_iterations) break;
    orthonormalize(right, kRough, lanes);
  }

  // 3: right is Bᵀ; split it into W (in place) and R.
  const Buffer<float> b = right_memory.grown(right_memory.size());
  orthonormalize(right, kFine, lanes);
  std::vector<double> r(width * width);
  tall_cross(right_view, {b.data(), right.rows, width}, lanes, r.data());

  // 4: the small factorisation, in double.
  std::vector<double> squares(width), rows_of_e(width * width), r_squared(width * width, 0.0);
  for (size_t t = 0; t < width; ++t) {
    for (size_t i = 0; i < width; ++i) {
      for (size_t j = 0; j < width; ++j) r_squared[i * width + j] += r[t * width + i] * r[t * width + j];
    }
  }
  symmetric_eigen(r_squared.data(), width, squares.data(), rows_of_e.data());
  const double largest = std::sqrt(std::max(squares[0], 0.0));
  std::vector<float> to_u(params.rank * width, 0.0f), to_v(params.rank * width, 0.0f);
  for (size_t k = 0; k < params.rank; ++k) {
    const double value = std::sqrt(std::max(squares[k], 0.0));
    s[k] = 0;
    if (!(value > kNumericalRank * largest)) continue;
    s[k] = static_cast<float>(value / scale);
    const double* e = rows_of_e.data() + k * width;
    for (size_t i = 0; i < width; ++i) {
      to_u[k * width + i] = static_cast<float>(e[i]);
      double sum = 0;
      for (size_t j = 0; j < width; ++j) sum += r[i * width + j] * e[j];
      to_v[k * width + i] = static_cast<float>(sum / value);
    }
  }
  tall_project(left_view, to_u.data(), params.rank, lanes, u);
  tall_project(right_view, to_v.data(), params.rank, lanes, v);

  // 5.
  fix_signs({u, matrix.rows, params.rank}, {v, matrix.cols, params.rank});
}

}  // namespace

void randomized_svd(const CsrView& matrix, const CsrView& transposed, const RandomizedSvdParams& params, float* u, float* s,
                    float* v, TaskControl& control) {
  check_rank(matrix.rows(), matrix.cols, params.rank);
  if (matrix.rows() != transposed.cols || matrix.cols != transposed.rows() || matrix.entries() != transposed.entries()) {
    throw Error("INVALID_ARGUMENT", "transposed: expected the transpose of the matrix, got another shape or number of entries.");
  }
  const float scale = scale_of(matrix.values);
  const auto times = [&](const CsrView& sparse) {
    return
        [&, scale](MatrixView<const float> in, float* out) { sparse_product(sparse, in, scale, params.max_lanes, out, control); };
  };
  decompose({matrix.rows(), matrix.cols, scale, times(matrix), times(transposed)}, params, u, s, v, control);
}

void dense_svd(MatrixView<const float> matrix, const RandomizedSvdParams& params, float* u, float* s, float* v,
               TaskControl& control) {
  check_rank(matrix.rows, matrix.dim, params.rank);
  const float scale = scale_of({matrix.data, matrix.rows * matrix.dim});
  const auto apply = [&](MatrixView<const float> in, float* out) {
    control.check();
    std::vector<float> directions(in.dim * in.rows);
    for (size_t row = 0; row < in.rows; ++row) {
      for (size_t k = 0; k < in.dim; ++k) directions[k * in.rows + row] = scale * in.row(row)[k];
    }
    tall_project(matrix, directions.data(), in.dim, params.max_lanes, out);
  };
  const auto apply_transposed = [&](MatrixView<const float> in, float* out) {
    control.check();
    std::vector<double> product(matrix.dim * in.dim);
    tall_cross(matrix, in, params.max_lanes, product.data());
    for (size_t i = 0; i < product.size(); ++i) out[i] = static_cast<float>(double{scale} * product[i]);
  };
  decompose({matrix.rows, matrix.dim, scale, apply, apply_transposed}, params, u, s, v, control);
}

}  // namespace nigh

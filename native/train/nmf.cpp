#include "train/nmf.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/thread_pool.h"
#include "train/row_chunks.h"
#include "train/tall_matrix.h"

namespace nigh {

namespace {

// A row rests when a sweep moves it by less than this share of its length.
constexpr double kRest = 1e-7;
constexpr size_t kMostSweeps = 2000;

void check(const CsrView& matrix) {
  for (const float value : matrix.values) {
    if (value >= 0 && std::isfinite(value)) continue;
    throw Error("INVALID_ARGUMENT",
                "A non-negative factorisation needs values of at least 0, got " + std::to_string(value) + ".");
  }
}

// Scratch of one thread. x minimises xᵀ S x − 2 c·x over x ≥ 0, with S and c summed over the entries of a row.
class RowSolver {
 public:
  RowSolver(MatrixView<const float> fixed, const double* gramian, const NmfParams& params)
      : fixed_(fixed),
        gramian_(gramian),
        params_(params),
        system_(fixed.dim * fixed.dim),
        target_(fixed.dim),
        x_(fixed.dim),
        gathered_(PanelProduct::kRows * fixed.dim),
        panels_(fixed.dim, fixed.dim) {}

  void solve(const CsrView& matrix, size_t row, size_t sweeps, float* x) {
    const size_t dim = fixed_.dim;
    const size_t first = matrix.offsets[row];
    const size_t count = matrix.offsets[row + 1] - first;
    if (count == 0) {
      std::fill_n(x, dim, 0.0f);
      return;
    }
    std::fill(target_.begin(), target_.end(), 0.0);
    for (size_t e = first; e < first + count; ++e) {
      const float* h = fixed_.row(matrix.columns[e]);
      for (size_t k = 0; k < dim; ++k) target_[k] += double{matrix.values[e]} * h[k];
    }
    double ridge = params_.regularization;
    const double* system = gramian_;
    if (params_.observed_only) {
      ridge *= static_cast<double>(count);
      gather(matrix, first, count);
      system = system_.data();
    }
    std::copy_n(x, dim, x_.begin());
    for (size_t sweep = 0; sweep < sweeps; ++sweep) {
      if (descend(system, ridge)) break;
    }
    for (size_t k = 0; k < dim; ++k) x[k] = static_cast<float>(x_[k]);
  }

 private:
  void gather(const CsrView& matrix, size_t first, size_t count) {
    const size_t dim = fixed_.dim;
    std::fill(system_.begin(), system_.end(), 0.0);
    for (size_t begin = 0; begin < count; begin += PanelProduct::kRows) {
      const size_t rows = std::min(PanelProduct::kRows, count - begin);
      for (size_t e = 0; e < rows; ++e) {
        std::copy_n(fixed_.row(matrix.columns[first + begin + e]), dim, gathered_.data() + e * dim);
      }
      panels_.add(gathered_.data(), nullptr, rows, system_.data());
    }
  }

  // Every coordinate once; whether the row rests.
  bool descend(const double* system, double ridge) {
    const size_t dim = fixed_.dim;
    double moved = 0, length = 0;
    for (size_t k = 0; k < dim; ++k) {
      const double* line = system + k * dim;
      const double curvature = line[k] + ridge;
      double gradient = target_[k] - ridge * x_[k];
      for (size_t j = 0; j < dim; ++j) gradient -= line[j] * x_[j];
      const double next = curvature > 0 ? std::max(0.0, x_[k] + gradient / curvature) : 0.0;
      moved = std::max(moved, std::fabs(next - x_[k]));
      length = std::max(length, next);
      x_[k] = next;
    }
    return moved <= kRest * length;
  }

  MatrixView<const float> fixed_;
  const double* gramian_;
  const NmfParams& params_;
  std::vector<double> system_;
  std::vector<double> target_;
  std::vector<double> x_;
  Buffer<float> gathered_;
  PanelProduct panels_;
};

void solve_rows(const CsrView& matrix, MatrixView<const float> fixed, const float* known_gramian, const NmfParams& params,
                size_t sweeps, MatrixView<float> solved, TaskControl& control) {
  std::vector<double> gramian(fixed.dim * fixed.dim);
  if (known_gramian != nullptr) {
    std::copy_n(known_gramian, gramian.size(), gramian.begin());
  } else if (!params.observed_only) {
    tall_cross(fixed, fixed, params.max_lanes, gramian.data());
  }
  const std::vector<size_t> chunks = row_chunks(matrix, 16 + fixed.dim, 4096);
  std::vector<std::unique_ptr<RowSolver>> lanes(ThreadPool::shared().lanes(params.max_lanes));
  ThreadPool::shared().parallel_for(chunks.size() - 1, 1, params.max_lanes, [&](size_t begin, size_t end, size_t lane) {
    if (!lanes[lane]) lanes[lane] = std::make_unique<RowSolver>(fixed, gramian.data(), params);
    for (size_t chunk = begin; chunk < end; ++chunk) {
      control.check();
      for (size_t row = chunks[chunk]; row < chunks[chunk + 1]; ++row) {
        lanes[lane]->solve(matrix, row, sweeps, solved.row(row));
      }
      control.advance(chunks[chunk + 1] - chunks[chunk]);
    }
  });
}

// Uniform in (0, 1) times what makes the mean product the mean of the matrix.
void draw(const CsrView& matrix, MatrixView<float> factors, double scale, uint64_t seed, uint64_t side) {
  for (size_t row = 0; row < factors.rows; ++row) {
    const bool known = matrix.offsets[row + 1] > matrix.offsets[row];
    Rng rng(seed, 2 * static_cast<uint64_t>(row) + side);
    for (float& value : factors.row_span(row)) value = known ? static_cast<float>(scale * rng.uniform()) : 0.0f;
  }
}

MatrixView<const float> view(MatrixView<float> matrix) { return {matrix.data, matrix.rows, matrix.dim}; }

}  // namespace

void nmf_train(const CsrView& matrix, const CsrView& transposed, const NmfParams& params, MatrixView<float> users,
               MatrixView<float> items, TaskControl& control) {
  if (matrix.entries() == 0) throw Error("EMPTY_DATASET", "There are no interactions to train on.");
  check(matrix);
  control.set_total(params.iterations * (matrix.rows() + matrix.cols) + matrix.rows());
  double sum = 0;
  for (const float value : matrix.values) sum += value;
  const double cells = params.observed_only ? static_cast<double>(matrix.entries())
                                            : static_cast<double>(matrix.rows()) * static_cast<double>(matrix.cols);
  // The mean of a product of two uniforms is a quarter.
  const double scale = std::sqrt(4 * sum / cells / static_cast<double>(users.dim));
  draw(matrix, users, scale, params.seed, 0);
  draw(transposed, items, scale, params.seed, 1);
  for (size_t iteration = 0; iteration < params.iterations; ++iteration) {
    solve_rows(transposed, view(users), nullptr, params, 1, items, control);
    solve_rows(matrix, view(items), nullptr, params, 1, users, control);
  }
  solve_rows(matrix, view(items), nullptr, params, kMostSweeps, users, control);
}

void nmf_fold_in(const CsrView& matrix, MatrixView<const float> items, const float* gramian, const NmfParams& params,
                 MatrixView<float> users, TaskControl& control) {
  check(matrix);
  control.set_total(matrix.rows());
  std::fill_n(users.data, users.rows * users.dim, 0.0f);
  solve_rows(matrix, items, gramian, params, kMostSweeps, users, control);
}

}  // namespace nigh

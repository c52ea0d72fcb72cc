#include "train/rating_als.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "base/cholesky.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "train/row_chunks.h"
#include "train/tall_matrix.h"

namespace nigh {

namespace {

// Solves one row against the fixed side. Scratch of one thread.
class RowSolver {
 public:
  explicit RowSolver(const RatingFoldIn& fixed)
      : fixed_(fixed),
        size_(fixed.items.dim + 1),
        system_(size_ * size_),
        solution_(size_),
        gathered_(PanelProduct::kRows * size_),
        panels_(size_, size_) {}

  void solve(const CsrView& ratings, const float* weights, size_t row, float* x, float* bias) {
    const size_t first = ratings.offsets[row];
    const size_t count = ratings.offsets[row + 1] - first;
    const size_t dim = fixed_.items.dim;
    if (count == 0) {
      std::fill_n(x, dim, 0.0f);
      *bias = 0;
      return;
    }
    std::fill(system_.begin(), system_.end(), 0.0);
    std::fill(solution_.begin(), solution_.end(), 0.0);
    double total = 0;
    for (size_t begin = 0; begin < count; begin += PanelProduct::kRows) {
      const size_t rows = std::min(PanelProduct::kRows, count - begin);
      for (size_t e = 0; e < rows; ++e) {
        const size_t at = first + begin + e;
        total += add_entry(ratings.columns[at], ratings.values[at], weights == nullptr ? 1 : weights[at],
                           gathered_.data() + e * size_);
      }
      panels_.add(gathered_.data(), nullptr, rows, system_.data());
    }
    for (size_t k = 0; k < size_; ++k) system_[k * size_ + k] += double{fixed_.regularization} * total;
    if (!cholesky_factor(system_.data(), size_)) {
      throw Error("INVALID_ARGUMENT", "The factors of a row are not determined by its ratings: raise regularization.");
    }
    cholesky_solve(system_.data(), size_, solution_.data());
    for (size_t k = 0; k < dim; ++k) x[k] = static_cast<float>(solution_[k]);
    *bias = static_cast<float>(solution_[dim]);
  }

 private:
  // √w [q; 1] to `target`, w (r − μ − b)[q; 1] to the right side; gives w.
  double add_entry(uint32_t column, float rating, float weight, float* target) {
    const size_t dim = fixed_.items.dim;
    const float* q = fixed_.items.row(column);
    const float root = std::sqrt(weight);
    const double residual = double{weight} * (double{rating} - fixed_.mean - fixed_.item_biases[column]);
    for (size_t k = 0; k < dim; ++k) {
      target[k] = root * q[k];
      solution_[k] += residual * q[k];
    }
    target[dim] = root;
    solution_[dim] += residual;
    return weight;
  }

  const RatingFoldIn& fixed_;
  size_t size_;
  std::vector<double> system_;
  std::vector<double> solution_;
  Buffer<float> gathered_;
  PanelProduct panels_;
};

void solve_rows(const CsrView& ratings, const float* weights, const RatingFoldIn& fixed, size_t max_lanes, MatrixView<float> rows,
                float* biases, TaskControl& control) {
  // A row costs a factorisation, whatever its entries.
  const std::vector<size_t> chunks = row_chunks(ratings, 16 + fixed.items.dim / 2, 4096);
  std::vector<std::unique_ptr<RowSolver>> lanes(ThreadPool::shared().lanes(max_lanes));
  ThreadPool::shared().parallel_for(chunks.size() - 1, 1, max_lanes, [&](size_t begin, size_t end, size_t lane) {
    if (!lanes[lane]) lanes[lane] = std::make_unique<RowSolver>(fixed);
    for (size_t chunk = begin; chunk < end; ++chunk) {
      control.check();
      for (size_t row = chunks[chunk]; row < chunks[chunk + 1]; ++row) {
        lanes[lane]->solve(ratings, weights, row, rows.row(row), biases + row);
      }
      control.advance(chunks[chunk + 1] - chunks[chunk]);
    }
  });
}

MatrixView<const float> view(MatrixView<float> matrix) { return {matrix.data, matrix.rows, matrix.dim}; }

}  // namespace

void rating_als(const CsrView& ratings, const CsrView& transposed, const RatingAlsParams& params, const RatingFactors& out,
                TaskControl& control) {
  require_entries(ratings);
  control.set_total(params.iterations * (ratings.rows() + ratings.cols));
  draw_factors(ratings, out.users, params.init_stddev, params.seed, 0, params.max_lanes);
  std::fill_n(out.user_biases, out.users.rows, 0.0f);
  for (size_t iteration = 0; iteration < params.iterations; ++iteration) {
    solve_rows(transposed, nullptr, {view(out.users), out.user_biases, params.mean, params.regularization}, params.max_lanes,
               out.items, out.item_biases, control);
    solve_rows(ratings, nullptr, {view(out.items), out.item_biases, params.mean, params.regularization}, params.max_lanes,
               out.users, out.user_biases, control);
    check_converged(out, "Raise regularization.");
  }
}

void rating_fold_in(const CsrView& ratings, const float* weights, const RatingFoldIn& model, size_t max_lanes,
                    MatrixView<float> users, float* user_biases, TaskControl& control) {
  if (weights != nullptr) {
    for (size_t e = 0; e < ratings.entries(); ++e) {
      if (!(weights[e] > 0) || !std::isfinite(weights[e])) {
        throw Error("INVALID_ARGUMENT", "weights: expected finite numbers above 0.");
      }
    }
  }
  control.set_total(ratings.rows());
  solve_rows(ratings, weights, model, max_lanes, users, user_biases, control);
}

}  // namespace nigh

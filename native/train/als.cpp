// Implicit alternating least squares, see als.h for the objective.
//
//   paper (Rendle et al.)      here
//   W, H  user, item factors   user_factors, item_factors (P, Q in comments)
//   α₀                         unobserved_weight (w0)
//   λ, ν, σ*                   regularization, frequency_exponent, init_stddev
//   d                          factors
//
// Deviations: items are solved before users, so that training ends on the users; rows are solved by preconditioned conjugate
// gradients or by Cholesky (paper: Cholesky); confidences may differ by entry (paper: 1).
//
// Outline of a half-sweep, which solves one side X against the other, fixed side Y:
//   1. G = w0 YᵀY in double, G = V Λ Vᵀ.
//   2. Y ← Y V. In this basis the part of the row equations that all rows share is the diagonal Λ: a CG step costs dim
//      operations for it instead of dim², and a row of few entries can be solved through its small dual.
//   3. Each row of X: (Λ + r I + Σ c y yᵀ) x = Σ c y + r m. Rows that start from their last value are taken into the new basis
//      first. m is zero but for items with features: there it is B g, B being fitted before step 1 to the items as they are.
// Both sides now live in the same new basis. The bases' product is undone after the last half-sweep: eigenvectors of close
// eigenvalues are badly determined, and so the factors do not depend on them.
#include "train/als.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/rng.h"
#include "base/thread_pool.h"
#include "simd/kernels.h"
#include "train/als_cg_solver.h"
#include "train/als_exact_solver.h"
#include "train/ridge_map.h"
#include "train/row_chunks.h"
#include "train/symmetric_eigen.h"
#include "train/tall_matrix.h"

namespace nigh {

namespace {

// An entry is the unit of work; a row costs some more. A chunk is some hundred microseconds.
constexpr size_t kRowCost = 8;
constexpr size_t kChunkCost = 4096;
constexpr size_t kMostRowsOfChunk = kChunkCost / kRowCost;

// Up to this many entries for each CG step the exact dual solution is the cheaper one.
constexpr size_t kExactEntriesPerCgStep = 4;

class Training {
 public:
  Training(const AlsParams& params, TaskControl& control) : params_(params), control_(control), basis_(dim() * dim()) {
    for (size_t i = 0; i < dim(); ++i) basis_[i * dim() + i] = 1;
  }

  size_t dim() const { return params_.factors; }

  // Each row from its own stream: any thread may draw it.
  void initialize(MatrixView<float> factors, uint64_t side) {
    const double scale = double{params_.init_stddev} / std::sqrt(static_cast<double>(dim()));
    ThreadPool::shared().parallel_for(factors.rows, 256, params_.max_lanes, [&](size_t begin, size_t end, size_t) {
      for (size_t row = begin; row < end; ++row) {
        Rng rng(params_.seed, 2 * static_cast<uint64_t>(row) + side);
        for (float& value : factors.row_span(row)) value = static_cast<float>(scale * rng.normal());
      }
    });
  }

  // `matrix` has the rows of `solved` and the columns of `fixed`. `means` (solved.rows × dim), in the basis that was left last,
  // may be empty; afterwards it is in the new one.
  void half_sweep(const CsrView& matrix, const std::vector<size_t>& chunks, MatrixView<float> fixed, MatrixView<float> solved,
                  bool exact, Buffer<float>& means) {
    const std::vector<float> vectors = enter_eigenbasis(fixed);
    if (means.size() != 0) {
      tall_project({means.data(), solved.rows, dim()}, vectors.data(), dim(), params_.max_lanes, means.data());
    }
    means_ = means.size() == 0 ? nullptr : means.data();
    const MatrixView<const float> fixed_view{fixed.data, fixed.rows, fixed.dim};
    std::vector<std::unique_ptr<Lane>> lanes(ThreadPool::shared().lanes(params_.max_lanes));
    ThreadPool::shared().parallel_for(chunks.size() - 1, 1, params_.max_lanes, [&](size_t begin, size_t end, size_t number) {
      if (!lanes[number]) lanes[number] = std::make_unique<Lane>(fixed_view, shared_.data());
      for (size_t chunk = begin; chunk < end; ++chunk) {
        control_.check();
        solve_rows(matrix, chunks[chunk], chunks[chunk + 1], vectors.data(), solved, exact, *lanes[number]);
        control_.advance(chunks[chunk + 1] - chunks[chunk]);
      }
    });
  }

  // Back into the basis that training started in.
  void leave_basis(MatrixView<float> factors) {
    std::vector<float> directions(basis_.begin(), basis_.end());
    tall_project({factors.data, factors.rows, factors.dim}, directions.data(), dim(), params_.max_lanes, factors.data);
  }

 private:
  struct Lane {
    Lane(MatrixView<const float> fixed, const double* shared)
        : exact(fixed, shared, true),
          cg(fixed, shared),
          starts(kMostRowsOfChunk * fixed.dim),
          turned(kMostRowsOfChunk * fixed.dim),
          scratch(kernels().gemm_scratch(kMostRowsOfChunk, fixed.dim, fixed.dim)) {}
    AlsExactSolver exact;
    AlsCgSolver cg;
    std::vector<size_t> cg_rows;
    Buffer<float> starts;  // warm starts of cg_rows in the old basis
    Buffer<float> turned;  // the same in the new one
    Buffer<float> scratch;
  };

  // Steps 1 and 2; returns the new directions as rows.
  std::vector<float> enter_eigenbasis(MatrixView<float> fixed) {
    const MatrixView<const float> view{fixed.data, fixed.rows, fixed.dim};
    std::vector<double> gramian(dim() * dim()), vectors(dim() * dim());
    shared_.resize(dim());
    tall_cross(view, view, params_.max_lanes, gramian.data());
    for (const double value : gramian) {
      if (!std::isfinite(value)) als_overflow();
    }
    symmetric_eigen(gramian.data(), dim(), shared_.data(), vectors.data());
    check_collapse(shared_[0]);
    for (double& value : shared_) value = double{params_.unobserved_weight} * std::max(value, 0.0);

    std::vector<float> directions(vectors.begin(), vectors.end());
    tall_project(view, directions.data(), dim(), params_.max_lanes, fixed.data);
    turn_basis(vectors);
    return directions;
  }

  // Where regularisation outweighs the data, zero is the minimum: factors shrink with every half-sweep, and what is left of them
  // says nothing. `spectrum` is the largest eigenvalue of the fixed side's Gram matrix, so the root of two of them bounds every
  // |p·q|. The first two half-sweeps still know the random start.
  void check_collapse(double spectrum) {
    constexpr double kSmallestPrediction = 1e-8;
    if (++half_sweeps_ > 3 && std::sqrt(spectrum * last_spectrum_) < kSmallestPrediction) {
      throw Error("INVALID_ARGUMENT",
                  "The factors have shrunk to zero: unobservedWeight and regularization outweigh the interactions of so sparse a "
                  "matrix. Lower unobservedWeight, regularization or frequencyExponent.");
    }
    last_spectrum_ = spectrum;
  }

  // basis_ ← basis_ · vectorsᵀ: column k is the direction, in the starting basis, of today's coordinate k.
  void turn_basis(const std::vector<double>& vectors) {
    std::vector<double> next(dim() * dim());
    for (size_t i = 0; i < dim(); ++i) {
      for (size_t k = 0; k < dim(); ++k) {
        const double* direction = vectors.data() + k * dim();
        const double* row = basis_.data() + i * dim();
        double sum = 0;
        for (size_t j = 0; j < dim(); ++j) sum += row[j] * direction[j];
        next[i * dim() + k] = sum;
      }
    }
    basis_ = std::move(next);
  }

  // Step 3 for the rows [begin, end).
  void solve_rows(const CsrView& matrix, size_t begin, size_t end, const float* directions, MatrixView<float> solved, bool exact,
                  Lane& lane) {
    lane.cg_rows.clear();
    for (size_t row = begin; row < end; ++row) {
      const AlsRow entries = als_row(matrix, row);
      if (!exact && entries.count > kExactEntriesPerCgStep * params_.cg_steps) {
        std::copy_n(solved.row(row), dim(), lane.starts.data() + lane.cg_rows.size() * dim());
        lane.cg_rows.push_back(row);
      } else {
        lane.exact.solve(entries, als_ridge(params_, entries.count, matrix.cols), mean_of(row), solved.row(row));
      }
    }
    if (lane.cg_rows.empty()) return;
    kernels().gemm_nt(lane.starts.data(), lane.cg_rows.size(), directions, dim(), dim(), lane.turned.data(), dim(),
                      lane.scratch.data());
    for (size_t i = 0; i < lane.cg_rows.size(); ++i) {
      const AlsRow entries = als_row(matrix, lane.cg_rows[i]);
      float* x = lane.turned.data() + i * dim();
      lane.cg.solve(entries, als_ridge(params_, entries.count, matrix.cols), mean_of(lane.cg_rows[i]), params_.cg_steps, x);
      std::copy_n(x, dim(), solved.row(lane.cg_rows[i]));
    }
  }

  const float* mean_of(size_t row) const { return means_ == nullptr ? nullptr : means_ + row * dim(); }

  const AlsParams& params_;
  TaskControl& control_;
  std::vector<double> shared_;    // w0 Λ of this half-sweep
  std::vector<double> basis_;     // dim × dim, product of all bases entered
  const float* means_ = nullptr;  // of this half-sweep
  size_t half_sweeps_ = 0;
  double last_spectrum_ = 0;
};

void check_training(const CsrView& users_items, const CsrView& items_users, const AlsParams& params) {
  als_check_params(params);
  if (params.iterations == 0) throw Error("INVALID_ARGUMENT", "iterations: expected at least 1, got 0.");
  if (!std::isfinite(params.init_stddev) || params.init_stddev <= 0) {
    throw Error("INVALID_ARGUMENT",
                "initStddev: expected a finite number above 0, got " + std::to_string(params.init_stddev) + ".");
  }
  if (users_items.rows() != items_users.cols || users_items.cols != items_users.rows() ||
      users_items.entries() != items_users.entries()) {
    throw Error("INVALID_ARGUMENT", "itemsUsers: expected the transpose of usersItems, got another shape or number of entries.");
  }
  if (users_items.entries() == 0) {
    throw Error("EMPTY_DATASET", "There are no interactions to train on (" + std::to_string(users_items.rows()) + " users, " +
                                     std::to_string(users_items.cols) + " items).");
  }
  als_check_confidences(users_items, params.dislikes, "usersItems");
  als_check_confidences(items_users, params.dislikes, "itemsUsers");
}

// The means that features give the items.
class ItemPrior {
 public:
  ItemPrior(const AlsFeatures* features, const CsrView& items_users, const AlsParams& params)
      : features_(features), lanes_(params.max_lanes) {
    if (features == nullptr) return;
    if (features->rows.rows != items_users.rows()) {
      throw Error("DIMENSION_MISMATCH", "features: expected " + std::to_string(items_users.rows()) +
                                            " rows, one for every item, got " + std::to_string(features->rows.rows) + ".");
    }
    std::vector<float> weights(items_users.rows());
    for (size_t item = 0; item < weights.size(); ++item) {
      const size_t count = items_users.offsets[item + 1] - items_users.offsets[item];
      weights[item] = count == 0 ? 0.0f : static_cast<float>(als_ridge(params, count, items_users.cols));
    }
    map_.emplace(features->rows, weights, double{features->regularization}, lanes_);
  }

  // Without features, and before anything was learnt, there are none.
  void fit(MatrixView<float> items) {
    if (features_ == nullptr) return;
    map_->fit({items.data, items.rows, items.dim}, lanes_, features_->map);
    if (means.size() == 0) means = Buffer<float>(items.rows * items.dim);
    tall_project(features_->rows, features_->map, items.dim, lanes_, means.data());
  }

  Buffer<float> means;

 private:
  const AlsFeatures* features_;
  size_t lanes_;
  std::optional<RidgeMap> map_;
};

}  // namespace

void als_train(const CsrView& users_items, const CsrView& items_users, const AlsParams& params, const AlsFeatures* features,
               float* user_factors, float* item_factors, TaskControl& control) {
  check_training(users_items, items_users, params);
  ItemPrior prior(features, items_users, params);
  Buffer<float> no_means;
  const MatrixView<float> users{user_factors, users_items.rows(), params.factors};
  const MatrixView<float> items{item_factors, users_items.cols, params.factors};
  control.set_total(params.iterations * (users.rows + items.rows));
  const std::vector<size_t> user_chunks = row_chunks(users_items, kRowCost, kChunkCost);
  const std::vector<size_t> item_chunks = row_chunks(items_users, kRowCost, kChunkCost);

  Training training(params, control);
  training.initialize(users, 0);
  training.initialize(items, 1);
  for (size_t iteration = 0; iteration < params.iterations; ++iteration) {
    const bool last = iteration + 1 == params.iterations;
    if (iteration > 0) prior.fit(items);
    training.half_sweep(items_users, item_chunks, users, items, params.cg_steps == 0, prior.means);
    training.half_sweep(users_items, user_chunks, items, users, params.cg_steps == 0 || last, no_means);
  }
  training.leave_basis(users);
  training.leave_basis(items);
  prior.fit(items);
}

void als_gramian(MatrixView<const float> factors_matrix, float unobserved_weight, size_t max_lanes, float* gramian) {
  std::vector<double> sum(factors_matrix.dim * factors_matrix.dim);
  tall_cross(factors_matrix, factors_matrix, max_lanes, sum.data());
  for (size_t i = 0; i < sum.size(); ++i) gramian[i] = static_cast<float>(double{unobserved_weight} * sum[i]);
}

void als_fold_in(const CsrView& histories, MatrixView<const float> item_factors, const float* gramian, const float* means,
                 const AlsParams& params, size_t other_side_total, size_t max_lanes, float* out, TaskControl& control) {
  als_check_params(params);
  if (item_factors.dim != params.factors || histories.cols != item_factors.rows) {
    throw Error("DIMENSION_MISMATCH", "itemFactors: expected " + std::to_string(histories.cols) + " rows of " +
                                          std::to_string(params.factors) + " factors, got " + std::to_string(item_factors.rows) +
                                          " of " + std::to_string(item_factors.dim) + ".");
  }
  als_check_confidences(histories, params.dislikes, "histories");
  control.set_total(histories.rows());
  const size_t dim = params.factors;
  const std::vector<double> shared(gramian, gramian + dim * dim);
  // A row costs a Cholesky factorisation, which is more than hundreds of entries.
  const std::vector<size_t> chunks = row_chunks(histories, 8 * dim, 64 * dim);
  std::vector<std::unique_ptr<AlsExactSolver>> lanes(ThreadPool::shared().lanes(max_lanes));
  ThreadPool::shared().parallel_for(chunks.size() - 1, 1, max_lanes, [&](size_t begin, size_t end, size_t lane) {
    if (!lanes[lane]) lanes[lane] = std::make_unique<AlsExactSolver>(item_factors, shared.data(), false);
    for (size_t chunk = begin; chunk < end; ++chunk) {
      control.check();
      for (size_t row = chunks[chunk]; row < chunks[chunk + 1]; ++row) {
        const AlsRow entries = als_row(histories, row);
        const float* mean = means == nullptr ? nullptr : means + row * dim;
        lanes[lane]->solve(entries, als_ridge(params, entries.count, other_side_total), mean, out + row * dim);
        if (entries.count == 0 && mean != nullptr) std::copy_n(mean, dim, out + row * dim);
      }
      control.advance(chunks[chunk + 1] - chunks[chunk]);
    }
  });
}

}  // namespace nigh

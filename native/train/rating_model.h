// Biased matrix factorisation of ratings: r̂ = s(μ + b_u + b_i + p_u·q_i).
//
// Koren, Bell and Volinsky, "Matrix factorization techniques for recommender systems", Computer 42(8), 2009. Two solvers fill the
// same model: rating_sgd.h and rating_als.h.
#pragma once

#include <cstddef>

#include "base/matrix_view.h"

namespace nigh {

/// Where a solver writes. Rows without entries get zeros: nothing is known of them.
struct RatingFactors {
  MatrixView<float> users;
  MatrixView<float> items;
  float* user_biases;
  float* item_biases;
};

/// N(0, stddev) for the rows of `factors` that have entries in `matrix`, zeros for the others. Each row from its own stream: any
/// thread may draw it. `side` is 0 or 1.
void draw_factors(const CsrView& matrix, MatrixView<float> factors, float stddev, uint64_t seed, uint64_t side, size_t max_lanes);

/// Throws INVALID_ARGUMENT when a factor or bias is not finite, saying what to do about it.
void check_converged(const RatingFactors& factors, const char* advice);

/// Throws EMPTY_DATASET for a matrix without entries.
void require_entries(const CsrView& matrix);

}  // namespace nigh

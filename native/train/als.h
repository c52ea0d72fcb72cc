// Implicit alternating least squares.
//
// Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008, with the objective of Rendle,
// Krichene, Zhang and Koren, "Revisiting the performance of iALS on item recommendation benchmarks", RecSys 2022 (arXiv
// 2110.14037):
//
//   min Σ_{(u,i) ∈ S} c_ui (1 − p_u·q_i)² + w0 Σ_{u,i} (p_u·q_i)² + λ Σ_u (n_u + w0 |I|)^ν |p_u|² + λ Σ_i (n_i + w0 |U|)^ν |q_i|²
//
// The second sum runs over all pairs, the observed ones too, so c_ui is the weight of an observed pair *in addition to* w0, and
// its prediction is pulled to 1 with c_ui and to 0 with w0. n_u is the number of entries of u, not the sum of their confidences.
// In Hu et al.'s terms: w0 = 1, c_ui = α r_ui, but for their target of 1 with the full weight 1 + α r_ui.
//
// Two additions. A pair that is known to be disliked asks for a score of 0 with a confidence of its own, beyond w0. And where
// something is known of the items besides who chose them, features g_i, an item's row is pulled to a linear map of them instead
// of to zero: the last term becomes Σ_i r_i |q_i − B g_i|², r_i = λ (n_i + w0 |U|)^ν, and B is the ridge regression of the q_i on
// the g_i with these weights (ridge_map.h), found anew before every sweep of the items.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/matrix_view.h"
#include "base/task_control.h"

namespace nigh {

struct AlsParams {
  size_t factors = 64;
  size_t iterations = 12;
  float unobserved_weight = 0.3f;   // w0
  float regularization = 0.007f;    // λ
  float frequency_exponent = 1.0f;  // ν
  float init_stddev = 0.1f;         // entries start as N(0, init_stddev / √factors)
  uint64_t seed = 42;
  size_t cg_steps = 3;    // 0 solves every row by Cholesky instead
  bool dislikes = false;  // whether values below 0 are confidences of a score of 0, rather than an error
  size_t max_lanes = 0;
};

/// What is known of the items besides the interactions.
struct AlsFeatures {
  MatrixView<const float> rows;  // items × features; zeros where nothing is known, so that the row is pulled to zero
  float regularization;          // of the map, relative: see ridge_map.h
  float* map;                    // out, factors × features: B of the final items
};

/// Trains on `users_items` (users × items, values are the confidences c_ui > 0, or under `dislikes` their negatives) and its
/// transpose `items_users`. Writes user_factors (users × factors) and item_factors (items × factors). The same seed gives the
/// same bytes on any number of threads (at one SIMD level).
///
/// Each iteration solves all items, then all users. The last half-sweep solves every user exactly whatever cg_steps says, so
/// that user_factors are what als_fold_in gives for the same history, up to rounding. In the other half-sweeps a row of at most
/// 4 · cg_steps entries is solved exactly too, because that is cheaper than its CG steps. Rows without entries get the zero
/// vector, which is where the objective has its minimum; items without entries also under `features` (null: none are known), so
/// that they do not weigh on the users: their place is `map` times their features.
///
/// `control` counts solved rows: iterations × (users + items). After cancel() it throws ABORTED within a few thousand rows; the
/// outputs then hold nothing of use. Throws EMPTY_DATASET for a matrix without rows, columns or entries; INVALID_ARGUMENT for
/// parameters out of range, confidences that are not finite or not positive, matrices that are not of transposed shape, when
/// the equations of a row are not positive definite (raise regularization) or overflow, and when the factors shrink to zero,
/// which is the minimum where λ and w0 outweigh a very sparse matrix (lower them; w0 |I| should not dwarf n_u).
void als_train(const CsrView& users_items, const CsrView& items_users, const AlsParams& params, const AlsFeatures* features,
               float* user_factors, float* item_factors, TaskControl& control);

/// w0 QᵀQ (factors × factors) of `factors_matrix`, the part of a row solve that all rows share. Keep it to fold in many users.
void als_gramian(MatrixView<const float> factors_matrix, float unobserved_weight, size_t max_lanes, float* gramian);

/// The exact row solve (Cholesky) for each row of `histories` (rows × items) against fixed item factors: what training would
/// give that user. out is histories.rows() × factors; a row without entries is the zero vector.
///
/// `gramian` is als_gramian of the same factors and weight. `other_side_total` is |I|, the number of items at training, which
/// the regularisation of a user depends on; it may differ from the rows of `item_factors` where items were added or left out
/// since. To fold in items instead, swap the sides: user factors, their Gramian, |U|. `means` (histories.rows() × factors) are
/// the rows that regularisation pulls to, and what a row without entries becomes; null: zero. Of `params` only factors,
/// regularization, frequency_exponent, unobserved_weight and dislikes are read.
///
/// Throws INVALID_ARGUMENT as als_train does, and DIMENSION_MISMATCH when shapes contradict each other.
void als_fold_in(const CsrView& histories, MatrixView<const float> item_factors, const float* gramian, const float* means,
                 const AlsParams& params, size_t other_side_total, size_t max_lanes, float* out, TaskControl& control);

}  // namespace nigh

// Implicit alternating least squares.
//
// Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008, with the objective of Rendle,
// Krichene, Zhang and Koren, "Revisiting the performance of iALS on item recommendation benchmarks", RecSys 2022 (arXiv
// 2110.14037):
//
//   min Σ_{(u,i) ∈ S} c_ui (1 − p_u·q_i)² + w0 Σ_{u,i} (p_u·q_i)² + λ Σ_u (n_u + w0 |I|)^ν |p_u|² + λ Σ_i (n_i + w0 |U|)^ν |q_i|²
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/matrix_view.h"
#include "base/task_control.h"

namespace nigh {

struct AlsParams {
  size_t factors = 64;
  size_t iterations = 12;
  float unobserved_weight = 0.3f;        // w0
  float regularization = 0.007f;         // λ
  float frequency_exponent = 1.0f;       // ν
  float init_stddev = 0.1f;              // entries start as N(0, init_stddev / √factors)
  uint64_t seed = 42;
  size_t cg_steps = 3;                   // 0 solves every row by Cholesky instead
  size_t max_lanes = 0;
};

/// Trains on `users_items` (users × items, values are the confidences c_ui > 0) and its transpose `items_users`. Writes
/// user_factors (users × factors) and item_factors (items × factors). The same seed gives the same bytes on any number of
/// threads. `control` counts solved rows: iterations × (users + items).
void als_train(const CsrView& users_items, const CsrView& items_users, const AlsParams& params, float* user_factors,
               float* item_factors, TaskControl& control);

/// w0 QᵀQ (factors × factors) of `factors_matrix`, the part of a row solve that all rows share. Keep it to fold in many users.
void als_gramian(MatrixView<const float> factors_matrix, float unobserved_weight, size_t max_lanes, float* gramian);

/// The exact row solve (Cholesky) for each row of `histories` (rows × items) against fixed item factors: what training would
/// give that user. out is histories.rows() × factors; a row without entries is the zero vector.
void als_fold_in(const CsrView& histories, MatrixView<const float> item_factors, const float* gramian, const AlsParams& params,
                 size_t other_side_total, size_t max_lanes, float* out, TaskControl& control);

}  // namespace nigh

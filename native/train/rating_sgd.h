// Biased matrix factorisation by stochastic gradient descent: Koren, Bell and Volinsky 2009, on the strata of Gemulla et al.
// 2011.
//
//   paper          here
//   μ              mean
//   γ              learning_rate
//   λ              regularization
//   p_u, q_i       users, items
//   e_ui           error
//
// For each rating, with x = μ + b_u + b_i + p·q and e = (r − s(x)) s'(x):
//   b_u += γ (e − λ b_u),  b_i += γ (e − λ b_i),  p += γ (e q − λ p),  q += γ (e p − λ q)
// where s is the identity, or low + span · σ(x), which keeps every prediction inside a range.
#pragma once

#include <cstdint>

#include "base/task_control.h"
#include "train/rating_model.h"

namespace nigh {

struct RatingSgdParams {
  size_t epochs = 20;
  float learning_rate = 0.005f;
  float regularization = 0.02f;
  float init_stddev = 0.1f;
  uint64_t seed = 42;
  size_t max_lanes = 0;
  float mean = 0;  // in front of the sigmoid, where there is one
  bool sigmoid = false;
  float low = 0;   // of the sigmoid's range
  float span = 1;  // of the sigmoid's range
};

/// Trains on `ratings` (users × items) and its transpose. The same seed gives the same bytes on any number of threads (at one
/// SIMD level). `control` counts ratings: epochs × entries. Throws EMPTY_DATASET, INVALID_ARGUMENT when the training diverges,
/// ABORTED.
void rating_sgd(const CsrView& ratings, const CsrView& transposed, const RatingSgdParams& params, const RatingFactors& out,
                TaskControl& control);

}  // namespace nigh

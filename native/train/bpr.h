// Bayesian personalised ranking of choices: matrix factorisation that puts what was chosen above what was not.
//
// Rendle, Freudenthaler, Gantner and Schmidt-Thieme, "BPR: Bayesian personalized ranking from implicit feedback", UAI 2009, on
// the strata of Gemulla et al. 2011 (sgd_strata.h):
//
//   max Σ ln σ(x_ui − x_uj) − λ |Θ|²,   x_ui = b_i + p_u·q_i,   i chosen by u, j not
//
//   paper      here
//   W, H       users, items
//   α          learning_rate
//   λ_Θ        regularization
//
// Deviations: an epoch visits every interaction once, in a random order (the paper draws with replacement), each with one j; j is
// drawn uniformly from the column group of i, which is drawn anew every epoch, so over the epochs from all items.
#pragma once

#include <cstdint>

#include "base/task_control.h"
#include "train/rating_model.h"

namespace nigh {

struct BprParams {
  size_t epochs = 100;
  float learning_rate = 0.05f;
  float regularization = 0.01f;
  float init_stddev = 0.1f;
  uint64_t seed = 42;
  size_t max_lanes = 0;
};

/// Trains on `interactions` (users × items; their values do not count) and its transpose. `out.user_biases` are zeros: a user's
/// own bias does not change their order. A user who has every item of a group skips it. The same seed gives the same bytes on any
/// number of threads (at one SIMD level). `control` counts interactions: epochs × entries. Throws EMPTY_DATASET, INVALID_ARGUMENT
/// when the training diverges, ABORTED.
void bpr_train(const CsrView& interactions, const CsrView& transposed, const BprParams& params, const RatingFactors& out,
               TaskControl& control);

}  // namespace nigh

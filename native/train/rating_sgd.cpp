#include "train/rating_sgd.h"

#include <algorithm>
#include <cmath>

#include "simd/kernels.h"
#include "train/sgd_strata.h"

namespace nigh {

namespace {

// Both vectors take their step from the other's value before it.
void step(float* __restrict p, float* __restrict q, size_t dim, float keep, float along) {
  for (size_t k = 0; k < dim; ++k) {
    const float user = p[k];
    const float item = q[k];
    p[k] = keep * user + along * item;
    q[k] = keep * item + along * user;
  }
}

template <bool kSigmoid>
void visit(const SgdCell& cell, const RatingSgdParams& params, const RatingFactors& out) {
  const auto dot = kernels().dot;
  const size_t dim = out.users.dim;
  const float rate = params.learning_rate;
  const float keep = 1 - rate * params.regularization;
  for (const SgdEntry& entry : cell.entries) {
    float* p = out.users.row(entry.row);
    float* q = out.items.row(entry.column);
    float& user_bias = out.user_biases[entry.row];
    float& item_bias = out.item_biases[entry.column];
    const float x = params.mean + user_bias + item_bias + dot(p, q, dim);
    float error;
    if constexpr (kSigmoid) {
      const float share = 1 / (1 + std::exp(-x));
      error = (entry.value - params.low - params.span * share) * params.span * share * (1 - share);
    } else {
      error = entry.value - x;
    }
    const float along = rate * error;
    user_bias = keep * user_bias + along;
    item_bias = keep * item_bias + along;
    step(p, q, dim, keep, along);
  }
}

}  // namespace

void rating_sgd(const CsrView& ratings, const CsrView& transposed, const RatingSgdParams& params, const RatingFactors& out,
                TaskControl& control) {
  require_entries(ratings);
  control.set_total(params.epochs * ratings.entries());
  draw_factors(ratings, out.users, params.init_stddev, params.seed, 0, params.max_lanes);
  draw_factors(transposed, out.items, params.init_stddev, params.seed, 1, params.max_lanes);
  std::fill_n(out.user_biases, out.users.rows, 0.0f);
  std::fill_n(out.item_biases, out.items.rows, 0.0f);

  SgdStrata strata(ratings, params.seed);
  for (size_t epoch = 0; epoch < params.epochs; ++epoch) {
    strata.run_epoch(epoch, params.max_lanes, control, [&](const SgdCell& cell) {
      if (params.sigmoid) {
        visit<true>(cell, params, out);
      } else {
        visit<false>(cell, params, out);
      }
    });
    check_converged(out, "Lower learningRate.");
  }
}

}  // namespace nigh

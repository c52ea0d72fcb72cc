#include "train/bpr.h"

#include <algorithm>
#include <cmath>

#include "simd/kernels.h"
#include "train/sgd_strata.h"

namespace nigh {

namespace {

// A draw is refused while the user has the item; a user who has nearly all of a group is given up on.
constexpr size_t kMostDraws = 32;

bool has(const CsrView& interactions, uint32_t user, uint32_t item) {
  const uint32_t* begin = interactions.columns.data() + interactions.offsets[user];
  const uint32_t* end = interactions.columns.data() + interactions.offsets[user + 1];
  return std::binary_search(begin, end, item);
}

void step(float* __restrict p, float* __restrict chosen, float* __restrict other, size_t dim, float keep, float along) {
  for (size_t k = 0; k < dim; ++k) {
    const float user = p[k];
    const float difference = chosen[k] - other[k];
    p[k] = keep * user + along * difference;
    chosen[k] = keep * chosen[k] + along * user;
    other[k] = keep * other[k] - along * user;
  }
}

void visit(const SgdCell& cell, const CsrView& interactions, const BprParams& params, const RatingFactors& out) {
  const auto dot = kernels().dot;
  const size_t dim = out.users.dim;
  const float keep = 1 - params.learning_rate * params.regularization;
  const auto group_size = static_cast<uint32_t>(cell.columns.size());
  for (const SgdEntry& entry : cell.entries) {
    uint32_t other = 0;
    size_t draws = 0;
    do {
      other = cell.columns[cell.rng.below(group_size)];
    } while (has(interactions, entry.row, other) && ++draws < kMostDraws);
    if (draws == kMostDraws) continue;

    float* p = out.users.row(entry.row);
    float* q = out.items.row(entry.column);
    float* r = out.items.row(other);
    float& bias = out.item_biases[entry.column];
    float& other_bias = out.item_biases[other];
    const float x = bias - other_bias + dot(p, q, dim) - dot(p, r, dim);
    const float along = params.learning_rate / (1 + std::exp(x));
    bias = keep * bias + along;
    other_bias = keep * other_bias - along;
    step(p, q, r, dim, keep, along);
  }
}

}  // namespace

void bpr_train(const CsrView& interactions, const CsrView& transposed, const BprParams& params, const RatingFactors& out,
               TaskControl& control) {
  require_entries(interactions);
  control.set_total(params.epochs * interactions.entries());
  draw_factors(interactions, out.users, params.init_stddev, params.seed, 0, params.max_lanes);
  draw_factors(transposed, out.items, params.init_stddev, params.seed, 1, params.max_lanes);
  std::fill_n(out.user_biases, out.users.rows, 0.0f);
  std::fill_n(out.item_biases, out.items.rows, 0.0f);

  SgdStrata strata(interactions, params.seed);
  for (size_t epoch = 0; epoch < params.epochs; ++epoch) {
    strata.run_epoch(epoch, params.max_lanes, control, [&](const SgdCell& cell) { visit(cell, interactions, params, out); });
    check_converged(out, "Lower learningRate.");
  }
}

}  // namespace nigh

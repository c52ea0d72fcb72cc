#include "train/rating_model.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"
#include "base/rng.h"
#include "base/thread_pool.h"

namespace nigh {

namespace {

bool all_finite(const float* values, size_t count) {
  // A sum of differences with itself is 0, or NaN as soon as one value is not finite.
  float sum = 0;
  for (size_t i = 0; i < count; ++i) sum += values[i] - values[i];
  return sum == 0;
}

}  // namespace

void draw_factors(const CsrView& matrix, MatrixView<float> factors, float stddev, uint64_t seed, uint64_t side,
                  size_t max_lanes) {
  ThreadPool::shared().parallel_for(factors.rows, 256, max_lanes, [&](size_t begin, size_t end, size_t) {
    for (size_t row = begin; row < end; ++row) {
      const bool known = matrix.offsets[row + 1] > matrix.offsets[row];
      Rng rng(seed, 2 * static_cast<uint64_t>(row) + side);
      for (float& value : factors.row_span(row)) value = known ? static_cast<float>(double{stddev} * rng.normal()) : 0.0f;
    }
  });
}

void check_converged(const RatingFactors& factors, const char* advice) {
  if (all_finite(factors.users.data, factors.users.rows * factors.users.dim) &&
      all_finite(factors.items.data, factors.items.rows * factors.items.dim) &&
      all_finite(factors.user_biases, factors.users.rows) && all_finite(factors.item_biases, factors.items.rows)) {
    return;
  }
  throw Error("INVALID_ARGUMENT", std::string("The training diverged: factors have grown beyond all bounds. ") + advice);
}

void require_entries(const CsrView& matrix) {
  if (matrix.entries() != 0) return;
  throw Error("EMPTY_DATASET", "There are no interactions to train on (" + std::to_string(matrix.rows()) + " users, " +
                                   std::to_string(matrix.cols) + " items).");
}

}  // namespace nigh

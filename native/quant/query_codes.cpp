#include "quant/query_codes.h"

#include <algorithm>
#include <cmath>

namespace nigh {

QueryCodes::QueryCodes(const float* query, size_t dim, size_t stride) : high(stride), low(stride) {
  constexpr float kLargest = 32512.0f;  // 255 · 127 + 127
  float largest = 0;
  double squares = 0;
  for (size_t i = 0; i < dim; ++i) {
    largest = std::max(largest, std::fabs(query[i]));
    squares += static_cast<double>(query[i]) * static_cast<double>(query[i]);
  }
  length = std::sqrt(squares);
  usable = largest == 0.0f || (largest >= 0x1p-60f && largest <= 0x1p50f);
  if (largest == 0.0f || !usable) return;
  step = largest / kLargest;
  double squared_error = 0;
  for (size_t i = 0; i < dim; ++i) {
    const int code = static_cast<int>(std::clamp(std::nearbyint(query[i] / step), -kLargest, kLargest));
    const int upper = static_cast<int>(std::nearbyint(static_cast<float>(code) / 255.0f));
    high[i] = static_cast<int8_t>(upper);
    low[i] = static_cast<int8_t>(code - 255 * upper);
    const double rest = static_cast<double>(query[i]) - static_cast<double>(step) * code;
    squared_error += rest * rest;
  }
  error = std::sqrt(squared_error) * (1 + 1e-9);
}

}  // namespace nigh

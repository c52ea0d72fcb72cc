#include "quant/sq8.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nigh {

Sq8Terms sq8_quantize(const float* vector, size_t dim, Metric metric, int8_t* out, size_t stride) {
  float largest = 0;
  for (size_t i = 0; i < dim; ++i) largest = std::max(largest, std::fabs(vector[i]));
  const float scale = largest / 127.0f;
  // Below the smallest normal float the reciprocal would overflow; such a vector is zero for the traversal.
  const float inverse = scale >= std::numeric_limits<float>::min() ? 1.0f / scale : 0.0f;
  int64_t squares = 0;
  for (size_t i = 0; i < dim; ++i) {
    const int code = static_cast<int>(std::clamp(std::nearbyint(vector[i] * inverse), -127.0f, 127.0f));
    out[i] = static_cast<int8_t>(code);
    squares += code * code;
  }
  std::memset(out + dim, 0, stride - dim);
  const auto length = std::sqrt(static_cast<float>(squares));
  if (squares == 0) return {};
  switch (metric) {
    case Metric::kL2:
      return {scale, scale * scale * static_cast<float>(squares)};
    case Metric::kCosine:
      return {1.0f / length, 0.0f};
    case Metric::kIp:
      return {scale, 1.0f / (scale * length)};
    default:
      return {};  // require_quantizable() lets no other metric come here
  }
}

void sq8_encode(const float* vector, size_t dim, Metric metric, const Sq8Rows& rows, size_t slot) {
  const Sq8Rows row = rows.from(slot);
  const Sq8Terms terms = sq8_quantize(vector, dim, metric, reinterpret_cast<int8_t*>(row.codes), row.stride);
  for (size_t i = 0; i < row.stride; ++i) row.codes[i] ^= 0x80;
  std::memcpy(row.terms, &terms, sizeof terms);
}

}  // namespace nigh

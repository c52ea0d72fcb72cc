#include "quant/sq8.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nigh {

namespace {

float scale_for(const float* values, size_t dim) {
  float largest = 0;
  for (size_t i = 0; i < dim; ++i) largest = std::max(largest, std::fabs(values[i]));
  return largest / 127.0f;
}

}  // namespace

float sq8_encode_query(const float* query, size_t dim, int8_t* out, size_t stride) {
  const float scale = scale_for(query, dim);
  // Below the smallest normal float the reciprocal would overflow; such a vector is zero for the traversal.
  const float inverse = scale >= std::numeric_limits<float>::min() ? 1.0f / scale : 0.0f;
  for (size_t i = 0; i < dim; ++i) out[i] = static_cast<int8_t>(std::clamp(std::nearbyint(query[i] * inverse), -127.0f, 127.0f));
  std::memset(out + dim, 0, stride - dim);
  return scale;
}

void sq8_encode(const float* row, size_t dim, float companion, uint8_t* out, size_t stride) {
  const float scale = sq8_encode_query(row, dim, reinterpret_cast<int8_t*>(out), stride);
  for (size_t i = 0; i < stride; ++i) out[i] ^= 0x80;
  std::memcpy(out + stride - 8, &scale, sizeof scale);
  std::memcpy(out + stride - 4, &companion, sizeof companion);
}

}  // namespace nigh

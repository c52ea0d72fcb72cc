#include "quant/f16.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"

namespace nigh {

namespace {

constexpr float kLargest = 65504.0f;
constexpr float kSmallestNormal = 0x1p-14f;  // below it halves lose a bit for every halving

}  // namespace

void f16_encode(const float* vector, size_t dim, Metric metric, uint8_t* out, size_t stride, size_t position) {
  float largest = 0;
  for (size_t i = 0; i < dim; ++i) largest = std::max(largest, std::fabs(vector[i]));
  if (largest > kLargest || (largest != 0 && largest < kSmallestNormal)) {
    throw Error("INVALID_ARGUMENT", "row " + std::to_string(position) +
                                        ": quantization \"f16\" expects vectors whose largest value is from 6.2e-5 to 65504 in "
                                        "magnitude, got " +
                                        std::to_string(largest) + "; scale them, or use another quantization.");
  }
  auto* halves = reinterpret_cast<uint16_t*>(out);
  kernels().to_f16(vector, dim, halves);
  std::memset(out + dim * sizeof(uint16_t), 0, stride - dim * sizeof(uint16_t));
  if (metric != Metric::kIp) return;
  std::vector<float> decoded(dim);
  kernels().from_f16(halves, dim, decoded.data());
  double squares = 0;
  for (const float value : decoded) squares += static_cast<double>(value) * value;
  const float inverse = squares > 0 ? static_cast<float>(1.0 / std::sqrt(squares)) : 0.0f;
  std::memcpy(out + stride - sizeof inverse, &inverse, sizeof inverse);
}

}  // namespace nigh

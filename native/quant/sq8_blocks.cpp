#include "quant/sq8_blocks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "simd/kernels.h"

namespace nigh {

namespace {

constexpr double kUnit = 0x1p-24;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

size_t groups_of(size_t dim) { return (dim + 3) / 4; }
size_t block_bytes_of(Metric metric, size_t dim) { return (groups_of(dim) + (metric == Metric::kL2 ? 2 : 1)) * 64; }

float rounded_up(double value) {
  const auto nearest = static_cast<float>(value);
  return static_cast<double>(nearest) < value ? std::nextafter(nearest, kInfinity) : nearest;
}

// The bits of a bfloat16 that is not below `value` ≥ 0.
uint32_t bfloat16_above(float value) { return (std::bit_cast<uint32_t>(value) + 0xffffu) >> 16; }
float from_bfloat16(uint32_t bits) { return std::bit_cast<float>(bits << 16); }

}  // namespace

size_t Sq8Blocks::bytes_for(Metric metric, size_t dim, size_t count) {
  return (count + kRows - 1) / kRows * block_bytes_of(metric, dim);
}

Sq8Blocks::Sq8Blocks(Metric metric, size_t dim, Buffer<uint8_t> bytes)
    : metric_(metric), dim_(dim), block_bytes_(block_bytes_of(metric, dim)), bytes_(std::move(bytes)) {}

void Sq8Blocks::put(size_t slot, const float* row) const {
  const size_t groups = groups_of(dim_);
  uint8_t* block = bytes_.data() + slot / kRows * block_bytes_;
  const size_t lane = slot % kRows;

  float largest = 0;
  for (size_t i = 0; i < dim_; ++i) largest = std::max(largest, std::fabs(row[i]));
  const bool huge = largest > 0x1p50f;
  const bool tiny = largest < 0x1p-60f;
  const uint32_t scale_bits = huge || tiny ? 0 : bfloat16_above(rounded_up(static_cast<double>(largest) / 127));
  const float scale = from_bfloat16(scale_bits);

  double squared_error = 0;
  int64_t squared_codes = 0;
  for (size_t i = 0; i < groups * 4; ++i) {
    const float value = i < dim_ ? row[i] : 0.0f;
    const int code = scale == 0 ? 0 : static_cast<int>(std::clamp(std::nearbyint(value / scale), -127.0f, 127.0f));
    const double rest = static_cast<double>(value) - static_cast<double>(scale) * code;
    squared_error += rest * rest;
    squared_codes += static_cast<int64_t>(code) * code;
    block[i / 4 * 64 + lane * 4 + i % 4] = static_cast<uint8_t>(code + 128);
  }

  const double error = std::sqrt(squared_error) * (1 + 1e-9);
  const uint32_t error_bits = bfloat16_above(huge ? kInfinity : rounded_up(error));
  const uint32_t terms = scale_bits << 16 | error_bits;
  std::memcpy(block + groups * 64 + lane * 4, &terms, sizeof terms);

  if (metric_ != Metric::kL2) return;
  const double square = static_cast<double>(scale) * scale * static_cast<double>(squared_codes);
  const auto stored_error = static_cast<double>(from_bfloat16(error_bits));
  const double squares = square + stored_error * stored_error;
  const float companion = huge ? 0.0f : -rounded_up(-(square - stored_error * stored_error - 16 * kUnit * squares));
  std::memcpy(block + (groups + 1) * 64 + lane * 4, &companion, sizeof companion);
}

Sq8BlockBounds::Sq8BlockBounds(const Sq8Blocks& blocks, const float* prepared)
    : blocks_(blocks), query_(prepared, blocks.dim_, groups_of(blocks.dim_) * 4) {
  const auto dim = static_cast<double>(blocks.dim_);
  gamma_ = 1.02 * (dim + 16) * kUnit;
  const double root = std::sqrt(dim);
  const double per_length = query_.error + (gamma_ + 20 * kUnit) * (query_.length + query_.error) +
                            256 * kUnit * root * static_cast<double>(query_.step);
  slack_ = 127 * root * per_length * (1 + 1e-5) * (blocks.metric_ == Metric::kL2 ? 2 : 1);
}

void Sq8BlockBounds::values(size_t begin, size_t count, float bound, float* out) const {
  const bool l2 = blocks_.metric_ == Metric::kL2;
  const double reach = (1 + 2 * gamma_) * std::max(0.0, static_cast<double>(bound));
  const double weight = l2 ? 2 * std::sqrt(reach) : (1 + gamma_) * query_.length;
  const I8BlockQuery query{query_.high.data(),
                           query_.low.data(),
                           groups_of(blocks_.dim_),
                           (l2 ? -2.0f : -1.0f) * query_.step,
                           rounded_up(slack_),
                           rounded_up(weight * (1 + 32 * kUnit)),
                           l2};
  const size_t first = begin / Sq8Blocks::kRows;
  const size_t blocks = (count + Sq8Blocks::kRows - 1) / Sq8Blocks::kRows;
  kernels().score_i8_blocks(query, blocks_.bytes_.data() + first * blocks_.block_bytes_, blocks_.block_bytes_, blocks, out);
}

float Sq8BlockBounds::limit(float bound) const {
  const auto dim = static_cast<double>(blocks_.dim_);
  const auto wanted = static_cast<double>(bound);
  double limit = wanted + dim * 0x1p-120;
  if (blocks_.metric_ == Metric::kCosine) limit += 4 * kUnit * (1 + std::fabs(wanted)) - 1;
  if (blocks_.metric_ == Metric::kL2) limit += 2 * gamma_ * wanted - query_.length * query_.length * (1 - 1e-11);
  return rounded_up(limit);
}

}  // namespace nigh

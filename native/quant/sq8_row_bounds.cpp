#include "quant/sq8_row_bounds.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "simd/kernels.h"

namespace nigh {

namespace {

constexpr double kUnit = 0x1p-24;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr size_t kBlock = 128;  // rows whose two products are computed together: the second finds them in the cache

constexpr std::array<uint32_t, kBlock> kInOrder = [] {
  std::array<uint32_t, kBlock> slots{};
  for (uint32_t i = 0; i < kBlock; ++i) slots[i] = i;
  return slots;
}();

double tiny_length(size_t dim) { return 1.5e-36 * std::sqrt(static_cast<double>(dim)); }

}  // namespace

Sq8RowBounds::Sq8RowBounds(const uint8_t* codes, size_t stride, size_t dim, Metric metric, const float* prepared)
    : codes_(codes), stride_(stride), dim_(dim), metric_(metric), query_(prepared, dim, stride) {
  const double root = std::sqrt(static_cast<double>(dim));
  gamma_ = 1.02 * (static_cast<double>(dim) + 16) * kUnit;
  half_ = 0.5001 * root;
  per_length_ = (query_.error + (gamma_ + 20 * kUnit) * (query_.length + query_.error)) * (1 + 1e-5);
}

// value := −(factor)·q̂·x̂ − per_length·|x̂| − weight·e + companion, as in sq8_blocks.h, rounded down.
template <Metric kMetric>
void Sq8RowBounds::values_of(const uint8_t* rows, size_t count, double reach, const int32_t* high, const int32_t* low,
                             float* out) const {
  const auto step = static_cast<double>(query_.step);
  const double slack = per_length_ * 127 * std::sqrt(static_cast<double>(dim_));
  const double weight = (1 + gamma_) * query_.length;
  const double root_reach = 2 * std::sqrt(reach);
  for (size_t j = 0; j < count; ++j) {
    float terms[2];
    std::memcpy(terms, rows + j * stride_ + stride_ - 8, sizeof terms);
    const auto scale = static_cast<double>(terms[0]);
    const double product = step * (255.0 * high[j] + low[j]);
    double value = 0;
    bool known = true;
    if constexpr (kMetric == Metric::kCosine) {
      const double shrink = half_ * scale;
      known = shrink < 0.3;
      const double delta = half_ * scale * 1.00001 / (1 - shrink);
      value = -scale * product - per_length_ * 1.00001 - weight * (delta * (1 + delta * delta / 4) + 1e-6);
    } else {
      const double error = half_ * scale;
      known = scale <= 0x1p43;
      if constexpr (kMetric == Metric::kIp) {
        value = -scale * (product + slack) - weight * error;
      } else {
        const auto square = static_cast<double>(terms[1]);
        value = square * (1 - 8 * kUnit) - error * error - scale * 2 * (product + slack) - root_reach * error;
      }
    }
    out[j] = known ? static_cast<float>(value - std::fabs(value) * 2 * kUnit) : -kInfinity;
  }
}

void Sq8RowBounds::values(size_t begin, size_t count, float bound, float* out) const {
  const double reach = (1 + 2 * gamma_) * std::max(0.0, static_cast<double>(bound));
  int32_t high[kBlock], low[kBlock];
  for (size_t at = 0; at < count; at += kBlock) {
    const size_t block = std::min(kBlock, count - at);
    const uint8_t* rows = codes_ + (begin + at) * stride_;
    kernels().dot_i8_gather(query_.high.data(), rows, stride_, kInOrder.data(), block, stride_, high);
    kernels().dot_i8_gather(query_.low.data(), rows, stride_, kInOrder.data(), block, stride_, low);
    switch (metric_) {
      case Metric::kL2:
        values_of<Metric::kL2>(rows, block, reach, high, low, out + at);
        break;
      case Metric::kIp:
        values_of<Metric::kIp>(rows, block, reach, high, low, out + at);
        break;
      default:
        values_of<Metric::kCosine>(rows, block, reach, high, low, out + at);
    }
  }
}

float Sq8RowBounds::limit(float bound) const {
  const auto wanted = static_cast<double>(bound);
  const double tiny = tiny_length(dim_);
  double limit = wanted + static_cast<double>(dim_) * 0x1p-110;
  switch (metric_) {
    case Metric::kL2:
      limit += 2 * gamma_ * wanted - query_.length * query_.length * (1 - 1e-11);
      limit += (2 * std::sqrt(std::max(0.0, wanted) * (1 + 2 * gamma_)) + tiny) * tiny;
      break;
    case Metric::kIp:
      limit += 2 * query_.length * tiny;
      break;
    default:
      limit += 4 * kUnit * (1 + std::fabs(wanted)) - 1;
  }
  const auto nearest = static_cast<float>(limit);
  return static_cast<double>(nearest) < limit ? std::nextafter(nearest, kInfinity) : nearest;
}

}  // namespace nigh

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

Sq8RowBounds::Sq8RowBounds(const Sq8Rows& rows, size_t dim, Metric metric, const float* prepared)
    : rows_(rows), dim_(dim), metric_(metric), query_(prepared, dim, rows.stride) {
  const double root = std::sqrt(static_cast<double>(dim));
  gamma_ = 1.02 * (static_cast<double>(dim) + 16) * kUnit;
  half_ = 0.5001 * root;
  per_length_ = (query_.error + (gamma_ + 20 * kUnit) * (query_.length + query_.error)) * (1 + 1e-5);
}

// value := −(factor)·q̂·x̂ − per_length·|x̂| − weight·e + companion, as in sq8_blocks.h, rounded down. Nothing branches, so that two
// rows go through at once.
template <Metric kMetric>
void Sq8RowBounds::values_of(const double* scales, const double* companions, const double* products, size_t count, double reach,
                             float* out) const {
  const double slack = per_length_ * 127 * std::sqrt(static_cast<double>(dim_));
  const double per_length = per_length_ * 1.00001;
  const double weight = (1 + gamma_) * query_.length;
  const double root_reach = 2 * std::sqrt(reach);
  const double half = half_;
  for (size_t j = 0; j < count; ++j) {
    const double scale = scales[j];
    const double error = half * scale;
    double value = 0;
    bool known = scale <= 0x1p43;
    if constexpr (kMetric == Metric::kCosine) {
      known = error < 0.3;
      const double delta = error * 1.00001 * (1 + error * (1 + 1.43 * error));
      value = -scale * products[j] - per_length - weight * (delta * (1 + delta * delta / 4) + 1e-6);
    } else if constexpr (kMetric == Metric::kIp) {
      value = -scale * (products[j] + slack) - weight * error;
    } else {
      value = companions[j] * (1 - 8 * kUnit) - error * error - scale * 2 * (products[j] + slack) - root_reach * error;
    }
    const auto below = static_cast<float>(value - std::fabs(value) * 2 * kUnit);
    out[j] = known ? below : -kInfinity;
  }
}

// Rows slots[j] for j < count ≤ kBlock.
void Sq8RowBounds::block_values(const Sq8Rows& rows, const uint32_t* slots, size_t count, double reach, float* out) const {
  int32_t high[kBlock], low[kBlock];
  double scales[kBlock], companions[kBlock], products[kBlock];
  kernels().dot_i8_gather(query_.high.data(), rows.codes, rows.stride, slots, count, rows.stride, high);
  kernels().dot_i8_gather(query_.low.data(), rows.codes, rows.stride, slots, count, rows.stride, low);
  const auto step = static_cast<double>(query_.step);
  for (size_t j = 0; j < count; ++j) {
    const auto [scale, companion] = rows.terms_of(slots[j]);
    scales[j] = static_cast<double>(scale);
    companions[j] = static_cast<double>(companion);
    products[j] = step * (255.0 * high[j] + low[j]);
  }
  switch (metric_) {
    case Metric::kL2:
      return values_of<Metric::kL2>(scales, companions, products, count, reach, out);
    case Metric::kIp:
      return values_of<Metric::kIp>(scales, companions, products, count, reach, out);
    default:
      return values_of<Metric::kCosine>(scales, companions, products, count, reach, out);
  }
}

double Sq8RowBounds::reach_of(float bound) const { return (1 + 2 * gamma_) * std::max(0.0, static_cast<double>(bound)); }

void Sq8RowBounds::values(size_t begin, size_t count, float bound, float* out) const {
  for (size_t at = 0; at < count; at += kBlock) {
    block_values(rows_.from(begin + at), kInOrder.data(), std::min(kBlock, count - at), reach_of(bound), out + at);
  }
}

void Sq8RowBounds::listed_values(const uint32_t* slots, size_t count, float bound, float* out) const {
  for (size_t at = 0; at < count; at += kBlock) {
    block_values(rows_, slots + at, std::min(kBlock, count - at), reach_of(bound), out + at);
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

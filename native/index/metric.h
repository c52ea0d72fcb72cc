// What "close" means, and what a vector consists of. Distances are smaller for closer, everywhere.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nigh {

enum class Metric : uint32_t {
  kL2 = 0,         // squared Euclidean
  kIp = 1,         // −dot
  kCosine = 2,     // 1 − cos; rows are stored at unit length, zero vectors are refused
  kL1 = 3,         // Σ |a_i − b_i|
  kChebyshev = 4,  // max |a_i − b_i|
  kHamming = 5,    // of bits: how many differ
  kJaccard = 6,    // of bits, as sets: 1 − |a ∩ b| / |a ∪ b|; two empty sets are at distance 0
};
inline constexpr uint32_t kMetrics = 7;

/// Whether vectors are dim bits rather than dim float32 values.
constexpr bool on_bits(Metric metric) { return metric == Metric::kHamming || metric == Metric::kJaccard; }

/// Whether distances are made of dot products or squared differences, for which there are products of matrices and int8 codes.
constexpr bool on_products(Metric metric) { return metric == Metric::kL2 || metric == Metric::kIp || metric == Metric::kCosine; }

/// Bytes of one vector as a caller gives it: packed float32, or packed bits, bit i being bit i mod 8 (the lowest first) of byte i
/// / 8.
constexpr size_t vector_bytes(Metric metric, size_t dim) { return on_bits(metric) ? (dim + 7) / 8 : dim * sizeof(float); }

}  // namespace nigh

// Rows as linking compares them, for products of blocks of them: as they are (l2, cosine), or as directions (ip).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "index/row_store.h"
#include "simd/kernels.h"

namespace nigh {

/// The float32 rows of some slots of a store. Distances between them, −2 a·b + |a|² + |b|² (l2) or −a·b, order pairs as
/// ScoreFor::kLinks does.
struct DirectionRows {
  const RowStore& store;
  std::span<const uint32_t> slots;

  size_t size() const { return slots.size(); }
  bool squared() const { return store.metric == Metric::kL2; }
  /// What a product of two rows counts in their distance.
  float weight() const { return squared() ? -2.0f : -1.0f; }

  void copy(size_t position, float* out) const {
    const float* row = store.row(slots[position]);
    if (store.metric != Metric::kIp) {
      std::copy_n(row, store.dim, out);
      return;
    }
    const float length = std::sqrt(kernels().dot(row, row, store.dim));
    const float inverse = length > 0 ? 1.0f / length : 0.0f;
    for (size_t d = 0; d < store.dim; ++d) out[d] = row[d] * inverse;
  }
};

}  // namespace nigh

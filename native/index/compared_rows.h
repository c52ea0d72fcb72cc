// Rows whose distances come from products of blocks of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "index/row_store.h"

namespace nigh {

/// The float32 rows of some slots of a store, under l2 or cosine. Distances between them, −2 a·b + |a|² + |b|² (l2) or −a·b,
/// order pairs as the metric does.
struct ComparedRows {
  const RowStore& store;
  std::span<const uint32_t> slots;

  size_t size() const { return slots.size(); }
  bool squared() const { return store.metric == Metric::kL2; }
  /// What a product of two rows counts in their distance.
  float weight() const { return squared() ? -2.0f : -1.0f; }

  void copy(size_t position, float* out) const { std::copy_n(store.row(slots[position]), store.dim, out); }
};

}  // namespace nigh

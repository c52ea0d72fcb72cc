// What the single and the batch search of FlatIndex share: how a query is prepared and how a kernel's value becomes a distance.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "index/liveness.h"
#include "index/metric.h"
#include "index/vector_index.h"
#include "simd/kernels.h"

namespace nigh {

/// The rows of a flat index, borrowed.
struct FlatView {
  Metric metric = Metric::kL2;
  size_t dim = 0;
  size_t count = 0;
  const float* rows = nullptr;
  const uint32_t* ids = nullptr;

  const float* row(size_t slot) const { return rows + slot * dim; }
};

/// Copies the query as the kernels want it (unit length under cosine). Throws ZERO_VECTOR naming `position`.
inline void prepare_flat_query(const FlatView& view, const float* query, float* out, size_t position) {
  if (view.metric == Metric::kCosine) {
    normalize_row(query, view.dim, out, position);
  } else {
    std::copy_n(query, view.dim, out);
  }
}

/// From Σ(q − x)² or q·x to the distance. A product of huge rows can overflow to +inf and −inf at once; such a NaN counts as
/// infinitely far, so that distances stay ordered.
inline float flat_distance(Metric metric, float value) {
  const float distance = metric == Metric::kL2 ? value : metric == Metric::kIp ? -value : 1.0f - value;
  return std::isnan(distance) ? std::numeric_limits<float>::infinity() : distance;
}

/// The rows of a view against one prepared query, for BoundedScan.
struct FlatRows {
  const FlatView& view;
  const float* query;
  const IdSet* filter;
  Liveness live;

  uint32_t id(size_t slot) const { return view.ids[slot]; }
  bool may_return(uint32_t slot) const { return live(slot) && (filter == nullptr || filter->contains(view.ids[slot])); }

  void distances_range(size_t begin, size_t count, float* out) const {
    const auto scan = view.metric == Metric::kL2 ? kernels().l2_scan : kernels().dot_scan;
    scan(query, view.row(begin), view.dim, count, view.dim, out);
    to_distances(count, out);
  }

  void distances(const uint32_t* slots, size_t count, float* out) const {
    const auto gather = view.metric == Metric::kL2 ? kernels().l2_gather : kernels().dot_gather;
    gather(query, view.rows, view.dim, slots, count, view.dim, out);
    to_distances(count, out);
  }

  void prefetch(size_t slot) const {
    const auto* row = reinterpret_cast<const char*>(view.row(slot));
    for (size_t byte = 0; byte < view.dim * sizeof(float); byte += 64) __builtin_prefetch(row + byte, 0, 2);
  }

 private:
  void to_distances(size_t count, float* out) const {
    for (size_t j = 0; j < count; ++j) out[j] = flat_distance(view.metric, out[j]);
  }
};

}  // namespace nigh

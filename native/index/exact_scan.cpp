#include "index/exact_scan.h"

#include <algorithm>

#include "index/bounded_scan.h"
#include "index/vector_index.h"
#include "quant/sq8_row_bounds.h"
#include "simd/kernels.h"

namespace nigh {

namespace {

// The rows of a store against one prepared query, for BoundedScan.
struct StoreRows {
  const RowStore& store;
  const void* query;
  const IdSet* filter;
  Liveness live;

  uint32_t id(size_t slot) const { return store.ids[slot]; }
  bool may_return(uint32_t slot) const { return live(slot) && (filter == nullptr || filter->contains(store.ids[slot])); }
  void distances_range(size_t begin, size_t count, float* out) const {
    store.distances_range(query, begin, count, out);
    far_instead_of_nan(count, out);
  }
  void distances(const uint32_t* slots, size_t count, float* out) const {
    store.distances(query, slots, count, out);
    far_instead_of_nan(count, out);
  }
  void prefetch(uint32_t slot) const { store.prefetch_row(slot); }
};

// Listed rows of a store, all of which may be returned: BoundedScan counts positions in the list.
struct ListedRows {
  static constexpr size_t kMost = 16;

  const RowStore& store;
  const void* query;
  std::span<const uint32_t> slots;

  uint32_t id(size_t at) const { return store.ids[slots[at]]; }
  bool may_return(uint32_t) const { return true; }
  void distances_range(size_t begin, size_t count, float* out) const {
    store.distances(query, slots.data() + begin, count, out);
    far_instead_of_nan(count, out);
  }
  void distances(const uint32_t* positions, size_t count, float* out) const {
    for (size_t from = 0; from < count; from += kMost) {
      const size_t some = std::min(kMost, count - from);
      uint32_t listed[kMost];
      for (size_t i = 0; i < some; ++i) listed[i] = slots[positions[from + i]];
      store.distances(query, listed, some, out + from);
    }
    far_instead_of_nan(count, out);
  }
  void prefetch(uint32_t at) const { store.prefetch_row(slots[at]); }
};

struct ListedBounds {
  static constexpr size_t kGranularity = 1;

  const Sq8RowBounds& bounds;
  std::span<const uint32_t> slots;

  bool usable() const { return bounds.usable(); }
  void values(size_t begin, size_t count, float bound, float* out) const {
    bounds.listed_values(slots.data() + begin, count, bound, out);
  }
  float limit(float bound) const { return bounds.limit(bound); }
};

bool codes_pay(const RowStore& store) { return store.quantization == Quantization::kSq8 && kernels().i8_blocks_pay; }

Sq8RowBounds bounds_of(const RowStore& store, const void* prepared) {
  return {Sq8Rows::of(store), store.dim, store.metric, static_cast<const float*>(prepared)};
}

}  // namespace

std::vector<Neighbor> scan_rows(const RowStore& store, size_t count, const void* prepared, size_t k, const IdSet* filter,
                                Liveness live) {
  const StoreRows rows{store, prepared, filter, live};
  if (!codes_pay(store)) return BoundedScan(rows, NoBounds{}, count, k).run();
  return BoundedScan(rows, bounds_of(store, prepared), count, k).run();
}

std::vector<Neighbor> scan_slots(const RowStore& store, std::span<const uint32_t> slots, const void* prepared, size_t k) {
  const ListedRows rows{store, prepared, slots};
  if (!codes_pay(store)) return BoundedScan(rows, NoBounds{}, slots.size(), k).run();
  const Sq8RowBounds bounds = bounds_of(store, prepared);
  return BoundedScan(rows, ListedBounds{bounds, slots}, slots.size(), k).run();
}

}  // namespace nigh

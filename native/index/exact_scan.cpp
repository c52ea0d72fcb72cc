#include "index/exact_scan.h"

#include <algorithm>

#include "index/bounded_scan.h"
#include "index/vector_index.h"
#include "quant/sq8_row_bounds.h"
#include "simd/kernels.h"

namespace nigh {

namespace {
constexpr size_t kBlock = 256;

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
  void prefetch(uint32_t slot) const {
    const char* row = store.row_as<const char>(slot);
    for (size_t byte = 0; byte < store.row_bytes; byte += 64) __builtin_prefetch(row + byte, 0, 2);
  }
};

}  // namespace

std::vector<Neighbor> scan_rows(const RowStore& store, size_t count, const void* prepared, size_t k, const IdSet* filter,
                                Liveness live) {
  const StoreRows rows{store, prepared, filter, live};
  if (store.quantization != Quantization::kSq8 || !kernels().i8_blocks_pay) {
    return BoundedScan(rows, NoBounds{}, count, k).run();
  }
  const Sq8RowBounds bounds(store.codes.data(), store.code_stride, store.dim, store.metric, static_cast<const float*>(prepared));
  return BoundedScan(rows, bounds, count, k).run();
}

std::vector<Neighbor> scan_slots(const RowStore& store, std::span<const uint32_t> slots, const void* prepared, size_t k) {
  TopK best(std::min(k, slots.size()));
  float distances[kBlock];
  for (size_t begin = 0; begin < slots.size(); begin += kBlock) {
    const size_t block = std::min(kBlock, slots.size() - begin);
    store.distances(prepared, slots.data() + begin, block, distances);
    far_instead_of_nan(block, distances);
    for (size_t j = 0; j < block; ++j) best.push({distances[j], store.ids[slots[begin + j]]});
  }
  return best.take_sorted();
}

}  // namespace nigh

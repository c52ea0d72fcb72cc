#include "index/exact_scan.h"

#include <algorithm>

namespace nigh {

namespace {
constexpr size_t kBlock = 256;
}

std::vector<Neighbor> scan_rows(const RowStore& store, size_t count, const float* prepared, size_t k, const IdSet* filter,
                                Liveness live) {
  TopK best(std::min(k, count));
  float distances[kBlock];
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t block = std::min(kBlock, count - begin);
    store.distances_range(prepared, begin, block, distances);
    for (size_t j = 0; j < block; ++j) {
      if (distances[j] > best.bound()) continue;
      const uint32_t id = store.ids[begin + j];
      if (live(static_cast<uint32_t>(begin + j)) && (filter == nullptr || filter->contains(id))) best.push({distances[j], id});
    }
  }
  return best.take_sorted();
}

std::vector<Neighbor> scan_slots(const RowStore& store, std::span<const uint32_t> slots, const float* prepared, size_t k) {
  TopK best(std::min(k, slots.size()));
  float distances[kBlock];
  for (size_t begin = 0; begin < slots.size(); begin += kBlock) {
    const size_t block = std::min(kBlock, slots.size() - begin);
    store.distances(prepared, slots.data() + begin, block, distances);
    for (size_t j = 0; j < block; ++j) best.push({distances[j], store.ids[slots[begin + j]]});
  }
  return best.take_sorted();
}

}  // namespace nigh

#include "index/hnsw_graph.h"

#include <algorithm>

namespace nigh {

void HnswGraph::prepare_for_changes(size_t count, size_t capacity, const Buffer<uint32_t>& removals) {
  removed_at = removals.grown(capacity);
  heads = Buffer<uint32_t>(capacity);
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (is_twin(slot)) continue;
    for_each_twin(slot, [&](uint32_t twin) {
      heads[twin] = slot;
      return true;
    });
  }
  in_doubt = Buffer<uint8_t>(capacity);
  in_degrees = Buffer<uint32_t>(capacity);
  count_in_degrees(count);
}

void HnswGraph::count_in_degrees(size_t count) {
  std::fill_n(in_degrees.data(), in_degrees.size(), 0);
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (is_twin(slot) || gone(slot)) continue;
    const uint32_t* links = row(slot, 0);
    for (size_t i = 0; i < degree0 && links[i] < count; ++i) ++in_degrees[links[i]];
  }
}

}  // namespace nigh

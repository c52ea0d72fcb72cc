#include "index/hnsw_reachability.h"

#include <algorithm>

namespace nigh {

namespace {

// Layer 0 from wherever it is told to start; what was reached stays reached.
class Walk {
 public:
  Walk(const HnswGraph& graph, uint32_t count) : graph_(graph), reached_(count, 0) {}

  void from(uint32_t start) {
    if (reached_[start]) return;
    reached_[start] = 1;
    frontier_.push_back(start);
    while (!frontier_.empty()) {
      const uint32_t* row = graph_.row(frontier_.back(), 0);
      frontier_.pop_back();
      for (size_t i = 0; i < graph_.degree0 && row[i] != kNoSlot; ++i) {
        if (row[i] >= reached_.size() || reached_[row[i]]) continue;
        reached_[row[i]] = 1;
        frontier_.push_back(row[i]);
      }
    }
  }

  bool reached(uint32_t slot) const { return reached_[slot] != 0; }

 private:
  const HnswGraph& graph_;
  std::vector<uint8_t> reached_;
  std::vector<uint32_t> frontier_;
};

// The place in the owner's row that costs least: a free one, else the last whose node is linked from elsewhere too.
uint32_t* place_for(const HnswGraph& graph, uint32_t owner) {
  uint32_t* row = graph.row(owner, 0);
  uint32_t* replaceable = nullptr;
  for (size_t i = 0; i < graph.degree0; ++i) {
    if (row[i] == kNoSlot) return row + i;
    if (graph.in_degrees[row[i]] > 1 || graph.gone(row[i])) replaceable = row + i;
  }
  return replaceable;
}

bool link_from(HnswGraph& graph, uint32_t owner, uint32_t slot, std::vector<uint32_t>& doubts) {
  uint32_t* place = place_for(graph, owner);
  if (place == nullptr) return false;
  if (*place != kNoSlot) {
    --graph.in_degrees[*place];
    graph.put_in_doubt(*place, doubts);
  }
  graph.put_in_doubt(slot, doubts);
  ++graph.in_degrees[slot];
  HnswGraph::store(place, slot);
  return true;
}

}  // namespace

std::vector<uint32_t> unreachable_slots(const HnswGraph& graph, uint32_t entry, uint32_t count) {
  std::vector<uint32_t> missing;
  if (entry == kNoSlot) return missing;  // there is nothing, or nothing that is not gone
  Walk walk(graph, count);
  walk.from(entry);
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (!walk.reached(slot) && !graph.is_twin(slot) && !graph.gone(slot)) missing.push_back(slot);
  }
  return missing;
}

size_t reconnect_unreachable(HnswGraph& graph, uint32_t entry, uint32_t count, std::vector<uint32_t>& doubts) {
  constexpr int kRounds = 16;  // a link that is replaced may have been somebody's only path, so look again
  size_t found = 0;
  for (int round = 0; round < kRounds && entry != kNoSlot; ++round) {
    Walk walk(graph, count);
    walk.from(entry);
    size_t missing = 0;
    uint32_t next_owner = entry;
    for (uint32_t slot = 0; slot < count; ++slot) {
      if (walk.reached(slot) || graph.is_twin(slot) || graph.gone(slot)) continue;
      ++missing;
      const uint32_t* row = graph.row(slot, 0);
      bool linked = false;
      for (size_t i = 0; i < graph.degree0 && row[i] != kNoSlot && !linked; ++i) {
        linked = walk.reached(row[i]) && !graph.gone(row[i]) && link_from(graph, row[i], slot, doubts);
      }
      // Nothing that it links to is reached, or may give up a place: then any reached node will do, the entry first. Those that
      // had no place for one node have none for the next, so the search goes on where the last one ended.
      for (uint32_t tried = 0; tried < count && !linked; ++tried) {
        linked = next_owner != slot && walk.reached(next_owner) && !graph.gone(next_owner) &&
                 link_from(graph, next_owner, slot, doubts);
        if (!linked) next_owner = (next_owner + 1) % count;
      }
      if (linked) walk.from(slot);
    }
    if (round == 0) found = missing;
    if (missing == 0) break;
  }
  return found;
}

}  // namespace nigh

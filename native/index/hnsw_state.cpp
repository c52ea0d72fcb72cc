#include "index/hnsw_state.h"

#include <algorithm>
#include <vector>

#include "index/hnsw_reachability.h"

namespace nigh {

std::shared_ptr<HnswState> grown(const HnswSnapshot& from, size_t capacity, size_t upper_capacity) {
  const HnswState& old = *from.state;
  auto state = std::make_shared<HnswState>();
  state->store = old.store;
  state->graph = old.graph;
  HnswGraph& graph = state->graph;
  if (capacity > old.store.capacity() || old.searched_beyond) {
    capacity = std::max(capacity, old.store.capacity());
    state->store = old.store.grown(capacity);
    graph.links0 = old.graph.links0.grown(capacity * graph.degree0);
    graph.levels = old.graph.levels.grown(capacity);
    graph.twins = old.graph.twins.grown(capacity);
    graph.upper_rows = old.graph.upper_rows.grown(capacity);
  }
  if (upper_capacity * graph.m > graph.upper.size() || old.searched_beyond) {
    graph.upper = old.graph.upper.grown(std::max(upper_capacity * graph.m, graph.upper.size()));
  }
  graph.prepare_for_changes(from.count, state->store.capacity(), old.graph.removed_at);
  state->entry = old.entry.load();
  state->upper_rows_used = old.upper_rows_used;
  state->slots = std::make_unique<SlotMap>(state->store.ids, from.count, old.slots->dense());
  state->changeable = true;
  return state;
}

size_t live_upper_rows(const HnswSnapshot& from) {
  const HnswGraph& graph = from.state->graph;
  size_t rows = 0;
  for (uint32_t slot = 0; slot < from.count; ++slot) {
    if (!graph.is_twin(slot) && graph.levels[slot] > 0 && !graph.gone(slot)) rows += graph.levels[slot];
  }
  return rows;
}

namespace {

// Old slots → new ones: of rows, and of the node that stands for a chain, which is the first of it that is live.
struct Renumbering {
  std::vector<uint32_t> rows;
  std::vector<uint32_t> nodes;
  uint32_t count = 0;
};

Renumbering renumber(const HnswSnapshot& from) {
  const HnswGraph& graph = from.state->graph;
  Renumbering out;
  out.rows.assign(from.count, kNoSlot);
  out.nodes.assign(from.count, kNoSlot);
  for (uint32_t slot = 0; slot < from.count; ++slot) {
    if (!graph.removed(slot)) out.rows[slot] = out.count++;
  }
  for (uint32_t slot = 0; slot < from.count; ++slot) {
    if (graph.is_twin(slot)) continue;
    graph.for_each_twin(slot, [&](uint32_t twin) {
      out.nodes[slot] = out.rows[twin];
      return out.rows[twin] == kNoSlot;
    });
  }
  return out;
}

void copy_links(const uint32_t* from, size_t degree, const std::vector<uint32_t>& nodes, uint32_t* to) {
  size_t kept = 0;
  for (size_t i = 0; i < degree && from[i] != kNoSlot; ++i) {
    if (nodes[from[i]] != kNoSlot) to[kept++] = nodes[from[i]];
  }
  std::fill(to + kept, to + degree, kNoSlot);
}

// The chain of an old node behind its new one.
void copy_chain(const HnswGraph& from, uint32_t old_node, const Renumbering& numbers, const HnswGraph& to) {
  uint32_t last = kNoSlot;
  from.for_each_twin(old_node, [&](uint32_t old) {
    const uint32_t slot = numbers.rows[old];
    if (slot == kNoSlot) return true;
    to.twins[slot] = kNoSlot;
    if (last != kNoSlot) {
      to.levels[slot] = HnswGraph::kTwin;
      to.twins[last] = slot;
    }
    last = slot;
    return true;
  });
}

}  // namespace

std::shared_ptr<HnswState> compacted(const HnswSnapshot& from, size_t capacity, size_t upper_capacity) {
  const HnswState& old = *from.state;
  const Renumbering numbers = renumber(from);
  auto state = std::make_shared<HnswState>();
  state->store = old.store.emptied(capacity);
  HnswGraph& graph = state->graph;
  graph.m = old.graph.m;
  graph.degree0 = old.graph.degree0;
  graph.links0 = Buffer<uint32_t>(capacity * graph.degree0);
  graph.levels = Buffer<uint8_t>(capacity);
  graph.twins = Buffer<uint32_t>(capacity);
  graph.upper_rows = Buffer<uint32_t>(capacity);
  graph.upper = Buffer<uint32_t>(upper_capacity * graph.m);

  bool dense = true;
  for (uint32_t slot = 0; slot < from.count; ++slot) {
    if (numbers.rows[slot] == kNoSlot) continue;
    state->store.copy_row(old.store, slot, numbers.rows[slot]);
    dense &= old.store.ids[slot] == numbers.rows[slot];
  }
  // A twin has no links, whatever it may be behind.
  std::fill_n(graph.links0.data(), numbers.count * graph.degree0, kNoSlot);
  for (uint32_t slot = 0; slot < from.count; ++slot) {
    const uint32_t node = numbers.nodes[slot];
    if (node == kNoSlot) continue;
    copy_chain(old.graph, slot, numbers, graph);
    graph.levels[node] = old.graph.levels[slot];
    graph.upper_rows[node] = static_cast<uint32_t>(state->upper_rows_used);
    state->upper_rows_used += graph.levels[node];
    for (size_t layer = 0; layer <= graph.levels[node]; ++layer) {
      copy_links(old.graph.row(slot, layer), graph.degree(layer), numbers.nodes, graph.row(node, layer));
    }
  }
  const EntryPoint entry = EntryPoint::unpack(old.entry.load());
  if (entry.slot != kNoSlot && numbers.count != 0) {
    state->entry = EntryPoint{numbers.nodes[entry.slot], entry.level}.packed();
  }
  graph.prepare_for_changes(numbers.count, capacity, {});
  state->slots = std::make_unique<SlotMap>(state->store.ids, numbers.count, dense);
  state->changeable = true;
  return state;
}

}  // namespace nigh

// HnswIndex::verify: every live row is found by its own vector, and by a path of links, or is made to be.
//
// Outline
//   1. links and chains that lead nowhere are counted, and dropped
//   2. rows that lead to removed nodes get other links (repair only)
//   3. nodes that no path leads to are counted, and linked
//   4. every row is searched for by its own vector; where anything was wrong, each is then given a link from the nearest that a
//      search with a smaller pool meets, unless that meets it, and all are searched for again
#include "index/hnsw_verify.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <utility>
#include <vector>

#include "base/thread_pool.h"
#include "index/hnsw_index.h"
#include "index/hnsw_reachability.h"
#include "index/hnsw_repair.h"

namespace nigh {

namespace {

// How often what was not found is linked and searched for again. One round does as a rule.
constexpr int kRounds = 8;

// Calls on_link(slot, layer, place) for every used place whose link leads nowhere, with null for a layer whose row is not there
// or is another's; on_chain(last) for every step of a chain that leads nowhere, and on_lost(twin) for twins in no chain.
template <class OnLink, class OnChain, class OnLost>
void visit_faults(const HnswGraph& graph, uint32_t count, const OnLink& on_link, const OnChain& on_chain, const OnLost& on_lost) {
  std::vector<uint8_t> in_chain(count, 0);
  std::vector<uint8_t> taken(graph.upper.size() / graph.m, 0);  // rows of upper layers
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (graph.is_twin(slot)) continue;
    for (size_t layer = 0; layer <= graph.levels[slot]; ++layer) {
      if (!graph.has_row(slot, layer) || (layer != 0 && std::exchange(taken[graph.upper_rows[slot] + layer - 1], 1) != 0)) {
        on_link(slot, layer, nullptr);
        break;
      }
      uint32_t* row = graph.row(slot, layer);
      bool ended = false;  // what lies beyond an unused place would be read once that is filled
      for (size_t i = 0; i < graph.degree(layer); ++i) {
        const uint32_t to = row[i];
        if (to == kNoSlot) {
          ended = true;
        } else if (ended || to >= count || graph.is_twin(to) || !graph.has_row(to, layer)) {
          on_link(slot, layer, row + i);
        }
      }
    }
    for (uint32_t last = slot; graph.twins[last] != kNoSlot;) {
      const uint32_t next = graph.twins[last];
      if (next >= count || !graph.is_twin(next) || in_chain[next]) {
        on_chain(last);
        break;
      }
      in_chain[next] = 1;
      last = next;
    }
  }
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (graph.is_twin(slot) && !in_chain[slot] && !graph.removed(slot)) on_lost(slot);
  }
}

}  // namespace

size_t count_faults(const HnswGraph& graph, uint32_t count) {
  size_t faults = 0;
  visit_faults(
      graph, count, [&](uint32_t, size_t, const uint32_t*) { ++faults; }, [&](uint32_t) { ++faults; },
      [&](uint32_t) { ++faults; });
  return faults;
}

void drop_faults(const HnswGraph& graph, uint32_t count) {
  std::vector<uint32_t> lost;
  visit_faults(
      graph, count,
      [&](uint32_t slot, size_t layer, uint32_t* place) {
        if (place == nullptr) {
          graph.levels[slot] = static_cast<uint8_t>(layer - 1);  // layer 0 always has a row
        } else {
          HnswGraph::store(place, slot);  // to itself, until the row is closed up below
        }
      },
      [&](uint32_t last) { HnswGraph::store(&graph.twins[last], kNoSlot); }, [&](uint32_t twin) { lost.push_back(twin); });
  for (const uint32_t slot : lost) {
    std::fill_n(graph.row(slot, 0), graph.degree0, kNoSlot);
    HnswGraph::store(&graph.twins[slot], kNoSlot);
    graph.levels[slot] = 0;
  }
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (graph.is_twin(slot)) continue;
    for (size_t layer = 0; layer <= graph.levels[slot]; ++layer) {
      uint32_t* row = graph.row(slot, layer);
      const size_t degree = graph.degree(layer);
      size_t kept = 0;
      for (size_t i = 0; i < degree; ++i) {
        if (row[i] != kNoSlot && row[i] != slot) HnswGraph::store(row + kept++, row[i]);
      }
      for (size_t i = kept; i < degree; ++i) HnswGraph::store(row + i, kNoSlot);
    }
  }
}

VerifyReport HnswIndex::verify(bool repair, size_t ef_search, size_t max_lanes, TaskControl& control) {
  const std::lock_guard write_lock(write_mutex_);
  if (repair) require_changeable();
  HnswSnapshot now = snapshot();
  VerifyReport report;
  report.live = now.live();
  report.removed = now.removed;
  control.set_total(now.live());
  report.dangling = count_faults(now.state->graph, now.count);
  control.check();

  if (repair) {
    if (report.dangling != 0) {
      // A node that loses a layer makes faults of the links that lead to it there.
      do drop_faults(now.state->graph, now.count);
      while (count_faults(now.state->graph, now.count) != 0);
      // The entry may have lost layers.
      const EntryPoint entry = EntryPoint::unpack(now.state->entry.load());
      if (entry.slot != kNoSlot) {
        const uint32_t top = std::min<uint32_t>(entry.level, now.state->graph.levels[entry.slot]);
        now.state->entry = EntryPoint{entry.slot, top}.packed();
      }
    }
    if (!now.state->changeable) {
      now.state = grown(now, 0, 0);
      publish(now);
    }
    if (report.dangling != 0) now.state->graph.count_in_degrees(now.count);
  }
  HnswState& state = *now.state;
  const uint32_t start = EntryPoint::unpack(state.entry).slot;
  report.unreachable = unreachable_slots(state.graph, start, now.count).size();
  if (repair && report.live != 0) {
    if (now.removed != 0) hnsw_repair_all(state.graph, state.store, params_, state.entry, now.count, max_lanes, workspace_);
    workspace_.reserve(1);
    reconnect_unreachable(state.graph, start, now.count, workspace_.lanes[0]->doubts);
  }

  std::vector<uint32_t> wanted;
  for (uint32_t slot = 0; slot < now.count; ++slot) {
    if (!state.graph.removed(slot)) wanted.push_back(slot);
  }
  std::vector<uint32_t> missed = not_found(now, wanted, ef_search, max_lanes, control);
  control.advance(wanted.size());
  report.not_found = missed.size();
  if (!repair) return report;
  // A graph that was damaged is mended throughout, with room to spare, or the next change would find its weak places.
  if (report.dangling + report.unreachable + report.not_found != 0) missed = wanted;
  for (int round = 0; round < kRounds && !missed.empty(); ++round) {
    control.check();
    std::vector<uint32_t>& doubts = workspace_.lanes[0]->doubts;
    for (const uint32_t slot : missed) {
      state.graph.put_in_doubt(state.graph.is_twin(slot) ? state.graph.heads[slot] : slot, doubts);
    }
    hnsw_resolve_doubts(state.graph, state.store, params_, state.entry, ef_search, now.count, now.removed != 0, max_lanes,
                        workspace_, control);
    reconnect_unreachable(state.graph, start, now.count, doubts);
    missed = not_found(now, wanted, ef_search, max_lanes, control);
  }
  const size_t left = missed.size() + unreachable_slots(state.graph, start, now.count).size();
  const size_t faults = report.dangling + report.unreachable + report.not_found;
  report.repaired = faults - std::min(faults, left);
  return report;
}

// The slots that a search by their own vectors gives neither themselves nor, in full, rows as near.
std::vector<uint32_t> HnswIndex::not_found(const HnswSnapshot& now, const std::vector<uint32_t>& slots, size_t ef_search,
                                           size_t max_lanes, const TaskControl& control) const {
  SearchParams params;
  params.ef_search = ef_search;
  std::mutex mutex;
  std::vector<uint32_t> missed;
  const RowStore& store = now.state->store;
  const auto found_by_itself = [&](uint32_t slot) {
    SearchStats stats;
    const std::vector<Neighbor> found = answer(now, store.row(slot), params, stats);
    float own;
    store.distances(store.row(slot), &slot, 1, &own);
    const bool met = std::any_of(found.begin(), found.end(), [&](const Neighbor& n) { return n.id == store.ids[slot]; });
    return met || (found.size() == params.k && found.back().distance <= own);
  };
  ThreadPool::shared().parallel_for(slots.size(), 32, max_lanes, [&](size_t begin, size_t end, size_t) {
    control.check();
    for (size_t i = begin; i < end; ++i) {
      if (store.sound(slots[i]) && found_by_itself(slots[i])) continue;
      const std::lock_guard lock(mutex);
      missed.push_back(slots[i]);
    }
  });
  std::sort(missed.begin(), missed.end());
  return missed;
}

}  // namespace nigh

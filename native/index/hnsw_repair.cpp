#include "index/hnsw_repair.h"

#include <algorithm>
#include <memory>

#include "base/thread_pool.h"
#include "index/hnsw_linker.h"
#include "quant/scorers.h"

namespace nigh {

namespace {

struct RowOf {
  uint32_t slot;
  uint32_t layer;

  friend bool operator<(const RowOf& a, const RowOf& b) { return a.slot < b.slot || (a.slot == b.slot && a.layer < b.layer); }
  friend bool operator==(const RowOf& a, const RowOf& b) = default;
};

// Unlinks the removed from their chains. Returns the nodes that are now gone.
std::vector<uint32_t> leave_chains(const HnswGraph& graph, const std::vector<uint32_t>& slots) {
  std::vector<uint32_t> nodes;
  for (const uint32_t slot : slots) nodes.push_back(graph.is_twin(slot) ? graph.heads[slot] : slot);
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  size_t gone = 0;
  for (const uint32_t node : nodes) {
    // A search that stands on a removed twin still finds the way on: only what leads to it changes.
    for (uint32_t last = node; last != kNoSlot; last = graph.twins[last]) {
      uint32_t next = graph.twins[last];
      while (next != kNoSlot && graph.removed(next)) next = graph.twins[next];
      if (next != graph.twins[last]) HnswGraph::store(&graph.twins[last], next);
    }
    if (graph.gone(node)) nodes[gone++] = node;
  }
  nodes.resize(gone);
  return nodes;
}

// The highest of the nodes that are left.
void move_entry(const HnswGraph& graph, std::atomic<uint64_t>& entry, uint32_t count) {
  const EntryPoint old = EntryPoint::unpack(entry.load());
  if (old.slot == kNoSlot || !graph.gone(old.slot)) return;
  EntryPoint best;
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (graph.is_twin(slot) || (best.slot != kNoSlot && graph.levels[slot] <= best.level) || graph.gone(slot)) continue;
    best = {slot, graph.levels[slot]};
    if (best.level == old.level) break;
  }
  entry.store(best.packed(), std::memory_order_release);
}

// The links of gone nodes count no longer, and what they led to is in doubt.
void discount_links(const HnswGraph& graph, const std::vector<uint32_t>& gone, std::vector<uint32_t>& doubts) {
  for (const uint32_t node : gone) {
    const uint32_t* row = graph.row(node, 0);
    for (size_t i = 0; i < graph.degree0 && row[i] != kNoSlot; ++i) {
      --graph.in_degrees[row[i]];
      graph.put_in_doubt(row[i], doubts);
    }
  }
}

// All that is in doubt below `count`, ascending; the lists are empty then. A change that was undone may have left slots on them
// that only a larger copy has.
std::vector<uint32_t> take_doubts(const HnswGraph& graph, uint32_t count, LinkWorkspace& workspace) {
  std::vector<uint32_t> taken;
  for (const auto& lane : workspace.lanes) {
    for (const uint32_t slot : lane->doubts) {
      if (slot < graph.in_doubt.size()) graph.in_doubt[slot] = 0;
      if (slot < count && !graph.is_twin(slot) && !graph.gone(slot)) taken.push_back(slot);
    }
    lane->doubts.clear();
  }
  std::sort(taken.begin(), taken.end());
  taken.erase(std::unique(taken.begin(), taken.end()), taken.end());
  return taken;
}

// The rows near a gone node that lead to it: those of its neighbours and of their neighbours, until all are found.
void find_rows(const HnswGraph& graph, uint32_t gone, size_t layer, VisitedSet& visited, uint32_t count,
               std::vector<RowOf>& found) {
  size_t wanted = layer == 0 ? graph.in_degrees[gone] : count;
  const size_t degree = graph.degree(layer);
  const uint32_t* near = graph.row(gone, layer);
  visited.reset(count);
  visited.insert(gone);
  const auto look = [&](uint32_t slot) {
    if (!visited.insert(slot) || graph.gone(slot)) return;
    const uint32_t* row = graph.row(slot, layer);
    if (std::find(row, row + degree, gone) == row + degree) return;
    found.push_back({slot, static_cast<uint32_t>(layer)});
    --wanted;
  };
  for (size_t i = 0; i < degree && near[i] != kNoSlot && wanted > 0; ++i) look(near[i]);
  for (size_t i = 0; i < degree && near[i] != kNoSlot && wanted > 0; ++i) {
    const uint32_t* row = graph.row(near[i], layer);
    for (size_t j = 0; j < degree && row[j] != kNoSlot && wanted > 0; ++j) look(row[j]);
  }
}

template <class Scorer>
class Repair {
 public:
  Repair(const HnswGraph& graph, const RowStore& store, const HnswParams& params, uint32_t count, bool any_gone, size_t max_lanes,
         LinkWorkspace& workspace)
      : graph_(graph),
        store_(store),
        params_(params),
        count_(count),
        any_gone_(any_gone),
        max_lanes_(max_lanes),
        workspace_(workspace) {
    const size_t lanes = ThreadPool::shared().lanes(max_lanes);
    workspace.reserve(lanes);
    linkers_.resize(lanes);
  }

  void rows(const std::vector<RowOf>& rows) {
    ThreadPool::shared().parallel_for(rows.size(), 16, max_lanes_, [&](size_t begin, size_t end, size_t lane) {
      for (size_t i = begin; i < end; ++i) linker(lane).repair_row(rows[i].slot, rows[i].layer);
    });
  }

  void all_rows() {
    ThreadPool::shared().parallel_for(count_, 256, max_lanes_, [&](size_t begin, size_t end, size_t lane) {
      for (auto slot = static_cast<uint32_t>(begin); slot < end; ++slot) {
        if (graph_.is_twin(slot) || graph_.gone(slot)) continue;
        for (size_t layer = 0; layer <= graph_.levels[slot]; ++layer) linker(lane).repair_row(slot, layer);
      }
    });
  }

  std::vector<uint32_t> not_met(const std::vector<uint32_t>& slots, EntryPoint entry, size_t pool, const TaskControl& control) {
    std::vector<std::vector<uint32_t>> missed(linkers_.size());
    ThreadPool::shared().parallel_for(slots.size(), 64, max_lanes_, [&](size_t begin, size_t end, size_t lane) {
      control.check();
      for (size_t i = begin; i < end; ++i) {
        if (!linker(lane).meets(slots[i], entry, pool)) missed[lane].push_back(slots[i]);
      }
    });
    std::vector<uint32_t> all;
    for (const auto& some : missed) all.insert(all.end(), some.begin(), some.end());
    std::sort(all.begin(), all.end());
    return all;
  }

  void reattach(const std::vector<uint32_t>& slots, EntryPoint entry, size_t pool) {
    for (const uint32_t slot : slots) linker(0).reattach(slot, entry, pool);
  }

 private:
  HnswLinker<Scorer>& linker(size_t lane) {
    if (!linkers_[lane]) {
      linkers_[lane] = std::make_unique<HnswLinker<Scorer>>(graph_, store_, params_, count_, any_gone_, workspace_.locks,
                                                            *workspace_.lanes[lane]);
    }
    return *linkers_[lane];
  }

  const HnswGraph& graph_;
  const RowStore& store_;
  const HnswParams& params_;
  uint32_t count_;
  bool any_gone_;
  size_t max_lanes_;
  LinkWorkspace& workspace_;
  std::vector<std::unique_ptr<HnswLinker<Scorer>>> linkers_;
};

// Calls body with a Repair for what the store's traversal reads.
template <class Body>
void with_repair(const HnswGraph& graph, const RowStore& store, const HnswParams& params, uint32_t count, bool any_gone,
                 size_t max_lanes, LinkWorkspace& workspace, const Body& body) {
  with_scorer(store, [&]<class Scorer>() { body(Repair<Scorer>(graph, store, params, count, any_gone, max_lanes, workspace)); });
}

}  // namespace

void hnsw_detach(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
                 const std::vector<uint32_t>& slots, uint32_t count, size_t max_lanes, LinkWorkspace& workspace) {
  // First, since it needs no memory: searches must not begin at a node that is gone.
  move_entry(graph, entry, count);
  const std::vector<uint32_t> gone = leave_chains(graph, slots);
  if (gone.empty()) return;
  if (EntryPoint::unpack(entry.load()).slot == kNoSlot) return;
  workspace.reserve(1);
  discount_links(graph, gone, workspace.lanes[0]->doubts);
  // Reading all rows costs `count`; looking around costs the rows of the neighbours of each.
  if (gone.size() >= count / graph.degree0) {
    hnsw_repair_all(graph, store, params, entry, count, max_lanes, workspace);
    return;
  }
  std::vector<RowOf> rows;
  for (const uint32_t node : gone) {
    for (size_t layer = 0; layer <= graph.levels[node]; ++layer) {
      find_rows(graph, node, layer, workspace.lanes[0]->scratch.visited, count, rows);
    }
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  with_repair(graph, store, params, count, true, max_lanes, workspace, [&](auto&& repair) { repair.rows(rows); });
}

void hnsw_repair_all(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
                     uint32_t count, size_t max_lanes, LinkWorkspace& workspace) {
  if (EntryPoint::unpack(entry.load()).slot == kNoSlot) return;
  with_repair(graph, store, params, count, true, max_lanes, workspace, [&](auto&& repair) { repair.all_rows(); });
}

size_t hnsw_resolve_doubts(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
                           size_t pool, uint32_t count, bool any_gone, size_t max_lanes, LinkWorkspace& workspace,
                           const TaskControl& control) {
  constexpr size_t kDoubtPool = 16;
  constexpr int kRounds = 16;
  constexpr int kWholeRounds = 4;  // after that only those are asked for that were missed or have just lost a link
  std::vector<uint32_t> asked = take_doubts(graph, count, workspace);
  const EntryPoint start = EntryPoint::unpack(entry.load());
  if (start.slot == kNoSlot || asked.empty()) return 0;
  std::vector<size_t> pools{std::min(kDoubtPool, pool)};
  if (store.metric == Metric::kIp) pools.push_back(pool);
  size_t linked = 0;
  with_repair(graph, store, params, count, any_gone, max_lanes, workspace, [&](auto&& repair) {
    const auto keep_doubts = [&] {
      for (const uint32_t slot : asked) graph.put_in_doubt(slot, workspace.lanes[0]->doubts);
    };
    try {
      for (int round = 0; round < kRounds && !asked.empty(); ++round) {
        std::vector<uint32_t> missed;
        for (const size_t size : pools) {
          const std::vector<uint32_t> some = repair.not_met(asked, start, size, control);
          repair.reattach(some, start, size);
          missed.insert(missed.end(), some.begin(), some.end());
        }
        if (round == 0) linked = missed.size();
        if (missed.empty()) {
          asked.clear();
          break;
        }
        for (const uint32_t slot : round < kWholeRounds ? asked : missed) {
          graph.put_in_doubt(slot, workspace.lanes[0]->doubts);
        }
        asked = take_doubts(graph, count, workspace);
      }
    } catch (...) {
      keep_doubts();
      throw;
    }
    keep_doubts();
  });
  return linked;
}

}  // namespace nigh

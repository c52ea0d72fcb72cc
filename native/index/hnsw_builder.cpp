#include "index/hnsw_builder.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <mutex>

#include "base/rng.h"
#include "base/thread_pool.h"
#include "index/hnsw_linker.h"
#include "quant/scorers.h"

namespace nigh {

uint32_t hnsw_level(const HnswParams& params, uint32_t slot) {
  Rng rng(params.seed, slot);
  const double scale = 1.0 / std::log(static_cast<double>(std::max<size_t>(2, params.m)));
  const double level = -std::log(1.0 - rng.uniform()) * scale;
  return static_cast<uint32_t>(std::min(level, static_cast<double>(HnswGraph::kMaxLevel)));
}

std::vector<float> length_thresholds(std::vector<float> lengths) {
  std::vector<float> thresholds;
  for (size_t held = lengths.size() / kLengthRatio; held > 0; held /= kLengthRatio) {
    const auto nth = lengths.begin() + static_cast<std::ptrdiff_t>(held - 1);
    std::nth_element(lengths.begin(), nth, lengths.end(), std::greater<>());
    thresholds.push_back(*nth);
  }
  return thresholds;
}

uint32_t hnsw_level_by_length(float length, const std::vector<float>& thresholds, uint32_t level_by_chance) {
  uint32_t level = 0;
  while (level < thresholds.size() && (length > thresholds[level] || (length == thresholds[level] && level_by_chance > level))) {
    ++level;
  }
  return level;
}

namespace {

template <class Scorer>
void link_all(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
              std::span<const uint32_t> slots, uint32_t limit, size_t max_lanes, bool any_gone, LinkWorkspace& workspace,
              TaskControl& control) {
  ThreadPool& pool = ThreadPool::shared();
  std::mutex entry_mutex;

  if (!slots.empty() && EntryPoint::unpack(entry.load()).slot == kNoSlot) {
    entry.store(EntryPoint{slots.front(), graph.levels[slots.front()]}.packed());
    control.advance(1);
    slots = slots.subspan(1);
  }
  workspace.reserve(pool.lanes(max_lanes));
  std::vector<std::unique_ptr<HnswLinker<Scorer>>> linkers(pool.lanes(max_lanes));
  pool.parallel_for(slots.size(), 16, max_lanes, [&](size_t from, size_t to, size_t lane) {
    control.check();
    if (!linkers[lane]) {
      linkers[lane] =
          std::make_unique<HnswLinker<Scorer>>(graph, store, params, limit, any_gone, workspace.locks, *workspace.lanes[lane]);
    }
    for (size_t i = from; i < to; ++i) {
      const uint32_t slot = slots[i];
      const EntryPoint seen = EntryPoint::unpack(entry.load(std::memory_order_acquire));
      linkers[lane]->insert(slot, seen);
      if (!graph.is_twin(slot) && graph.levels[slot] > seen.level) {
        const std::lock_guard lock(entry_mutex);
        if (graph.levels[slot] > EntryPoint::unpack(entry.load()).level) {
          entry.store(EntryPoint{slot, graph.levels[slot]}.packed(), std::memory_order_release);
        }
      }
    }
    control.advance(to - from);
  });
}

}  // namespace

void hnsw_link(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
               std::span<const uint32_t> slots, uint32_t limit, size_t max_lanes, bool any_gone, LinkWorkspace& workspace,
               TaskControl& control) {
  with_scorer(store, [&]<class Scorer>() {
    link_all<Scorer>(graph, store, params, entry, slots, limit, max_lanes, any_gone, workspace, control);
  });
}

void hnsw_unlink_from(HnswGraph& graph, uint32_t first) {
  for (uint32_t slot = 0; slot < first; ++slot) {
    uint32_t next = graph.twins[slot];
    while (next != kNoSlot && next >= first) next = graph.twins[next];
    HnswGraph::store(&graph.twins[slot], next);
    if (graph.is_twin(slot)) continue;
    for (size_t layer = 0; layer <= graph.levels[slot]; ++layer) {
      uint32_t* row = graph.row(slot, layer);
      const size_t degree = graph.degree(layer);
      size_t kept = 0;
      for (size_t i = 0; i < degree && row[i] != kNoSlot; ++i) {
        if (row[i] < first) HnswGraph::store(row + kept++, row[i]);
      }
      for (size_t i = kept; i < degree; ++i) HnswGraph::store(row + i, kNoSlot);
    }
  }
  graph.count_in_degrees(first);
}

}  // namespace nigh

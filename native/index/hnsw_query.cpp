// How an HNSW index answers: which plan serves a query, the walk through the graph, and the true distances of what it found.
#include <algorithm>
#include <limits>

#include "base/thread_pool.h"
#include "index/exact_scan.h"
#include "index/hnsw_index.h"
#include "index/hnsw_search.h"
#include "quant/f32.h"
#include "quant/sq8.h"

namespace nigh {

namespace {

// Under ip the pool of the layers above the first; they hold the longest n / 256 rows and fewer.
constexpr size_t kUpperPool = 16;

std::vector<uint32_t> listed_slots(const HnswSnapshot& now, const IdSet& filter) {
  std::vector<uint32_t> slots;
  for (const uint32_t id : filter.listed_ids()) {
    const uint32_t slot = now.live_slot(id);
    if (slot != SlotMap::kNone) slots.push_back(slot);
  }
  return slots;
}

}  // namespace

std::vector<Neighbor> HnswIndex::search(const float* query, const SearchParams& params, SearchStats& stats) const {
  if (params.k == 0) throw Error("INVALID_ARGUMENT", "k: expected at least 1, got 0.");
  require_finite({query, 1, dim_}, "query");
  const HnswSnapshot now = snapshot();
  std::vector<float> prepared;
  now.state->store.prepare_query(query, prepared);
  return answer(now, prepared.data(), params, stats);
}

std::vector<Neighbor> HnswIndex::answer(const HnswSnapshot& now, const float* prepared, const SearchParams& params,
                                        SearchStats& stats) const {
  const auto& state = now.state;
  const auto scan = [&] {
    stats.plan = Plan::kScan;
    stats.visited += now.count;
    stats.distances += now.count;
    return scan_rows(state->store, now.count, prepared, params.k, params.filter, now.liveness());
  };
  const auto scan_allowed = [&] {
    const std::vector<uint32_t> slots = listed_slots(now, *params.filter);
    stats.plan = Plan::kAllowedScan;
    stats.visited += slots.size();
    stats.distances += slots.size();
    return scan_slots(state->store, slots, prepared, params.k);
  };

  const bool allow_list = params.filter != nullptr && !params.filter->complement();
  const size_t ef = std::max(params.ef_search, params.k);
  // Few allowed: comparing them all is both faster than a walk that must step over the rest, and exact. Few in all: likewise.
  if (allow_list && params.filter->listed() <= std::max<size_t>(1000, now.live() / 10)) return scan_allowed();
  if (params.exact || ef * 2 >= now.live()) return scan();

  bool complete = false;
  auto scratch = take_scratch();
  auto found = state->store.quantization == Quantization::kSq8 ? walk<Sq8Scorer>(now, prepared, params, *scratch, complete)
                                                               : walk<F32Scorer>(now, prepared, params, *scratch, complete);
  stats.plan = params.filter == nullptr ? Plan::kGraph : Plan::kFilteredGraph;
  stats.visited += scratch->scored;
  stats.distances += scratch->scored;
  return_scratch(std::move(scratch));
  if (complete) return found;
  // The walk met fewer than k that may be returned: there may be more of them elsewhere.
  return allow_list ? scan_allowed() : scan();
}

template <class Scorer>
std::vector<Neighbor> HnswIndex::walk(const HnswSnapshot& now, const float* prepared, const SearchParams& params,
                                      SearchScratch& scratch, bool& complete) const {
  const HnswState& state = *now.state;
  const size_t count = now.count;
  const Liveness live = now.liveness();
  Scorer score(state.store, ScoreFor::kSearch);
  score.set_query(prepared);
  scratch.scored = 0;
  const EntryPoint entry = EntryPoint::unpack(state.entry.load(std::memory_order_acquire));
  complete = false;
  if (entry.slot == kNoSlot) return {};  // all that this snapshot holds has been removed meanwhile
  // While rows are added the entry may already be one of them; limit is then too low for it, but its links lead back.
  const size_t limit = std::max<size_t>(count, entry.slot + size_t{1});
  const size_t ef = std::max(params.ef_search, params.k);
  const auto walk_down = [&](const auto& accept) {
    if (metric_ != Metric::kIp) {
      const uint32_t start =
          entry.level == 0 ? entry.slot : descend(state.graph, score, entry.slot, entry.level, 1, limit, scratch);
      start_search(score, start, ef, limit, scratch, accept);
      search_layer(state.graph, 0, score, accept, limit, scratch);
      return;
    }
    start_search(score, entry.slot, entry.level > 1 ? kUpperPool : ef, limit, scratch, accept);
    for (size_t level = entry.level + 1; level-- > 0;) {
      if (level != entry.level) carry_pool_down(level > 1 ? kUpperPool : ef, limit, scratch);
      search_layer(state.graph, level, score, accept, limit, scratch);
    }
  };
  if (params.filter == nullptr && !live.any_removed()) {
    walk_down(AcceptAll{});
  } else if (params.filter == nullptr) {
    walk_down(AcceptLive{live, state.graph});
  } else {
    walk_down(AcceptMembers{*params.filter, state.store.ids.data(), live, state.graph});
  }

  const bool quantized = state.store.quantization != Quantization::kNone;
  const size_t wanted = quantized ? params.k * std::max<size_t>(1, params.refine_factor) : params.k;
  std::vector<Neighbor> found;
  std::vector<uint32_t> slots;
  for (const SearchPool::Entry& candidate : scratch.pool) {
    if (candidate.rejected()) continue;
    // All that tie with the last wanted are kept for the sort by id below.
    if (found.size() >= wanted && (quantized || candidate.distance > found.back().distance)) break;
    size_t taken = 0;
    state.graph.for_each_twin(candidate.slot(), [&](uint32_t slot) {
      if (slot >= count || !live(slot) || (params.filter != nullptr && !params.filter->contains(state.store.ids[slot])))
        return true;
      found.push_back({candidate.distance, slot});
      slots.push_back(slot);
      return ++taken < wanted;
    });
  }
  if (quantized) {
    std::vector<float> distances(slots.size());
    state.store.distances(prepared, slots.data(), slots.size(), distances.data());
    scratch.scored += slots.size();
    for (size_t i = 0; i < slots.size(); ++i) found[i].distance = distances[i];
  }
  for (Neighbor& neighbor : found) neighbor.id = state.store.ids[neighbor.id];
  std::sort(found.begin(), found.end());
  complete = found.size() >= params.k;
  if (found.size() > params.k) found.resize(params.k);
  return found;
}

void HnswIndex::search_batch(MatrixView<const float> queries, const SearchParams& params, size_t max_lanes, uint32_t* ids,
                             float* distances, uint32_t* counts, SearchStats& stats, TaskControl& control) const {
  if (queries.dim != dim_) {
    throw Error("DIMENSION_MISMATCH",
                "queries: expected rows of " + std::to_string(dim_) + " values, got " + std::to_string(queries.dim) + ".");
  }
  ThreadPool& pool = ThreadPool::shared();
  std::vector<SearchStats> lane_stats(pool.lanes(max_lanes));
  control.set_total(queries.rows);
  pool.parallel_for(queries.rows, 8, max_lanes, [&](size_t begin, size_t end, size_t lane) {
    control.check();
    for (size_t row = begin; row < end; ++row) {
      const std::vector<Neighbor> found = search(queries.row(row), params, lane_stats[lane]);
      counts[row] = static_cast<uint32_t>(found.size());
      for (size_t j = 0; j < params.k; ++j) {
        ids[row * params.k + j] = j < found.size() ? found[j].id : kNoId;
        distances[row * params.k + j] = j < found.size() ? found[j].distance : std::numeric_limits<float>::infinity();
      }
    }
    control.advance(end - begin);
  });
  for (const SearchStats& lane : lane_stats) {
    if (lane.visited != 0) stats.plan = lane.plan;
    stats.visited += lane.visited;
    stats.distances += lane.distances;
  }
}

}  // namespace nigh

// How an HNSW index answers: which plan serves a query, the walk through the graph, and the true distances of what it found.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/thread_pool.h"
#include "index/exact_scan.h"
#include "index/hnsw_index.h"
#include "index/hnsw_stop.h"
#include "index/hnsw_walk.h"
#include "index/search_plan.h"
#include "quant/scorers.h"

namespace nigh {

namespace {

// Of scattered ids so many are asked to tell how many match.
constexpr size_t kSample = 1024;
// A walk that ends by distance expands about so many nodes / (1 − recall): what pools need for it on GloVe.
constexpr double kExpansionsOfMiss = 3.2;
// Pool of the walk that finds where the nearest of all rows are.
constexpr size_t kNearPool = 32;
// Looking an id up costs as much as asking the filter about so many rows.
constexpr size_t kFindCost = 32;

}  // namespace

std::vector<Neighbor> HnswIndex::search(const void* query, const SearchParams& params, SearchStats& stats) const {
  if (params.k == 0) throw Error("INVALID_ARGUMENT", "k: expected at least 1, got 0.");
  require_query(metric_, query, dim_);
  const HnswSnapshot now = snapshot();
  PreparedQuery prepared;
  now.state->store.prepare_query(query, prepared);
  // No answer is longer than the index, and no pool needs to be: a k of a billion must not reserve room for a billion.
  const size_t most = std::max<size_t>(now.live(), 1);
  SearchParams useful = params;
  useful.k = std::min(params.k, most);
  useful.ef_search = std::min(params.ef_search, most);
  useful.refine_factor = std::min(params.refine_factor, most);
  return answer(now, prepared.data(), useful, stats);
}

std::vector<Neighbor> HnswIndex::answer(const HnswSnapshot& now, const void* prepared, const SearchParams& params,
                                        SearchStats& stats) const {
  const RowStore& store = now.state->store;
  const auto scan = [&] {
    std::vector<Neighbor> found;
    size_t compared = now.count;
    if (stats.plan == Plan::kAllowedScan) {
      const std::vector<uint32_t> slots = allowed_slots(now, *params.filter);
      compared = slots.size();
      found = scan_slots(store, slots, prepared, params.k);
    } else {
      found = scan_rows(store, now.count, prepared, params.k, params.filter, now.liveness());
    }
    stats.visited += compared;
    stats.distances += compared;
    keep_within(params.within, found);
    return found;
  };

  Effort effort = effort_of(params);
  const bool filtered = params.filter != nullptr;
  PlanQuestion question{now.live(), now.live(), effort.size.pool, effort.expansions, now.state->graph.degree0};
  if (filtered) question.matching = matching_rows(now, *params.filter);
  stats.plan = params.exact || !effort.known ? exact_plan(question, filtered) : choose_plan(question, filtered);

  if (filtered && (stats.plan == Plan::kFilteredGraph || stats.plan == Plan::kTwoHopGraph)) {
    question.around = share_around_query(now, prepared, *params.filter, false, stats);
    stats.plan = choose_plan(question, filtered);
  }
  // A walk that never looks at the rejected does not notice that it is among them, so what is near the query is looked at first.
  if (stats.plan == Plan::kTwoHopGraph) {
    question.around = share_around_query(now, prepared, *params.filter, true, stats);
    stats.plan = choose_plan(question, filtered);
  }

  // Where the answer is all that lies within a distance, how large a pool holds it shows only afterwards.
  while (stats.plan != Plan::kScan && stats.plan != Plan::kAllowedScan) {
    auto scratch = take_scratch();
    WalkBudget budget;
    if (stats.plan != Plan::kGraph) budget.left = walk_budget(question, stats.plan);
    auto walked = with_scorer(
        store, [&]<class Scorer>() { return walk<Scorer>(now, prepared, params, stats.plan, effort, budget, *scratch); });
    stats.visited += scratch->scored + scratch->bridged;
    stats.distances += scratch->scored;
    return_scratch(std::move(scratch));
    if (budget.spent) {
      stats.plan = exact_plan(question, filtered);
      break;
    }
    const bool wider =
        walked.found.size() < params.k && walked.found.size() * 2 > effort.size.pool && std::isfinite(params.within);
    if (!wider) {
      if (walked.complete) return std::move(walked.found);
      // The walk met fewer than k that may be returned: there may be more of them elsewhere.
      stats.plan = exact_plan(question, filtered);
    } else {
      effort.size = WalkSize::of(metric_, effort.size.pool * 2, 1);
      question.expansions *= 2;
      if (effort.size.pool >= question.matching / 2) stats.plan = exact_plan(question, filtered);
    }
  }
  return scan();
}

HnswIndex::Effort HnswIndex::effort_of(const SearchParams& params) const {
  Effort effort;
  // How many lie within a distance is not known beforehand: the pool starts at the effort and grows.
  const size_t k = std::isfinite(params.within) ? 1 : params.k;
  effort.size = WalkSize::of(metric_, params.ef_search, k);
  effort.expansions = effort.size.all_expansions(metric_);
  if (!(params.recall > 0)) return effort;
  const auto table = recall_table();
  effort.known = table != nullptr;
  if (!effort.known) return effort;
  const double measured = table->effort_for(params.recall, params.k);
  if (table->kind == RecallTable::Kind::kGamma) {
    effort.slack = slack_of_gamma(measured);
    effort.size = WalkSize::of(metric_, gamma_pool_size(k), 1);
    const double expansions = std::max(static_cast<double>(k), kExpansionsOfMiss / (1 - params.recall));
    effort.expansions = static_cast<size_t>(std::min(expansions, static_cast<double>(effort.size.pool)));
  } else {
    effort.size = WalkSize::of(metric_, static_cast<size_t>(std::ceil(measured)), k);
    effort.expansions = effort.size.all_expansions(metric_);
  }
  return effort;
}

double HnswIndex::share_around_query(const HnswSnapshot& now, const void* prepared, const IdSet& filter, bool closely,
                                     SearchStats& stats) const {
  const HnswState& state = *now.state;
  const EntryPoint entry = EntryPoint::unpack(state.entry.load(std::memory_order_acquire));
  if (entry.slot == kNoSlot) return 0;
  const size_t limit = std::max<size_t>(now.count, entry.slot + size_t{1});
  auto scratch = take_scratch();
  scratch->scored = 0;
  const uint32_t start = with_scorer(state.store, [&]<class Scorer>() {
    Scorer score(state.store, ScoreFor::kSearch);
    score.set_query(prepared);
    const uint32_t near =
        entry.level == 0 ? entry.slot : descend(state.graph, score, entry.slot, entry.level, 1, limit, *scratch);
    if (!closely) return near;
    start_search(score, near, kNearPool, limit, *scratch);
    search_layer(state.graph, 0, score, AcceptAll{}, limit, *scratch);
    return scratch->pool.begin()->slot();
  });
  stats.visited += scratch->scored;
  stats.distances += scratch->scored;
  return_scratch(std::move(scratch));
  const AcceptMembers<Rejected::kWalkThrough, false> accept{filter, state.store.ids.data(), now.liveness(), state.graph};
  return share_around(state.graph, start, accept, limit);
}

size_t HnswIndex::matching_rows(const HnswSnapshot& now, const IdSet& filter) const {
  if (now.state->slots->dense()) return std::min(filter.members_below(now.count), now.live());
  const bool lists = !filter.complement();
  if (lists && filter.listed() <= kSample) return std::min(filter.listed(), now.live());
  const uint32_t* ids = now.state->store.ids.data();
  size_t members = 0;
  size_t asked = 0;
  for (size_t slot = 0; slot < now.count; slot += 1 + now.count / kSample, ++asked) members += filter.contains(ids[slot]);
  const size_t about = asked == 0 ? 0 : members * now.live() / asked;
  return lists ? std::min(about, filter.listed()) : about;
}

std::vector<uint32_t> HnswIndex::allowed_slots(const HnswSnapshot& now, const IdSet& filter) const {
  const Liveness live = now.liveness();
  std::vector<uint32_t> slots;
  if (now.state->slots->dense()) {
    filter.for_each_member_below(now.count, [&](uint32_t id) {
      if (live(id)) slots.push_back(id);
    });
  } else if (!filter.complement() && filter.listed() < now.count / kFindCost) {
    for (const uint32_t id : filter.listed_ids()) {
      const uint32_t slot = now.live_slot(id);
      if (slot != SlotMap::kNone) slots.push_back(slot);
    }
  } else {
    for (uint32_t slot = 0; slot < now.count; ++slot) {
      if (live(slot) && filter.contains(now.state->store.ids[slot])) slots.push_back(slot);
    }
  }
  return slots;
}

template <class Scorer>
HnswIndex::Walked HnswIndex::walk(const HnswSnapshot& now, const void* prepared, const SearchParams& params, Plan plan,
                                  const Effort& effort, WalkBudget& budget, SearchScratch& scratch) const {
  const HnswState& state = *now.state;
  const size_t count = now.count;
  const Liveness live = now.liveness();
  const EntryPoint entry = EntryPoint::unpack(state.entry.load(std::memory_order_acquire));
  if (entry.slot == kNoSlot) return {};  // all that this snapshot holds has been removed meanwhile
  Scorer score(state.store, ScoreFor::kSearch);
  score.set_query(prepared);
  const auto with_stop = [&](const auto& go) {
    if (effort.slack) {
      StopFarther stop(params.k, *effort.slack, params.within);
      go(stop);
    } else if (effort.size.expansions < effort.size.pool) {
      StopAfter stop(effort.size.expansions);
      go(stop);
    } else {
      StopNever never;
      go(never);
    }
  };
  const auto traverse_for = [&](const auto& accept) {
    with_stop([&](auto& stop) { walk_graph(state.graph, entry, metric_, count, score, effort.size, accept, stop, scratch); });
  };
  const auto traverse_within_budget = [&](const auto& accept) {
    with_stop([&](auto& stop) {
      StopOverBudget over_budget(stop, budget);
      walk_graph(state.graph, entry, metric_, count, score, effort.size, accept, over_budget, scratch);
    });
  };
  const auto traverse_members = [&]<Rejected How>() {
    const uint32_t* ids = state.store.ids.data();
    if (state.slots->dense()) {
      traverse_within_budget(AcceptMembers<How, true>{*params.filter, ids, live, state.graph});
    } else {
      traverse_within_budget(AcceptMembers<How, false>{*params.filter, ids, live, state.graph});
    }
  };
  switch (plan) {
    case Plan::kFilteredGraph:
      traverse_members.template operator()<Rejected::kWalkThrough>();
      break;
    case Plan::kTwoHopGraph:
      traverse_members.template operator()<Rejected::kPassOver>();
      break;
    default:
      if (live.any_removed()) {
        traverse_for(AcceptLive{live, state.graph});
      } else {
        traverse_for(AcceptAll{});
      }
  }
  if (budget.spent) return {};
  return collect(now, prepared, params, scratch);
}

HnswIndex::Walked HnswIndex::collect(const HnswSnapshot& now, const void* prepared, const SearchParams& params,
                                     SearchScratch& scratch) const {
  const HnswState& state = *now.state;
  const Liveness live = now.liveness();
  const bool quantized = state.store.quantization != Quantization::kNone;
  const size_t wanted = quantized ? params.k * std::max<size_t>(1, params.refine_factor) : params.k;
  Walked walked;
  std::vector<Neighbor>& found = walked.found;
  std::vector<uint32_t> slots;
  found.reserve(std::min(wanted, scratch.pool.size()));
  slots.reserve(std::min(wanted, scratch.pool.size()));
  for (const SearchPool::Entry& candidate : scratch.pool) {
    if (candidate.rejected()) continue;
    // All that tie with the last wanted are kept for the sort by id below.
    if (found.size() >= wanted && (quantized || candidate.distance > found.back().distance)) break;
    size_t taken = 0;
    state.graph.for_each_twin(candidate.slot(), [&](uint32_t slot) {
      if (slot >= now.count || !live(slot)) return true;
      if (params.filter != nullptr && !params.filter->contains(state.store.ids[slot])) return true;
      found.push_back({candidate.distance, slot});
      if (quantized) state.store.prefetch_row(slot);
      slots.push_back(slot);
      return ++taken < wanted;
    });
  }
  if (quantized) {
    std::vector<float> distances(slots.size());
    state.store.distances(prepared, slots.data(), slots.size(), distances.data());
    far_instead_of_nan(slots.size(), distances.data());
    scratch.scored += slots.size();
    for (size_t i = 0; i < slots.size(); ++i) found[i].distance = distances[i];
  }
  for (Neighbor& neighbor : found) neighbor.id = state.store.ids[neighbor.id];
  std::sort(found.begin(), found.end());
  walked.complete = found.size() >= params.k;
  if (found.size() > params.k) found.resize(params.k);
  // Where something lies beyond, nothing before it is missing for want of room.
  walked.complete |= !found.empty() && found.back().distance > params.within;
  keep_within(params.within, found);
  return walked;
}

void HnswIndex::search_batch(VectorsView queries, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances,
                             uint32_t* counts, SearchStats& stats, TaskControl& control) const {
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

#include "index/hnsw_index.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/thread_pool.h"
#include "index/exact_scan.h"
#include "index/hnsw_reachability.h"
#include "index/hnsw_search.h"
#include "quant/f32.h"
#include "quant/sq8.h"
#include "simd/kernels.h"

namespace nigh {

namespace {

constexpr size_t kMaxRows = SearchPool::kSlotMask;

void check_params(const HnswParams& params) {
  if (params.m < 2 || params.m > SearchScratch::kMaxDegree / 2) {
    throw Error("INVALID_ARGUMENT", "M: expected 2 to 256, got " + std::to_string(params.m) + ".");
  }
  if (params.ef_construction < 1 || params.ef_construction > 100'000) {
    throw Error("INVALID_ARGUMENT", "efConstruction: expected 1 to 100,000, got " + std::to_string(params.ef_construction) + ".");
  }
  if (!(params.alpha >= 1.0f && params.alpha <= 2.0f)) {
    throw Error("INVALID_ARGUMENT", "alpha: expected 1 to 2, got " + std::to_string(params.alpha) + ".");
  }
}

size_t layer0_degree(const HnswParams& params) { return (2 * params.m + 15) / 16 * 16; }

// Under ip the pool of the layers above the first; they hold the longest n / 256 rows and fewer.
constexpr size_t kUpperPool = 16;

}  // namespace

HnswIndex::HnswIndex(Metric metric, size_t dim, const HnswParams& params, bool dense_ids)
    : metric_(metric), dim_(dim), params_(params), state_(std::make_shared<State>()), slots_(dense_ids) {
  state_->store = RowStore::create(metric, params.quantization, dim);
  state_->graph.m = params.m;
  state_->graph.degree0 = layer0_degree(params);
}

HnswIndex::~HnswIndex() = default;

std::unique_ptr<HnswIndex> HnswIndex::build(MatrixView<const float> rows, const uint32_t* ids, Metric metric,
                                            const HnswParams& params, size_t max_lanes, TaskControl& control) {
  check_params(params);
  require_finite(rows, "data");
  std::unique_ptr<HnswIndex> index(new HnswIndex(metric, rows.dim, params, true));
  index->add(rows, ids, max_lanes, control);
  return index;
}

std::shared_ptr<HnswIndex::State> HnswIndex::snapshot() const {
  const std::lock_guard lock(state_mutex_);
  return state_;
}

size_t HnswIndex::size() const { return snapshot()->count.load(std::memory_order_acquire); }

size_t HnswIndex::memory_bytes() const {
  const auto state = snapshot();
  return state->store.memory_bytes() + state->graph.memory_bytes();
}

// The current state if it has room, otherwise a larger copy that nobody else sees yet.
std::shared_ptr<HnswIndex::State> HnswIndex::with_room(size_t rows, size_t upper_rows) const {
  const auto old = snapshot();
  const size_t count = old->count.load();
  const size_t used = old->upper_rows_used;
  const bool fits = count + rows <= old->store.capacity() && (used + upper_rows) * params_.m <= old->graph.upper.size();
  if (fits) return old;

  // An index that is built once gets exactly what it needs; one that grows doubles, so that adding stays linear.
  const size_t capacity = count == 0 ? rows : std::max(count + rows, count * 2);
  const size_t upper_capacity = count == 0 ? upper_rows : std::max(used + upper_rows, used * 2);
  auto state = std::make_shared<State>();
  state->store = old->store.grown(capacity);
  state->graph = old->graph;
  state->graph.links0 = old->graph.links0.grown(capacity * old->graph.degree0);
  state->graph.levels = old->graph.levels.grown(capacity);
  state->graph.twins = old->graph.twins.grown(capacity);
  state->graph.count_in_degrees(count, capacity);
  state->graph.upper_rows = old->graph.upper_rows.grown(capacity);
  state->graph.upper = old->graph.upper.grown(upper_capacity * params_.m);
  state->count = static_cast<uint32_t>(count);
  state->entry = old->entry.load();
  state->upper_rows_used = used;
  return state;
}

void HnswIndex::check_new_ids(const State& state, const uint32_t* ids, size_t rows) const {
  const size_t count = state.count.load();
  if (count + rows > kMaxRows) throw Error("CAPACITY", "An index holds at most " + std::to_string(kMaxRows) + " vectors.");
  if (ids != nullptr) require_distinct_ids(ids, rows);
  for (size_t i = 0; i < rows && count != 0; ++i) {
    const uint32_t id = ids == nullptr ? static_cast<uint32_t>(count + i) : ids[i];
    if (slots_.find(id, state.store.ids, count) != SlotMap::kNone) {
      throw Error("DUPLICATE_ID", "The index already holds id " + std::to_string(id) + ".");
    }
  }
}

void HnswIndex::add(MatrixView<const float> rows, const uint32_t* ids, size_t max_lanes, TaskControl& control) {
  const std::lock_guard write_lock(write_mutex_);
  if (rows.dim != dim_) {
    throw Error("DIMENSION_MISMATCH",
                "data: expected rows of " + std::to_string(dim_) + " values, got " + std::to_string(rows.dim) + ".");
  }
  require_finite(rows, "data");
  if (rows.rows == 0) return;
  check_new_ids(*snapshot(), ids, rows.rows);
  control.set_total(rows.rows);

  const uint32_t begin = snapshot()->count.load();
  const uint32_t end = begin + static_cast<uint32_t>(rows.rows);
  const std::vector<uint8_t> levels = levels_for(rows, begin);
  const size_t upper_rows = std::accumulate(levels.begin(), levels.end(), size_t{0});
  const auto state = with_room(rows.rows, upper_rows);
  HnswGraph& graph = state->graph;

  bool dense = slots_.dense();
  size_t next_upper = state->upper_rows_used;
  for (uint32_t slot = begin; slot < end; ++slot) {
    const uint32_t id = ids == nullptr ? slot : ids[slot - begin];
    dense &= id == slot;
    state->store.put(slot, rows.row(slot - begin), id, slot - begin);
    graph.levels[slot] = levels[slot - begin];
    graph.upper_rows[slot] = static_cast<uint32_t>(next_upper);
    next_upper += graph.levels[slot];
  }
  std::fill_n(graph.twins.data() + begin, rows.rows, kNoSlot);
  std::fill_n(graph.links0.data() + begin * graph.degree0, rows.rows * graph.degree0, kNoSlot);
  std::fill_n(graph.upper.data() + state->upper_rows_used * params_.m, upper_rows * params_.m, kNoSlot);

  const uint64_t entry_before = state->entry.load();
  try {
    hnsw_link(graph, state->store, params_, state->entry, begin, end, max_lanes, control);
    // The walk costs as much as the index is large, so small adds rely on the builder's rule that no node loses its last link.
    if (rows.rows >= begin / 8) reconnect_unreachable(graph, EntryPoint::unpack(state->entry).slot, end);
  } catch (...) {
    state->entry = entry_before;
    hnsw_unlink_from(graph, begin);
    throw;
  }
  if (!dense) slots_.set_sparse();
  state->upper_rows_used = next_upper;
  state->count.store(end, std::memory_order_release);
  const std::lock_guard lock(state_mutex_);
  state_ = state;
}

// Layers of new rows: by chance, and under ip by length, among all rows that the index will then hold.
std::vector<uint8_t> HnswIndex::levels_for(MatrixView<const float> rows, uint32_t begin) {
  std::vector<uint8_t> levels(rows.rows);
  for (size_t i = 0; i < rows.rows; ++i) levels[i] = static_cast<uint8_t>(hnsw_level(params_, begin + static_cast<uint32_t>(i)));
  if (metric_ != Metric::kIp) return levels;

  const auto length = [&](const float* row) { return std::sqrt(kernels().dot(row, row, dim_)); };
  std::vector<float> lengths(rows.rows);
  for (size_t i = 0; i < rows.rows; ++i) lengths[i] = length(rows.row(i));
  // Placed anew each time the index has doubled, so that a long series of small adds stays linear.
  if (begin + rows.rows >= thresholds_from_ * 2) {
    thresholds_from_ = begin + rows.rows;
    std::vector<float> all = lengths;
    const auto state = snapshot();
    for (uint32_t slot = 0; slot < begin; ++slot) all.push_back(length(state->store.row(slot)));
    thresholds_ = length_thresholds(std::move(all));
  }
  for (size_t i = 0; i < rows.rows; ++i) {
    levels[i] = static_cast<uint8_t>(hnsw_level_by_length(lengths[i], thresholds_, levels[i]));
  }
  return levels;
}

std::vector<Neighbor> HnswIndex::search(const float* query, const SearchParams& params, SearchStats& stats) const {
  if (params.k == 0) throw Error("INVALID_ARGUMENT", "k: expected at least 1, got 0.");
  require_finite({query, 1, dim_}, "query");
  const auto state = snapshot();
  const size_t count = state->count.load(std::memory_order_acquire);
  std::vector<float> prepared;
  state->store.prepare_query(query, prepared);

  const auto scan = [&] {
    stats.plan = Plan::kScan;
    stats.visited += count;
    stats.distances += count;
    return scan_rows(state->store, count, prepared.data(), params.k, params.filter);
  };
  const auto scan_allowed = [&] {
    const std::vector<uint32_t> slots = listed_slots(*state, count, *params.filter);
    stats.plan = Plan::kAllowedScan;
    stats.visited += slots.size();
    stats.distances += slots.size();
    return scan_slots(state->store, slots, prepared.data(), params.k);
  };

  const bool allow_list = params.filter != nullptr && !params.filter->complement();
  const size_t ef = std::max(params.ef_search, params.k);
  // Few allowed: comparing them all is both faster than a walk that must step over the rest, and exact. Few in all: likewise.
  if (allow_list && params.filter->listed() <= std::max<size_t>(1000, count / 10)) return scan_allowed();
  if (params.exact || ef * 2 >= count) return scan();

  bool complete = false;
  auto scratch = take_scratch();
  auto found = state->store.quantization == Quantization::kSq8
                   ? walk<Sq8Scorer>(*state, count, prepared.data(), params, *scratch, complete)
                   : walk<F32Scorer>(*state, count, prepared.data(), params, *scratch, complete);
  stats.plan = params.filter == nullptr ? Plan::kGraph : Plan::kFilteredGraph;
  stats.visited += scratch->scored;
  stats.distances += scratch->scored;
  return_scratch(std::move(scratch));
  if (complete) return found;
  // The walk met fewer than k that may be returned: there may be more of them elsewhere.
  return allow_list ? scan_allowed() : scan();
}

template <class Scorer>
std::vector<Neighbor> HnswIndex::walk(const State& state, size_t count, const float* prepared, const SearchParams& params,
                                      SearchScratch& scratch, bool& complete) const {
  Scorer score(state.store, ScoreFor::kSearch);
  score.set_query(prepared);
  scratch.scored = 0;
  const EntryPoint entry = EntryPoint::unpack(state.entry.load(std::memory_order_acquire));
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
  if (params.filter == nullptr) {
    walk_down(AcceptAll{});
  } else {
    walk_down(AcceptMembers{*params.filter, state.store.ids.data(), state.graph});
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
      if (slot >= count || (params.filter != nullptr && !params.filter->contains(state.store.ids[slot]))) return true;
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

std::vector<uint32_t> HnswIndex::listed_slots(const State& state, size_t count, const IdSet& filter) const {
  std::vector<uint32_t> slots;
  for (const uint32_t id : filter.listed_ids()) {
    const uint32_t slot = slots_.find(id, state.store.ids, count);
    if (slot != SlotMap::kNone) slots.push_back(slot);
  }
  return slots;
}

bool HnswIndex::vector(uint32_t id, float* out) const {
  const auto state = snapshot();
  const uint32_t slot = slots_.find(id, state->store.ids, state->count.load(std::memory_order_acquire));
  if (slot == SlotMap::kNone) return false;
  std::copy_n(state->store.row(slot), dim_, out);
  return true;
}

std::unique_ptr<SearchScratch> HnswIndex::take_scratch() const {
  {
    const std::lock_guard lock(scratch_mutex_);
    if (!scratches_.empty()) {
      auto scratch = std::move(scratches_.back());
      scratches_.pop_back();
      return scratch;
    }
  }
  return std::make_unique<SearchScratch>();
}

void HnswIndex::return_scratch(std::unique_ptr<SearchScratch> scratch) const {
  const std::lock_guard lock(scratch_mutex_);
  scratches_.push_back(std::move(scratch));
}

namespace {

// The "params" section, little-endian; FORMAT.md has the same table.
struct RawParams {
  uint32_t m;
  uint32_t degree0;
  uint32_t ef_construction;
  uint32_t quantization;
  uint64_t seed;
  uint64_t entry;
  float alpha;
  float reserved0;
  uint64_t upper_rows;
  uint32_t dense_ids;
  uint32_t reserved1;
};
static_assert(sizeof(RawParams) == 56);

}  // namespace

void HnswIndex::save(const std::string& path) const {
  // Adds wait until the file is written, so that what is saved is one moment of the index.
  const std::lock_guard write_lock(write_mutex_);
  const auto state = snapshot();
  const size_t count = state->count.load();
  const RawParams raw{static_cast<uint32_t>(params_.m),
                      static_cast<uint32_t>(state->graph.degree0),
                      static_cast<uint32_t>(params_.ef_construction),
                      static_cast<uint32_t>(params_.quantization),
                      params_.seed,
                      state->entry.load(),
                      params_.alpha,
                      0,
                      state->upper_rows_used,
                      slots_.dense() ? 1u : 0u,
                      0};
  IndexFileWriter writer(IndexKind::kHnsw, metric_, static_cast<uint32_t>(dim_), count);
  writer.add("params", &raw, sizeof raw);
  writer.add("links0", state->graph.links0.data(), count * state->graph.degree0 * sizeof(uint32_t));
  writer.add("codes", state->store.codes.data(), count * state->store.code_stride);
  writer.add("ids", state->store.ids.data(), count * sizeof(uint32_t));
  writer.add("levels", state->graph.levels.data(), count);
  writer.add("upperrow", state->graph.upper_rows.data(), count * sizeof(uint32_t));
  writer.add("upper", state->graph.upper.data(), state->upper_rows_used * params_.m * sizeof(uint32_t));
  writer.add("twins", state->graph.twins.data(), count * sizeof(uint32_t));
  writer.add("rows", state->store.rows.data(), count * state->store.row_dim * sizeof(float));
  writer.write(path);
}

std::unique_ptr<HnswIndex> HnswIndex::open(const IndexFile& file) {
  const IndexHeader& header = file.header();
  const auto wrong = [&](const char* what) { return Error("FORMAT", file.path() + ": " + what); };
  RawParams raw;
  std::memcpy(&raw, file.section<uint8_t>("params", sizeof raw).data(), sizeof raw);
  HnswParams params{raw.m, raw.ef_construction, raw.alpha, raw.seed, static_cast<Quantization>(raw.quantization)};
  try {
    check_params(params);
  } catch (const Error& error) {
    throw wrong(error.what());
  }
  if (raw.quantization > static_cast<uint32_t>(Quantization::kSq8)) throw wrong("unknown quantization.");
  if (raw.degree0 != layer0_degree(params)) throw wrong("the degree of layer 0 contradicts M.");
  if (header.count > kMaxRows || raw.upper_rows > header.count * HnswGraph::kMaxLevel) throw wrong("a count is out of range.");

  const auto count = static_cast<size_t>(header.count);
  std::unique_ptr<HnswIndex> index(new HnswIndex(header.metric, header.dim, params, raw.dense_ids != 0));
  State& state = *index->state_;
  state.store.rows = file.section<float>("rows", count * state.store.row_dim);
  state.store.codes = file.section<uint8_t>("codes", count * state.store.code_stride);
  state.store.ids = file.section<uint32_t>("ids", count);
  state.graph.links0 = file.section<uint32_t>("links0", count * state.graph.degree0);
  state.graph.levels = file.section<uint8_t>("levels", count);
  state.graph.upper_rows = file.section<uint32_t>("upperrow", count);
  state.graph.twins = file.section<uint32_t>("twins", count);
  state.graph.upper = file.section<uint32_t>("upper", raw.upper_rows * params.m);
  state.upper_rows_used = raw.upper_rows;
  state.count = static_cast<uint32_t>(count);
  state.entry = raw.entry;

  const EntryPoint entry = EntryPoint::unpack(raw.entry);
  const bool valid_entry =
      count == 0 ? entry.slot == kNoSlot
                 : entry.slot < count && entry.level <= HnswGraph::kMaxLevel && state.graph.has_row(entry.slot, entry.level);
  if (!valid_entry) throw wrong("the entry point is out of range.");
  return index;
}

}  // namespace nigh

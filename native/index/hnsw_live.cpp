// How an HNSW index changes: rows are added to the state that searches read, or to a larger copy of it that is then put in its
// place.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "index/hnsw_index.h"
#include "index/hnsw_reachability.h"
#include "simd/kernels.h"

namespace nigh {

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
  if (count + rows > kMaxHnswRows)
    throw Error("CAPACITY", "An index holds at most " + std::to_string(kMaxHnswRows) + " vectors.");
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

}  // namespace nigh

// How an HNSW index changes. Rows are added to the state that searches read, or to a larger copy of it that is then put in its
// place; removed ones stay where they are as nodes that a search may walk through, and the next copy leaves them out.
//
// Outline of a change
//   1. check it whole, and find the slots of the ids that it removes or replaces
//   2. make room: the state itself, a larger copy, or one without removed rows
//   3. store and link the new rows, which nobody can see yet, and search for whatever that has touched (hnsw_resolve_doubts);
//      what fails up to here is undone
//   4. publish: new rows are seen and old ones are not, in one step
//   5. settle: links to removed rows give way, what they led to is searched for, and where too much is removed the state is
//      compacted
#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <numeric>
#include <string>

#include "index/hnsw_bulk.h"
#include "index/hnsw_calibration.h"
#include "index/hnsw_index.h"
#include "index/hnsw_reachability.h"
#include "index/hnsw_repair.h"
#include "index/hnsw_verify.h"
#include "simd/kernels.h"

namespace nigh {

namespace {

// A copy for rows to come has room for half as many again, so that adding one by one stays linear.
size_t with_slack(size_t rows) { return rows + rows / 2; }

// From this share of removed slots on an index is compacted.
constexpr size_t kMostRemoved = 3;

// Asking for every row costs as much as the index is large, so it is done when this share of it has changed, by one change or by
// many; in between those are asked for that a change has touched.
constexpr size_t kProvedShare = 32;

}  // namespace

void HnswIndex::require_changeable() const {
  if (read_only_) {
    throw Error("READ_ONLY", "The index is mapped from its file, which is not to change: open it in memory to change it.");
  }
}

void HnswIndex::require_sound(const HnswSnapshot& now) {
  if (now.state->changeable) return;
  const size_t faults = count_faults(now.state->graph, now.count);
  if (faults == 0) return;
  throw Error("FORMAT",
              "The file of this index has " + std::to_string(faults) + " links that lead nowhere: verify can repair it.");
}

void HnswIndex::add(VectorsView rows, const uint32_t* ids, size_t max_lanes, TaskControl& control) {
  put(rows, ids, Existing::kRefuse, max_lanes, control);
}

void HnswIndex::replace(VectorsView rows, const uint32_t* ids, bool add_missing, size_t max_lanes, TaskControl& control) {
  put(rows, ids, add_missing ? Existing::kAllow : Existing::kRequire, max_lanes, control);
}

// Step 1 of adding and replacing.
HnswIndex::Intake HnswIndex::choose_rows(const HnswSnapshot& now, VectorsView rows, const uint32_t* ids,
                                         Existing existing) const {
  if (rows.dim != dim_) {
    throw Error("DIMENSION_MISMATCH",
                "data: expected rows of " + std::to_string(dim_) + " values, got " + std::to_string(rows.dim) + ".");
  }
  require_vectors(metric_, rows, "data");
  require_distinct_ids(ids, rows.rows);
  Intake intake{rows, ids, now.count, {}};
  intake.chosen.reserve(rows.rows);
  PreparedQuery scratch;
  size_t added = 0;
  for (size_t row = 0; row < rows.rows; ++row) {
    const uint32_t id = intake.id(row);
    const uint32_t slot = now.count == 0 ? SlotMap::kNone : now.live_slot(id);
    if (slot == SlotMap::kNone) {
      if (existing == Existing::kRequire) throw Error("UNKNOWN_ID", "The index holds no id " + std::to_string(id) + ".");
      ++added;
    } else if (existing == Existing::kRefuse) {
      throw Error("DUPLICATE_ID", "The index already holds id " + std::to_string(id) + ".");
    } else if (now.state->store.holds(slot, rows.row(row), row, scratch)) {
      continue;
    }
    intake.chosen.push_back(static_cast<uint32_t>(row));
  }
  if (now.live() + added > kMaxHnswRows || now.live() + intake.chosen.size() > kMaxHnswRows)
    throw Error("CAPACITY", "An index holds at most " + std::to_string(kMaxHnswRows) + " vectors.");
  return intake;
}

void HnswIndex::put(VectorsView rows, const uint32_t* ids, Existing existing, size_t max_lanes, TaskControl& control,
                    VectorsView questions) {
  const std::lock_guard write_lock(write_mutex_);
  require_changeable();
  HnswSnapshot now = snapshot();
  const Intake intake = choose_rows(now, rows, ids, existing);
  control.set_total(rows.rows);
  control.advance(rows.rows - intake.chosen.size());
  control.check();
  if (intake.chosen.empty()) return;
  const size_t added = intake.chosen.size();
  const std::vector<uint8_t> levels = levels_for(now, intake);
  const size_t upper_rows = std::accumulate(levels.begin(), levels.end(), size_t{0});
  const HnswState* const published = now.state.get();
  now = with_room(now, added, upper_rows, max_lanes);

  HnswState& state = *now.state;
  HnswGraph& graph = state.graph;
  const uint32_t begin = now.count;
  const uint32_t end = begin + static_cast<uint32_t>(added);
  std::vector<uint32_t> replaced;
  size_t next_upper = state.upper_rows_used;
  for (size_t i = 0; i < added; ++i) {
    const auto slot = begin + static_cast<uint32_t>(i);
    const uint32_t row = intake.chosen[i];
    const uint32_t id = intake.id(row);
    const uint32_t old = begin == 0 ? SlotMap::kNone : now.live_slot(id);
    if (old != SlotMap::kNone) replaced.push_back(old);
    state.store.put(slot, rows.row(row), id, row);
    graph.levels[slot] = levels[i];
    graph.upper_rows[slot] = static_cast<uint32_t>(next_upper);
    next_upper += levels[i];
  }
  std::fill_n(graph.twins.data() + begin, added, kNoSlot);
  std::fill_n(graph.links0.data() + begin * graph.degree0, added * graph.degree0, kNoSlot);
  std::fill_n(graph.upper.data() + state.upper_rows_used * params_.m, upper_rows * params_.m, kNoSlot);

  const uint64_t entry_before = state.entry.load();
  const bool all = (unproved_changes_ + added) * kProvedShare >= begin;
  std::shared_ptr<const RecallTable> table;
  try {
    table = link_and_measure(now, end, questions, max_lanes, control);
    make_found(state, end, all, now.removed != 0, max_lanes, control, workspace_);
    state.slots->append(begin, end);
  } catch (...) {
    if (&state != published) throw;  // a copy, which nobody else has seen
    state.entry = entry_before;
    hnsw_unlink_from(graph, begin);
    mend(now, max_lanes);
    state.searched_beyond = others_search(now);
    throw;
  }
  unproved_changes_ = all ? 0 : unproved_changes_ + added;
  state.upper_rows_used = next_upper;
  now.count = end;
  mark_removed(now, replaced);
  publish(now);
  if (table) {
    const std::lock_guard lock(state_mutex_);
    recall_table_ = table;
  }
  settle(replaced, max_lanes);
}

// Part of step 3. The first time that there are enough new rows, some are linked last and answer first what recall the graph
// reaches; see hnsw_calibration.cpp.
std::shared_ptr<const RecallTable> HnswIndex::link_and_measure(const HnswSnapshot& now, uint32_t end, VectorsView questions,
                                                               size_t max_lanes, TaskControl& control) {
  HnswState& state = *now.state;
  const uint32_t begin = now.count;
  const bool measures = recall_table() == nullptr && now.removed == 0 && end - begin >= kCalibratedRows;
  std::vector<uint32_t> last;
  if (measures && questions.rows == 0) last = held_out_rows(end - begin, params_.seed);
  for (uint32_t& slot : last) slot += begin;
  std::vector<uint32_t> first;
  first.reserve(end - begin - last.size());
  size_t next = 0;
  for (uint32_t slot = begin; slot < end; ++slot) {
    if (next < last.size() && last[next] == slot) {
      ++next;
    } else {
      first.push_back(slot);
    }
  }
  const auto link = [&](const std::vector<uint32_t>& slots) {
    if (begin == 0 && hnsw_links_in_bulk(metric_, params_, slots.size())) {
      hnsw_link_in_bulk(state.graph, state.store, params_, state.entry, slots, end, max_lanes, workspace_, control);
      return;
    }
    hnsw_link(state.graph, state.store, params_, state.entry, slots, end, max_lanes, now.removed != 0, workspace_, control);
  };
  link(first);
  if (!measures) return nullptr;
  HnswSnapshot linked = now;
  linked.count = end;
  if (questions.rows != 0) {
    return std::make_shared<RecallTable>(calibrate(linked, questions, nullptr, end, max_lanes, control));
  }
  auto table = std::make_shared<RecallTable>(calibrate_by_rows(linked, last, max_lanes, control));
  link(last);
  return table;
}

size_t HnswIndex::remove(std::span<const uint32_t> ids, bool ignore_missing, size_t max_lanes, TaskControl& control) {
  const std::lock_guard write_lock(write_mutex_);
  require_changeable();
  HnswSnapshot now = snapshot();
  std::vector<uint32_t> slots;
  for (const uint32_t id : ids) {
    const uint32_t slot = now.count == 0 ? SlotMap::kNone : now.live_slot(id);
    if (slot != SlotMap::kNone) {
      slots.push_back(slot);
    } else if (!ignore_missing) {
      throw Error("UNKNOWN_ID", "The index holds no id " + std::to_string(id) + ".");
    }
  }
  std::sort(slots.begin(), slots.end());
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  control.set_total(slots.size());
  control.check();
  if (slots.empty()) return 0;
  // Nothing is added, so slots keep their numbers.
  require_sound(now);
  if (!now.state->changeable) now.state = grown(now, 0, 0);
  mark_removed(now, slots);
  publish(now);
  settle(slots, max_lanes);
  control.advance(slots.size());
  return slots.size();
}

void HnswIndex::compact(size_t max_lanes, TaskControl& control) {
  const std::lock_guard write_lock(write_mutex_);
  require_changeable();
  const HnswSnapshot now = snapshot();
  control.check();
  require_sound(now);
  const bool tight = now.count == now.state->store.capacity();
  if (now.removed == 0 && tight) return;
  publish(compact_copy(now, now.live(), live_upper_rows(now), max_lanes));
  unproved_changes_ = 0;
}

// Step 2: what rows can be put into: this state if it has room, otherwise a copy that nobody else sees yet.
HnswSnapshot HnswIndex::with_room(const HnswSnapshot& now, size_t rows, size_t upper_rows, size_t max_lanes) {
  require_sound(now);
  const HnswState& state = *now.state;
  const size_t upper_needed = state.upper_rows_used + upper_rows;
  const bool fits = now.count + rows <= std::min(state.store.capacity(), kMaxHnswRows) &&
                    upper_needed * params_.m <= state.graph.upper.size() && now.change != std::numeric_limits<uint32_t>::max();
  const bool all_removed = now.count != 0 && now.live() == 0;
  if (fits && state.changeable && !all_removed && !state.searched_beyond) return now;

  if (now.removed != 0) {
    const size_t needed = now.live() + rows;
    const size_t upper = live_upper_rows(now);
    return compact_copy(now, std::max(needed, with_slack(now.live())), std::max(upper + upper_rows, with_slack(upper)),
                        max_lanes);
  }
  // An index that is built once gets exactly what it needs.
  HnswSnapshot next = now;
  const size_t capacity = std::max<size_t>(now.count + rows, now.count == 0 ? 0 : with_slack(now.count));
  const size_t upper = std::max(upper_needed, with_slack(state.upper_rows_used));
  next.state = grown(now, fits ? state.store.capacity() : capacity, upper);
  return next;
}

HnswSnapshot HnswIndex::compact_copy(const HnswSnapshot& now, size_t capacity, size_t upper_capacity, size_t max_lanes) {
  HnswState& state = *now.state;
  // What still leads to removed rows gets better links than the copy could give it.
  if (now.removed != 0) hnsw_repair_all(state.graph, state.store, params_, state.entry, now.count, max_lanes, workspace_);
  return live_copy(now, capacity, upper_capacity, max_lanes);
}

// The live rows alone, each of them found.
HnswSnapshot HnswIndex::live_copy(const HnswSnapshot& now, size_t capacity, size_t upper_capacity, size_t max_lanes) const {
  HnswSnapshot copy;
  copy.state = compacted(now, capacity, upper_capacity);
  copy.count = static_cast<uint32_t>(now.live());
  // Of its own, because rows have other numbers here than those of which the index is in doubt.
  const auto workspace = std::make_unique<LinkWorkspace>();
  TaskControl control;
  make_found(*copy.state, copy.count, true, false, max_lanes, control, *workspace);
  return copy;
}

// Every row that a change has touched is found by its own vector; with `all` every row is, and is reached by links.
void HnswIndex::make_found(HnswState& state, uint32_t count, bool all, bool any_gone, size_t max_lanes,
                           const TaskControl& control, LinkWorkspace& workspace) const {
  workspace.reserve(1);
  if (all) {
    std::vector<uint32_t>& doubts = workspace.lanes[0]->doubts;
    reconnect_unreachable(state.graph, EntryPoint::unpack(state.entry).slot, count, doubts);
    for (uint32_t slot = 0; slot < count; ++slot) state.graph.put_in_doubt(slot, doubts);
  }
  hnsw_resolve_doubts(state.graph, state.store, params_, state.entry, kUsualPool, count, any_gone, max_lanes, workspace, control);
}

// After a change that was undone: the rows that were there have let go of links for those that are not. What there is no memory
// for is done after the next change.
void HnswIndex::mend(const HnswSnapshot& now, size_t max_lanes) {
  try {
    TaskControl control;
    make_found(*now.state, now.count, true, now.removed != 0, max_lanes, control, workspace_);
  } catch (const std::bad_alloc&) {
  } catch (const Error& error) {
    if (std::string(error.code()) != "OUT_OF_MEMORY") throw;
  }
}

// Whether a search holds the published state, of which `now` is the only copy that the writer has. Those that begin later find
// nothing of a change that was undone before.
bool HnswIndex::others_search(const HnswSnapshot& now) const {
  const std::lock_guard lock(state_mutex_);
  if (now.state.use_count() != 2) return true;
  // Letting go of one more reference orders what the last searches read before what is written next.
  std::shared_ptr<HnswState>(now.state).reset();
  return false;
}

// Part of step 4: readers of earlier snapshots go on seeing the slots.
void HnswIndex::mark_removed(HnswSnapshot& next, const std::vector<uint32_t>& slots) {
  if (slots.empty()) return;
  next.change += 1;
  next.removed += static_cast<uint32_t>(slots.size());
  for (const uint32_t slot : slots) Liveness::store(&next.state->graph.removed_at[slot], next.change);
}

// Step 5. The change is made and seen already; this keeps the graph short and whole. Without memory for it removed rows stay
// nodes that searches walk through, which costs time and nothing else, and the next change tries again.
void HnswIndex::settle(const std::vector<uint32_t>& removed, size_t max_lanes) {
  if (removed.empty()) return;
  unproved_changes_ += removed.size();
  const HnswSnapshot now = snapshot();
  const auto put_off = [&] {
    // What was begun is left as it is: every row may have lost its paths, and links are counted anew.
    unproved_changes_ = now.count;
    now.state->graph.count_in_degrees(now.count);
  };
  try {
    HnswState& state = *now.state;
    hnsw_detach(state.graph, state.store, params_, state.entry, removed, now.count, max_lanes, workspace_);
    if (now.removed * kMostRemoved > now.count) {
      publish(compact_copy(now, with_slack(now.live()), with_slack(live_upper_rows(now)), max_lanes));
      unproved_changes_ = 0;
      return;
    }
    const bool all = unproved_changes_ * kProvedShare >= now.count;
    TaskControl control;
    make_found(state, now.count, all, true, max_lanes, control, workspace_);
    if (all) unproved_changes_ = 0;
  } catch (const std::bad_alloc&) {
    put_off();
  } catch (const Error& error) {
    if (std::string(error.code()) != "OUT_OF_MEMORY") throw;
    put_off();
  }
}

// Layers of new rows: by chance, and under ip by length, among all rows that the index will then hold.
std::vector<uint8_t> HnswIndex::levels_for(const HnswSnapshot& now, const Intake& intake) {
  const size_t rows = intake.chosen.size();
  std::vector<uint8_t> levels(rows);
  for (size_t i = 0; i < rows; ++i) {
    levels[i] = static_cast<uint8_t>(hnsw_level(params_, now.count + static_cast<uint32_t>(i)));
  }
  if (metric_ != Metric::kIp) return levels;

  const auto length = [&](const float* row) { return std::sqrt(kernels().dot(row, row, dim_)); };
  std::vector<float> lengths(rows);
  for (size_t i = 0; i < rows; ++i) lengths[i] = length(intake.rows.float_row(intake.chosen[i]));
  // Placed anew each time the index has doubled, so that a long series of small adds stays linear.
  if (now.live() + rows >= thresholds_from_ * 2) {
    std::vector<float> all = lengths;
    for (uint32_t slot = 0; slot < now.count; ++slot) {
      if (!now.state->graph.removed(slot)) all.push_back(length(now.state->store.row(slot)));
    }
    thresholds_ = length_thresholds(std::move(all));
    thresholds_from_ = now.live() + rows;
  }
  for (size_t i = 0; i < rows; ++i) {
    levels[i] = static_cast<uint8_t>(hnsw_level_by_length(lengths[i], thresholds_, levels[i]));
  }
  return levels;
}

}  // namespace nigh

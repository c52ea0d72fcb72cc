#include "index/mutable_flat_index.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"

namespace nigh {

std::shared_ptr<const FlatIndex> MutableFlatIndex::snapshot() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void MutableFlatIndex::publish(std::shared_ptr<const FlatIndex> next) {
  const std::lock_guard lock(mutex_);
  std::swap(current_, next);  // what was current, if nobody else holds it, is freed after the lock is
}

void MutableFlatIndex::require_changeable() const {
  if (read_only_) {
    throw Error("READ_ONLY", "The index is mapped from its file, which is not to change: open it in memory to change it.");
  }
}

void MutableFlatIndex::add(VectorsView rows, const uint32_t* ids, size_t max_lanes, TaskControl& control) {
  put(rows, ids, Existing::kRefuse, max_lanes, control);
}

void MutableFlatIndex::replace(VectorsView rows, const uint32_t* ids, bool add_missing, size_t max_lanes, TaskControl& control) {
  put(rows, ids, add_missing ? Existing::kAllow : Existing::kRequire, max_lanes, control);
}

void MutableFlatIndex::put(VectorsView rows, const uint32_t* ids, Existing existing, size_t max_lanes, TaskControl& control) {
  const std::lock_guard write_lock(write_mutex_);
  require_changeable();
  const auto now = snapshot();
  if (rows.dim != now->dim()) {
    throw Error("DIMENSION_MISMATCH",
                "data: expected rows of " + std::to_string(now->dim()) + " values, got " + std::to_string(rows.dim) + ".");
  }
  require_vectors(now->metric(), rows, "data");
  require_distinct_ids(ids, rows.rows);
  control.set_total(rows.rows);
  std::vector<uint32_t> dropped;
  std::vector<uint32_t> own_ids(rows.rows);
  for (size_t row = 0; row < rows.rows; ++row) {
    own_ids[row] = ids == nullptr ? static_cast<uint32_t>(now->size() + row) : ids[row];
    const uint32_t slot = now->slot_of(own_ids[row]);
    if (slot == SlotMap::kNone) {
      if (existing == Existing::kRequire)
        throw Error("UNKNOWN_ID", "The index holds no id " + std::to_string(own_ids[row]) + ".");
    } else if (existing == Existing::kRefuse) {
      throw Error("DUPLICATE_ID", "The index already holds id " + std::to_string(own_ids[row]) + ".");
    } else {
      dropped.push_back(slot);
    }
  }
  control.check();
  if (rows.rows == 0) return;
  publish(now->changed(dropped, rows.floats(), own_ids.data(), max_lanes));
  control.advance(rows.rows);
}

size_t MutableFlatIndex::remove(std::span<const uint32_t> ids, bool ignore_missing, size_t max_lanes, TaskControl& control) {
  const std::lock_guard write_lock(write_mutex_);
  require_changeable();
  const auto now = snapshot();
  std::vector<uint32_t> dropped;
  for (const uint32_t id : ids) {
    const uint32_t slot = now->slot_of(id);
    if (slot == SlotMap::kNone) {
      if (!ignore_missing) throw Error("UNKNOWN_ID", "The index holds no id " + std::to_string(id) + ".");
    } else {
      dropped.push_back(slot);
    }
  }
  std::sort(dropped.begin(), dropped.end());
  dropped.erase(std::unique(dropped.begin(), dropped.end()), dropped.end());
  const size_t removed = dropped.size();
  control.set_total(removed);
  control.check();
  if (removed == 0) return 0;
  publish(now->changed(dropped, {nullptr, 0, now->dim()}, nullptr, max_lanes));
  control.advance(removed);
  return removed;
}

void MutableFlatIndex::compact(size_t max_lanes, TaskControl& control) {
  const std::lock_guard write_lock(write_mutex_);
  require_changeable();
  control.check();
  const auto now = snapshot();
  if (!now->compact()) publish(now->compacted(max_lanes));
}

void MutableFlatIndex::save(const std::string& path) const {
  // Changes wait until the file is written: they may write where codes of rows that are saved share a block.
  const std::lock_guard write_lock(write_mutex_);
  snapshot()->save(path);
}

VerifyReport MutableFlatIndex::verify(bool repair, size_t, size_t, TaskControl& control) {
  const std::lock_guard write_lock(write_mutex_);
  if (repair) require_changeable();
  const auto now = snapshot();
  control.set_total(now->size());
  control.check();
  VerifyReport report;
  report.live = now->size();
  report.removed = now->removed();
  report.not_found = now->count_unsound();
  control.advance(now->size());
  return report;
}

}  // namespace nigh

// For each of many rows those nearest to it, most of them: candidates for its links.
//
// PiPNN (see row_partition.h), section 4: the rows of a leaf are compared all with all, as a blocked matrix product, which runs
// near the machine's arithmetic peak where looking for one row's neighbours waits for memory. Deviation: the nearest of all
// leaves are kept (there: a sketch of directions decides while edges stream in), since the pruning by alpha then gives the links
// that it gives after a search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/task_control.h"
#include "index/compared_rows.h"
#include "index/row_partition.h"

namespace nigh {

/// Lists of at most `most` rows each. 8 · most bytes a row.
class NearRows {
 public:
  NearRows(size_t rows, size_t most) : most_(most), keys_(rows * most), held_(rows, 0) {}

  size_t most() const { return most_; }

  /// A near row: its distance in the upper half, so that keys are ordered like distances, its position in the lower.
  static uint64_t key(float distance, uint32_t position);
  static float distance_of(uint64_t key);
  static uint32_t position_of(uint64_t key) { return static_cast<uint32_t>(key); }

  /// In no order.
  std::span<const uint64_t> of(size_t position) const { return {keys_.data() + position * most_, held_[position]}; }

  /// Keeps the nearest of what is there and `more`, which is overwritten; all are different.
  void merge(size_t position, std::vector<uint64_t>& more);

 private:
  size_t most_;
  Buffer<uint64_t> keys_;
  std::vector<uint16_t> held_;
};

/// The nearest of the rows that share a leaf with each row. The same for any number of threads, but for ties. Calls on_rows(n),
/// from any thread, when n more members of leaves have been compared. Throws ABORTED.
NearRows near_rows(const ComparedRows& rows, const std::vector<std::vector<uint32_t>>& leaves, size_t most, size_t max_lanes,
                   const TaskControl& control, const std::function<void(size_t)>& on_rows);

}  // namespace nigh

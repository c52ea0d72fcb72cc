// The order in which stochastic gradient descent visits the entries of a sparse matrix, so that many threads can share the work
// and the result is that of one.
//
// Gemulla, Nijkamp, Haas and Sismanis, "Large-scale matrix factorization with distributed stochastic gradient descent", KDD 2011:
// rows and columns are cut into `blocks` groups each, which makes blocks² cells. A stratum is `blocks` cells of which no two
// share a row group or a column group, so that their updates touch different vectors and may run at once; `blocks` strata are an
// epoch.
//
// Deviation: the groups are drawn anew for every epoch (the paper fixes them), so that over the epochs any two columns meet in a
// group. What a cell needs of chance comes from its own stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/matrix_view.h"
#include "base/rng.h"
#include "base/task_control.h"

namespace nigh {

struct SgdEntry {
  uint32_t row;
  uint32_t column;
  float value;
};

/// One cell of the grid: its entries in the order in which they are to be visited.
struct SgdCell {
  std::span<const SgdEntry> entries;
  /// The columns of the cell's column group, with or without entries: none of the stratum's other cells touches them.
  std::span<const uint32_t> columns;
  /// This cell's own stream, after the entries were put in order.
  Rng& rng;
};

class SgdStrata {
 public:
  /// Groups a side: some thousand entries a cell, at most 64, and never more than there are rows or columns. Depends on the
  /// matrix only.
  static size_t blocks_for(const CsrView& matrix);

  SgdStrata(const CsrView& matrix, uint64_t seed);

  /// Visits every entry once. Cells of a stratum run on up to `max_lanes` threads; strata follow one another. The same seed and
  /// epoch give the same order on any number of threads. `control` counts entries.
  void run_epoch(size_t epoch, size_t max_lanes, TaskControl& control, const std::function<void(const SgdCell&)>& visit);

  size_t blocks() const { return blocks_; }

 private:
  void draw(size_t epoch);

  CsrView matrix_;
  uint64_t seed_;
  size_t blocks_;
  std::vector<uint8_t> row_group_;
  std::vector<uint8_t> column_group_;
  std::vector<size_t> column_bounds_;  // blocks + 1
  std::vector<uint32_t> columns_;      // by group
  std::vector<size_t> cell_bounds_;    // blocks² + 1
  std::vector<SgdEntry> entries_;      // by cell
};

}  // namespace nigh

// Exact search for many queries at once, as a blocked matrix product.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/id_set.h"
#include "base/matrix_view.h"
#include "base/task_control.h"
#include "index/flat_scoring.h"

namespace nigh {

struct FlatBatch {
  FlatView view;
  const float* squared_norms = nullptr;          // |x|² of every row
  double longest = 0;                            // not below any |x|
  const std::vector<uint32_t>* slots = nullptr;  // compare these only; null for all
  const IdSet* filter = nullptr;                 // tested for every candidate; null allows all
  size_t k = 1;                                  // ≤ the rows compared
};

/// Answers query r with up to k neighbours: ids and distances at r × stride, counts[r] of them, closest first, ties by id.
/// They are what comparing every row by the single kernels gives, to the bit. Advances `control` by one a query.
void flat_search_batch(const FlatBatch& batch, MatrixView<const float> queries, size_t stride, size_t max_lanes, uint32_t* ids,
                       float* distances, uint32_t* counts, TaskControl& control);

}  // namespace nigh

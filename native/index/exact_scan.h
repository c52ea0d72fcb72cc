// Exact search over a row store: every allowed row compared in float32, or ruled out by its codes (bounded_scan.h). What a graph
// index answers with when it is asked to be exact, and when a filter leaves so little that walking a graph would be slower or
// could miss a match.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/id_set.h"
#include "base/top_k.h"
#include "index/liveness.h"
#include "index/row_store.h"

namespace nigh {

/// The k nearest of the live slots of [0, count) whose id is a member of `filter` (null: all), closest first, ties by id.
std::vector<Neighbor> scan_rows(const RowStore& store, size_t count, const void* prepared, size_t k, const IdSet* filter,
                                Liveness live);

/// The k nearest of these slots, closest first, ties by id.
std::vector<Neighbor> scan_slots(const RowStore& store, std::span<const uint32_t> slots, const void* prepared, size_t k);

}  // namespace nigh

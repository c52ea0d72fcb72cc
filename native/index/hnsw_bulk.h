// Linking all rows of a new index at once: what hnsw_link does, in half of the time.
//
// Most of the time of an insert is a search that waits for memory. Where all rows are there from the start, those near each of
// them are found by comparing rows in groups, as blocked products (near_rows.h), and links are chosen among them by the rule of
// an insert, as Rubel et al., "PiPNN", 2026, do for a flat graph (row_partition.h). Links between near rows alone would make
// islands; the nodes of the upper layers, which are inserted one after the other before, lead from one to the next.
// What it gains is in docs/decisions/0022-linking-at-once.md.
//
//   1. rows that the traversal cannot tell apart become one node
//   2. the nodes of the upper layers are inserted
//   3. leaves of near rows, and in them the nearest of each
//   4. each of the other nodes chooses its links among those; then all are linked back
//
// What no link leads to, or no search meets, is linked afterwards as after any change (hnsw_reachability.h, hnsw_repair.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "index/hnsw_builder.h"

namespace nigh {

/// Whether this is for so many rows under this metric: l2 and cosine. (ip: rows that a long coordinate draws together make
/// islands that the layers by length do not join.) Fewer are inserted: what is saved is less than a second.
bool hnsw_links_in_bulk(Metric metric, const HnswParams& params, size_t rows);

/// Links these slots, ascending, into a graph without nodes, as hnsw_link does.
void hnsw_link_in_bulk(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
                       std::span<const uint32_t> slots, uint32_t limit, size_t max_lanes, LinkWorkspace& workspace,
                       TaskControl& control);

}  // namespace nigh

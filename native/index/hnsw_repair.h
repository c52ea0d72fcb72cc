// Takes removed nodes out of an HNSW graph: what led to them leads around them instead.
//
// Singh, Subramanya, Krishnaswamy and Simhadri, "FreshDiskANN: a fast and accurate graph-based ANN index for streaming similarity
// search", 2021, algorithm 4 (DELETE). Deviations: links between nodes that stay are never dropped, so nobody loses a path; a few
// removals look for the rows that led to them nearby instead of reading all rows, and a row that they miss goes on leading to a
// removed node, which is walked through; the nodes' first links, which hold the graph together, are formed anew.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/hnsw_builder.h"
#include "index/hnsw_graph.h"
#include "index/row_store.h"

namespace nigh {

/// `slots` of the first `count` have just been marked in graph.removed_at. Twins leave their chains; nodes that are gone with all
/// their twins lose the links that lead to them, and the entry point if they were it (none, when all are gone). Their own links
/// stay, for searches that stand on them. For one writer; others may search meanwhile.
void hnsw_detach(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
                 const std::vector<uint32_t>& slots, uint32_t count, size_t max_lanes, LinkWorkspace& workspace);

/// Repairs every row that leads to a node that is gone. Linear in the links.
void hnsw_repair_all(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
                     uint32_t count, size_t max_lanes, LinkWorkspace& workspace);

/// What searches have by default.
inline constexpr size_t kUsualPool = 64;

/// Searches for every node that is in doubt by its own vector, as a search with this pool does, but in a smaller one so that
/// there is room for the rows that come near it later (under ip, where that proves nothing, in both), and links those that are
/// not met from the nearest that is, one after the other; then for all of them again, since such a link may make room for itself
/// in the way to another, until none is missed. Linking on several threads, two near nodes may miss each other; a full row lets
/// go of links; a removed node takes its own with it; a new one stands before what led to its neighbours. Each puts a node in
/// doubt. Costs as much as is in doubt. Returns how many were not met; what still is not stays in doubt. Only nodes below `count`
/// are asked for; the doubts of others are dropped. `any_gone`: whether some nodes are to be passed over. Throws ABORTED.
size_t hnsw_resolve_doubts(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
                           size_t pool, uint32_t count, bool any_gone, size_t max_lanes, LinkWorkspace& workspace,
                           const TaskControl& control);

}  // namespace nigh

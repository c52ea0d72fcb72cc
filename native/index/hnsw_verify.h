// Whether a graph is what it should be: every link leads to a node, every twin hangs in one chain. What a graph that comes from a
// file must pass before it is changed, and what verify() reports and repairs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/hnsw_graph.h"

namespace nigh {

/// Links that lead nowhere, chains that lead out of the array or into each other, and twins that hang in no chain, among the
/// first `count` slots. Linear.
size_t count_faults(const HnswGraph& graph, uint32_t count);

/// Drops the links and cuts the chains that count_faults counts; a twin without a chain becomes a node without links. For a graph
/// in memory of its own that nobody else changes; others may search it.
void drop_faults(const HnswGraph& graph, uint32_t count);

}  // namespace nigh

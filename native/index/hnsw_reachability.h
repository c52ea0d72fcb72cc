// Whether every node of a graph can be found at all: a breadth-first walk of layer 0 from the entry point, and links for those
// that it does not meet.
#pragma once

#include <cstdint>
#include <vector>

#include "index/hnsw_graph.h"

namespace nigh {

/// Slots below `count` that no path on layer 0 leads to from `entry`, ascending. Time and memory are linear in the links.
std::vector<uint32_t> unreachable_slots(const HnswGraph& graph, uint32_t entry, uint32_t count);

/// Gives every unreachable node a link from a node that it links to itself and that is reached, until none is left. Returns how
/// many there were; they and those that made room for them are put in doubt. For one writer; others may search meanwhile.
size_t reconnect_unreachable(HnswGraph& graph, uint32_t entry, uint32_t count, std::vector<uint32_t>& doubts);

}  // namespace nigh

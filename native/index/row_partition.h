// Rows in small overlapping groups of near ones: where the nearest of a row are looked for when all of them are wanted at once.
//
// Rubel, Wen, Dhulipala, Gottesbüren, Jayaram and Łącki, "PiPNN: ultra-scalable graph-based nearest neighbor indexing", 2026
// (arXiv:2602.21247), section 4: ball carving by random leaders, overlapping at the top, again within what came out too large.
// Before it, with one group a row and several partitions: Wang et al., "Scalable k-NN graph construction for visual
// descriptors", CVPR 2012.
//
//   1. leaders are drawn from the rows; a row goes to the `overlap` nearest leaders
//   2. a group that is larger than twice `leaf_rows` is split the same way, each of its rows going to one leader
//   3. what leaders do not tell apart is cut
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/task_control.h"
#include "index/compared_rows.h"

namespace nigh {

struct PartitionShape {
  size_t leaf_rows = 0;  // of a leaf on average; none has more than twice as many
  size_t overlap = 0;    // leaves that a row is in
};

/// Positions in `rows`, ascending within a leaf. The same for any number of threads. Throws ABORTED.
std::vector<std::vector<uint32_t>> partition_rows(const ComparedRows& rows, const PartitionShape& shape, uint64_t seed,
                                                  size_t max_lanes, const TaskControl& control);

}  // namespace nigh

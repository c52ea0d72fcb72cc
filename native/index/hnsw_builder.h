// Inserting nodes into an HNSW graph, on all cores. (A new index of many rows: hnsw_bulk.h.)
//
// Malkov and Yashunin 2020, algorithms 1 (INSERT) and 4 (SELECT-NEIGHBORS-HEURISTIC), with the relaxation factor alpha of
// Subramanya et al., "DiskANN: fast accurate billion-point nearest neighbor search on a single node", NeurIPS 2019, algorithm 2.
//
//   paper                      here
//   l = ⌊−ln(unif(0,1))·mL⌋    level_of(seed, slot), mL = 1 / ln m
//   M, Mmax, Mmax0             m, m, degree0
//   efConstruction             ef_construction
//
// Inner product. The largest products are mostly with long rows (Morozov and Babenko, "Non-metric similarity graphs for maximum
// inner product search", NeurIPS 2018: the longest twentieth holds nearly all answers), and near directions lead to them (Liu et
// al., "Understanding and improving proximity graph based maximum inner product search", AAAI 2020). So links join near
// directions, which is a metric and can be pruned, and the layers are ordered by length: layer l holds the longest n / 16^l rows.
// A search scores by the true product on every layer and carries its whole pool down.
//
// Deviations: a node links to up to degree0 neighbours on layer 0 (the paper: M), which gives fewer and fatter hops; a full row
// is not pruned anew when a link is added: the newcomer and what it occludes are decided from its own distances (see
// add_link), which costs two scored rows instead of a quadratic number of distances.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/task_control.h"
#include "index/hnsw_graph.h"
#include "index/hnsw_search.h"
#include "index/node_locks.h"
#include "index/row_store.h"

namespace nigh {

struct HnswParams {
  size_t m = 16;                 // links of a node on the upper layers; layer 0 has twice as many, rounded up to 16
  size_t ef_construction = 200;  // pool size while a node looks for its neighbours
  float alpha = 1.1f;  // a candidate is left out when alpha · (its distance to a chosen one) < its distance to the node
  uint64_t seed = 42;  // of the levels; the same seed on one thread gives the same graph
  Quantization quantization = Quantization::kSq8;
};

/// Top layer of a node by chance: geometric with ratio 1/m, a function of seed and slot only.
uint32_t hnsw_level(const HnswParams& params, uint32_t slot);

/// Each layer by length holds this share of the one below: 1/16 is about where the rows that answer most questions end. It does
/// not follow m, since a fat graph would otherwise leave too few of them on layer 1.
inline constexpr size_t kLengthRatio = 16;

/// Lengths from which a row belongs to layer 1, 2, …, so that layer l holds the longest n / kLengthRatio^l (inner product).
std::vector<float> length_thresholds(std::vector<float> lengths);

/// Top layer by length. Rows that tie with a threshold are placed by chance, so equal lengths give an ordinary HNSW.
uint32_t hnsw_level_by_length(float length, const std::vector<float>& thresholds, uint32_t level_by_chance);

/// What linking needs besides the graph, kept from change to change: a small one must not cost what the index is large.
struct LinkWorkspace {
  struct Lane {
    SearchScratch scratch;
    std::vector<uint32_t> doubts;  // nodes to be searched for when all lanes are done: see hnsw_resolve_doubts
  };

  NodeLocks locks;
  std::vector<std::unique_ptr<Lane>> lanes;

  void reserve(size_t count) {
    while (lanes.size() < count) lanes.push_back(std::make_unique<Lane>());
  }
};

/// Links these slots, in this order, into the graph; their rows are stored, their levels and upper rows set, and all slots are
/// below `limit`. `entry` is the packed EntryPoint; nodes that are gone, if there are any, get no link. Other threads may search
/// the graph meanwhile. Advances `control` by one a node; on ABORTED the graph stays valid, with some of the nodes linked.
void hnsw_link(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
               std::span<const uint32_t> slots, uint32_t limit, size_t max_lanes, bool any_gone, LinkWorkspace& workspace,
               TaskControl& control);

/// Removes every link to slots from `first` on: what an interrupted hnsw_link left in the rows before it.
void hnsw_unlink_from(HnswGraph& graph, uint32_t first);

}  // namespace nigh

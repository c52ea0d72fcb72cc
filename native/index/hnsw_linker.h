// The links of one node of an HNSW graph: found, chosen and written, at an insert and after nodes near it were removed.
//
// Malkov and Yashunin 2020, algorithms 1 (INSERT) and 4 (SELECT-NEIGHBORS-HEURISTIC); Singh et al., "FreshDiskANN: a fast and
// accurate graph-based ANN index for streaming similarity search", 2021, algorithm 4 (DELETE). hnsw_builder.h names what is ours.
//
// Outline
//   insert        search, select, link there and back
//   link_to       the same where the candidates are known, there first
//   link_back     and back when all rows are written
//   repair_row    links to removed nodes give way to what those linked to
//   meets         whether a search for a node's own vector comes by it
//   reattach      a node that no search comes by gets a link from the nearest that a search meets
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/top_k.h"
#include "index/hnsw_builder.h"
#include "index/hnsw_graph.h"
#include "index/hnsw_search.h"
#include "index/hnsw_stop.h"
#include "index/hnsw_walk.h"
#include "index/node_locks.h"

namespace nigh {

/// Nodes that new links may lead to.
struct AcceptPresent {
  static constexpr Rejected kRejected = Rejected::kWalkThrough;
  const HnswGraph& graph;
  bool operator()(uint32_t slot) const { return !graph.gone(slot); }
  AcceptPresent walking_through() const { return *this; }
};

/// The links of one node after the other, for one thread; others may link other nodes of the same graph, with the same locks.
template <class Scorer>
class HnswLinker {
 public:
  /// `limit`: the number of slots. `any_gone`: whether some nodes are to be passed over.
  HnswLinker(const HnswGraph& graph, const RowStore& store, const HnswParams& params, size_t limit, bool any_gone,
             NodeLocks& locks, LinkWorkspace::Lane& lane)
      : graph_(graph),
        params_(params),
        limit_(limit),
        any_gone_(any_gone),
        locks_(locks),
        scratch_(lane.scratch),
        doubts_(lane.doubts),
        store_(store),
        search_score_(store, ScoreFor::kSearch),
        node_score_(store, ScoreFor::kLinks),
        other_score_(store, ScoreFor::kLinks) {}

  /// Links a node that has no links yet, on all its layers.
  void insert(uint32_t slot, EntryPoint entry) {
    node_score_.set_row(slot);
    graph_.put_in_doubt(slot, doubts_);
    const size_t level = graph_.levels[slot];
    uint32_t start = entry.slot;
    if (entry.level > level) start = descend(graph_, node_score_, start, entry.level, level + 1, limit_, scratch_);
    for (size_t layer = std::min<size_t>(level, entry.level) + 1; layer-- > 0;) {
      gather(slot, start, layer, params_.ef_construction);
      if (candidates_.empty()) continue;
      start = candidates_.front().id;
      if (layer == std::min<size_t>(level, entry.level) && join_twin(slot)) return;
      if (layer == 0) doubt_nearest();
      select(graph_.degree(layer));
      tentative_first_ = kNoSlot;
      if (layer == 0) link_from_nearest(slot);
      write_row(slot, layer);
      for (const Neighbor& neighbor : selected_) add_link(neighbor.id, slot, neighbor.distance, layer, false);
    }
  }

  /// Chooses the links of a node without links on layer 0 among nodes that were found otherwise; link_back() is to follow when
  /// all have been chosen. None of the candidates is a twin.
  void link_to(uint32_t slot, const std::vector<uint32_t>& near) {
    node_score_.set_row(slot);
    around_ = near;
    for (const uint32_t candidate : around_) node_score_.prefetch(candidate);
    score_around();
    select(graph_.degree0);
    write_row(slot, 0);
  }

  /// Links back from where a node links to on layer 0: from the nearest that has a place in any case.
  void link_back(uint32_t slot) {
    constexpr size_t kAhead = 4;
    {
      const auto guard = locks_.lock(slot);
      const uint32_t* row = graph_.row(slot, 0);
      around_.assign(row, std::find(row, row + graph_.degree0, kNoSlot));
    }
    node_score_.set_row(slot);
    score_around();
    bool held = false;
    for (size_t i = 0; i < candidates_.size(); ++i) {
      if (i + kAhead < candidates_.size()) graph_.prefetch_links(candidates_[i + kAhead].id);
      held |= add_link(candidates_[i].id, slot, candidates_[i].distance, 0, !held);
    }
  }

  /// Replaces the links of a node on a layer that lead to nodes that are gone, by the rule of FreshDiskANN: those that the gone
  /// ones linked to are candidates, and are chosen among as at an insert. Links to nodes that are there stay as they are.
  void repair_row(uint32_t owner, size_t layer) {
    node_score_.set_row(owner);
    uint32_t new_first = kNoSlot;
    float first_distance = 0;
    {
      const auto guard = locks_.lock(owner);
      uint32_t* row = graph_.row(owner, layer);
      const size_t degree = graph_.degree(layer);
      size_t kept = 0;
      gone_.clear();
      for (size_t i = 0; i < degree && row[i] != kNoSlot; ++i) {
        if (graph_.gone(row[i])) {
          gone_.push_back(row[i]);
        } else {
          kept_[kept++] = row[i];
        }
      }
      if (gone_.empty()) return;
      const size_t direct = gone_.size();
      const bool lost_first = graph_.gone(row[0]);
      gather_behind_gone(owner, layer, kept);
      select(degree);
      const size_t before = kept;
      for (size_t i = 0; i < selected_.size() && kept < degree; ++i) {
        if (std::find(kept_, kept_ + before, selected_[i].id) != kept_ + before) continue;
        kept_[kept++] = selected_[i].id;
        count_link(selected_[i].id, layer);
      }
      for (size_t i = 0; i < direct && layer == 0; ++i) {
        std::atomic_ref<uint32_t>(graph_.in_degrees[gone_[i]]).fetch_sub(1, std::memory_order_relaxed);
      }
      if (lost_first && layer == 0 && !selected_.empty()) {
        new_first = selected_[0].id;
        first_distance = selected_[0].distance;
        std::swap(kept_[0], *std::find(kept_, kept_ + kept, new_first));
      }
      for (size_t i = 0; i < degree; ++i) HnswGraph::store(row + i, i < kept ? kept_[i] : kNoSlot);
    }
    // The pair that holds the graph together (see release_link) is formed anew.
    if (new_first != kNoSlot) add_link(new_first, owner, first_distance, 0, true);
  }

  /// Whether a search for the node's own vector with a pool of `pool` meets it, or enough that is as near to make an answer of.
  /// With a larger pool it then does too: a search expands what it would with a smaller one, and goes on. Not so under ip, where
  /// a larger pool brings down others from the layers above, which may keep out the only node that leads there.
  bool meets(uint32_t slot, EntryPoint entry, size_t pool) {
    search_score_.set_query(store_.row(slot));
    StopWhenMet stop{scratch_.visited, slot};
    walk(entry, pool, stop);
    return scratch_.visited.contains(slot) || answers_without(slot);
  }

  /// Makes meets() true: of the nodes that this search expands, the nearest that has a place links to the node. Does nothing
  /// where none has.
  void reattach(uint32_t slot, EntryPoint entry, size_t pool) {
    search_score_.set_query(store_.row(slot));
    StopNever never;
    walk(entry, pool, never);
    around_.clear();
    for (const SearchPool::Entry& met : scratch_.pool) {
      if (!met.rejected() && met.slot() != slot) around_.push_back(met.slot());
    }
    node_score_.set_row(slot);
    score_around();
    for (const Neighbor& candidate : candidates_) {
      if (!add_link(candidate.id, slot, candidate.distance, 0, true)) continue;
      lead_back(slot, candidate.id);
      return;
    }
  }

 private:
  // The nodes that a row keeps and those that the ones in gone_ lead to, nearest first, into candidates_. What is gone behind a
  // gone node is stepped over too, until there is enough to choose from.
  void gather_behind_gone(uint32_t owner, size_t layer, size_t kept) {
    scratch_.visited.reset(limit_);
    scratch_.visited.insert(owner);
    around_.assign(kept_, kept_ + kept);
    for (const uint32_t slot : around_) scratch_.visited.insert(slot);
    for (const uint32_t slot : gone_) scratch_.visited.insert(slot);
    const size_t direct = gone_.size();
    const size_t enough = kept + params_.ef_construction;
    for (size_t at = 0; at < gone_.size(); ++at) {
      if (around_.size() >= enough && at >= direct) break;
      const uint32_t* row = graph_.row(gone_[at], layer);
      for (size_t i = 0; i < graph_.degree(layer); ++i) {
        const uint32_t next = row[i];
        if (next == kNoSlot) break;
        if (!scratch_.visited.insert(next)) continue;
        if (graph_.gone(next)) {
          if (around_.size() < enough) gone_.push_back(next);
        } else {
          around_.push_back(next);
        }
      }
    }
    score_around();
  }

  // What is in around_ into candidates_, nearest first.
  void score_around() {
    candidates_.clear();
    for (size_t begin = 0; begin < around_.size(); begin += SearchScratch::kMaxDegree) {
      const size_t count = std::min(SearchScratch::kMaxDegree, around_.size() - begin);
      node_score_(around_.data() + begin, count, scratch_.distances);
      for (size_t j = 0; j < count; ++j) candidates_.push_back({scratch_.distances[j], around_[begin + j]});
    }
    std::sort(candidates_.begin(), candidates_.end());
  }

  // Whether the pool of a walk holds enough rows that are truly as near to a node's own vector as the node: short rows under ip.
  bool answers_without(uint32_t slot) {
    around_.clear();
    for (const SearchPool::Entry& met : scratch_.pool) {
      if (!met.rejected() && around_.size() < kRefined) around_.push_back(met.slot());
    }
    if (around_.size() < kAnswer) return false;
    float own;
    store_.distances(store_.row(slot), &slot, 1, &own);
    store_.distances(store_.row(slot), around_.data(), around_.size(), scratch_.distances);
    return std::count_if(scratch_.distances, scratch_.distances + around_.size(), [&](float d) { return d <= own; }) >=
           static_cast<std::ptrdiff_t>(kAnswer);
  }

  // As a search does; node_score_ is not touched.
  template <class Stop>
  void walk(EntryPoint entry, size_t pool, Stop& stop) {
    if (any_gone_) {
      walk_graph(graph_, entry, store_.metric, limit_, search_score_, WalkSize::of(store_.metric, pool, 1), AcceptPresent{graph_},
                 stop, scratch_);
    } else {
      walk_graph(graph_, entry, store_.metric, limit_, search_score_, WalkSize::of(store_.metric, pool, 1), AcceptAll{}, stop,
                 scratch_);
    }
  }

  // Makes `neighbor` the first link of a node, so that the link from there is protected.
  void lead_back(uint32_t slot, uint32_t neighbor) {
    const auto guard = locks_.lock(slot);
    uint32_t* row = graph_.row(slot, 0);
    uint32_t* place = std::find(row, row + graph_.degree0, neighbor);
    if (place == row + graph_.degree0) {
      place = std::find(row, row + graph_.degree0, kNoSlot);
      for (size_t i = graph_.degree0; place == row + graph_.degree0 && i-- > 0;) {
        if (release_link(slot, row[i], 0)) place = row + i;
      }
      if (place == row + graph_.degree0) return;
      count_link(neighbor, 0);
    }
    HnswGraph::store(place, row[0] == kNoSlot ? neighbor : row[0]);
    HnswGraph::store(row, neighbor);
  }

  // What a search for the node finds on a layer, nearest first, into candidates_.
  void gather(uint32_t slot, uint32_t start, size_t layer, size_t ef) {
    const auto walk = [&](const auto& accept) {
      start_search(node_score_, start, ef, limit_, scratch_, accept);
      search_layer(graph_, layer, node_score_, accept, limit_, scratch_);
    };
    if (any_gone_) {
      walk(AcceptPresent{graph_});
    } else {
      walk(AcceptAll{});
    }
    candidates_.clear();
    for (const SearchPool::Entry& found : scratch_.pool) {
      if (!found.rejected() && found.slot() != slot) candidates_.push_back({found.distance, found.slot()});
    }
  }

  // A node comes into the searches for those near it, in front of what used to lead to them.
  void doubt_nearest() {
    for (size_t i = 0; i < std::min(candidates_.size(), kCrowded); ++i) graph_.put_in_doubt(candidates_[i].id, doubts_);
  }

  // Hangs the node behind one that the traversal cannot tell from it, if the search has met one. Only asked on the first layer
  // that the node would be linked on, so that it has no link yet.
  bool join_twin(uint32_t slot) {
    for (const Neighbor& candidate : candidates_) {
      if (candidate.distance > node_score_.noise()) return false;
      if (!node_score_.same(slot, candidate.id)) continue;
      const auto guard = locks_.lock(candidate.id);
      graph_.levels[slot] = HnswGraph::kTwin;
      graph_.heads[slot] = candidate.id;
      HnswGraph::store(&graph_.twins[slot], graph_.twins[candidate.id]);
      HnswGraph::store(&graph_.twins[candidate.id], slot);
      return true;
    }
    return false;
  }

  // SELECT-NEIGHBORS-HEURISTIC: of candidates_ (ascending) into selected_, at most `degree`. A candidate is kept when no kept one
  // is closer to it, by the factor alpha, than the node is. Of equal vectors one is kept, or a large group of them would link to
  // itself alone and lead nowhere; `noise` is what rounding makes of a distance of 0. Kept ones are compared in blocks, nearest
  // first, because most candidates fall to one of the first.
  void select(size_t degree) {
    selected_.clear();
    selected_slots_.clear();
    for (const Neighbor& candidate : candidates_) {
      if (selected_.size() == degree) break;
      other_score_.set_row(candidate.id);
      bool occluded = false;
      for (size_t begin = 0; begin < selected_.size() && !occluded; begin += kBlock) {
        const size_t count = std::min(kBlock, selected_.size() - begin);
        other_score_(selected_slots_.data() + begin, count, scratch_.distances);
        for (size_t j = 0; j < count; ++j) occluded |= occludes(scratch_.distances[j], candidate.distance);
      }
      if (occluded) continue;
      selected_.push_back(candidate);
      selected_slots_.push_back(candidate.id);
    }
  }

  // Links on layer 0 are counted by where they lead. A link may go only while another one leads there too, and never when its
  // owner is the first (as a rule the nearest) neighbour of the node it leads to: a search for that node comes by there.
  void count_link(uint32_t slot, size_t layer) {
    if (layer == 0) std::atomic_ref<uint32_t>(graph_.in_degrees[slot]).fetch_add(1, std::memory_order_relaxed);
  }
  bool release_link(uint32_t owner, uint32_t slot, size_t layer) {
    if (layer != 0 || (any_gone_ && graph_.gone(slot))) return true;
    if (HnswGraph::load(graph_.row(slot, 0)) == owner) return false;
    graph_.put_in_doubt(slot, doubts_);
    std::atomic_ref<uint32_t> degree(graph_.in_degrees[slot]);
    uint32_t seen = degree.load(std::memory_order_relaxed);
    while (seen > 1) {
      if (degree.compare_exchange_weak(seen, seen - 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }

  // A node in a crowd would be turned away by every neighbour. So the nearest that can make room for it does, whoever else is
  // occluded, and the node's own first link goes back there: these pairs hold the graph together (see release_link).
  void link_from_nearest(uint32_t slot) {
    for (const Neighbor& candidate : candidates_) {
      // First, so that the link from there is protected from the moment it exists.
      set_first(slot, candidate.id);
      if (!add_link(candidate.id, slot, candidate.distance, 0, true)) continue;
      count_link(candidate.id, 0);
      const auto chosen = std::find(selected_.begin(), selected_.end(), candidate);
      if (chosen != selected_.end()) {
        std::rotate(selected_.begin(), chosen, chosen + 1);
      } else {
        if (selected_.size() == graph_.degree0) selected_.pop_back();
        selected_.insert(selected_.begin(), candidate);
      }
      return;
    }
  }

  // Makes `neighbor` the first entry of a row that is not written yet. Another thread may have appended to it already, having met
  // the node on a higher layer; such an entry moves behind.
  void set_first(uint32_t slot, uint32_t neighbor) {
    const auto guard = locks_.lock(slot);
    uint32_t* row = graph_.row(slot, 0);
    if (row[0] != kNoSlot && row[0] != tentative_first_) {
      uint32_t* free = std::find(row, row + graph_.degree0, kNoSlot);
      if (free == row + graph_.degree0) return;
      HnswGraph::store(free, row[0]);
    }
    HnswGraph::store(row, neighbor);
    tentative_first_ = neighbor;
  }

  bool occludes(float between, float distance) const { return params_.alpha * between <= distance + node_score_.noise(); }

  // Writes the node's own links. Another thread may have met the node on a higher layer and linked to it here already: those
  // links are kept and the selection fills the rest.
  void write_row(uint32_t slot, size_t layer) {
    const auto guard = locks_.lock(slot);
    uint32_t* row = graph_.row(slot, layer);
    const size_t degree = graph_.degree(layer);
    size_t used = 0;
    while (used < degree && row[used] != kNoSlot) ++used;
    const size_t linked = used;
    for (size_t i = 0; i < selected_.size() && used < degree; ++i) {
      if (std::find(row, row + linked, selected_[i].id) != row + linked) continue;
      HnswGraph::store(row + used++, selected_[i].id);
      count_link(selected_[i].id, layer);
    }
    uint32_t* first = std::find(row, row + used, selected_.front().id);
    if (first == row + used) return;  // others have filled the row
    HnswGraph::store(first, row[0]);
    HnswGraph::store(row, selected_.front().id);
  }

  // Adds slot to the row of `owner`. A full row is decided from two scored rows: the owner's distances to its neighbours and the
  // newcomer's. The newcomer stays out when a closer neighbour occludes it (unless `force`); otherwise it takes the place of
  // those that it occludes, or of the farthest. Nobody gives up a place who would then be out of reach.
  // Returns whether the link is there.
  bool add_link(uint32_t owner, uint32_t slot, float distance, size_t layer, bool force) {
    const auto guard = locks_.lock(owner);
    uint32_t* row = graph_.row(owner, layer);
    const size_t degree = graph_.degree(layer);
    size_t used = 0;
    while (used < degree && row[used] != kNoSlot) {
      if (row[used] == slot) return true;
      ++used;
    }
    if (used < degree) {
      HnswGraph::store(row + used, slot);
      count_link(slot, layer);
      return true;
    }
    other_score_.set_row(owner);
    other_score_(row, degree, owner_distances_);
    node_score_(row, degree, scratch_.distances);
    for (size_t i = 0; i < degree && !force; ++i) {
      if (owner_distances_[i] < distance && occludes(scratch_.distances[i], distance)) return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < degree; ++i) {
      const bool occluded = (owner_distances_[i] >= distance && occludes(scratch_.distances[i], owner_distances_[i])) ||
                            (any_gone_ && graph_.gone(row[i]));
      if (occluded && release_link(owner, row[i], layer)) continue;
      owner_distances_[kept] = owner_distances_[i];
      kept_[kept++] = row[i];
    }
    if (kept == degree && !drop_farthest(owner, kept, force ? kNearest : distance, layer)) return false;
    const bool nearest = kept == 0 || *std::min_element(owner_distances_, owner_distances_ + kept) > distance;
    kept_[kept++] = slot;
    if (nearest) std::swap(kept_[0], kept_[kept - 1]);
    count_link(slot, layer);
    for (size_t i = 0; i < degree; ++i) HnswGraph::store(row + i, i < kept ? kept_[i] : kNoSlot);
    return true;
  }

  // Takes the farthest of kept_ that may go and lies beyond `distance` out of it; false when there is none.
  bool drop_farthest(uint32_t owner, size_t& kept, float distance, size_t layer) {
    for (size_t tries = 0; tries < kept; ++tries) {
      const size_t farthest = static_cast<size_t>(std::max_element(owner_distances_, owner_distances_ + kept) - owner_distances_);
      if (!(owner_distances_[farthest] > distance)) return false;
      if (release_link(owner, kept_[farthest], layer)) {
        kept_[farthest] = kept_[--kept];
        owner_distances_[farthest] = owner_distances_[kept];
        return true;
      }
      owner_distances_[farthest] = kNearest;  // it must stay: look at the next
    }
    return false;
  }

  static constexpr size_t kBlock = 8;
  static constexpr size_t kCrowded = 8;
  static constexpr size_t kAnswer = 10;   // k of a search by default
  static constexpr size_t kRefined = 20;  // what it takes from its pool, with the default refine factor
  static constexpr float kNearest = -std::numeric_limits<float>::infinity();

  const HnswGraph& graph_;
  const HnswParams& params_;
  size_t limit_;
  bool any_gone_;
  NodeLocks& locks_;
  SearchScratch& scratch_;
  std::vector<uint32_t>& doubts_;
  const RowStore& store_;
  Scorer search_score_;  // set to the node that is searched for
  Scorer node_score_;    // set to the node that is being inserted
  Scorer other_score_;   // set to whichever other node is compared
  std::vector<Neighbor> candidates_;
  std::vector<Neighbor> selected_;
  std::vector<uint32_t> selected_slots_;
  std::vector<uint32_t> gone_;    // repair_row: nodes that are gone, first those that the row led to
  std::vector<uint32_t> around_;  // repair_row: what is to be chosen from
  float owner_distances_[SearchScratch::kMaxDegree];
  uint32_t kept_[SearchScratch::kMaxDegree];
  uint32_t tentative_first_ = kNoSlot;  // what set_first has put into the row of the node that is being inserted
};

}  // namespace nigh

#include "index/hnsw_builder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <thread>

#include "base/rng.h"
#include "base/thread_pool.h"
#include "base/top_k.h"
#include "quant/f32.h"
#include "quant/sq8.h"

namespace nigh {

uint32_t hnsw_level(const HnswParams& params, uint32_t slot) {
  Rng rng(params.seed, slot);
  const double scale = 1.0 / std::log(static_cast<double>(std::max<size_t>(2, params.m)));
  const double level = -std::log(1.0 - rng.uniform()) * scale;
  return static_cast<uint32_t>(std::min(level, static_cast<double>(HnswGraph::kMaxLevel)));
}

std::vector<float> length_thresholds(std::vector<float> lengths) {
  std::vector<float> thresholds;
  for (size_t held = lengths.size() / kLengthRatio; held > 0; held /= kLengthRatio) {
    const auto nth = lengths.begin() + static_cast<std::ptrdiff_t>(held - 1);
    std::nth_element(lengths.begin(), nth, lengths.end(), std::greater<>());
    thresholds.push_back(*nth);
  }
  return thresholds;
}

uint32_t hnsw_level_by_length(float length, const std::vector<float>& thresholds, uint32_t level_by_chance) {
  uint32_t level = 0;
  while (level < thresholds.size() && (length > thresholds[level] || (length == thresholds[level] && level_by_chance > level))) {
    ++level;
  }
  return level;
}

namespace {

// One byte-sized lock for every 2^16-th node: two nodes share one rarely enough, and no thread holds two.
class NodeLocks {
 public:
  class Guard {
   public:
    explicit Guard(std::atomic_flag& flag) : flag_(flag) {
      for (int spins = 0; flag_.test_and_set(std::memory_order_acquire);) {
        if (++spins > 64) std::this_thread::yield();
      }
    }
    ~Guard() { flag_.clear(std::memory_order_release); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    std::atomic_flag& flag_;
  };

  Guard lock(uint32_t slot) { return Guard(flags_[slot & (flags_.size() - 1)]); }

 private:
  std::array<std::atomic_flag, 1 << 16> flags_{};
};

template <class Scorer>
class Linker {
 public:
  Linker(const HnswGraph& graph, const RowStore& store, const HnswParams& params, size_t limit, NodeLocks& locks)
      : graph_(graph),
        params_(params),
        limit_(limit),
        locks_(locks),
        node_score_(store, ScoreFor::kLinks),
        other_score_(store, ScoreFor::kLinks) {}

  void insert(uint32_t slot, EntryPoint entry) {
    node_score_.set_row(slot);
    const size_t level = graph_.levels[slot];
    uint32_t start = entry.slot;
    if (entry.level > level) start = descend(graph_, node_score_, start, entry.level, level + 1, limit_, scratch_);
    for (size_t layer = std::min<size_t>(level, entry.level) + 1; layer-- > 0;) {
      start_search(node_score_, start, params_.ef_construction, limit_, scratch_);
      search_layer(graph_, layer, node_score_, AcceptAll{}, limit_, scratch_);
      candidates_.clear();
      for (const SearchPool::Entry& found : scratch_.pool) {
        if (found.slot() != slot) candidates_.push_back({found.distance, found.slot()});
      }
      if (candidates_.empty()) continue;
      start = candidates_.front().id;
      if (layer == std::min<size_t>(level, entry.level) && join_twin(slot)) return;
      select(graph_.degree(layer));
      tentative_first_ = kNoSlot;
      if (layer == 0) link_from_nearest(slot);
      write_row(slot, layer);
      for (const Neighbor& neighbor : selected_) add_link(neighbor.id, slot, neighbor.distance, layer, false);
    }
  }

 private:
  // Hangs the node behind one that the traversal cannot tell from it, if the search has met one. Only asked on the first layer
  // that the node would be linked on, so that it has no link yet.
  bool join_twin(uint32_t slot) {
    for (const Neighbor& candidate : candidates_) {
      if (candidate.distance > node_score_.noise()) return false;
      if (!node_score_.same(slot, candidate.id)) continue;
      const auto guard = locks_.lock(candidate.id);
      graph_.levels[slot] = HnswGraph::kTwin;
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
    if (layer != 0) return true;
    if (HnswGraph::load(graph_.row(slot, 0)) == owner) return false;
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
      const bool occluded = owner_distances_[i] >= distance && occludes(scratch_.distances[i], owner_distances_[i]);
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
  static constexpr float kNearest = -std::numeric_limits<float>::infinity();

  const HnswGraph& graph_;
  const HnswParams& params_;
  size_t limit_;
  NodeLocks& locks_;
  Scorer node_score_;   // set to the node that is being inserted
  Scorer other_score_;  // set to whichever other node is compared
  SearchScratch scratch_;
  std::vector<Neighbor> candidates_;
  std::vector<Neighbor> selected_;
  std::vector<uint32_t> selected_slots_;
  float owner_distances_[SearchScratch::kMaxDegree];
  uint32_t kept_[SearchScratch::kMaxDegree];
  uint32_t tentative_first_ = kNoSlot;  // what set_first has put into the row of the node that is being inserted
};

template <class Scorer>
void link_all(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
              uint32_t begin, uint32_t end, size_t max_lanes, TaskControl& control) {
  ThreadPool& pool = ThreadPool::shared();
  const auto locks = std::make_unique<NodeLocks>();
  std::mutex entry_mutex;

  if (begin < end && EntryPoint::unpack(entry.load()).slot == kNoSlot) {
    entry.store(EntryPoint{begin, graph.levels[begin]}.packed());
    control.advance(1);
    ++begin;
  }
  std::vector<std::unique_ptr<Linker<Scorer>>> linkers(pool.lanes(max_lanes));
  pool.parallel_for(end - begin, 16, max_lanes, [&](size_t from, size_t to, size_t lane) {
    control.check();
    if (!linkers[lane]) linkers[lane] = std::make_unique<Linker<Scorer>>(graph, store, params, end, *locks);
    for (size_t i = from; i < to; ++i) {
      const auto slot = static_cast<uint32_t>(begin + i);
      const EntryPoint seen = EntryPoint::unpack(entry.load(std::memory_order_acquire));
      linkers[lane]->insert(slot, seen);
      if (graph.levels[slot] != HnswGraph::kTwin && graph.levels[slot] > seen.level) {
        const std::lock_guard lock(entry_mutex);
        if (graph.levels[slot] > EntryPoint::unpack(entry.load()).level) {
          entry.store(EntryPoint{slot, graph.levels[slot]}.packed(), std::memory_order_release);
        }
      }
    }
    control.advance(to - from);
  });
}

}  // namespace

void hnsw_link(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
               uint32_t begin, uint32_t end, size_t max_lanes, TaskControl& control) {
  if (store.quantization == Quantization::kSq8) {
    link_all<Sq8Scorer>(graph, store, params, entry, begin, end, max_lanes, control);
  } else {
    link_all<F32Scorer>(graph, store, params, entry, begin, end, max_lanes, control);
  }
}

void hnsw_unlink_from(HnswGraph& graph, uint32_t first) {
  for (uint32_t slot = 0; slot < first; ++slot) {
    uint32_t next = graph.twins[slot];
    while (next != kNoSlot && next >= first) next = graph.twins[next];
    HnswGraph::store(&graph.twins[slot], next);
    if (graph.levels[slot] == HnswGraph::kTwin) continue;
    for (size_t layer = 0; layer <= graph.levels[slot]; ++layer) {
      uint32_t* row = graph.row(slot, layer);
      const size_t degree = graph.degree(layer);
      size_t kept = 0;
      for (size_t i = 0; i < degree && row[i] != kNoSlot; ++i) {
        if (row[i] < first) HnswGraph::store(row + kept++, row[i]);
      }
      for (size_t i = kept; i < degree; ++i) HnswGraph::store(row + i, kNoSlot);
    }
  }
  graph.count_in_degrees(first, graph.in_degrees.size());
}

}  // namespace nigh

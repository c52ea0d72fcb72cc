#include "index/hnsw_bulk.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <numeric>
#include <utility>
#include <vector>

#include "base/thread_pool.h"
#include "index/hnsw_linker.h"
#include "index/near_rows.h"
#include "index/row_partition.h"
#include "quant/scorers.h"

namespace nigh {

namespace {

constexpr size_t kBulkRows = 20'000;

// Lists of near rows take memory by the effort; who asks for more would rather wait.
constexpr size_t kMostBulkEffort = 1000;

// Of how many values the rows of a leaf consist, so that a leaf, which is compared with itself, costs the same at every
// dimension.
constexpr size_t kLeafValues = 1 << 18;
constexpr size_t kFewestLeafRows = 500;
constexpr size_t kMostLeafRows = 2000;

// What the effort of a build comes to. At 200 the graph is then as good as by searching for candidates with a pool of that size,
// at equal work of a search (docs/decisions/0022-linking-at-once.md). Directions, of which every row has many near ones, take
// more candidates than places do.
struct BulkEffort {
  PartitionShape shape;
  size_t candidates = 0;

  static BulkEffort of(const HnswParams& params, const RowStore& store) {
    const bool directions = store.metric == Metric::kCosine;
    const size_t effort = params.ef_construction;
    const size_t leaf_rows = std::clamp(kLeafValues / store.dim, kFewestLeafRows, kMostLeafRows);
    return {{leaf_rows, std::max<size_t>(1, effort / 16)}, std::max<size_t>(1, effort * (directions ? 10 : 8) / 25)};
  }
};

// A share of the progress of some rows, counted in steps of another size.
class Progress {
 public:
  Progress(TaskControl& control, uint64_t rows, uint64_t steps) : control_(control), rows_(rows), steps_(steps) { step(0); }

  void step(uint64_t steps) {
    const std::lock_guard lock(mutex_);
    done_ += steps;
    const uint64_t now = done_ == steps_ ? rows_ : rows_ * done_ / steps_;
    control_.advance(now - told_);
    told_ = now;
  }

 private:
  TaskControl& control_;
  uint64_t rows_;
  uint64_t steps_;
  std::mutex mutex_;
  uint64_t done_ = 0;
  uint64_t told_ = 0;
};

// Steps 1, 3 and 4 for one kind of scorer.
template <class Scorer>
class BulkLinking {
 public:
  BulkLinking(const HnswGraph& graph, const RowStore& store, const HnswParams& params, uint32_t limit, size_t max_lanes,
              LinkWorkspace& workspace, TaskControl& control)
      : graph_(graph),
        store_(store),
        params_(params),
        limit_(limit),
        max_lanes_(max_lanes),
        workspace_(workspace),
        control_(control),
        linkers_(ThreadPool::shared().lanes(max_lanes)) {
    workspace.reserve(linkers_.size());
  }

  // Hangs rows behind the first that is like them; gives the others.
  std::vector<uint32_t> join_twins(std::span<const uint32_t> slots) {
    const Scorer scorer(store_, ScoreFor::kLinks);
    std::vector<std::pair<uint64_t, uint32_t>> marks(slots.size());
    ThreadPool::shared().parallel_for(slots.size(), 1024, max_lanes_, [&](size_t begin, size_t end, size_t) {
      control_.check();
      for (size_t i = begin; i < end; ++i) marks[i] = {scorer.fingerprint(slots[i]), slots[i]};
    });
    std::sort(marks.begin(), marks.end());
    for (size_t begin = 0, end = 0; begin < marks.size(); begin = end) {
      while (end < marks.size() && marks[end].first == marks[begin].first) ++end;
      const uint32_t head = marks[begin].second;
      for (size_t i = begin + 1; i < end; ++i) {
        if (scorer.same(head, marks[i].second)) hang_behind(head, marks[i].second);
      }
    }
    std::vector<uint32_t> nodes;
    nodes.reserve(slots.size());
    for (const uint32_t slot : slots) {
      if (!graph_.is_twin(slot)) nodes.push_back(slot);
    }
    return nodes;
  }

  // A row that was compared with none, or of which no distance is a number, is inserted.
  void choose_links(const std::vector<uint32_t>& nodes, size_t first, const NearRows& near, EntryPoint entry,
                    Progress& progress) {
    each(first, nodes.size(), progress, [&](HnswLinker<Scorer>& linker, size_t position, std::vector<uint32_t>& candidates) {
      candidates.clear();
      for (const uint64_t key : near.of(position)) candidates.push_back(nodes[NearRows::position_of(key)]);
      if (candidates.empty()) {
        linker.insert(nodes[position], entry);
      } else {
        linker.link_to(nodes[position], candidates);
      }
    });
  }

  void link_back(const std::vector<uint32_t>& nodes, size_t first, Progress& progress) {
    each(first, nodes.size(), progress,
         [&](HnswLinker<Scorer>& linker, size_t position, std::vector<uint32_t>&) { linker.link_back(nodes[position]); });
  }

 private:
  void hang_behind(uint32_t head, uint32_t twin) const {
    graph_.levels[twin] = HnswGraph::kTwin;
    graph_.heads[twin] = head;
    graph_.twins[twin] = graph_.twins[head];
    graph_.twins[head] = twin;
  }

  template <class Body>
  void each(size_t first, size_t last, Progress& progress, const Body& body) {
    ThreadPool::shared().parallel_for(last - first, 64, max_lanes_, [&](size_t begin, size_t end, size_t lane) {
      control_.check();
      if (!linkers_[lane]) {
        linkers_[lane] = std::make_unique<HnswLinker<Scorer>>(graph_, store_, params_, limit_, false, workspace_.locks,
                                                              *workspace_.lanes[lane]);
      }
      std::vector<uint32_t> candidates;
      for (size_t i = begin; i < end; ++i) body(*linkers_[lane], first + i, candidates);
      progress.step(end - begin);
    });
  }

  const HnswGraph& graph_;
  const RowStore& store_;
  const HnswParams& params_;
  uint32_t limit_;
  size_t max_lanes_;
  LinkWorkspace& workspace_;
  TaskControl& control_;
  std::vector<std::unique_ptr<HnswLinker<Scorer>>> linkers_;
};

}  // namespace

bool hnsw_links_in_bulk(Metric metric, const HnswParams& params, size_t rows) {
  return rows >= kBulkRows && params.ef_construction <= kMostBulkEffort && (metric == Metric::kL2 || metric == Metric::kCosine);
}

void hnsw_link_in_bulk(const HnswGraph& graph, const RowStore& store, const HnswParams& params, std::atomic<uint64_t>& entry,
                       std::span<const uint32_t> slots, uint32_t limit, size_t max_lanes, LinkWorkspace& workspace,
                       TaskControl& control) {
  with_scorer(store, [&]<class Scorer>() {
    BulkLinking<Scorer> linking(graph, store, params, limit, max_lanes, workspace, control);
    std::vector<uint32_t> nodes = linking.join_twins(slots);
    control.advance(slots.size() - nodes.size());

    // Those to be inserted first; one of them whatever it is, so that there is an entry.
    const auto others =
        std::stable_partition(nodes.begin() + 1, nodes.end(), [&](uint32_t node) { return graph.levels[node] > 0; });
    const std::span<const uint32_t> inserted(nodes.begin(), others);
    hnsw_link(graph, store, params, entry, inserted, limit, max_lanes, false, workspace, control);

    const ComparedRows rows{store, nodes};
    const BulkEffort effort = BulkEffort::of(params, store);
    const std::vector<std::vector<uint32_t>> leaves = partition_rows(rows, effort.shape, params.seed, max_lanes, control);
    const size_t members =
        std::accumulate(leaves.begin(), leaves.end(), size_t{0}, [](size_t sum, const auto& leaf) { return sum + leaf.size(); });
    const size_t rest = nodes.size() - inserted.size();
    const size_t half = rest / 2;
    const size_t quarter = (rest - half) / 2;
    Progress comparing(control, half, members);
    const NearRows near =
        near_rows(rows, leaves, effort.candidates, max_lanes, control, [&](size_t more) { comparing.step(more); });
    Progress choosing(control, quarter, rest);
    linking.choose_links(nodes, inserted.size(), near, EntryPoint::unpack(entry.load()), choosing);
    Progress linking_back(control, rest - half - quarter, rest);
    linking.link_back(nodes, inserted.size(), linking_back);
  });
}

}  // namespace nigh

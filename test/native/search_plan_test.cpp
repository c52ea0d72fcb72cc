// Which plan answers a filtered search, and what each finds.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <numeric>
#include <span>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "index/flat_index.h"
#include "index/hnsw_index.h"
#include "index/search_plan.h"
#include "quant/scorers.h"

using namespace nigh;

namespace {

constexpr size_t kDim = 24;
constexpr size_t kK = 10;

std::vector<float> clustered(size_t rows, uint64_t stream) {
  std::vector<float> values(rows * kDim);
  for (size_t r = 0; r < rows; ++r) {
    Rng rng(6, stream + r);
    Rng centre(5, rng.below(60));
    for (size_t i = 0; i < kDim; ++i) values[r * kDim + i] = static_cast<float>(centre.normal() + 0.8 * rng.normal());
  }
  return values;
}

PlanQuestion question(size_t rows, double share, double around) {
  return {rows, static_cast<size_t>(static_cast<double>(rows) * share), 64, 64, 64, around};
}

bool is_exact(Plan plan) { return plan == Plan::kScan || plan == Plan::kAllowedScan; }

// A graph over rows that need no codes, linked on one thread.
struct Linked {
  RowStore store;
  HnswGraph graph;
  std::atomic<uint64_t> entry{EntryPoint{}.packed()};

  explicit Linked(const std::vector<float>& rows) {
    const size_t n = rows.size() / kDim;
    HnswParams params;
    params.m = 8;
    params.ef_construction = 80;
    store = RowStore::create(Metric::kL2, Quantization::kNone, kDim).grown(n);
    graph.m = params.m;
    graph.degree0 = hnsw_layer0_degree(params);
    graph.links0 = Buffer<uint32_t>(n * graph.degree0);
    graph.levels = Buffer<uint8_t>(n);
    graph.twins = Buffer<uint32_t>(n);
    graph.upper_rows = Buffer<uint32_t>(n);
    uint32_t upper = 0;
    for (uint32_t slot = 0; slot < n; ++slot) {
      store.put(slot, &rows[slot * kDim], slot, slot);
      graph.levels[slot] = static_cast<uint8_t>(hnsw_level(params, slot));
      graph.upper_rows[slot] = upper;
      upper += graph.levels[slot];
    }
    graph.upper = Buffer<uint32_t>(upper * graph.m);
    std::fill_n(graph.links0.data(), graph.links0.size(), kNoSlot);
    std::fill_n(graph.upper.data(), graph.upper.size(), kNoSlot);
    std::fill_n(graph.twins.data(), n, kNoSlot);
    graph.prepare_for_changes(0, n, {});
    std::vector<uint32_t> slots(n);
    std::iota(slots.begin(), slots.end(), 0);
    LinkWorkspace workspace;
    TaskControl control;
    hnsw_link(graph, store, params, entry, slots, static_cast<uint32_t>(n), 1, false, workspace, control);
  }
};

}  // namespace

TEST("the plan of a filtered search: few are compared, most are stepped over, few of very many are looked for behind others") {
  for (const size_t rows : {10'000, 300'000, 10'000'000, 500'000'000}) {
    CHECK(choose_plan(question(rows, 0.0001, -1), true) == Plan::kAllowedScan);
    // What lies elsewhere is compared, however much it is.
    CHECK(is_exact(choose_plan(question(rows, 0.9, 0), true)));
    CHECK(is_exact(choose_plan(question(rows, 0.9, 0.3), true)));
    CHECK(is_exact(choose_plan(question(rows, 0.01, 0.001), true)));
  }
  CHECK(choose_plan(question(300'000, 0.9, 0.9), true) == Plan::kFilteredGraph);
  CHECK(choose_plan(question(300'000, 0.5, 0.5), true) == Plan::kFilteredGraph);
  CHECK(choose_plan(question(300'000, 0.5, 0.9), true) == Plan::kFilteredGraph);
  CHECK(choose_plan(question(100'000'000, 0.01, 0.01), true) == Plan::kTwoHopGraph);
  // More rows of the same kind never turn a walk into a comparison.
  for (const double share : {0.9, 0.5, 0.2, 0.05, 0.01, 0.005}) {
    bool walked = false;
    for (size_t rows = 1000; rows < 2'000'000'000; rows *= 2) {
      const bool walks = !is_exact(choose_plan(question(rows, share, share), true));
      CHECK(walks || !walked);
      walked |= walks;
    }
    CHECK(walked);
  }
}

TEST("a walk may cost a part of what comparing would, or several times what it promised") {
  const PlanQuestion large = question(1'000'000, 0.9, 0.9);
  const PlanQuestion small = question(20'000, 0.9, 0.9);
  CHECK(walk_budget(large, Plan::kFilteredGraph) > walk_budget(small, Plan::kFilteredGraph));
  CHECK(walk_budget(small, Plan::kFilteredGraph) >= 128);
  CHECK(walk_budget(large, Plan::kFilteredGraph) * large.degree < large.rows);
}

TEST("wherever the allowed rows lie, a search finds them, and computes little more than comparing all of them would") {
  const size_t n = 8000;
  const size_t asked = 16;
  const auto rows = clustered(n, 0);
  const auto queries = clustered(asked, 1'000'000);
  const double shares[] = {0.998, 0.99, 0.9, 0.7, 0.5, 0.3, 0.1, 0.01};
  const char* const places[] = {"nearest", "in the middle", "farthest", "anywhere"};
  std::vector<uint32_t> shuffled(n);
  std::iota(shuffled.begin(), shuffled.end(), 0);
  Rng rng(1, 0);
  for (size_t i = n - 1; i > 0; --i) std::swap(shuffled[i], shuffled[rng.below(static_cast<uint32_t>(i + 1))]);
  HnswParams params;
  params.m = 16;
  params.ef_construction = 80;
  for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kIp}) {
    TaskControl control;
    const auto flat = FlatIndex::build({rows.data(), n, kDim}, nullptr, metric, Quantization::kNone);
    const auto index = HnswIndex::build({rows.data(), n, kDim}, nullptr, metric, params, 0, control);
    size_t hits[std::size(shares)][std::size(places)] = {};
    for (size_t q = 0; q < asked; ++q) {
      const float* query = &queries[q * kDim];
      SearchParams search;
      SearchStats unused;
      search.k = n;
      std::vector<uint32_t> ranked;
      for (const Neighbor& neighbor : flat->search(query, search, unused)) ranked.push_back(neighbor.id);
      search.k = kK;
      for (size_t s = 0; s < std::size(shares); ++s) {
        const auto count = static_cast<size_t>(shares[s] * n);
        for (size_t p = 0; p < std::size(places); ++p) {
          const auto& order = p == 3 ? shuffled : ranked;
          const size_t from = p == 1 ? (n - count) / 2 : p == 2 ? n - count : 0;
          const IdSet filter = IdSet::allow(std::span(order).subspan(from, count));
          search.filter = &filter;
          const auto truth = flat->search(query, search, unused);
          SearchStats stats;
          const auto found = index->search(query, search, stats);
          CHECK(found.size() == kK);
          CHECK(stats.distances <= 2 * n);
          for (const Neighbor& neighbor : found) {
            CHECK(filter.contains(neighbor.id));
            hits[s][p] += neighbor.distance <= truth.back().distance + 1e-6f * std::fabs(truth.back().distance);
          }
        }
      }
    }
    for (size_t s = 0; s < std::size(shares); ++s) {
      for (size_t p = 0; p < std::size(places); ++p) {
        const double recall = static_cast<double>(hits[s][p]) / (asked * kK);
        if (recall < 0.95) {
          std::fprintf(stderr, "  metric %u, %g of the rows, %s: recall %.3f\n", unsigned(metric), shares[s], places[p], recall);
        }
        CHECK(recall >= 0.95);
      }
    }
  }
}

TEST("a walk that looks behind the rejected finds the nearest of few allowed rows") {
  const size_t n = 12'000;
  const size_t asked = 50;
  const auto rows = clustered(n, 0);
  const auto queries = clustered(asked, 1'000'000);
  const Linked linked(rows);
  for (const double share : {0.5, 0.2, 0.05}) {
    std::vector<uint32_t> ids;
    for (uint32_t id = 0; id < n; ++id) {
      if (Rng(2, id).uniform() < share) ids.push_back(id);
    }
    const IdSet members = IdSet::allow(ids);
    const AcceptMembers<Rejected::kPassOver, true> accept{members, linked.store.ids.data(), {}, linked.graph};
    SearchScratch scratch;
    size_t hits = 0;
    for (size_t q = 0; q < asked; ++q) {
      std::vector<float> truth(ids.size());
      linked.store.distances(&queries[q * kDim], ids.data(), ids.size(), truth.data());
      std::nth_element(truth.begin(), truth.begin() + (kK - 1), truth.end());
      F32Scorer score(linked.store, ScoreFor::kSearch);
      score.set_query(&queries[q * kDim]);
      StopNever never;
      walk_graph(linked.graph, EntryPoint::unpack(linked.entry), Metric::kL2, n, score, WalkSize::of(Metric::kL2, 64, kK), accept,
                 never, scratch);
      size_t taken = 0;
      for (const SearchPool::Entry& met : scratch.pool) {
        if (met.rejected()) continue;  // where the walk began
        CHECK(members.contains(met.slot()));
        hits += taken++ < kK && met.distance <= truth[kK - 1] * (1 + 1e-6f);
      }
      CHECK(scratch.scored < n);
    }
    const double recall = static_cast<double>(hits) / (asked * kK);
    if (recall < 0.95) std::fprintf(stderr, "  share %g: recall %.3f\n", share, recall);
    CHECK(recall >= 0.95);
  }
}

// Linking all rows of a new index at once: the partition, the lists of near rows, and the graph made of them.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "index/flat_index.h"
#include "index/hnsw_bulk.h"
#include "index/hnsw_index.h"
#include "index/hnsw_verify.h"
#include "index/near_rows.h"
#include "index/row_partition.h"

using namespace nigh;

namespace {

constexpr size_t kDim = 12;
constexpr uint64_t kSeed = 5;

std::vector<float> clustered(size_t rows, uint64_t seed) {
  std::vector<float> values(rows * kDim);
  for (size_t r = 0; r < rows; ++r) {
    Rng rng(seed, r);
    Rng centre(seed, 1'000'000 + rng.below(40));
    const double length = std::exp(0.5 * rng.normal());
    for (size_t i = 0; i < kDim; ++i) values[r * kDim + i] = static_cast<float>(length * (centre.normal() + 0.7 * rng.normal()));
  }
  return values;
}

RowStore store_of(Metric metric, const std::vector<float>& values, Quantization quantization = Quantization::kNone) {
  const size_t rows = values.size() / kDim;
  RowStore store = RowStore::create(metric, quantization, kDim).emptied(rows);
  for (size_t r = 0; r < rows; ++r) store.put(static_cast<uint32_t>(r), &values[r * kDim], static_cast<uint32_t>(r), r);
  return store;
}

// As in the product, in doubles.
double link_distance(const RowStore& store, uint32_t a, uint32_t b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < kDim; ++i) {
    const double x = store.row(a)[i], y = store.row(b)[i];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return store.metric == Metric::kL2 ? aa + bb - 2 * dot : -dot / std::sqrt(aa * bb);
}

std::vector<uint32_t> every(size_t rows) {
  std::vector<uint32_t> slots(rows);
  std::iota(slots.begin(), slots.end(), 0);
  return slots;
}

bool sound(HnswIndex& index) {
  TaskControl control;
  const VerifyReport report = index.verify(false, 64, 0, control);
  if (report.not_found != 0) std::fprintf(stderr, "  %zu not found\n", report.not_found);
  return report.dangling == 0 && report.unreachable == 0 && report.not_found == 0;
}

}  // namespace

TEST("leaves hold every row as often as asked, in different leaves, and none is larger than twice what was asked") {
  const size_t n = 3000;
  auto values = clustered(n, kSeed);
  for (size_t r = 1000; r < 1800; ++r) std::copy_n(&values[0], kDim, &values[r * kDim]);  // more equal ones than a leaf holds
  for (const Metric metric : {Metric::kL2, Metric::kCosine}) {
    const RowStore store = store_of(metric, values);
    const auto slots = every(n);
    const ComparedRows rows{store, slots};
    for (const size_t overlap : {1, 4}) {
      TaskControl control;
      const auto leaves = partition_rows(rows, {100, overlap}, kSeed, 2, control);
      CHECK(leaves == partition_rows(rows, {100, overlap}, kSeed, 1, control));
      CHECK(leaves != partition_rows(rows, {100, overlap}, kSeed + 1, 1, control));
      std::vector<size_t> times(n, 0);
      size_t alone = 0;
      for (const auto& leaf : leaves) {
        CHECK(leaf.size() > 1 && leaf.size() <= 200);
        CHECK(std::is_sorted(leaf.begin(), leaf.end()));
        CHECK(std::set<uint32_t>(leaf.begin(), leaf.end()).size() == leaf.size());
        for (const uint32_t member : leaf) ++times[member];
      }
      for (const size_t count : times) {
        CHECK(count <= overlap);
        alone += overlap - count;
      }
      CHECK(alone < n / 50);  // who was in a leaf with nobody else
    }
  }
}

TEST("two lanes list of the rows that share a leaf with a row the nearest, each once") {
  const size_t n = 1500;
  const size_t most = 20;
  auto values = clustered(n, kSeed + 1);
  for (float& value : values) value += 300.0f;  // far from the origin
  for (const Metric metric : {Metric::kL2, Metric::kCosine}) {
    const RowStore store = store_of(metric, values);
    auto slots = every(n);
    std::reverse(slots.begin(), slots.end());
    const ComparedRows rows{store, slots};
    TaskControl control;
    const auto leaves = partition_rows(rows, {60, 5}, kSeed, 2, control);
    std::vector<std::set<uint32_t>> shared(n);
    size_t members = 0;
    for (const auto& leaf : leaves) {
      members += leaf.size();
      for (const uint32_t member : leaf) shared[member].insert(leaf.begin(), leaf.end());
    }
    std::atomic<size_t> told{0};
    const NearRows near = near_rows(rows, leaves, most, 2, control, [&](size_t more) { told += more; });
    CHECK(told == members);
    for (uint32_t row = 0; row < n; ++row) {
      std::vector<double> expected;
      for (const uint32_t other : shared[row]) {
        if (other != row) expected.push_back(link_distance(store, slots[row], slots[other]));
      }
      std::sort(expected.begin(), expected.end());
      expected.resize(std::min(most, expected.size()));
      std::set<uint32_t> positions;
      std::vector<double> found;
      for (const uint64_t key : near.of(row)) {
        const uint32_t position = NearRows::position_of(key);
        CHECK(position != row);
        CHECK(shared[row].count(position) == 1);
        positions.insert(position);
        found.push_back(link_distance(store, slots[row], slots[position]));
      }
      std::sort(found.begin(), found.end());
      CHECK(positions.size() == found.size());
      CHECK(found.size() == expected.size());
      // Unit rows far from the origin are nearly one direction, which float32 products tell apart to six digits.
      const double tolerance = metric == Metric::kL2 ? 1e-3 : 1e-6;
      for (size_t i = 0; i < std::min(found.size(), expected.size()); ++i) CHECK_NEAR(found[i], expected[i], tolerance);
    }
  }
}

TEST("the key of a near row gives back its distance and position, and is ordered by distance") {
  const std::vector<float> distances{-3.5f, -1e-30f, 0.0f, 1e-30f, 2.0f, 1e30f};
  for (size_t i = 0; i < distances.size(); ++i) {
    const uint64_t key = NearRows::key(distances[i], 77);
    CHECK(NearRows::distance_of(key) == distances[i]);
    CHECK(NearRows::position_of(key) == 77);
    if (i > 0) CHECK(NearRows::key(distances[i - 1], 1'000'000) < key);
  }
}

TEST("two lanes link at once to rows that are there, each node to some, equal ones behind one another") {
  const size_t n = 1500;
  auto values = clustered(n, kSeed + 6);
  for (size_t r = 100; r < 200; ++r) std::copy_n(&values[0], kDim, &values[r * kDim]);
  for (const Quantization quantization : {Quantization::kNone, Quantization::kF16, Quantization::kSq8}) {
    const RowStore store = store_of(Metric::kCosine, values, quantization);
    HnswParams params;
    params.m = 8;
    params.quantization = quantization;
    HnswGraph graph;
    graph.m = params.m;
    graph.degree0 = 16;
    graph.links0 = Buffer<uint32_t>(n * graph.degree0);
    graph.levels = Buffer<uint8_t>(n);
    graph.upper_rows = Buffer<uint32_t>(n);
    graph.twins = Buffer<uint32_t>(n);
    uint32_t upper_rows = 0;
    for (uint32_t slot = 0; slot < n; ++slot) {
      graph.levels[slot] = static_cast<uint8_t>(hnsw_level(params, slot));
      graph.upper_rows[slot] = upper_rows;
      upper_rows += graph.levels[slot];
      graph.twins[slot] = kNoSlot;
    }
    graph.upper = Buffer<uint32_t>(upper_rows * graph.m);
    std::fill_n(graph.links0.data(), graph.links0.size(), kNoSlot);
    std::fill_n(graph.upper.data(), graph.upper.size(), kNoSlot);
    graph.prepare_for_changes(0, n, {});
    std::atomic<uint64_t> entry{EntryPoint{}.packed()};
    const auto slots = every(n);
    LinkWorkspace workspace;
    TaskControl control;
    hnsw_link_in_bulk(graph, store, params, entry, slots, n, 2, workspace, control);
    CHECK(control.done() == n);
    CHECK(count_faults(graph, n) == 0);
    size_t twins = 0;
    for (uint32_t slot = 0; slot < n; ++slot) {
      twins += graph.is_twin(slot);
      if (graph.is_twin(slot)) continue;
      const uint32_t* row = graph.row(slot, 0);
      const size_t links = static_cast<size_t>(std::find(row, row + graph.degree0, kNoSlot) - row);
      CHECK(links > 0);
      CHECK(std::set<uint32_t>(row, row + links).size() == links);
      CHECK(std::find(row, row + links, slot) == row + links);
    }
    CHECK(twins >= 100 && twins < 130);  // of those equal to row 0, and where codes are
    size_t behind = 0;
    graph.for_each_twin(0, [&](uint32_t) { return ++behind > 0; });
    CHECK(behind == 101);
  }
}

TEST("an index that is linked at once finds what one finds that is linked row by row, with no more work") {
  const size_t n = 20'000;
  const auto values = clustered(n, kSeed + 2);
  const auto queries = clustered(200, kSeed + 3);
  const Metric metric = Metric::kL2;
  HnswParams params;
  params.m = 8;
  params.ef_construction = 60;
  CHECK(hnsw_links_in_bulk(metric, params, n));
  CHECK(!hnsw_links_in_bulk(metric, params, n / 2));
  CHECK(!hnsw_links_in_bulk(Metric::kL1, params, n));
  CHECK(!hnsw_links_in_bulk(Metric::kIp, params, n));
  TaskControl control;
  const auto flat = FlatIndex::build({values.data(), n, kDim}, nullptr, metric, Quantization::kNone);
  const auto bulk = HnswIndex::build({values.data(), n, kDim}, nullptr, metric, params, 0, control);
  CHECK(control.done() == n && control.total() == n);
  // The first half is too few to be linked at once, and the second comes to rows that are there.
  TaskControl unwatched;
  const auto single = HnswIndex::build({values.data(), n / 2, kDim}, nullptr, metric, params, 0, unwatched);
  std::vector<uint32_t> ids(n / 2);
  std::iota(ids.begin(), ids.end(), static_cast<uint32_t>(n / 2));
  single->add({values.data() + n / 2 * kDim, n / 2, kDim}, ids.data(), 0, unwatched);

  struct Result {
    double recall = 0;
    double distances = 0;
  };
  const auto measure = [&](const HnswIndex& index) {
    Result result;
    for (size_t q = 0; q < 200; ++q) {
      SearchParams search;
      search.k = 10;
      SearchStats stats;
      const auto truth = flat->search(&queries[q * kDim], search, stats);
      search.ef_search = 40;
      SearchStats work;
      const auto found = index.search(&queries[q * kDim], search, work);
      result.distances += static_cast<double>(work.distances);
      for (const Neighbor& neighbor : found) result.recall += neighbor.distance <= truth.back().distance ? 1.0 / 2000 : 0;
    }
    return result;
  };
  const Result at_once = measure(*bulk);
  const Result row_by_row = measure(*single);
  CHECK(at_once.recall >= row_by_row.recall - 0.015);
  CHECK(at_once.distances <= row_by_row.distances * 1.1);
  CHECK(at_once.recall > 0.9);
  CHECK(sound(*bulk));
}

TEST("equal rows that are linked at once are one node, and each of them is found") {
  const size_t n = 20'000;
  auto values = clustered(n, kSeed + 4);
  // Half of all are equal to one row, and each of 500 others comes four times.
  for (size_t r = 0; r < n; r += 2) std::copy_n(&values[kDim], kDim, &values[r * kDim]);
  for (size_t r = 1; r < 1000; r += 2) {
    for (size_t copy = 1; copy < 4; ++copy) std::copy_n(&values[r * kDim], kDim, &values[(r + copy * 1000) * kDim]);
  }
  for (const Quantization quantization : {Quantization::kNone, Quantization::kSq8, Quantization::kF16}) {
    HnswParams params;
    params.m = 6;
    params.ef_construction = 60;
    params.quantization = quantization;
    TaskControl control;
    const auto index = HnswIndex::build({values.data(), n, kDim}, nullptr, Metric::kL2, params, 0, control);
    CHECK(control.done() == n);
    SearchParams search;
    search.k = 4;
    for (const uint32_t row : {3u, 501u, 999u, 15'001u}) {
      SearchStats stats;
      const auto found = index->search(&values[row * kDim], search, stats);
      CHECK(found.size() == 4 && found[0].distance == 0);
      const bool copied = row < 1000;
      for (size_t i = 0; i < 4 && copied; ++i) CHECK(found[i].distance == 0 && found[i].id % 1000 == row);
    }
    search.k = n / 2 + 1;
    SearchStats stats;
    const auto all = index->search(&values[kDim], search, stats);
    CHECK(all.size() == n / 2 + 1);
    CHECK(std::count_if(all.begin(), all.end(), [](const Neighbor& found) { return found.distance == 0; }) >=
          static_cast<std::ptrdiff_t>(n / 2));
    CHECK(quantization != Quantization::kSq8 || sound(*index));
  }
}

TEST("linking at once can be stopped, and rows whose distances are not numbers are linked too") {
  const size_t n = 20'000;
  auto values = clustered(n, kSeed + 5);
  TaskControl cancelled;
  cancelled.cancel();
  bool aborted = false;
  try {
    HnswIndex::build({values.data(), n, kDim}, nullptr, Metric::kL2, {}, 0, cancelled);
  } catch (const Error& error) {
    aborted = std::string(error.code()) == "ABORTED";
  }
  CHECK(aborted);

  for (size_t r = 0; r < n; r += 10) {
    for (size_t i = 0; i < kDim; ++i) values[r * kDim + i] *= 1e25f;  // their squares are infinite
  }
  HnswParams params;
  params.m = 6;
  params.ef_construction = 60;
  TaskControl control;
  const auto index = HnswIndex::build({values.data(), n, kDim}, nullptr, Metric::kL2, params, 0, control);
  CHECK(index->size() == n);
  SearchParams search;
  search.k = 1;
  size_t found = 0;
  for (uint32_t row = 1; row < 1000; row += 2) {
    SearchStats stats;
    if (row % 10 != 0) found += index->search(&values[row * kDim], search, stats)[0].distance == 0;
  }
  CHECK(found > 480);  // of 500: between such rows no search can tell which way is nearer
}

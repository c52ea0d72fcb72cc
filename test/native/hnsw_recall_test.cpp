// recall of an HNSW index that is asked for one.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <unistd.h>

#include "base/rng.h"
#include "check.h"
#include "index/flat_index.h"
#include "index/folded_questions.h"
#include "index/hnsw_index.h"

using namespace nigh;

namespace {

constexpr size_t kDim = 24;

std::vector<float> clustered(size_t rows, uint64_t seed, uint64_t stream) {
  std::vector<float> values(rows * kDim);
  for (size_t r = 0; r < rows; ++r) {
    Rng rng(seed + 1, stream + r);
    Rng centre(seed, rng.below(60));
    for (size_t i = 0; i < kDim; ++i) values[r * kDim + i] = static_cast<float>(centre.normal() + 0.8 * rng.normal());
  }
  return values;
}

HnswParams thin(Quantization quantization) {
  HnswParams params;
  params.m = 6;
  params.ef_construction = 60;
  params.quantization = quantization;
  return params;
}

double recall_of(const VectorIndex& index, const VectorIndex& oracle, const std::vector<float>& queries, SearchParams params) {
  size_t hits = 0;
  size_t wanted = 0;
  for (size_t q = 0; q < queries.size() / kDim; ++q) {
    SearchStats stats;
    const auto truth = oracle.search(&queries[q * kDim], params, stats);
    const auto found = index.search(&queries[q * kDim], params, stats);
    wanted += truth.size();
    for (const Neighbor& neighbor : found)
      hits += neighbor.distance <= truth.back().distance + 1e-6f * std::fabs(truth.back().distance);
  }
  return wanted == 0 ? 1 : static_cast<double>(hits) / static_cast<double>(wanted);
}

std::string temporary() {
  static int number = 0;
  return (std::filesystem::temp_directory_path() /
          ("nigh-recall-" + std::to_string(::getpid()) + "-" + std::to_string(number++) + ".ann"))
      .string();
}

std::vector<char> saved(const HnswIndex& index) {
  const std::string path = temporary();
  index.save(path);
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::remove(path.c_str());
  return bytes;
}

}  // namespace

TEST("a wanted recall is what questions that the index has not seen get, for every metric and number of neighbours") {
  const size_t n = 20'000;
  const auto rows = clustered(n, 1, 0);
  const auto queries = clustered(300, 1, 1'000'000);
  for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kIp}) {
    TaskControl control;
    const auto flat = FlatIndex::build({rows.data(), n, kDim}, nullptr, metric, Quantization::kNone);
    const auto index = HnswIndex::build({rows.data(), n, kDim}, nullptr, metric, thin(Quantization::kSq8), 0, control);
    CHECK(control.done() == n);
    const std::string path = temporary();
    index->save(path);
    const auto opened = HnswIndex::open(IndexFile::open(path, OpenMode::kMap));
    for (const size_t k : {1, 10, 30}) {
      for (const double wanted : {0.9, 0.97}) {
        SearchParams params;
        params.k = k;
        params.recall = wanted;
        const double got = recall_of(*opened, *flat, queries, params);
        // What was calibrated may be off by a little; what is asked here, of so few neighbours, by its sampling error as well.
        const double least = wanted - 0.02 - 4 * std::sqrt(wanted * (1 - wanted) / static_cast<double>(300 * k));
        if (got < least) std::fprintf(stderr, "  metric %u, k %zu: wanted %g, got %g\n", unsigned(metric), k, wanted, got);
        CHECK(got >= least);
        // Not by doing everything, and more only where more is wanted.
        SearchStats stats;
        SearchStats more;
        opened->search(queries.data(), params, stats);
        CHECK(stats.plan == Plan::kGraph);
        CHECK(stats.distances < n / 4);
        params.recall = 0.99;
        opened->search(queries.data(), params, more);
        CHECK(more.distances >= stats.distances);
      }
    }
    std::remove(path.c_str());
  }
}

TEST("a wanted recall is reached by questions that lack what makes rows long") {
  // The last third of the values of a row is up to a thousand times as strong, and no question asks for it.
  const size_t n = 12'000;
  auto rows = clustered(n, 11, 0);
  auto queries = clustered(200, 11, 1'000'000);
  for (size_t r = 0; r < n; ++r) {
    Rng rng(12, r);
    const auto strength = static_cast<float>(std::pow(1 - rng.uniform(), -1 / 1.5));
    for (size_t i = 16; i < kDim; ++i) rows[r * kDim + i] *= strength;
  }
  for (size_t r = 0; r < 200; ++r) std::fill_n(&queries[r * kDim + 16], kDim - 16, 0.0f);
  TaskControl control;
  const auto flat = FlatIndex::build({rows.data(), n, kDim}, nullptr, Metric::kIp, Quantization::kNone);
  const auto index = HnswIndex::build({rows.data(), n, kDim}, nullptr, Metric::kIp, thin(Quantization::kSq8), 0, control);
  for (const double wanted : {0.8, 0.9, 0.95}) {
    SearchParams params;
    params.recall = wanted;
    const double got = recall_of(*index, *flat, queries, params);
    if (got < wanted - 0.03) std::fprintf(stderr, "  wanted %g, got %g\n", wanted, got);
    CHECK(got >= wanted - 0.03);
    SearchStats stats;
    index->search(queries.data(), params, stats);
    CHECK(stats.plan == Plan::kGraph);
    CHECK(stats.distances < n / 4);
  }
}

TEST("rows of any size are asked for under inner product: zeros, the largest values there are, and more than one block") {
  for (const float size : {0.0f, 1e-30f, 1e18f}) {
    auto rows = clustered(4000, 13, 0);
    for (float& value : rows) value *= size;
    TaskControl control;
    const auto index = HnswIndex::build({rows.data(), 4000, kDim}, nullptr, Metric::kIp, thin(Quantization::kSq8), 0, control);
    SearchParams params;
    params.recall = 0.9;
    SearchStats stats;
    CHECK(index->search(rows.data(), params, stats).size() == 10);
  }
}

TEST("a folded question is the row by the inverse of the rows' second moments, twice") {
  constexpr size_t n = 3000;
  for (const size_t dim : {size_t{5}, size_t{700}}) {
    RowStore store = RowStore::create(Metric::kIp, Quantization::kNone, dim).grown(n);
    // Coordinates have nothing to do with each other, and the second is ten times as long: its square weighs a hundredth.
    for (size_t r = 0; r < n; ++r) {
      std::vector<float> row(dim, 0.0f);
      const float sign = r / dim % 2 == 0 ? 1.0f : -1.0f;
      row[r % dim] = r % dim == 1 ? 10 * sign : sign;
      store.put(static_cast<uint32_t>(r), row.data(), static_cast<uint32_t>(r), r);
    }
    std::vector<float> questions(2 * dim, 0.0f);
    questions[0] = 3;
    questions[1] = 3;
    fold_questions(store, n, questions.data(), 2);
    const double ridge =
        1e-3 * (static_cast<double>(std::min(dim, size_t{350})) + 99) / static_cast<double>(std::min(dim, size_t{350}));
    CHECK_NEAR(questions[1] / questions[0], std::pow((1 + ridge) / (100 + ridge), 2), 1e-5);
    CHECK_NEAR(questions[0] * questions[0] + questions[1] * questions[1], 1, 1e-5);
    CHECK(std::all_of(questions.begin() + static_cast<std::ptrdiff_t>(dim), questions.end(), [](float v) { return v == 0; }));
  }
}

TEST("measuring recall leaves one lane and one seed the same file, and questions may be given") {
  const auto rows = clustered(5000, 3, 0);
  const auto queries = clustered(200, 3, 1'000'000);
  std::vector<char> first;
  for (int round = 0; round < 2; ++round) {
    TaskControl control;
    const auto bytes =
        saved(*HnswIndex::build({rows.data(), 5000, kDim}, nullptr, Metric::kL2, thin(Quantization::kSq8), 1, control));
    if (round == 0) first = bytes;
    CHECK(bytes == first);
  }
  TaskControl control;
  const auto asked = HnswIndex::build({rows.data(), 5000, kDim}, nullptr, Metric::kL2, thin(Quantization::kSq8), 1, control,
                                      {queries.data(), 200, kDim});
  CHECK(saved(*asked) != first);
  SearchParams params;
  params.recall = 0.95;
  const auto flat = FlatIndex::build({rows.data(), 5000, kDim}, nullptr, Metric::kL2, Quantization::kNone);
  CHECK(recall_of(*asked, *flat, queries, params) >= 0.94);
  CHECK_THROWS(HnswIndex::build({rows.data(), 100, kDim}, nullptr, Metric::kL2, thin(Quantization::kSq8), 1, control,
                                {queries.data(), 10, kDim - 1}),
               "DIMENSION_MISMATCH");
  const std::vector<float> zeros(kDim, 0.0f);
  CHECK_THROWS(HnswIndex::build({rows.data(), 100, kDim}, nullptr, Metric::kCosine, thin(Quantization::kSq8), 1, control,
                                {zeros.data(), 1, kDim}),
               "ZERO_VECTOR");
}

TEST("an index too small to measure serves a wanted recall exactly") {
  const auto rows = clustered(1000, 4, 0);
  TaskControl control;
  const auto index = HnswIndex::build({rows.data(), 1000, kDim}, nullptr, Metric::kL2, thin(Quantization::kSq8), 0, control);
  SearchParams params;
  params.recall = 0.5;
  SearchStats stats;
  CHECK(index->search(rows.data(), params, stats).size() == 10);
  CHECK(stats.plan == Plan::kScan);
}

TEST("a recall table out of range is refused") {
  RecallTable table = RecallTable::unmeasured(Metric::kL2);
  CHECK(table.valid());
  table.recall[1].fill(0.5f);
  CHECK(table.valid());
  auto wrong = table;
  wrong.recall[1][3] = std::nanf("");
  CHECK(!wrong.valid());
  wrong = table;
  wrong.recall[0].back() = 1.5f;
  CHECK(!wrong.valid());
  wrong = table;
  wrong.efforts[5] = -1;
  CHECK(!wrong.valid());
  wrong = table;
  wrong.neighbors = {1, 1, 100};
  CHECK(!wrong.valid());
  wrong = table;
  wrong.kind = static_cast<RecallTable::Kind>(7);
  CHECK(!wrong.valid());
}

TEST("efforts are interpolated between levels and numbers of neighbours") {
  RecallTable table = RecallTable::unmeasured(Metric::kIp);
  for (size_t level = 0; level < RecallTable::kLevels; ++level) {
    for (auto& curve : table.recall) curve[level] = std::min(1.0f, static_cast<float>(level) / 20);
  }
  CHECK_NEAR(table.effort_for(0.5, 10), table.efforts[10], 1e-4);
  CHECK_NEAR(table.effort_for(0.525, 10), (table.efforts[10] + table.efforts[11]) / 2, 1e-3);
  CHECK_NEAR(table.effort_for(0.5, 30), table.efforts[10], 1e-4);
  CHECK_NEAR(table.effort_for(0.5, 200), 2 * table.efforts[10], 1e-3);
  table.recall[1].fill(0.4f);
  // Never reached: the smallest effort of the largest recall.
  CHECK_NEAR(table.effort_for(0.9, 10), table.efforts[0], 1e-6);
}

// The flat index against a naive search in double precision, and against itself: batch and single, before and after a file.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "check.h"
#include "index/flat_index.h"
#include "temporary_file.h"

namespace {

using nigh::FlatIndex;
using nigh::IdSet;
using nigh::MatrixView;
using nigh::Metric;
using nigh::Neighbor;
using nigh::Plan;
using nigh::Quantization;
using nigh::Rng;
using nigh::SearchParams;
using nigh::SearchStats;
using nigh::TaskControl;

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kIp, Metric::kCosine};
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::unique_ptr<FlatIndex> build(MatrixView<const float> rows, const uint32_t* ids, Metric metric,
                                 Quantization quantization = Quantization::kSq8) {
  return FlatIndex::build(rows, ids, metric, quantization);
}

struct Data {
  size_t count, dim;
  std::vector<float> rows;
  std::vector<uint32_t> ids;

  MatrixView<const float> view() const { return {rows.data(), count, dim}; }
  const float* row(size_t i) const { return rows.data() + i * dim; }
};

// A few distinct rows repeated give many exact ties; ids are not in the order of the rows.
Data sample_data(Rng& rng, size_t count, size_t dim, bool ties) {
  Data data{count, dim, std::vector<float>(count * dim), std::vector<uint32_t>(count)};
  for (size_t i = 0; i < count; ++i) {
    for (size_t d = 0; d < dim; ++d) {
      const bool copy = ties && i >= 5;
      data.rows[i * dim + d] = copy ? data.rows[(i % 5) * dim + d] : static_cast<float>(rng.normal()) + (d == 0 ? 0.01f : 0.0f);
    }
    data.ids[i] = static_cast<uint32_t>(i * 3 + 1);
  }
  for (size_t i = count; i > 1; --i) std::swap(data.ids[i - 1], data.ids[rng.below(static_cast<uint32_t>(i))]);
  return data;
}

double true_distance(Metric metric, const float* query, const float* row, size_t dim) {
  double dot = 0, qq = 0, xx = 0, l2 = 0;
  for (size_t d = 0; d < dim; ++d) {
    const double q = query[d], x = row[d];
    dot += q * x;
    qq += q * q;
    xx += x * x;
    l2 += (q - x) * (q - x);
  }
  return metric == Metric::kL2 ? l2 : metric == Metric::kIp ? -dot : 1 - dot / std::sqrt(qq * xx);
}

// Checks that `found` is an exact answer: right length, sorted with ties by id, members only, right distances, and nothing that
// was left out is closer than the last by more than rounding.
void check_answer(const Data& data, Metric metric, const float* query, const SearchParams& params,
                  const std::vector<Neighbor>& found) {
  const double tolerance = 1e-5 * (metric == Metric::kCosine ? 1 : static_cast<double>(data.dim));
  std::vector<double> allowed;
  for (size_t i = 0; i < data.count; ++i) {
    if (params.filter == nullptr || params.filter->contains(data.ids[i]))
      allowed.push_back(true_distance(metric, query, data.row(i), data.dim));
  }
  std::sort(allowed.begin(), allowed.end());
  CHECK(found.size() == std::min(params.k, allowed.size()));
  for (size_t j = 0; j < found.size(); ++j) {
    const auto at = std::find(data.ids.begin(), data.ids.end(), found[j].id);
    CHECK(at != data.ids.end());
    if (at == data.ids.end()) return;
    const double expected = true_distance(metric, query, data.row(static_cast<size_t>(at - data.ids.begin())), data.dim);
    CHECK_NEAR(found[j].distance, expected, tolerance);
    CHECK_NEAR(found[j].distance, allowed[j], tolerance);
    CHECK(params.filter == nullptr || params.filter->contains(found[j].id));
    if (j > 0) CHECK(found[j - 1] < found[j]);
  }
}

std::optional<IdSet> random_filter(Rng& rng, const Data& data) {
  const uint32_t kind = rng.below(6);
  if (kind == 0) return std::nullopt;
  std::vector<uint32_t> listed;
  const double share = kind < 3 ? 0.02 : kind == 3 ? 0.4 : kind == 4 ? 0.97 : 0;
  for (const uint32_t id : data.ids) {
    if (rng.uniform() < share) listed.push_back(id);
  }
  listed.push_back(0);  // an id that no row has
  return rng.below(2) == 0 ? IdSet::allow(listed) : IdSet::deny(listed);
}

struct BatchAnswer {
  std::vector<uint32_t> ids, counts;
  std::vector<float> distances;
  SearchStats stats;
};

BatchAnswer search_batch(const FlatIndex& index, MatrixView<const float> queries, const SearchParams& params, size_t lanes) {
  BatchAnswer answer{std::vector<uint32_t>(queries.rows * params.k, 7),
                     std::vector<uint32_t>(queries.rows, 7),
                     std::vector<float>(queries.rows * params.k, 7.0f),
                     {}};
  TaskControl control;
  index.search_batch(queries, params, lanes, answer.ids.data(), answer.distances.data(), answer.counts.data(), answer.stats,
                     control);
  CHECK(control.done() == queries.rows);
  CHECK(control.total() == queries.rows);
  return answer;
}

void check_same(const FlatIndex& index, MatrixView<const float> queries, const SearchParams& params, const BatchAnswer& answer) {
  for (size_t q = 0; q < queries.rows; ++q) {
    SearchStats stats;
    const std::vector<Neighbor> single = index.search(queries.row(q), params, stats);
    CHECK(answer.counts[q] == single.size());
    for (size_t j = 0; j < params.k; ++j) {
      const bool filled = j < single.size();
      CHECK(answer.ids[q * params.k + j] == (filled ? single[j].id : nigh::kNoId));
      CHECK(answer.distances[q * params.k + j] == (filled ? single[j].distance : kInfinity));
    }
  }
}

}  // namespace

TEST("a flat search is the naive search in double precision, for every metric and random filters") {
  Rng rng(11);
  for (size_t round = 0; round < 150; ++round) {
    const Metric metric = kMetrics[round % 3];
    const Data data = sample_data(rng, 1 + rng.below(3000), 1 + rng.below(130), round % 7 == 0);
    const auto index = build(data.view(), data.ids.data(), metric);
    const Data queries = sample_data(rng, 3, data.dim, false);
    for (size_t q = 0; q < queries.count; ++q) {
      const std::optional<IdSet> filter = random_filter(rng, data);
      SearchParams params;
      params.k = 1 + rng.below(rng.below(3) == 0 ? static_cast<uint32_t>(data.count) + 5 : 12);
      params.filter = filter ? &*filter : nullptr;
      SearchStats stats;
      check_answer(data, metric, queries.row(q), params, index->search(queries.row(q), params, stats));
    }
  }
}

TEST("a batch gives the ids and the bits of the single search, for every metric, filter, number of queries and lanes") {
  Rng rng(12);
  for (int round = 0; round < rounds(120); ++round) {
    const Metric metric = kMetrics[round % 3];
    const Data data = sample_data(rng, 1 + rng.below(round % 5 == 0 ? 12000 : 1500), 1 + rng.below(110), round % 4 == 0);
    const auto index = build(data.view(), data.ids.data(), metric);
    const Data queries = sample_data(rng, 1 + rng.below(round % 6 == 0 ? 400 : 20), data.dim, false);
    const std::optional<IdSet> filter = random_filter(rng, data);
    SearchParams params;
    params.k = 1 + rng.below(rng.below(3) == 0 ? static_cast<uint32_t>(data.count) + 5 : 12);
    params.filter = filter ? &*filter : nullptr;
    check_same(*index, queries.view(), params, search_batch(*index, queries.view(), params, round % 3));
  }
}

TEST("a batch agrees with the single search where rounding is largest: a far offset, huge and tiny rows, uneven lengths") {
  Rng rng(13);
  for (size_t round = 0; round < 63; ++round) {
    const Metric metric = kMetrics[round % 3];
    Data data = sample_data(rng, 2000, 1 + rng.below(70), false);
    Data queries = sample_data(rng, 9, data.dim, false);
    const auto change = [&](const auto& apply) {
      for (float& value : data.rows) value = apply(value);
      for (float& value : queries.rows) value = apply(value);
    };
    switch (round / 3 % 7) {
      case 0:
        change([](float value) { return value + 1000.0f; });
        break;
      case 1:
        change([](float value) { return value * 1e18f; });
        break;
      case 2:
        change([](float value) { return value * 1e30f; });
        break;
      case 5:
        change([](float value) { return value * 8e18f; });
        break;  // some sums overflow, in one order and not in another
      case 3:
        change([](float value) { return value * 1e-21f; });
        break;
      case 4:
        change([&](float value) { return value * std::exp(static_cast<float>(rng.normal()) * 6); });
        break;
      default:
        change([](float value) { return std::round(value); });
    }
    for (Data* set : {&data, &queries}) {
      for (size_t i = 0; i < set->count; ++i) set->rows[i * set->dim] += 1e-20f;  // no zero vectors
    }
    const auto index = build(data.view(), data.ids.data(), metric);
    SearchParams params;
    params.k = 10;
    check_same(*index, queries.view(), params, search_batch(*index, queries.view(), params, 0));
  }
}

TEST("a batch finds rows whose products overflow when summed in order but not when summed in lanes") {
  const size_t count = 900, dim = 128, queries = 8;
  std::vector<float> rows(count * dim);
  for (size_t i = 0; i < count; ++i) {
    for (size_t d = 0; d < dim; ++d) rows[i * dim + d] = d < dim / 2 ? -1e16f : 1e16f * (1 + 0.001f * static_cast<float>(i % 97));
  }
  const std::vector<float> far(queries * dim, 1e21f);
  const auto index = build({rows.data(), count, dim}, nullptr, Metric::kIp);
  SearchParams params;
  check_same(*index, {far.data(), queries, dim}, params, search_batch(*index, {far.data(), queries, dim}, params, 0));
}

TEST("equal distances come in the order of their ids, also across the blocks of a scan") {
  const size_t count = 5000;
  std::vector<float> rows(count * 2, 1.0f);
  std::vector<uint32_t> ids(count);
  for (size_t i = 0; i < count; ++i) ids[i] = static_cast<uint32_t>(count - i);
  for (const Metric metric : kMetrics) {
    const auto index = build({rows.data(), count, 2}, ids.data(), metric);
    SearchParams params;
    params.k = 100;
    const float query[2] = {0.5f, 2.0f};
    SearchStats stats;
    const auto found = index->search(query, params, stats);
    for (size_t j = 0; j < 100; ++j) CHECK(found[j].id == j + 1);
    const std::vector<float> queries(2 * 8, 0.75f);
    const BatchAnswer answer = search_batch(*index, {queries.data(), 8, 2}, params, 0);
    for (size_t j = 0; j < 800; ++j) CHECK(answer.ids[j] == j % 100 + 1);
  }
}

TEST("the plan and the counts of a search say which rows were compared") {
  Rng rng(14);
  const Data data = sample_data(rng, 1000, 8, false);
  const auto index = build(data.view(), data.ids.data(), Metric::kL2);
  const std::vector<uint32_t> few = {data.ids[3], data.ids[500], 0};
  const IdSet allow = IdSet::allow(few), deny = IdSet::deny(few), all = IdSet::deny({});
  const std::vector<float> queries(8 * 10, 0.5f);
  const auto check = [&](const IdSet* filter, Plan plan, uint64_t rows, Plan batch_plan, uint64_t batch_rows) {
    SearchParams params;
    params.filter = filter;
    SearchStats stats;
    index->search(queries.data(), params, stats);
    CHECK(stats.plan == plan && stats.visited == rows && stats.distances == rows);
    const BatchAnswer answer = search_batch(*index, {queries.data(), 10, 8}, params, 0);
    CHECK(answer.stats.plan == batch_plan && answer.stats.visited == 10 * batch_rows &&
          answer.stats.distances == 10 * batch_rows);
  };
  check(nullptr, Plan::kScan, 1000, Plan::kScan, 1000);
  check(&allow, Plan::kAllowedScan, 2, Plan::kAllowedScan, 2);
  check(&deny, Plan::kScan, 1000, Plan::kScan, 1000);
  check(&all, Plan::kScan, 1000, Plan::kScan, 1000);
  const IdSet most = IdSet::deny(std::span(data.ids).subspan(10));
  check(&most, Plan::kScan, 1000, Plan::kAllowedScan, 10);
}

TEST("an index without rows answers with nothing") {
  const auto index = build({nullptr, 0, 4}, nullptr, Metric::kCosine);
  const float query[4] = {1, 2, 3, 4};
  SearchStats stats;
  CHECK(index->search(query, {}, stats).empty());
  const BatchAnswer answer = search_batch(*index, {query, 1, 4}, {}, 0);
  CHECK(answer.counts[0] == 0);
  CHECK(answer.ids[9] == nigh::kNoId);
  const nigh::test::TemporaryFile file;
  index->save(file.path());
  CHECK(FlatIndex::open(nigh::IndexFile::open(file.path(), nigh::OpenMode::kMemory))->size() == 0);
  CHECK(FlatIndex::open(nigh::IndexFile::open(file.path(), nigh::OpenMode::kMap))->size() == 0);
}

TEST("vector gives the row as it was given, at unit length under cosine, and knows no other id") {
  Rng rng(15);
  const Data data = sample_data(rng, 50, 7, false);
  for (const Metric metric : kMetrics) {
    for (const bool own_ids : {false, true}) {
      const auto index = build(data.view(), own_ids ? data.ids.data() : nullptr, metric);
      std::vector<float> row(7);
      for (size_t i = 0; i < data.count; ++i) {
        CHECK(index->vector(own_ids ? data.ids[i] : static_cast<uint32_t>(i), row.data()));
        double squares = 0;
        for (size_t d = 0; d < 7; ++d) squares += static_cast<double>(data.row(i)[d]) * static_cast<double>(data.row(i)[d]);
        const double length = metric == Metric::kCosine ? std::sqrt(squares) : 1;
        for (size_t d = 0; d < 7; ++d) CHECK_NEAR(row[d], data.row(i)[d] / length, metric == Metric::kCosine ? 1e-6 : 0);
      }
      CHECK(!index->vector(own_ids ? 0 : 50, row.data()));
      CHECK(!index->vector(nigh::kNoId, row.data()));
    }
  }
}

TEST("bad rows, ids, queries and parameters are refused with their codes") {
  const float infinite[4] = {1, 2, kInfinity, 4};
  const float nan[4] = {1, 2, 3, std::nanf("")};
  const float zero[4] = {1, 2, 0, 0};
  const float fine[4] = {1, 2, 3, 4};
  const uint32_t twice[2] = {9, 9}, reserved[2] = {0, nigh::kNoId}, twice_far[2] = {4000000000, 4000000000};
  CHECK_THROWS(build({infinite, 2, 2}, nullptr, Metric::kL2), "NOT_FINITE");
  CHECK_THROWS(build({nan, 2, 2}, nullptr, Metric::kIp), "NOT_FINITE");
  CHECK_THROWS(build({zero, 2, 2}, nullptr, Metric::kCosine), "ZERO_VECTOR");
  CHECK(build({zero, 2, 2}, nullptr, Metric::kL2)->size() == 2);
  CHECK_THROWS(build({fine, 2, 2}, twice, Metric::kL2), "DUPLICATE_ID");
  CHECK_THROWS(build({fine, 2, 2}, twice_far, Metric::kL2), "DUPLICATE_ID");
  CHECK_THROWS(build({fine, 2, 2}, reserved, Metric::kL2), "INVALID_ARGUMENT");
  CHECK_THROWS(build({fine, 2, 0}, nullptr, Metric::kL2), "INVALID_ARGUMENT");
  CHECK_THROWS(build({fine, 0, 65537}, nullptr, Metric::kL2), "INVALID_ARGUMENT");

  const auto index = build({fine, 2, 2}, nullptr, Metric::kCosine);
  SearchParams none;
  none.k = 0;
  SearchStats stats;
  TaskControl control;
  uint32_t ids[20], counts[2];
  float distances[20];
  const auto batch = [&](const float* rows, size_t count, size_t dim, const SearchParams& params) {
    index->search_batch({rows, count, dim}, params, 0, ids, distances, counts, stats, control);
  };
  CHECK_THROWS(index->search(fine, none, stats), "INVALID_ARGUMENT");
  CHECK_THROWS(index->search(infinite + 2, {}, stats), "NOT_FINITE");
  CHECK_THROWS(index->search(zero + 2, {}, stats), "ZERO_VECTOR");
  CHECK_THROWS(batch(fine, 2, 2, none), "INVALID_ARGUMENT");
  CHECK_THROWS(batch(fine, 1, 4, {}), "DIMENSION_MISMATCH");
  CHECK_THROWS(batch(nan, 2, 2, {}), "NOT_FINITE");
  CHECK_THROWS(batch(zero, 2, 2, {}), "ZERO_VECTOR");
  control.cancel();
  CHECK_THROWS(batch(fine, 2, 2, {}), "ABORTED");
}

TEST("a saved index opens in both modes and answers with the same bits; ids and rows are the same bytes") {
  Rng rng(16);
  for (const Metric metric : kMetrics) {
    const Data data = sample_data(rng, 700, 19, false);
    const Data queries = sample_data(rng, 6, 19, false);
    const auto index = build(data.view(), data.ids.data(), metric);
    const nigh::test::TemporaryFile file;
    index->save(file.path());
    for (const nigh::OpenMode mode : {nigh::OpenMode::kMemory, nigh::OpenMode::kMap}) {
      const auto opened = FlatIndex::open(nigh::IndexFile::open(file.path(), mode));
      CHECK(opened->metric() == metric && opened->dim() == 19 && opened->size() == 700);
      SearchParams params;
      check_same(*opened, queries.view(), params, search_batch(*index, queries.view(), params, 0));
      float before[19], after[19];
      for (const uint32_t id : data.ids) {
        CHECK(index->vector(id, before) && opened->vector(id, after) && std::equal(before, before + 19, after));
      }
    }
  }
}

TEST("codes survive a file; a file without them opens and answers alike; codes of a wrong length are refused") {
  Rng rng(18);
  const Data data = sample_data(rng, 3000, 21, false);
  const Data queries = sample_data(rng, 6, 21, false);
  for (const Metric metric : kMetrics) {
    const auto with = build(data.view(), data.ids.data(), metric, Quantization::kSq8);
    const auto without = build(data.view(), data.ids.data(), metric, Quantization::kNone);
    CHECK(with->memory_bytes() > without->memory_bytes());
    const nigh::test::TemporaryFile file;
    SearchStats stats;
    for (const FlatIndex* index : {with.get(), without.get()}) {
      index->save(file.path());
      for (const nigh::OpenMode mode : {nigh::OpenMode::kMemory, nigh::OpenMode::kMap}) {
        const auto opened = FlatIndex::open(nigh::IndexFile::open(file.path(), mode));
        CHECK(opened->quantization() == index->quantization());
        CHECK(opened->memory_bytes() == index->memory_bytes());
        for (size_t q = 0; q < queries.count; ++q) {
          CHECK(opened->search(queries.row(q), {}, stats) == without->search(queries.row(q), {}, stats));
        }
      }
    }
    nigh::IndexFileWriter writer(nigh::IndexKind::kFlat, metric, 21, 3000);
    const std::vector<uint8_t> codes(nigh::Sq8Blocks::bytes_for(metric, 21, 3000) - 64);
    writer.add("ids", data.ids.data(), data.ids.size() * 4);
    writer.add("rows", data.rows.data(), data.rows.size() * 4);
    writer.add("codes16", codes.data(), codes.size());
    writer.write(file.path());
    CHECK_THROWS(FlatIndex::open(nigh::IndexFile::open(file.path(), nigh::OpenMode::kMap)), "FORMAT");
  }
}

TEST("a file whose ids repeat, whose rows are not finite or whose kind is another is refused") {
  const float rows[4] = {1, 2, 3, 4}, bad_rows[4] = {1, 2, 3, kInfinity};
  const uint32_t ids[2] = {1, 2}, twice[2] = {1, 1}, reserved[2] = {1, nigh::kNoId};
  const nigh::test::TemporaryFile file;
  const auto write = [&](nigh::IndexKind kind, const uint32_t* these_ids, const float* these_rows) {
    nigh::IndexFileWriter writer(kind, Metric::kL2, 2, 2);
    writer.add("ids", these_ids, 8);
    writer.add("rows", these_rows, 16);
    writer.write(file.path());
  };
  const auto open = [&](nigh::OpenMode mode) { return FlatIndex::open(nigh::IndexFile::open(file.path(), mode)); };
  for (const nigh::OpenMode mode : {nigh::OpenMode::kMemory, nigh::OpenMode::kMap}) {
    write(nigh::IndexKind::kFlat, ids, rows);
    CHECK(open(mode)->size() == 2);
    write(nigh::IndexKind::kFlat, twice, rows);
    CHECK_THROWS(open(mode), "FORMAT");
    write(nigh::IndexKind::kFlat, reserved, rows);
    CHECK_THROWS(open(mode), "FORMAT");
    write(nigh::IndexKind::kHnsw, ids, rows);
    CHECK_THROWS(open(mode), "FORMAT");
  }
  write(nigh::IndexKind::kFlat, ids, bad_rows);
  CHECK_THROWS(open(nigh::OpenMode::kMemory), "FORMAT");
}

TEST("searches and batches from several threads at once give the answers of one") {
  Rng rng(17);
  const Data data = sample_data(rng, 3000, 24, false);
  const Data queries = sample_data(rng, 40, 24, false);
  const auto index = build(data.view(), data.ids.data(), Metric::kL2);
  const BatchAnswer expected = search_batch(*build(data.view(), data.ids.data(), Metric::kL2), queries.view(), {}, 1);
  std::vector<BatchAnswer> answers(4);
  std::vector<std::thread> threads;
  for (BatchAnswer& answer : answers) {
    threads.emplace_back([&] { answer = search_batch(*index, queries.view(), {}, 0); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const BatchAnswer& answer : answers) {
    CHECK(answer.ids == expected.ids);
    CHECK(answer.distances == expected.distances);
  }
}

#include "format/hnswlib_file.h"

#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "index/hnsw_index.h"
#include "temporary_file.h"

using namespace nigh;
using nigh::test::TemporaryFile;

namespace {

std::vector<float> few_distinct(size_t rows, size_t dim) {
  std::vector<float> values(rows * dim);
  for (size_t r = 0; r < rows; ++r) {
    Rng rng(5, r % 3 == 0 ? 0 : r);  // every third is the same
    for (size_t i = 0; i < dim; ++i) values[r * dim + i] = static_cast<float>(rng.normal());
  }
  return values;
}

std::unique_ptr<HnswIndex> build(const std::vector<float>& rows, size_t dim, Metric metric) {
  HnswParams params;
  params.m = 4;
  params.ef_construction = 40;
  TaskControl control;
  return HnswIndex::build({rows.data(), rows.size() / dim, dim}, nullptr, metric, params, 1, control);
}

std::unique_ptr<HnswIndex> import(const std::string& path, Metric metric, bool rebuild = false) {
  TaskControl control;
  return HnswIndex::import_hnswlib(path, metric, 0, rebuild, {}, 1, control);
}

// Whether the file was opened; then it is searched and added to.
bool use(const std::string& path, const float* query) {
  try {
    const auto index = import(path, Metric::kL2);
    SearchStats stats;
    SearchParams params;
    params.ef_search = 20;
    if (index->dim() == 5) index->search(query, params, stats);
    TaskControl control;
    const std::vector<float> row(index->dim(), 1.0f);
    const uint32_t id = 4'000'000'000;
    index->add({row.data(), 1, index->dim()}, &id, 1, control);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

TEST("an index with twins goes through the file of hnswlib and back with every vector, for every metric") {
  const size_t dim = 5, n = 300;
  const auto rows = few_distinct(n, dim);
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    const auto index = build(rows, dim, metric);
    const TemporaryFile file;
    TaskControl control;
    index->export_hnswlib(file.path(), control);
    for (const bool rebuild : {false, true}) {
      const auto back = import(file.path(), metric, rebuild);
      CHECK(back->size() == n);
      SearchParams params;
      params.k = 101;
      params.ef_search = 140;
      SearchStats stats;
      const auto found = back->search(rows.data(), params, stats);
      CHECK(found.size() == 101);
      if (metric == Metric::kL2) {
        CHECK(stats.plan == Plan::kGraph);
        for (size_t i = 0; i < 100; ++i) CHECK(found[i].id == 3 * i);
      }
      std::vector<float> a(dim), b(dim);
      for (uint32_t id = 0; id < n; ++id) {
        CHECK(index->vector(id, a.data()) && back->vector(id, b.data()));
        for (size_t j = 0; j < dim; ++j) CHECK_NEAR(a[j], b[j], 1e-6);
      }
    }
  }
}

TEST("a file of hnswlib with any one byte altered, or cut short, is refused or used without harm") {
  const size_t dim = 5;
  const auto rows = few_distinct(80, dim);
  const TemporaryFile file;
  TaskControl control;
  build(rows, dim, Metric::kL2)->export_hnswlib(file.path(), control);
  const std::vector<char> bytes = file.read();
  CHECK(use(file.path(), rows.data()));
  const TemporaryFile damaged;
  size_t refused = 0;
  for (size_t at = 0; at < bytes.size(); at += at < 96 ? 1 : 7) {
    for (const char mask : {'\xff', '\x01', '\x40'}) {
      std::vector<char> copy = bytes;
      copy[at] = static_cast<char>(copy[at] ^ mask);
      damaged.write(copy);
      refused += !use(damaged.path(), rows.data());
    }
  }
  CHECK(refused > 200);
  for (size_t length = 0; length < bytes.size(); length += 13) {
    damaged.write({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)});
    CHECK(!use(damaged.path(), rows.data()));
  }
}

TEST("removed rows are left out of the file of hnswlib, and an index read from one takes changes") {
  const size_t dim = 5, n = 300;
  const auto rows = few_distinct(n, dim);
  const auto index = build(rows, dim, Metric::kL2);
  std::vector<uint32_t> removed;
  for (uint32_t id = 0; id < n; id += 4) removed.push_back(id);
  TaskControl control;
  CHECK(index->remove(removed, false, 1, control) == removed.size());
  const TemporaryFile file;
  index->export_hnswlib(file.path(), control);
  const auto back = import(file.path(), Metric::kL2);
  CHECK(back->size() == n - removed.size());
  std::vector<float> vector(dim);
  for (uint32_t id = 0; id < n; ++id) CHECK(back->vector(id, vector.data()) == (id % 4 != 0));
  CHECK(back->remove(std::vector<uint32_t>{1, 2, 3}, false, 1, control) == 3);
  const uint32_t id = 1;
  back->add({rows.data() + dim, 1, dim}, &id, 1, control);
  const VerifyReport report = back->verify(false, 64, 1, control);
  CHECK(report.dangling == 0 && report.unreachable == 0 && report.not_found == 0);
  CHECK(report.live == n - removed.size() - 2);
}

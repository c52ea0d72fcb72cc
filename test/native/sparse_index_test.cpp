// Sparse rows against a search that looks at every pair, and files whose sections contradict themselves.
#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "check.h"
#include "index/sparse_index.h"
#include "temporary_file.h"

namespace {

using nigh::IndexFile;
using nigh::IndexFileWriter;
using nigh::IndexKind;
using nigh::Metric;
using nigh::Neighbor;
using nigh::OpenMode;
using nigh::OwnedCsr;
using nigh::Rng;
using nigh::SparseIndex;
using nigh::test::TemporaryFile;

// Rows of 1 to 8 entries; columns of low numbers are frequent, as words are.
OwnedCsr random_rows(Rng& rng, uint32_t rows, uint32_t cols) {
  OwnedCsr matrix;
  matrix.cols = cols;
  matrix.offsets.push_back(0);
  for (uint32_t row = 0; row < rows; ++row) {
    std::vector<uint32_t> columns;
    for (uint32_t i = 0; i <= rng.below(8); ++i) columns.push_back(rng.below(1 + rng.below(cols)));
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    for (const uint32_t column : columns) {
      matrix.columns.push_back(column);
      matrix.values.push_back(static_cast<float>(rng.normal()));
    }
    matrix.offsets.push_back(static_cast<uint32_t>(matrix.columns.size()));
  }
  return matrix;
}

double dot(const OwnedCsr& a, size_t row, const OwnedCsr& b, size_t other) {
  double sum = 0;
  for (size_t e = a.offsets[row]; e < a.offsets[row + 1]; ++e) {
    for (size_t f = b.offsets[other]; f < b.offsets[other + 1]; ++f) {
      if (a.columns[e] == b.columns[f]) sum += static_cast<double>(a.values[e]) * b.values[f];
    }
  }
  return sum;
}

double true_distance(Metric metric, const OwnedCsr& a, size_t row, const OwnedCsr& b, size_t other) {
  const double product = dot(a, row, b, other);
  const double aa = dot(a, row, a, row), bb = dot(b, other, b, other);
  if (metric == Metric::kIp) return -product;
  return metric == Metric::kL2 ? aa + bb - 2 * product : 1 - product / std::sqrt(aa * bb);
}

std::string code_of_open(const std::string& path, OpenMode mode) {
  try {
    SparseIndex::open(IndexFile::open(path, mode));
    return "";
  } catch (const nigh::Error& error) {
    return error.code();
  }
}

}  // namespace

TEST("sparse search finds the true nearest rows, in blocks, under every metric, on one lane and many") {
  Rng rng(91);
  const OwnedCsr rows = random_rows(rng, 5'000, 300);
  const OwnedCsr queries = random_rows(rng, 12, 300);
  constexpr size_t k = 25;
  for (const Metric metric : {Metric::kIp, Metric::kCosine, Metric::kL2}) {
    const auto index = SparseIndex::build(rows.view(), nullptr, metric);
    std::vector<uint32_t> first;
    for (const size_t lanes : {size_t{1}, size_t{2}}) {
      std::vector<uint32_t> ids(12 * k), counts(12);
      std::vector<float> distances(12 * k);
      nigh::SearchParams params;
      params.k = k;
      nigh::SearchStats stats;
      nigh::TaskControl control;
      index->search_rows(queries.view(), params, lanes, ids.data(), distances.data(), counts.data(), stats, control);
      for (size_t q = 0; q < 12; ++q) {
        std::vector<double> truth;
        for (size_t row = 0; row < 5'000; ++row) truth.push_back(true_distance(metric, queries, q, rows, row));
        std::vector<double> sorted = truth;
        std::sort(sorted.begin(), sorted.end());
        CHECK(counts[q] == k);
        for (size_t i = 0; i < k; ++i) {
          CHECK(std::fabs(distances[q * k + i] - sorted[i]) < 1e-5);
          CHECK(std::fabs(truth[ids[q * k + i]] - sorted[i]) < 1e-5);
        }
      }
      if (lanes == 1) first = ids;
      CHECK(first == ids);
    }
  }
}

TEST("sparse rows in thousands of millions of columns give the bits of the same rows in few, and take no more memory") {
  Rng rng(93);
  const OwnedCsr rows = random_rows(rng, 3'000, 200);
  const OwnedCsr queries = random_rows(rng, 8, 200);
  constexpr uint32_t kApart = 0xfffffffe / 200;
  const auto spread = [&](OwnedCsr matrix) {
    for (uint32_t& column : matrix.columns) column = column * kApart + 17;
    matrix.cols = 0xfffffffe;
    return matrix;
  };
  const OwnedCsr wide = spread(rows);
  const OwnedCsr wide_queries = spread(queries);
  nigh::SearchParams params;
  params.k = 20;
  for (const Metric metric : {Metric::kIp, Metric::kCosine, Metric::kL2}) {
    const auto ask = [&](const SparseIndex& index, const OwnedCsr& asked) {
      std::vector<uint32_t> ids(8 * 20), counts(8);
      std::vector<float> distances(8 * 20);
      nigh::SearchStats stats;
      nigh::TaskControl control;
      index.search_rows(asked.view(), params, 1, ids.data(), distances.data(), counts.data(), stats, control);
      return std::pair(ids, distances);
    };
    const auto few = SparseIndex::build(rows.view(), nullptr, metric);
    const auto many = SparseIndex::build(wide.view(), nullptr, metric);
    CHECK(ask(*few, queries) == ask(*many, wide_queries));
    CHECK(many->memory_bytes() < 2 * few->memory_bytes());
    const TemporaryFile file;
    many->save(file.path());
    const auto opened = SparseIndex::open(IndexFile::open(file.path(), OpenMode::kMap));
    CHECK(ask(*few, queries) == ask(*opened, wide_queries));
  }
  const OwnedCsr none{{0, 0, 0}, {}, {}, 0xfffffffe};
  const auto empty = SparseIndex::build(none.view(), nullptr, Metric::kIp);
  std::vector<uint32_t> ids(8), counts(8);
  std::vector<float> distances(8);
  params.k = 1;
  nigh::SearchStats stats;
  nigh::TaskControl control;
  empty->search_rows(wide_queries.view(), params, 1, ids.data(), distances.data(), counts.data(), stats, control);
  CHECK(counts == std::vector<uint32_t>(8, 1));
}

TEST("a sparse index file whose sections contradict themselves is refused in both modes") {
  const std::vector<uint32_t> ids{0, 1}, offsets{0, 2, 3}, columns{1, 4, 2};
  const std::vector<float> values{1, 2, 3};
  const auto write = [&](const TemporaryFile& file, std::vector<uint32_t> some_ids, std::vector<uint32_t> some_offsets,
                         std::vector<uint32_t> some_columns, std::vector<float> some_values) {
    IndexFileWriter writer(IndexKind::kSparse, Metric::kIp, 5, 2);
    writer.add("ids", std::span<const uint32_t>(some_ids));
    writer.add("offsets", std::span<const uint32_t>(some_offsets));
    writer.add("columns", std::span<const uint32_t>(some_columns));
    writer.add("values", std::span<const float>(some_values));
    writer.write(file.path());
  };
  for (const OpenMode mode : {OpenMode::kMemory, OpenMode::kMap}) {
    const TemporaryFile file;
    write(file, ids, offsets, columns, values);
    CHECK(code_of_open(file.path(), mode).empty());
    for (const std::vector<uint32_t>& wrong :
         {std::vector<uint32_t>{0, 4, 3}, {1, 2, 3}, {0, 2, 2}, {0, 2}, {0, 0xffffffff, 3}}) {
      write(file, ids, wrong, columns, values);
      CHECK(code_of_open(file.path(), mode) == "FORMAT");
    }
    for (const std::vector<uint32_t>& wrong :
         {std::vector<uint32_t>{4, 1, 2}, {1, 1, 2}, {1, 5, 2}, {1, 4}, {1, 4, 0xffffffff}}) {
      write(file, ids, offsets, wrong, values);
      CHECK(code_of_open(file.path(), mode) == "FORMAT");
    }
    write(file, {7, 7}, offsets, columns, values);
    CHECK(code_of_open(file.path(), mode) == "FORMAT");
    write(file, ids, offsets, columns, {1, 2, INFINITY});
    CHECK(code_of_open(file.path(), mode) == "FORMAT");
  }
}

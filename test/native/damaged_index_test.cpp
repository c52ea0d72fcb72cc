// Files that were altered and given right checksums again, so that nothing but the checks of the content stands between them and
// the index; and mapped files that were altered under their checksums. Whatever is done with one gives an error of ours or an
// answer.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "format/crc32c.h"
#include "index/flat_index.h"
#include "index/hnsw_index.h"
#include "index/sparse_index.h"
#include "sparse_fixture.h"
#include "temporary_file.h"

using namespace nigh;
using nigh::test::TemporaryFile;

namespace {

constexpr size_t kDim = 6;
constexpr size_t kLineDim = 64;  // codes fill a cache line, so that their terms are a section of their own
constexpr uint32_t kRows = 80;

size_t executions = 0;
size_t accepted = 0;

size_t copies() { return std::getenv("NIGH_LONG_TESTS") == nullptr ? 120 : 5'000; }

template <class T>
T load(const std::vector<char>& bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}
template <class T>
void store(std::vector<char>& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

/// Writes a few numbers that matter into one section.
void damage(std::vector<char>& bytes, Rng& rng) {
  const auto sections = load<uint32_t>(bytes, 12);
  const size_t entry = 64 + 32 * rng.below(sections);
  const auto offset = load<uint64_t>(bytes, entry + 8);
  const auto size = load<uint64_t>(bytes, entry + 16);
  if (size < 4) return;
  const uint32_t numbers[] = {0, 1, kRows - 1, kRows, 0xffffffffu, 0x80000000u, 0x7fc00000u, 0x7f800000u, 0xffu, 31, 255u << 8};
  for (uint32_t i = 0, times = 1 + rng.below(6); i < times; ++i) {
    const size_t at = offset + rng.below(static_cast<uint32_t>(size - 3)) / 4 * 4;
    switch (rng.below(4)) {
      case 0:
        store(bytes, at, numbers[rng.below(std::size(numbers))]);
        break;
      case 1:
        store(bytes, at, rng.below(kRows));
        break;
      case 2:  // what lies elsewhere in the section
        store(bytes, at, load<uint32_t>(bytes, offset + rng.below(static_cast<uint32_t>(size - 3)) / 4 * 4));
        break;
      default:
        bytes[at + rng.below(4)] ^= static_cast<char>(1u << rng.below(8));
    }
  }
}

void mend_checksums(std::vector<char>& bytes) {
  const auto sections = load<uint32_t>(bytes, 12);
  for (size_t s = 0; s < sections; ++s) {
    const size_t entry = 64 + 32 * s;
    store(bytes, entry + 24, crc32c(bytes.data() + load<uint64_t>(bytes, entry + 8), load<uint64_t>(bytes, entry + 16)));
  }
  store(bytes, 60, uint32_t{0});
  store(bytes, 60, crc32c(bytes.data() + 64, sections * 32, crc32c(bytes.data(), 64)));
}

std::vector<float> rows_of(uint64_t seed, uint32_t count, size_t dim = kDim) {
  std::vector<float> rows;
  for (uint32_t r = 0; r < count; ++r) {
    Rng rng(seed, r % 61);  // some are twins
    for (size_t i = 0; i < dim; ++i) rows.push_back(static_cast<float>(rng.normal() * (1 + r % 5)));
  }
  return rows;
}

/// Does something, of which an error of ours may come.
template <class Body>
void attempt(const Body& body) {
  try {
    body();
  } catch (const Error&) {
  }
}

void search(const VectorIndex& index, Rng& rng) {
  const std::vector<float> query = rows_of(rng.next(), 1, index.dim());
  const std::vector<uint32_t> some = {3, 5, 7, 11, 40, 79};
  const IdSet allow = IdSet::allow(some);
  const IdSet deny = IdSet::deny(some);
  const IdSet* filters[] = {nullptr, &allow, &deny};
  for (const IdSet* filter : filters) {
    for (const bool exact : {false, true}) {
      SearchParams params;
      params.k = 1 + rng.below(9);
      params.ef_search = 1 + rng.below(12);
      params.exact = exact;
      params.filter = filter;
      params.recall = rng.below(2) == 0 ? 0 : 0.9;
      SearchStats stats;
      attempt([&] { CHECK(index.search(query.data(), params, stats).size() <= params.k); });
    }
  }
  std::vector<float> out(index.dim());
  for (const uint32_t id : {0u, 40u, 79u, 500u}) attempt([&] { index.vector(id, out.data()); });
}

void change(HnswIndex& index, Rng& rng) {
  const uint32_t first = 1000 + rng.below(1000);
  const std::vector<uint32_t> ids = {first, first + 1, first + 2};
  const std::vector<float> rows = rows_of(rng.next(), 3, index.dim());
  const MatrixView<const float> data{rows.data(), 3, index.dim()};
  const std::vector<uint32_t> gone = {rng.below(kRows), rng.below(kRows), rng.below(kRows), first};
  TaskControl control;
  switch (rng.below(5)) {
    case 0:
      return attempt([&] { index.add(data, ids.data(), 1, control); });
    case 1:
      return attempt([&] { index.remove(gone, true, 1, control); });
    case 2:
      return attempt([&] { index.replace(data, ids.data(), true, 1, control); });
    case 3:
      return attempt([&] { index.compact(1, control); });
    default:
      return attempt([&] { index.verify(rng.below(2) == 0, 10, 1, control); });
  }
}

/// Opens altered copies of a file with `use`, under checksums that are right again, and mapped without.
template <class Use>
void try_copies(const TemporaryFile& whole, uint64_t seed, const Use& use) {
  const std::vector<char> bytes = whole.read();
  for (size_t copy = 0; copy < copies(); ++copy) {
    ++executions;
    Rng rng(seed, copy);
    std::vector<char> altered = bytes;
    damage(altered, rng);
    const bool mapped = copy % 3 == 0;
    if (!mapped || rng.below(2) == 0) mend_checksums(altered);
    const TemporaryFile file;
    file.write(altered);
    attempt([&] {
      const IndexFile opened = IndexFile::open(file.path(), mapped ? OpenMode::kMap : OpenMode::kMemory);
      use(opened, rng);
    });
  }
}

void try_hnsw(Metric metric, Quantization quantization, uint64_t seed, size_t dim = kDim) {
  HnswParams params;
  params.m = 2;  // many layers
  params.ef_construction = 20;
  params.quantization = quantization;
  const std::vector<float> rows = rows_of(7, kRows, dim);
  TaskControl control;
  const TemporaryFile file;
  HnswIndex::build(MatrixView<const float>{rows.data(), kRows, dim}, nullptr, metric, params, 1, control)->save(file.path());
  try_copies(file, seed, [](const IndexFile& opened, Rng& rng) {
    const auto index = HnswIndex::open(opened);
    ++accepted;
    search(*index, rng);
    for (int i = 0; i < 6; ++i) {
      change(*index, rng);
      if (i % 2 == 1) search(*index, rng);
    }
    const TemporaryFile again;
    attempt([&] { index->save(again.path()); });
    attempt([&] {
      TaskControl exporting;
      index->export_hnswlib(again.path(), exporting);
    });
  });
}

}  // namespace

TEST("a damaged index file whose checksums are right gives errors or answers, whatever is done with it") {
  executions = accepted = 0;
  try_hnsw(Metric::kL2, Quantization::kSq8, 1);
  try_hnsw(Metric::kIp, Quantization::kNone, 2);
  try_hnsw(Metric::kCosine, Quantization::kF16, 3);
  try_hnsw(Metric::kL2, Quantization::kSq8, 6, kLineDim);
  try_hnsw(Metric::kIp, Quantization::kSq8, 7, kLineDim);
  const std::vector<float> rows = rows_of(7, kRows);
  for (const Metric metric : {Metric::kL2, Metric::kCosine}) {
    const TemporaryFile flat;
    FlatIndex::build({rows.data(), kRows, kDim}, nullptr, metric, Quantization::kSq8)->save(flat.path());
    try_copies(flat, 4, [](const IndexFile& opened, Rng& rng) {
      const auto index = FlatIndex::open(opened);
      ++accepted;
      search(*index, rng);
    });
    SparseFixture entries(kDim);
    for (uint32_t r = 0; r < kRows; ++r) {
      for (uint32_t column = r % 2; column < kDim; column += 2) entries.push(column, rows[r * kDim + column]);
      entries.end_row();
    }
    const TemporaryFile sparse;
    SparseIndex::build(entries.view(), nullptr, metric)->save(sparse.path());
    try_copies(sparse, 5, [](const IndexFile& opened, Rng& rng) {
      const auto index = SparseIndex::open(opened);
      ++accepted;
      search(*index, rng);
    });
  }
  std::printf("       %zu altered files, %zu of which were opened and used\n", executions, accepted);
}

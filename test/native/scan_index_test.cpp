// Exact search under the metrics that are not made of products, against a sort of all rows. Vectors are whole numbers or bits, so
// that every distance is exact and many tie.
#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "check.h"
#include "index/scan_index.h"
#include "temporary_file.h"

namespace {

using namespace nigh;
using nigh::test::TemporaryFile;

constexpr size_t kDim = 13;  // neither whole words of floats nor whole bytes of bits
constexpr size_t kBytes = (kDim + 7) / 8;
constexpr Metric kScanned[] = {Metric::kL1, Metric::kChebyshev, Metric::kHamming, Metric::kJaccard};

struct Vectors {
  Metric metric;
  size_t rows;
  std::vector<float> floats;
  std::vector<uint8_t> bits;

  VectorsView view() const {
    return on_bits(metric) ? VectorsView::of_bits(bits.data(), rows, kDim) : VectorsView(floats.data(), rows, kDim);
  }
};

Vectors random_vectors(Rng& rng, Metric metric, size_t rows) {
  Vectors vectors{metric, rows, {}, {}};
  for (size_t i = 0; i < rows * kDim; ++i) vectors.floats.push_back(static_cast<float>(rng.below(7)) - 3);
  for (size_t i = 0; i < rows * kBytes; ++i) {
    const bool last = i % kBytes == kBytes - 1;
    vectors.bits.push_back(static_cast<uint8_t>(rng.below(256) & (last ? 0xff >> (8 * kBytes - kDim) : 0xff)));
  }
  return vectors;
}

float true_distance(const Vectors& a, size_t row, const Vectors& b, size_t other) {
  float sum = 0, largest = 0;
  int differ = 0, both = 0, either = 0;
  for (size_t j = 0; j < kDim; ++j) {
    const float difference = std::fabs(a.floats[row * kDim + j] - b.floats[other * kDim + j]);
    sum += difference;
    largest = std::max(largest, difference);
    const bool x = (a.bits[row * kBytes + j / 8] >> (j % 8)) & 1, y = (b.bits[other * kBytes + j / 8] >> (j % 8)) & 1;
    differ += x != y;
    both += x && y;
    either += x || y;
  }
  if (a.metric == Metric::kL1) return sum;
  if (a.metric == Metric::kChebyshev) return largest;
  if (a.metric == Metric::kHamming) return static_cast<float>(differ);
  return either == 0 ? 0 : 1 - static_cast<float>(both) / static_cast<float>(either);
}

std::vector<Neighbor> nearest(const Vectors& queries, size_t query, const Vectors& rows, const std::vector<uint32_t>& ids,
                              const SearchParams& params) {
  std::vector<Neighbor> all;
  for (size_t row = 0; row < rows.rows; ++row) {
    const float distance = true_distance(queries, query, rows, row);
    if (distance > params.within || (params.filter != nullptr && !params.filter->contains(ids[row]))) continue;
    all.push_back({distance, ids[row]});
  }
  std::sort(all.begin(), all.end(), [](const Neighbor& a, const Neighbor& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
  });
  all.resize(std::min(all.size(), params.k));
  return all;
}

std::vector<uint32_t> scattered_ids(size_t count) {
  std::vector<uint32_t> ids;
  for (uint32_t i = 0; i < count; ++i) ids.push_back((i + 1) * 2654435761u);
  return ids;
}

bool alike(const std::vector<Neighbor>& found, const std::vector<Neighbor>& truth) {
  return std::equal(found.begin(), found.end(), truth.begin(), truth.end(), [](const Neighbor& a, const Neighbor& b) {
    return a.id == b.id && std::fabs(a.distance - b.distance) < 1e-6f;
  });
}

}  // namespace

TEST("a scan under l1, chebyshev, hamming and jaccard is a sort of all rows, under filters and limits, for any number of lanes") {
  Rng rng(17);
  const size_t rows = 300, asked = 10;
  const std::vector<uint32_t> ids = scattered_ids(rows);
  for (const Metric metric : kScanned) {
    const Vectors data = random_vectors(rng, metric, rows), queries = random_vectors(rng, metric, asked);
    const auto built = ScanIndex::build(data.view(), ids.data(), metric, Quantization::kNone);
    const TemporaryFile file;
    built->save(file.path());
    const auto read = ScanIndex::open(IndexFile::open(file.path(), OpenMode::kMemory));
    const auto mapped = ScanIndex::open(IndexFile::open(file.path(), OpenMode::kMap));
    const std::vector<uint32_t> few(ids.begin(), ids.begin() + 20), many(ids.begin(), ids.begin() + 200);
    const std::optional<IdSet> filters[] = {std::nullopt, IdSet::allow(few), IdSet::allow(many), IdSet::deny(few)};
    for (const auto& filter : filters) {
      SearchParams params;
      params.k = 15;
      params.filter = filter ? &*filter : nullptr;
      params.within = rng.below(2) == 0 ? params.within : true_distance(queries, 0, data, rng.below(rows)) + 1e-4f;
      std::vector<std::vector<Neighbor>> truths;
      for (size_t q = 0; q < asked; ++q) {
        truths.push_back(nearest(queries, q, data, ids, params));
        for (const ScanIndex* index : {built.get(), read.get(), mapped.get()}) {
          SearchStats stats;
          CHECK(alike(index->search(queries.view().row(q), params, stats), truths.back()));
          CHECK(stats.distances == (params.filter != nullptr && !filter->complement() && filter->listed() == 20 ? 20 : rows));
        }
      }
      for (const size_t lanes : {size_t{1}, size_t{3}}) {
        std::vector<uint32_t> found(asked * params.k), counts(asked);
        std::vector<float> distances(asked * params.k);
        SearchStats stats;
        TaskControl control;
        built->search_batch(queries.view(), params, lanes, found.data(), distances.data(), counts.data(), stats, control);
        for (size_t q = 0; q < asked; ++q) {
          CHECK(counts[q] == truths[q].size());
          std::vector<Neighbor> answer;
          for (size_t j = 0; j < counts[q]; ++j) answer.push_back({distances[q * params.k + j], found[q * params.k + j]});
          CHECK(alike(answer, truths[q]));
          for (size_t j = counts[q]; j < params.k; ++j) CHECK(found[q * params.k + j] == kNoId);
        }
      }
    }
  }
}

TEST("a scan gives back its rows by id, and refuses what is none of its own") {
  Rng rng(18);
  const std::vector<uint32_t> ids = scattered_ids(40);
  for (const Metric metric : kScanned) {
    const Vectors data = random_vectors(rng, metric, 40);
    const auto index = ScanIndex::build(data.view(), ids.data(), metric, Quantization::kNone);
    CHECK(index->size() == 40 && index->dim() == kDim && index->metric() == metric);
    std::vector<uint8_t> row(kDim * sizeof(float));
    for (size_t r = 0; r < 40; ++r) {
      CHECK(index->vector(ids[r], row.data()));
      const auto* stored = static_cast<const uint8_t*>(data.view().row(r));
      CHECK(std::equal(stored, stored + data.view().row_bytes(), row.begin()));
    }
    CHECK(!index->vector(7, row.data()));

    SearchStats stats;
    SearchParams params;
    params.k = 0;
    CHECK_THROWS(index->search(data.view().row(0), params, stats), "INVALID_ARGUMENT");
    CHECK_THROWS(ScanIndex::build(data.view(), nullptr, metric, Quantization::kSq8), "INVALID_ARGUMENT");
    const std::vector<uint32_t> twice(40, 3);
    CHECK_THROWS(ScanIndex::build(data.view(), twice.data(), metric, Quantization::kNone), "DUPLICATE_ID");
  }
}

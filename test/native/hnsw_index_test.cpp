#include "index/hnsw_index.h"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "base/rng.h"
#include "check.h"
#include "index/flat_index.h"

using namespace nigh;

namespace {

std::vector<float> gaussian(size_t rows, size_t dim, uint64_t seed, double norm_spread = 0) {
  std::vector<float> values(rows * dim);
  for (size_t r = 0; r < rows; ++r) {
    Rng rng(seed, r);
    const double scale = std::exp(norm_spread * rng.normal());
    for (size_t i = 0; i < dim; ++i) values[r * dim + i] = static_cast<float>(scale * rng.normal());
  }
  return values;
}

HnswParams small_params(Quantization quantization) {
  HnswParams params;
  params.m = 8;
  params.ef_construction = 100;
  params.quantization = quantization;
  return params;
}

std::vector<Neighbor> ask(const VectorIndex& index, const float* query, SearchParams params, SearchStats* out = nullptr) {
  SearchStats stats;
  auto found = index.search(query, params, stats);
  if (out != nullptr) *out = stats;
  return found;
}

double recall(const VectorIndex& index, const VectorIndex& oracle, const std::vector<float>& queries, SearchParams params) {
  size_t hits = 0;
  size_t wanted = 0;
  for (size_t q = 0; q < queries.size() / index.dim(); ++q) {
    const auto truth = ask(oracle, &queries[q * index.dim()], params);
    const auto found = ask(index, &queries[q * index.dim()], params);
    CHECK(found.size() == truth.size());
    wanted += truth.size();
    for (const Neighbor& neighbor : found) hits += neighbor.distance <= truth.back().distance;
  }
  return wanted == 0 ? 1 : static_cast<double>(hits) / static_cast<double>(wanted);
}

std::string temporary(const char* name) {
  static int number = 0;
  return (std::filesystem::temp_directory_path() /
          ("nigh-hnsw-" + std::to_string(::getpid()) + "-" + std::to_string(number++) + name))
      .string();
}

std::vector<char> read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_all(const std::string& path, const std::vector<char>& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

TEST("where codes fill their cache lines the terms are a section of version 2; searches, files and changes are the same") {
  const size_t n = 700;
  for (const size_t dim : {56, 57, 64, 100, 128, 130}) {
    const bool apart = dim % 64 == 0 || dim % 64 > 56;
    const auto rows = gaussian(n, dim, 21, 0.3);
    const auto queries = gaussian(20, dim, 22);
    for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
      TaskControl control;
      const auto flat = FlatIndex::build({rows.data(), n, dim}, nullptr, metric, Quantization::kNone);
      const auto index =
          HnswIndex::build({rows.data(), n - 50, dim}, nullptr, metric, small_params(Quantization::kSq8), 1, control);
      index->add({&rows[(n - 50) * dim], 50, dim}, nullptr, 1, control);
      index->compact(1, control);
      const std::string path = temporary(".ann");
      index->save(path);
      const IndexFile inspected = IndexFile::inspect(path);
      CHECK(inspected.header().version == (apart ? 2u : 1u));
      for (const auto& section : inspected.sections()) {
        if (section.tag == "codes") CHECK(section.bytes == n * ((dim + (apart ? 0 : 8) + 63) / 64 * 64));
        if (section.tag == "terms") CHECK(apart && section.bytes == n * 8);
      }
      for (const OpenMode mode : {OpenMode::kMemory, OpenMode::kMap}) {
        const auto opened = HnswIndex::open(IndexFile::open(path, mode));
        SearchParams params;
        params.k = 10;
        params.ef_search = 64;
        CHECK(recall(*opened, *flat, queries, params) > 0.9);
        for (size_t q = 0; q < 20; ++q) CHECK(ask(*opened, &queries[q * dim], params) == ask(*index, &queries[q * dim], params));
        params.exact = true;
        CHECK(recall(*opened, *flat, queries, params) == 1);
      }
      std::remove(path.c_str());
    }
  }
}

TEST("hnsw finds at least 95 of 100 true neighbours for every metric and quantisation, with true distances") {
  const size_t n = 3000;
  const size_t dim = 24;
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    const auto rows = gaussian(n, dim, 1, 0.5);
    const auto queries = gaussian(50, dim, 2);
    const auto flat = FlatIndex::build({rows.data(), n, dim}, nullptr, metric, nigh::Quantization::kNone);
    for (const Quantization quantization : {Quantization::kNone, Quantization::kSq8}) {
      TaskControl control;
      const auto index = HnswIndex::build({rows.data(), n, dim}, nullptr, metric, small_params(quantization), 0, control);
      CHECK(control.done() == n);
      SearchParams params;
      params.ef_search = 200;
      CHECK(recall(*index, *flat, queries, params) > 0.95);
      params.exact = true;
      CHECK(recall(*index, *flat, queries, params) == 1);
      params.exact = false;
      params.k = 5;
      for (size_t q = 0; q < 20; ++q) {
        const auto found = ask(*index, &queries[q * dim], params);
        for (size_t j = 0; j < found.size(); ++j) {
          const uint32_t only[] = {found[j].id};
          const IdSet one = IdSet::allow(only);
          SearchParams single;
          single.k = 1;
          single.filter = &one;
          CHECK(ask(*flat, &queries[q * dim], single)[0].distance == found[j].distance);
          CHECK(j == 0 || found[j - 1] < found[j]);
        }
      }
    }
  }
}

TEST("one lane and one seed give the same file, and two lanes give a graph as good") {
  const auto rows = gaussian(2000, 16, 3);
  const auto queries = gaussian(50, 16, 4);
  std::vector<char> first;
  for (int round = 0; round < 2; ++round) {
    TaskControl control;
    const auto index =
        HnswIndex::build({rows.data(), 2000, 16}, nullptr, Metric::kL2, small_params(Quantization::kNone), 1, control);
    const std::string path = temporary(".ann");
    index->save(path);
    const auto bytes = read_all(path);
    std::remove(path.c_str());
    if (round == 0) first = bytes;
    CHECK(bytes == first);
  }
}

TEST("filters return exactly min(k, matches) members at every selectivity") {
  const size_t n = 4000;
  const size_t dim = 12;
  const auto rows = gaussian(n, dim, 5);
  const auto queries = gaussian(20, dim, 6);
  TaskControl control;
  std::vector<uint32_t> ids(n);
  for (size_t i = 0; i < n; ++i) ids[i] = static_cast<uint32_t>(i * 7 + 100);
  const auto flat = FlatIndex::build({rows.data(), n, dim}, ids.data(), Metric::kCosine, nigh::Quantization::kNone);
  const auto index =
      HnswIndex::build({rows.data(), n, dim}, ids.data(), Metric::kCosine, small_params(Quantization::kSq8), 0, control);
  for (const size_t listed : {0, 1, 3, 40, 400, 2000, 3990, 4000}) {
    Rng rng(listed + 1);
    std::set<uint32_t> chosen;
    while (chosen.size() < listed) chosen.insert(ids[rng.below(n)]);
    std::vector<uint32_t> list(chosen.begin(), chosen.end());
    list.push_back(3);  // not an id of the index
    for (const bool complement : {false, true}) {
      const IdSet filter = complement ? IdSet::deny(list) : IdSet::allow(list);
      SearchParams params;
      params.filter = &filter;
      params.ef_search = 100;
      const size_t matches = complement ? n - listed : listed;
      for (size_t q = 0; q < 20; ++q) {
        const auto found = ask(*index, &queries[q * dim], params);
        CHECK(found.size() == std::min<size_t>(10, matches));
        for (const Neighbor& neighbor : found) CHECK(chosen.contains(neighbor.id) != complement);
      }
      CHECK(recall(*index, *flat, queries, params) > 0.95);
    }
  }
}

TEST("the nearest of a query may all be denied and k others still come back") {
  const auto rows = gaussian(5000, 8, 7);
  TaskControl control;
  const auto flat = FlatIndex::build({rows.data(), 5000, 8}, nullptr, Metric::kL2, nigh::Quantization::kNone);
  const auto index =
      HnswIndex::build({rows.data(), 5000, 8}, nullptr, Metric::kL2, small_params(Quantization::kNone), 0, control);
  SearchParams params;
  params.k = 1000;
  const auto nearest = ask(*flat, rows.data(), params);
  std::vector<uint32_t> seen;
  for (const Neighbor& neighbor : nearest) seen.push_back(neighbor.id);
  const IdSet unseen = IdSet::deny(seen);
  params.k = 10;
  params.filter = &unseen;
  const std::vector<float> query(rows.begin(), rows.begin() + 8);
  CHECK(recall(*index, *flat, query, params) > 0.9);
}

TEST("large groups of equal vectors neither trap a search nor hide what lies beyond them") {
  const size_t dim = 16;
  const size_t groups = 40;
  const auto centres = gaussian(groups, dim, 20);
  const auto singles = gaussian(2000, dim, 21);
  std::vector<float> rows;
  for (size_t g = 0; g < groups; ++g) {
    for (size_t copy = 0; copy < 100; ++copy) {
      // The same direction at many lengths: equal under cosine up to rounding.
      const float scale = 1.0f + 0.01f * static_cast<float>(copy);
      for (size_t i = 0; i < dim; ++i) rows.push_back(centres[g * dim + i] * scale);
    }
  }
  rows.insert(rows.end(), singles.begin(), singles.end());
  const size_t n = rows.size() / dim;
  const auto flat = FlatIndex::build({rows.data(), n, dim}, nullptr, Metric::kCosine, nigh::Quantization::kNone);
  for (const Quantization quantization : {Quantization::kNone, Quantization::kSq8}) {
    TaskControl control;
    const auto index = HnswIndex::build({rows.data(), n, dim}, nullptr, Metric::kCosine, small_params(quantization), 0, control);
    for (const size_t k : {10, 150}) {
      SearchParams params;
      params.k = k;
      params.ef_search = 2 * k;
      size_t hits = 0;
      for (size_t q = 0; q < groups * 100; q += 40) {
        const auto truth = ask(*flat, &rows[q * dim], params);
        for (const Neighbor& neighbor : ask(*index, &rows[q * dim], params))
          hits += neighbor.distance <= truth.back().distance + 1e-5f;
      }
      CHECK(static_cast<double>(hits) / static_cast<double>(groups * 100 / 40 * k) > 0.95);
    }
  }
}

TEST("vectors added later are found, also while others search") {
  const size_t dim = 16;
  const auto rows = gaussian(6000, dim, 8);
  TaskControl control;
  const auto index =
      HnswIndex::build({rows.data(), 1000, dim}, nullptr, Metric::kL2, small_params(Quantization::kSq8), 0, control);
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    for (size_t q = 0; !stop; q = (q + 1) % 1000) {
      SearchParams params;
      params.k = 3;
      CHECK(ask(*index, &rows[q * dim], params).size() == 3);
    }
  });
  for (size_t begin = 1000; begin < 6000; begin += 1250) {
    TaskControl add_control;
    index->add({&rows[begin * dim], 1250, dim}, nullptr, 0, add_control);
    CHECK(index->size() == begin + 1250);
  }
  stop = true;
  reader.join();
  SearchParams params;
  params.k = 1;
  params.ef_search = 400;
  size_t itself = 0;
  for (size_t r = 0; r < 6000; ++r) itself += ask(*index, &rows[r * dim], params)[0].id == r;
  // Two threads that link neighbours of each other at the same moment may leave one or two hard to find.
  CHECK(itself >= 5994);
}

TEST("an add that is refused or aborted leaves the index as it was") {
  const auto rows = gaussian(3000, 8, 9);
  TaskControl control;
  const auto index =
      HnswIndex::build({rows.data(), 2000, 8}, nullptr, Metric::kL2, small_params(Quantization::kNone), 0, control);
  SearchParams params;
  const auto before = ask(*index, &rows[2500 * 8], params);
  const uint32_t taken[] = {5000, 7};
  TaskControl fresh;
  CHECK_THROWS(index->add({rows.data(), 2, 8}, taken, 0, fresh), "DUPLICATE_ID");
  CHECK_THROWS(index->add({rows.data(), 2, 4}, nullptr, 0, fresh), "DIMENSION_MISMATCH");
  TaskControl cancelled;
  cancelled.cancel();
  CHECK_THROWS(index->add({&rows[2000 * 8], 1000, 8}, nullptr, 0, cancelled), "ABORTED");
  CHECK(index->size() == 2000);
  CHECK(ask(*index, &rows[2500 * 8], params) == before);
  index->add({&rows[2000 * 8], 1000, 8}, nullptr, 0, fresh);
  CHECK(index->size() == 3000);
}

TEST("a saved index answers the same when opened in memory and mapped; in memory it can be added to") {
  const size_t dim = 10;
  const auto rows = gaussian(3000, dim, 10, 0.7);
  const auto queries = gaussian(30, dim, 11);
  for (const Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    for (const Quantization quantization : {Quantization::kNone, Quantization::kSq8}) {
      TaskControl control;
      const auto index = HnswIndex::build({rows.data(), 2500, dim}, nullptr, metric, small_params(quantization), 0, control);
      const std::string path = temporary(".ann");
      index->save(path);
      for (const OpenMode mode : {OpenMode::kMemory, OpenMode::kMap}) {
        const auto opened = HnswIndex::open(IndexFile::open(path, mode));
        CHECK(opened->size() == 2500);
        for (size_t q = 0; q < 30; ++q) {
          CHECK(ask(*opened, &queries[q * dim], {}) == ask(*index, &queries[q * dim], {}));
        }
        TaskControl add_control;
        if (mode == OpenMode::kMap) {
          CHECK_THROWS(opened->add({&rows[2500 * dim], 500, dim}, nullptr, 0, add_control), "READ_ONLY");
          continue;
        }
        opened->add({&rows[2500 * dim], 500, dim}, nullptr, 0, add_control);
        CHECK(opened->size() == 3000);
      }
      std::remove(path.c_str());
    }
  }
}

TEST("any flipped byte and any cut of an index file gives a typed error in memory mode and no crash in map mode") {
  const auto rows = gaussian(300, 6, 12);
  TaskControl control;
  const auto index = HnswIndex::build({rows.data(), 300, 6}, nullptr, Metric::kIp, small_params(Quantization::kSq8), 1, control);
  const std::string path = temporary(".ann");
  index->save(path);
  const auto bytes = read_all(path);
  const auto attempt = [&](OpenMode mode) -> std::string {
    try {
      const auto opened = HnswIndex::open(IndexFile::open(path, mode));
      SearchParams params;
      params.ef_search = 20;
      for (size_t q = 0; q < 5; ++q) ask(*opened, &rows[q * 6], params);
      return "opened";
    } catch (const Error& error) {
      return error.code();
    }
  };
  size_t step = 1;
  for (size_t at = 0; at < bytes.size(); at += step) {
    if (at == 1024) step = 37;
    auto broken = bytes;
    broken[at] = static_cast<char>(broken[at] ^ 0x5a);
    write_all(path, broken);
    const std::string outcome = attempt(OpenMode::kMemory);
    // Padding between sections carries no information and is not covered by a checksum.
    const bool padding = outcome == "opened";
    CHECK(padding || outcome == "CHECKSUM_MISMATCH" || outcome == "FORMAT" || outcome == "TRUNCATED" ||
          outcome == "VERSION_UNSUPPORTED");
    if (padding) CHECK(bytes[at] == 0);
    attempt(OpenMode::kMap);
  }
  for (size_t length = 0; length < bytes.size(); length += length < 256 ? 1 : 211) {
    write_all(path, {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)});
    CHECK(attempt(OpenMode::kMemory) != "opened");
    CHECK(attempt(OpenMode::kMap) != "opened");
  }
  std::remove(path.c_str());
}

TEST("an empty index, k of zero, NaN and zero vectors are answered or refused") {
  TaskControl control;
  const auto empty = HnswIndex::build({nullptr, 0, 4}, nullptr, Metric::kCosine, small_params(Quantization::kNone), 0, control);
  const float query[] = {1, 0, 0, 0};
  CHECK(ask(*empty, query, {}).empty());
  SearchParams none;
  none.k = 0;
  CHECK_THROWS(ask(*empty, query, none), "INVALID_ARGUMENT");
  const float zero[] = {0, 0, 0, 0};
  CHECK_THROWS(ask(*empty, zero, {}), "ZERO_VECTOR");
  const float nan[] = {0, NAN, 0, 0};
  CHECK_THROWS(ask(*empty, nan, {}), "NOT_FINITE");
  CHECK_THROWS(HnswIndex::build({nan, 1, 4}, nullptr, Metric::kL2, small_params(Quantization::kNone), 0, control), "NOT_FINITE");
  CHECK_THROWS(HnswIndex::build({zero, 1, 4}, nullptr, Metric::kCosine, small_params(Quantization::kNone), 0, control),
               "ZERO_VECTOR");
  const float twins[] = {1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4};
  const auto same = HnswIndex::build({twins, 3, 4}, nullptr, Metric::kL2, small_params(Quantization::kSq8), 0, control);
  const auto found = ask(*same, query, {});
  CHECK(found.size() == 3 && found[0].id == 0 && found[1].id == 1 && found[2].id == 2);
}

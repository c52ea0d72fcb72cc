#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "base/rng.h"
#include "check.h"
#include "failing_allocations.h"
#include "index/flat_index.h"
#include "index/hnsw_index.h"

using namespace nigh;
using nigh::test::SlowAllocations;

namespace {

using Vector = std::vector<float>;

HnswParams live_params(Quantization quantization) {
  HnswParams params;
  params.m = 8;
  params.ef_construction = 60;
  params.quantization = quantization;
  return params;
}

// Around a few centres; some are exactly a centre, so that groups of equal vectors come and go.
Vector random_vector(Rng& rng, size_t dim) {
  const uint64_t centre = rng.below(20);
  Rng from(99, centre);
  Vector out(dim);
  const bool equal = rng.below(4) == 0;
  for (float& value : out) value = static_cast<float>(from.normal() + (equal ? 0 : 0.3 * rng.normal()));
  return out;
}

struct Model {
  std::map<uint32_t, Vector> rows;

  std::vector<uint32_t> some_ids(Rng& rng, size_t count) const {
    std::vector<uint32_t> ids;
    for (const auto& [id, vector] : rows) ids.push_back(id);
    for (size_t i = ids.size(); i > 1; --i) std::swap(ids[i - 1], ids[rng.below(i)]);
    ids.resize(std::min(count, ids.size()));
    return ids;
  }
};

void put(HnswIndex& index, Model& model, const std::vector<uint32_t>& ids, Rng& rng, bool replace, size_t lanes) {
  Vector data;
  for (const uint32_t id : ids) {
    const Vector row = random_vector(rng, index.dim());
    data.insert(data.end(), row.begin(), row.end());
    model.rows[id] = row;
  }
  TaskControl control;
  const MatrixView<const float> rows{data.data(), ids.size(), index.dim()};
  if (replace) {
    index.replace(rows, ids.data(), true, lanes, control);
  } else {
    index.add(rows, ids.data(), lanes, control);
  }
}

void remove(HnswIndex& index, Model& model, const std::vector<uint32_t>& ids, size_t lanes) {
  TaskControl control;
  CHECK(index.remove(ids, false, lanes, control) == ids.size());
  for (const uint32_t id : ids) model.rows.erase(id);
}

std::unique_ptr<FlatIndex> oracle(const Model& model, Metric metric, size_t dim) {
  Vector data;
  std::vector<uint32_t> ids;
  for (const auto& [id, vector] : model.rows) {
    ids.push_back(id);
    data.insert(data.end(), vector.begin(), vector.end());
  }
  return FlatIndex::build({data.data(), ids.size(), dim}, ids.data(), metric, Quantization::kNone);
}

// Exact answers are those of the oracle, no removed id comes back, every answer has min(k, live) entries, vectors are the last
// put.
void check_against(const HnswIndex& index, const Model& model, Rng& rng) {
  const auto flat = oracle(model, index.metric(), index.dim());
  CHECK(index.size() == model.rows.size());
  size_t hits = 0;
  size_t wanted = 0;
  for (int q = 0; q < 8; ++q) {
    const Vector query = random_vector(rng, index.dim());
    const std::vector<uint32_t> listed = model.some_ids(rng, 1 + rng.below(30));
    const IdSet allow = IdSet::allow(listed);
    const IdSet deny = IdSet::deny(listed);
    const IdSet* filters[] = {nullptr, &allow, &deny};
    for (const IdSet* filter : filters) {
      for (const bool exact : {true, false}) {
        SearchParams params;
        params.exact = exact;
        params.filter = filter;
        params.k = 1 + rng.below(20);
        SearchStats stats;
        const auto truth = flat->search(query.data(), params, stats);
        const auto found = index.search(query.data(), params, stats);
        CHECK(found.size() == truth.size());
        std::set<uint32_t> ids;
        for (size_t i = 0; i < found.size(); ++i) {
          CHECK(ids.insert(found[i].id).second);
          CHECK(model.rows.contains(found[i].id));
          CHECK(filter == nullptr || filter->contains(found[i].id));
          if (exact)
            CHECK(std::fabs(found[i].distance - truth[i].distance) <= 1e-5f * std::max(1.0f, std::fabs(truth[i].distance)));
          if (!exact) hits += found[i].distance <= truth.back().distance + 1e-5f;
        }
        if (!exact) wanted += truth.size();
      }
    }
  }
  CHECK(wanted == 0 || static_cast<double>(hits) / static_cast<double>(wanted) > 0.9);
  Vector out(index.dim());
  for (uint32_t id = 0; id < 400; id += 7) CHECK(index.vector(id, out.data()) == model.rows.contains(id));
}

void check_found(HnswIndex& index) {
  TaskControl control;
  const VerifyReport report = index.verify(false, 64, 0, control);
  CHECK(report.live == index.size());
  CHECK(report.dangling == 0);
  CHECK(report.unreachable == 0);
  CHECK(report.not_found == 0);
}

}  // namespace

TEST("any sequence of adds, replacements, removals and compactions answers as a map of the last vectors does") {
  for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kIp}) {
    for (const Quantization quantization : {Quantization::kNone, Quantization::kSq8}) {
      for (uint64_t seed = 0; seed < 3; ++seed) {
        Rng rng(seed, 7);
        TaskControl control;
        Model model;
        const auto index = HnswIndex::build({nullptr, 0, 12}, nullptr, metric, live_params(quantization), 1, control);
        uint32_t next = 0;
        for (int step = 0; step < 40; ++step) {
          const size_t lanes = 1 + rng.below(2);
          const size_t many = rng.below(5) == 0 ? 200 : 1 + rng.below(10);
          switch (rng.below(5)) {
            case 0:
            case 1: {
              std::vector<uint32_t> ids;
              for (size_t i = 0; i < many; ++i) ids.push_back(next++);
              put(*index, model, ids, rng, false, lanes);
              break;
            }
            case 2: {
              auto ids = model.some_ids(rng, many);
              ids.push_back(next++);
              put(*index, model, ids, rng, true, lanes);
              break;
            }
            case 3:
              remove(*index, model, model.some_ids(rng, rng.below(12) == 0 ? model.rows.size() : many), lanes);
              break;
            default:
              if (rng.below(3) == 0) index->compact(lanes, control);
          }
          if (step % 8 == 7) check_against(*index, model, rng);
        }
        check_against(*index, model, rng);
        check_found(*index);
      }
    }
  }
}

TEST("removing one by one and adding one by one keeps every row to be found by its own vector") {
  const size_t dim = 16;
  for (const Quantization quantization : {Quantization::kNone, Quantization::kSq8}) {
    Rng rng(5, 1);
    Model model;
    TaskControl control;
    const auto index = HnswIndex::build({nullptr, 0, dim}, nullptr, Metric::kL2, live_params(quantization), 1, control);
    std::vector<uint32_t> ids(3000);
    for (uint32_t i = 0; i < 3000; ++i) ids[i] = i;
    put(*index, model, ids, rng, false, 2);
    for (uint32_t round = 0; round < 1500; ++round) {
      remove(*index, model, model.some_ids(rng, 1), 1);
      put(*index, model, {10'000 + round}, rng, false, 1);
    }
    check_found(*index);
    check_against(*index, model, rng);
  }
}

TEST("rows that are replaced are never missing, never twice and never old while others search") {
  const size_t dim = 12;
  Rng rng(11, 1);
  Model model;
  TaskControl control;
  const auto index = HnswIndex::build({nullptr, 0, dim}, nullptr, Metric::kL2, live_params(Quantization::kSq8), 1, control);
  std::vector<uint32_t> ids;
  for (uint32_t id = 0; id < 1200; ++id) ids.push_back(id);
  put(*index, model, ids, rng, false, 2);
  // Ids below 200 stay, 200 to 399 are replaced, 400 to 599 come and go: the sizes that a reader may see are known.
  std::atomic<bool> stop{false};
  std::atomic<size_t> answers{0};
  const auto read = [&](uint64_t seed) {
    Rng own(seed, 3);
    std::vector<uint32_t> steady;
    for (uint32_t id = 0; id < 400; ++id) steady.push_back(id);
    const IdSet listed = IdSet::allow(steady);
    const std::vector<uint32_t> others{400, 401, 402};
    const IdSet denied = IdSet::deny(others);
    while (!stop) {
      const Vector query = random_vector(own, dim);
      SearchStats stats;
      SearchParams params;
      params.k = 400;
      params.filter = &listed;
      const auto all = index->search(query.data(), params, stats);
      CHECK(all.size() == 400);
      std::set<uint32_t> seen;
      for (const Neighbor& neighbor : all) CHECK(seen.insert(neighbor.id).second);
      params.k = 10;
      params.filter = own.below(2) == 0 ? nullptr : &denied;
      const auto near = index->search(query.data(), params, stats);
      CHECK(near.size() == 10);
      seen.clear();
      for (const Neighbor& neighbor : near) CHECK(seen.insert(neighbor.id).second);
      const size_t size = index->size();
      CHECK(size == 1200 || size == 1000);
      ++answers;
    }
  };
  std::thread first(read, 1);
  std::thread second(read, 2);
  std::vector<uint32_t> replaced(ids.begin() + 200, ids.begin() + 400);
  std::vector<uint32_t> coming(ids.begin() + 400, ids.begin() + 600);
  for (int round = 0; round < rounds(16); ++round) {
    put(*index, model, replaced, rng, true, 2);
    remove(*index, model, coming, 2);
    SearchStats stats;
    SearchParams params;
    params.k = 1000;
    for (const Neighbor& neighbor : index->search(model.rows[0].data(), params, stats))
      CHECK(neighbor.id < 400 || neighbor.id >= 600);
    put(*index, model, coming, rng, false, 2);
    if (round % 4 == 3) index->compact(2, control);
  }
  stop = true;
  first.join();
  second.join();
  CHECK(answers > 0);
  check_against(*index, model, rng);
  check_found(*index);
}

TEST("what an aborted add had stored stays as it was for searches that are still there while others search and add") {
  constexpr size_t kDim = 8;
  constexpr uint32_t kRows = 1200;
  constexpr uint32_t kComing = 400;
  HnswParams params = live_params(Quantization::kNone);
  params.m = 4;
  params.ef_construction = 300;  // so that there is time to abort an add
  // A seed by which one of the first rows to come rises above all others, so that searches begin at it.
  const auto highest = [&] {
    uint32_t at = 0;
    for (uint32_t slot = 1; slot < kRows + 1 + kComing; ++slot) {
      if (hnsw_level(params, slot) > hnsw_level(params, at)) at = slot;
    }
    return at;
  };
  while (highest() <= kRows || highest() > kRows + 8) ++params.seed;

  Rng rng(41, 1);
  Model model;
  TaskControl control;
  const auto index = HnswIndex::build({nullptr, 0, kDim}, nullptr, Metric::kL2, params, 1, control);
  std::vector<uint32_t> ids(kRows);
  for (uint32_t id = 0; id < kRows; ++id) ids[id] = id;
  put(*index, model, ids, rng, false, 2);
  put(*index, model, {kRows}, rng, false, 1);  // makes room for half as many again
  std::vector<uint32_t> coming(kComing);
  Vector data;
  for (uint32_t i = 0; i < kComing; ++i) {
    coming[i] = 10'000 + i;
    const Vector row = random_vector(rng, kDim);
    data.insert(data.end(), row.begin(), row.end());
  }
  const float* query = data.data() + (highest() - kRows - 1) * kDim;

  std::atomic<bool> stop{false};
  std::atomic<size_t> strangers{0};
  const auto read = [&](std::chrono::milliseconds start) {
    std::this_thread::sleep_for(start);
    // A search has met that row when it makes room for its answer, and then asks what hangs behind it.
    const SlowAllocations slow(std::chrono::milliseconds(40));
    while (!stop) {
      SearchStats stats;
      SearchParams some;
      some.k = 5;
      some.ef_search = 20;
      const auto found = index->search(query, some, stats);
      CHECK(found.size() == 5);
      CHECK(stats.plan == Plan::kGraph);
      for (const Neighbor& neighbor : found) {
        if (neighbor.id > kRows) {
          ++strangers;
          continue;
        }
        const Vector& row = model.rows.at(neighbor.id);
        float truth = 0;
        for (size_t j = 0; j < kDim; ++j) truth += (query[j] - row[j]) * (query[j] - row[j]);
        CHECK(std::fabs(neighbor.distance - truth) <= 1e-4f * std::max(1.0f, truth));
      }
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 8; ++i) readers.emplace_back(read, std::chrono::milliseconds(i * 15));
  int aborts = 0;
  for (int round = 0; round < 10; ++round) {
    TaskControl aborted;
    std::thread canceller([&] {
      while (aborted.done() < 10) std::this_thread::yield();
      aborted.cancel();
    });
    try {
      index->add({data.data(), kComing, kDim}, coming.data(), 1, aborted);
    } catch (const Error& error) {
      CHECK(std::string(error.code()) == "ABORTED");
      ++aborts;
    }
    canceller.join();
    if (index->size() != kRows + 1) break;  // all were there before they were told to stop
  }
  CHECK(aborts > 0);
  stop = true;
  for (std::thread& reader : readers) reader.join();
  if (index->size() != kRows + 1) return;
  CHECK(strangers == 0);
  check_against(*index, model, rng);
  check_found(*index);
}

TEST("the first of a group of equal vectors can be removed, the group stays, and so do its ids in a file") {
  const size_t dim = 8;
  Rng rng(21, 1);
  Model model;
  TaskControl control;
  const auto index = HnswIndex::build({nullptr, 0, dim}, nullptr, Metric::kCosine, live_params(Quantization::kSq8), 1, control);
  std::vector<uint32_t> ids;
  for (uint32_t id = 0; id < 600; ++id) ids.push_back(id);
  put(*index, model, ids, rng, false, 1);
  Vector same;
  for (int i = 0; i < 50; ++i) same.insert(same.end(), model.rows[3].begin(), model.rows[3].end());
  std::vector<uint32_t> group;
  for (uint32_t id = 1000; id < 1050; ++id) group.push_back(id);
  index->add({same.data(), 50, dim}, group.data(), 1, control);
  for (const uint32_t id : group) model.rows[id] = model.rows[3];
  remove(*index, model, {3}, 1);
  remove(*index, model, {1000, 1001, 1049}, 1);
  const auto path = (std::filesystem::temp_directory_path() / ("nigh-live-" + std::to_string(::getpid()))).string();
  index->save(path);
  const auto opened = HnswIndex::open(IndexFile::open(path, OpenMode::kMemory));
  const auto mapped = HnswIndex::open(IndexFile::open(path, OpenMode::kMap));
  for (HnswIndex* each : {index.get(), opened.get(), mapped.get()}) {
    SearchStats stats;
    SearchParams params;
    params.k = 47;
    for (const Neighbor& neighbor : each->search(same.data(), params, stats)) {
      CHECK(model.rows.contains(neighbor.id));
      CHECK(neighbor.distance < 1e-5f);
    }
    check_found(*each);
  }
  const uint32_t one[] = {1002};
  CHECK_THROWS(mapped->remove(one, false, 1, control), "READ_ONLY");
  CHECK_THROWS(mapped->add({same.data(), 1, dim}, nullptr, 1, control), "READ_ONLY");
  CHECK_THROWS(mapped->verify(true, 64, 1, control), "READ_ONLY");
  CHECK(opened->remove(one, false, 1, control) == 1);
  CHECK(opened->size() == index->size() - 1);
  check_found(*opened);
  std::remove(path.c_str());
}

TEST("a change that is refused leaves the index as it was, and says why") {
  Rng rng(31, 1);
  Model model;
  TaskControl control;
  const auto index = HnswIndex::build({nullptr, 0, 4}, nullptr, Metric::kCosine, live_params(Quantization::kNone), 1, control);
  put(*index, model, {1, 2, 3}, rng, false, 1);
  const uint32_t unknown[] = {1, 9};
  CHECK_THROWS(index->remove(unknown, false, 1, control), "UNKNOWN_ID");
  CHECK(index->size() == 3);
  const float rows[] = {1, 2, 3, 4, 0, 0, 0, 0};
  CHECK_THROWS(index->replace({rows, 2, 4}, unknown, false, 1, control), "UNKNOWN_ID");
  const uint32_t known[] = {1, 2};
  CHECK_THROWS(index->replace({rows, 2, 4}, known, false, 1, control), "ZERO_VECTOR");
  const uint32_t twice[] = {1, 1};
  CHECK_THROWS(index->replace({rows, 2, 4}, twice, false, 1, control), "DUPLICATE_ID");
  TaskControl cancelled;
  cancelled.cancel();
  CHECK_THROWS(index->remove(known, false, 1, cancelled), "ABORTED");
  check_against(*index, model, rng);
  CHECK(index->remove(unknown, true, 1, control) == 1);
  CHECK(index->remove(known, true, 1, control) == 1);
  const uint32_t last[] = {3, 3};
  CHECK(index->remove(last, false, 1, control) == 1);
  CHECK(index->size() == 0);
  model.rows.clear();
  put(*index, model, {3}, rng, false, 1);
  check_against(*index, model, rng);
}

// That every row is found by its own vector, whatever has happened to the graph: changes on several lanes, changes that were
// stopped, damage.
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "index/hnsw_index.h"
#include "temporary_file.h"

using namespace nigh;

namespace {

constexpr size_t kDim = 16;

HnswParams thin_params(Quantization quantization) {
  HnswParams params;
  params.m = 6;
  params.ef_construction = 40;
  params.quantization = quantization;
  return params;
}

// Rows around a few centres, so that near rows are often linked at the same moment.
std::vector<float> clustered(Rng& rng, size_t rows) {
  std::vector<float> out;
  for (size_t row = 0; row < rows; ++row) {
    Rng centre(7, rng.below(12));
    for (size_t i = 0; i < kDim; ++i) out.push_back(static_cast<float>(centre.normal() + 0.1 * rng.normal()));
  }
  return out;
}

std::vector<uint32_t> numbers(uint32_t first, size_t count) {
  std::vector<uint32_t> ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

void add(HnswIndex& index, Rng& rng, const std::vector<uint32_t>& ids, size_t lanes) {
  const std::vector<float> rows = clustered(rng, ids.size());
  TaskControl control;
  index.replace({rows.data(), ids.size(), kDim}, ids.data(), true, lanes, control);
}

size_t faults_of(HnswIndex& index) {
  TaskControl control;
  const VerifyReport report = index.verify(false, 64, 0, control);
  return report.dangling + report.unreachable + report.not_found;
}

std::unique_ptr<HnswIndex> built(Metric metric, Quantization quantization, size_t rows, size_t lanes) {
  Rng rng(3, 1);
  const std::vector<float> data = clustered(rng, rows);
  TaskControl control;
  return HnswIndex::build({data.data(), rows, kDim}, nullptr, metric, thin_params(quantization), lanes, control);
}

// Opens what `index` saves, after `damage` was done to its links.
template <class Damage>
std::unique_ptr<HnswIndex> damaged(const HnswIndex& index, const Damage& damage) {
  const test::TemporaryFile saved;
  index.save(saved.path());
  const IndexFile file = IndexFile::open(saved.path(), OpenMode::kMemory);
  const size_t degree = hnsw_layer0_degree(index.params());
  const Buffer<uint32_t> links = file.section<uint32_t>("links0", index.size() * degree);
  damage([&](uint32_t slot) { return links.data() + slot * degree; }, degree);
  return HnswIndex::open(file);
}

}  // namespace

TEST("after each of many changes on two lanes every row is found by its own vector") {
  for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kIp}) {
    for (const Quantization quantization : {Quantization::kNone, Quantization::kSq8}) {
      Rng rng(13, static_cast<uint64_t>(metric));
      const auto index = built(metric, quantization, 800, 2);
      CHECK(faults_of(*index) == 0);
      uint32_t next = 800;
      for (int round = 0; round < rounds(12); ++round) {
        TaskControl control;
        std::vector<uint32_t> leaving;
        for (uint32_t id = static_cast<uint32_t>(round); id < next; id += 9) leaving.push_back(id);
        index->remove(leaving, true, 2, control);
        CHECK(faults_of(*index) == 0);
        const std::vector<uint32_t> coming = numbers(next, 60 + rng.below(60));
        add(*index, rng, coming, 2);
        next += static_cast<uint32_t>(coming.size());
        CHECK(faults_of(*index) == 0);
        add(*index, rng, numbers(next - 50, 30), 2);
        CHECK(faults_of(*index) == 0);
      }
    }
  }
}

TEST("a change that is aborted half-way on two lanes leaves every row to be found") {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    Rng rng(seed, 2);
    const auto index = built(Metric::kL2, Quantization::kSq8, 600, 2);
    const std::vector<float> rows = clustered(rng, 1500);
    const std::vector<uint32_t> ids = numbers(5000, 1500);
    TaskControl control;
    std::thread canceller([&] {
      while (control.done() < 200 + seed * 300) std::this_thread::yield();
      control.cancel();
    });
    bool aborted = false;
    try {
      index->add({rows.data(), ids.size(), kDim}, ids.data(), 2, control);
    } catch (const Error& error) {
      aborted = std::string(error.code()) == "ABORTED";
    }
    canceller.join();
    CHECK(aborted || index->size() == 2100);
    CHECK(!aborted || index->size() == 600);
    CHECK(faults_of(*index) == 0);
  }
}

TEST("rows whose links were cut are reported, and found by their own vectors after a repair") {
  for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kIp}) {
    const auto sound = built(metric, Quantization::kSq8, 2000, 1);
    // Nothing leads to every seventh row any more, and every eleventh leads nowhere.
    const auto index = damaged(*sound, [](const auto& row, size_t degree) {
      for (uint32_t slot = 0; slot < 2000; ++slot) {
        uint32_t* links = row(slot);
        size_t kept = 0;
        for (size_t i = 0; i < degree; ++i) {
          if (links[i] != kNoSlot && links[i] % 7 != 0 && slot % 11 != 0) links[kept++] = links[i];
        }
        std::fill(links + kept, links + degree, kNoSlot);
      }
    });
    TaskControl control;
    const VerifyReport before = index->verify(false, 64, 0, control);
    CHECK(before.dangling == 0);
    CHECK(before.unreachable > 200);
    CHECK(metric == Metric::kIp || before.not_found > 200);
    const VerifyReport repair = index->verify(true, 64, 0, control);
    CHECK(repair.unreachable == before.unreachable);
    CHECK(repair.repaired == repair.unreachable + repair.not_found);
    CHECK(faults_of(*index) == 0);
    // It changes like any other then.
    Rng rng(1, 1);
    add(*index, rng, numbers(3000, 300), 2);
    const std::vector<uint32_t> leaving = numbers(100, 300);
    CHECK(index->remove(leaving, false, 2, control) == 300);
    CHECK(faults_of(*index) == 0);
  }
}

TEST("links that lead out of the index are refused by a change, and dropped by a repair") {
  const auto sound = built(Metric::kL2, Quantization::kNone, 1000, 1);
  const auto index = damaged(*sound, [](const auto& row, size_t) {
    for (uint32_t slot = 0; slot < 1000; slot += 50) row(slot)[1] = 1'000'000 + slot;
  });
  TaskControl control;
  Rng rng(1, 1);
  CHECK_THROWS(add(*index, rng, numbers(2000, 1), 1), "FORMAT");
  const VerifyReport before = index->verify(false, 64, 0, control);
  CHECK(before.dangling == 20);
  CHECK(index->verify(true, 64, 0, control).repaired >= 20);
  CHECK(faults_of(*index) == 0);
  add(*index, rng, numbers(2000, 1), 1);
  CHECK(index->size() == 1001);
  CHECK(faults_of(*index) == 0);
}

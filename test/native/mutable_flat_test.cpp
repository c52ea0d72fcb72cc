#include <atomic>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "check.h"
#include "index/mutable_flat_index.h"
#include "temporary_file.h"

using namespace nigh;

namespace {

constexpr size_t kDim = 12;

std::vector<float> random_row(Rng& rng) {
  std::vector<float> row(kDim);
  for (float& value : row) value = static_cast<float>(rng.normal());
  return row;
}

std::unique_ptr<MutableFlatIndex> built(Metric metric, Quantization quantization, size_t rows,
                                        std::map<uint32_t, std::vector<float>>& model) {
  Rng rng(1, 1);
  std::vector<float> data;
  for (uint32_t id = 0; id < rows; ++id) {
    model[id] = random_row(rng);
    data.insert(data.end(), model[id].begin(), model[id].end());
  }
  return std::make_unique<MutableFlatIndex>(FlatIndex::build({data.data(), rows, kDim}, nullptr, metric, quantization), false);
}

// Alone and in a batch, the answers are those of an index that was built from what is left.
void check_against(const MutableFlatIndex& index, const std::map<uint32_t, std::vector<float>>& model, Rng& rng) {
  std::vector<float> data;
  std::vector<uint32_t> ids;
  for (const auto& [id, row] : model) {
    ids.push_back(id);
    data.insert(data.end(), row.begin(), row.end());
  }
  const auto fresh = FlatIndex::build({data.data(), ids.size(), kDim}, ids.data(), index.metric(), Quantization::kNone);
  CHECK(index.size() == ids.size());
  std::vector<float> queries;
  std::vector<std::vector<Neighbor>> truths;
  SearchParams params;
  params.k = 9;
  for (int q = 0; q < 12; ++q) {
    const std::vector<float> query = random_row(rng);
    queries.insert(queries.end(), query.begin(), query.end());
    SearchStats stats;
    truths.push_back(fresh->search(query.data(), params, stats));
    const auto found = index.search(query.data(), params, stats);
    CHECK(found.size() == truths.back().size());
    for (size_t i = 0; i < found.size(); ++i) CHECK(found[i].id == truths.back()[i].id);
  }
  std::vector<uint32_t> found(12 * params.k);
  std::vector<float> distances(12 * params.k);
  std::vector<uint32_t> counts(12);
  SearchStats stats;
  TaskControl control;
  index.search_batch({queries.data(), 12, kDim}, params, 2, found.data(), distances.data(), counts.data(), stats, control);
  for (size_t q = 0; q < 12; ++q) {
    CHECK(counts[q] == truths[q].size());
    for (size_t i = 0; i < truths[q].size(); ++i) CHECK(found[q * params.k + i] == truths[q][i].id);
  }
}

}  // namespace

TEST("many small changes of a flat index answer as a fresh one does, and copy the rows a few times only") {
  for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kIp}) {
    for (const Quantization quantization : {Quantization::kNone, Quantization::kSq8}) {
      std::map<uint32_t, std::vector<float>> model;
      const auto index = built(metric, quantization, 1000, model);
      Rng rng(2, 2);
      TaskControl control;
      size_t memory = index->memory_bytes();
      size_t copies = 0;
      for (uint32_t step = 0; step < 900; ++step) {
        const uint32_t id = 5000 + step;
        model[id] = random_row(rng);
        index->add({model[id].data(), 1, kDim}, &id, 1, control);
        const uint32_t other = step % 3 == 0 ? 4999 + step : step;
        if (step % 2 == 0 && model.contains(other)) {
          index->remove({&other, 1}, false, 1, control);
          model.erase(other);
        } else if (model.contains(other)) {
          model[other] = random_row(rng);
          index->replace({model[other].data(), 1, kDim}, &other, false, 1, control);
        }
        copies += index->memory_bytes() != memory;
        memory = index->memory_bytes();
        if (step % 300 == 299) check_against(*index, model, rng);
      }
      CHECK(copies <= 8);
      const test::TemporaryFile saved;
      index->save(saved.path());
      const MutableFlatIndex opened(FlatIndex::open(IndexFile::open(saved.path(), OpenMode::kMap)), true);
      check_against(opened, model, rng);
      index->compact(1, control);
      CHECK(index->verify(false, 1, 1, control).removed == 0);
      check_against(*index, model, rng);
    }
  }
}

TEST("a flat index that changes row by row is never short of a row and never has one twice while others search") {
  std::map<uint32_t, std::vector<float>> model;
  const auto index = built(Metric::kL2, Quantization::kSq8, 700, model);
  std::atomic<bool> stop{false};
  std::atomic<size_t> answers{0};
  const auto read = [&](uint64_t seed) {
    Rng own(seed, 3);
    while (!stop) {
      const std::vector<float> query = random_row(own);
      SearchParams params;
      params.k = 1000;
      SearchStats stats;
      std::set<uint32_t> seen;
      const auto found = index->search(query.data(), params, stats);
      for (const Neighbor& neighbor : found) CHECK(seen.insert(neighbor.id).second);
      for (uint32_t id = 0; id < 600; ++id) CHECK(seen.contains(id));
      params.k = 5;
      CHECK(index->search(query.data(), params, stats).size() == 5);
      ++answers;
    }
  };
  std::thread first(read, 1);
  std::thread second(read, 2);
  Rng rng(4, 4);
  TaskControl control;
  const test::TemporaryFile saved;
  for (uint32_t step = 0; step < 300 || answers < 20; ++step) {
    const uint32_t id = step % 600;
    const std::vector<float> row = random_row(rng);
    index->replace({row.data(), 1, kDim}, &id, false, 1, control);
    const uint32_t guest = 1000 + step % 40;
    index->replace({row.data(), 1, kDim}, &guest, true, 1, control);
    if (step % 3 == 0) index->remove({&guest, 1}, false, 1, control);
    if (step % 100 == 50) index->save(saved.path());
  }
  stop = true;
  first.join();
  second.join();
  CHECK(FlatIndex::open(IndexFile::open(saved.path(), OpenMode::kMemory))->size() >= 700);
}

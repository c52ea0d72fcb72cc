#include "index/scan_index.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/thread_pool.h"
#include "index/exact_scan.h"

namespace nigh {

namespace {

constexpr size_t kFewListed = 4;  // a random row costs about as much as so many rows in order

bool are_own_slots(const Buffer<uint32_t>& ids) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != i) return false;
  }
  return true;
}

}  // namespace

ScanIndex::ScanIndex(RowStore store)
    : store_(std::move(store)), slots_(store_.ids, store_.ids.size(), are_own_slots(store_.ids)) {}

std::unique_ptr<ScanIndex> ScanIndex::build(VectorsView rows, const uint32_t* ids, Metric metric, Quantization quantization) {
  if (quantization != Quantization::kNone) {
    throw Error("INVALID_ARGUMENT", "quantization: expected \"none\" of a flat index under l1, chebyshev, hamming and jaccard.");
  }
  require_storable_dim(rows.dim);
  if (rows.rows >= kNoId)
    throw Error("CAPACITY", "An index holds at most 4294967294 vectors, got " + std::to_string(rows.rows) + ".");
  require_vectors(metric, rows, "data");
  require_distinct_ids(ids, rows.rows);
  const RowStore store = RowStore::create(metric, Quantization::kNone, rows.dim).grown(rows.rows);
  for (size_t i = 0; i < rows.rows; ++i) {
    const auto slot = static_cast<uint32_t>(i);
    store.put(slot, rows.row(i), ids == nullptr ? slot : ids[i], i);
  }
  return std::unique_ptr<ScanIndex>(new ScanIndex(store));
}

std::vector<uint32_t> ScanIndex::listed_slots(const IdSet& filter) const {
  std::vector<uint32_t> slots;
  for (const uint32_t id : filter.listed_ids()) {
    const uint32_t slot = slots_.find(id, size());
    if (slot != SlotMap::kNone) slots.push_back(slot);
  }
  return slots;
}

std::vector<Neighbor> ScanIndex::search(const void* query, const SearchParams& params, SearchStats& stats) const {
  if (params.k == 0) throw Error("INVALID_ARGUMENT", "k: expected at least 1, got 0.");
  require_query(store_.metric, query, store_.dim);
  PreparedQuery prepared;
  store_.prepare_query(query, prepared);
  const IdSet* filter = params.filter;
  if (filter != nullptr && !filter->complement() && filter->listed() <= size() / kFewListed) {
    const std::vector<uint32_t> slots = listed_slots(*filter);
    stats.plan = Plan::kAllowedScan;
    stats.visited += slots.size();
    stats.distances += slots.size();
    std::vector<Neighbor> found = scan_slots(store_, slots, prepared.data(), params.k);
    keep_within(params.within, found);
    return found;
  }
  stats.plan = Plan::kScan;
  stats.visited += size();
  stats.distances += size();
  std::vector<Neighbor> found = scan_rows(store_, size(), prepared.data(), params.k, filter, Liveness{});
  keep_within(params.within, found);
  return found;
}

void ScanIndex::search_batch(VectorsView queries, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances,
                             uint32_t* counts, SearchStats& stats, TaskControl& control) const {
  if (params.k == 0) throw Error("INVALID_ARGUMENT", "k: expected at least 1, got 0.");
  if (queries.dim != store_.dim) {
    throw Error("DIMENSION_MISMATCH",
                "queries: expected rows of " + std::to_string(store_.dim) + " values, got " + std::to_string(queries.dim) + ".");
  }
  require_vectors(store_.metric, queries, "queries");
  control.set_total(queries.rows);
  control.check();
  ThreadPool& pool = ThreadPool::shared();
  std::vector<SearchStats> lane_stats(pool.lanes(max_lanes));
  pool.parallel_for(queries.rows, 4, max_lanes, [&](size_t begin, size_t end, size_t lane) {
    control.check();
    for (size_t row = begin; row < end; ++row) {
      const std::vector<Neighbor> found = search(queries.row(row), params, lane_stats[lane]);
      counts[row] = static_cast<uint32_t>(found.size());
      for (size_t j = 0; j < params.k; ++j) {
        ids[row * params.k + j] = j < found.size() ? found[j].id : kNoId;
        distances[row * params.k + j] = j < found.size() ? found[j].distance : std::numeric_limits<float>::infinity();
      }
    }
    control.advance(end - begin);
  });
  for (const SearchStats& lane : lane_stats) {
    if (lane.visited != 0) stats.plan = lane.plan;
    stats.visited += lane.visited;
    stats.distances += lane.distances;
  }
}

bool ScanIndex::vector(uint32_t id, void* out) const {
  const uint32_t slot = slots_.find(id, size());
  if (slot == SlotMap::kNone) return false;
  store_.copy_vector(slot, out);
  return true;
}

void ScanIndex::save(const std::string& path) const {
  IndexFileWriter writer(IndexKind::kFlat, store_.metric, static_cast<uint32_t>(store_.dim), size());
  writer.add("ids", store_.ids.span());
  writer.add("rows", store_.rows.span());
  writer.write(path);
}

std::unique_ptr<ScanIndex> ScanIndex::open(const IndexFile& file) {
  const IndexHeader& header = file.header();
  const auto wrong = [&](const std::string& what) { return Error("FORMAT", file.path() + ": " + what); };
  if (header.kind != IndexKind::kFlat) throw wrong("expected a flat index, got another kind.");
  if (on_products(header.metric)) throw wrong("expected l1, chebyshev, hamming or jaccard, got another metric.");
  const auto count = static_cast<size_t>(header.count);
  RowStore store = RowStore::create(header.metric, Quantization::kNone, header.dim);
  store.ids = file.section<uint32_t>("ids", count);
  store.rows = file.section<uint8_t>("rows", count * store.row_bytes);
  try {
    require_distinct_ids(store.ids.data(), count);
    if (file.mode() == OpenMode::kMemory) store.require_sound();
  } catch (const Error& error) {
    throw wrong(error.what());
  }
  return std::unique_ptr<ScanIndex>(new ScanIndex(std::move(store)));
}

}  // namespace nigh

#include "index/sparse_index.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/thread_pool.h"

namespace nigh {

namespace {

constexpr size_t kBlock = 2048;   // rows whose accumulators (16 KB) stay in the first cache level
constexpr size_t kFewListed = 8;  // a row merged with the query costs about as much as so many rows scanned

bool are_own_slots(const Buffer<uint32_t>& ids) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != i) return false;
  }
  return true;
}

}  // namespace

/// One query at a time, reused from query to query.
struct SparseIndex::Scratch {
  std::vector<uint32_t> columns;  // of the query, ascending
  std::vector<double> weights;
  double squares = 0;                 // |q|² of what is in weights
  std::vector<Postings::List> lists;  // what is left of the columns' posting lists
  std::vector<double> sums = std::vector<double>(kBlock);
};

SparseIndex::SparseIndex(Metric metric, size_t dim, Buffer<uint32_t> ids, Buffer<uint32_t> offsets, Buffer<uint32_t> columns,
                         Buffer<float> values)
    : metric_(metric),
      dim_(dim),
      ids_(std::move(ids)),
      offsets_(std::move(offsets)),
      columns_(std::move(columns)),
      values_(std::move(values)),
      postings_(rows()),
      slots_(ids_, ids_.size(), are_own_slots(ids_)) {
  if (metric_ != Metric::kL2) return;
  squares_.resize(size());
  for (size_t slot = 0; slot < size(); ++slot) {
    for (size_t e = offsets_[slot]; e < offsets_[slot + 1]; ++e) squares_[slot] += static_cast<double>(values_[e]) * values_[e];
  }
}

CsrView SparseIndex::rows() const {
  return {{offsets_.data(), offsets_.size()}, {columns_.data(), columns_.size()}, {values_.data(), values_.size()}, dim_};
}

std::unique_ptr<SparseIndex> SparseIndex::build(const CsrView& rows, const uint32_t* ids, Metric metric) {
  const size_t count = rows.rows();
  if (rows.cols == 0 || rows.cols >= kNoId) {
    throw Error("INVALID_ARGUMENT", "rows: expected 1 to 4294967294 columns, got " + std::to_string(rows.cols) + ".");
  }
  if (count >= kNoId) throw Error("CAPACITY", "An index holds at most 4294967294 vectors, got " + std::to_string(count) + ".");
  require_distinct_ids(ids, count);
  Buffer<uint32_t> own_ids(count);
  Buffer<uint32_t> offsets(count + 1);
  Buffer<uint32_t> columns(rows.entries());
  Buffer<float> values(rows.entries());
  std::copy(rows.offsets.begin(), rows.offsets.end(), offsets.data());
  std::copy(rows.columns.begin(), rows.columns.end(), columns.data());
  std::copy(rows.values.begin(), rows.values.end(), values.data());
  for (size_t slot = 0; slot < count; ++slot) {
    own_ids[slot] = ids == nullptr ? static_cast<uint32_t>(slot) : ids[slot];
    if (metric != Metric::kCosine) continue;
    float* row = values.data() + offsets[slot];
    normalize_row(row, offsets[slot + 1] - offsets[slot], row, slot);
  }
  return std::unique_ptr<SparseIndex>(
      new SparseIndex(metric, rows.cols, std::move(own_ids), std::move(offsets), std::move(columns), std::move(values)));
}

size_t SparseIndex::memory_bytes() const {
  const size_t entries = columns_.size() * (sizeof(uint32_t) + sizeof(float));
  return entries + (2 * size() + 1) * sizeof(uint32_t) + postings_.memory_bytes() + squares_.size() * sizeof(double);
}

float SparseIndex::distance(double dot, double query_squares, size_t slot) const {
  if (metric_ == Metric::kIp) return static_cast<float>(0.0 - dot);
  if (metric_ == Metric::kCosine) return static_cast<float>(1.0 - dot);
  return static_cast<float>(std::max(0.0, query_squares + squares_[slot] - 2.0 * dot));
}

void SparseIndex::prepare(Scratch& scratch, size_t position) const {
  scratch.squares = 0;
  for (size_t e = 0; e < scratch.weights.size(); ++e) {
    const double weight = scratch.weights[e];
    if (!std::isfinite(weight)) {
      throw Error("NOT_FINITE", "queries: expected finite numbers, got " +
                                    std::string(std::isnan(weight) ? "NaN" : "an infinity") + " at row " +
                                    std::to_string(position) + ", dimension " + std::to_string(scratch.columns[e]) + ".");
    }
    scratch.squares += weight * weight;
  }
  if (metric_ != Metric::kCosine) return;
  if (!(scratch.squares > 0)) {
    throw Error("ZERO_VECTOR",
                "row " + std::to_string(position) +
                    ": expected a vector with a direction, got one of length 0, which the cosine metric cannot use.");
  }
  const double scale = 1.0 / std::sqrt(scratch.squares);
  for (double& weight : scratch.weights) weight *= scale;
}

void SparseIndex::scan(Scratch& scratch, const IdSet* filter, TopK& best) const {
  const size_t terms = scratch.columns.size();
  scratch.lists.resize(terms);
  for (size_t t = 0; t < terms; ++t) scratch.lists[t] = postings_.list(scratch.columns[t]);
  const uint32_t* slots = postings_.slots();
  const float* values = postings_.values();
  double* sums = scratch.sums.data();
  for (size_t begin = 0; begin < size(); begin += kBlock) {
    const size_t end = std::min(size(), begin + kBlock);
    std::fill_n(sums, end - begin, 0.0);
    for (size_t t = 0; t < terms; ++t) {
      const uint32_t stop = scratch.lists[t].end;
      const double weight = scratch.weights[t];
      uint32_t at = scratch.lists[t].begin;
      for (; at < stop && slots[at] < end; ++at) sums[slots[at] - begin] += weight * values[at];
      scratch.lists[t].begin = at;
    }
    for (size_t slot = begin; slot < end; ++slot) {
      const float found = distance(sums[slot - begin], scratch.squares, slot);
      if (!(found <= best.bound())) continue;
      if (filter == nullptr || filter->contains(ids_[slot])) best.push({found, ids_[slot]});
    }
  }
}

void SparseIndex::scan_listed(const Scratch& scratch, const std::vector<uint32_t>& slots, TopK& best) const {
  const size_t terms = scratch.columns.size();
  for (const uint32_t slot : slots) {
    double dot = 0;
    size_t t = 0;
    for (size_t e = offsets_[slot]; e < offsets_[slot + 1]; ++e) {
      while (t < terms && scratch.columns[t] < columns_[e]) ++t;
      if (t == terms) break;
      if (scratch.columns[t] == columns_[e]) dot += scratch.weights[t] * values_[e];
    }
    const float found = distance(dot, scratch.squares, slot);
    if (found <= best.bound()) best.push({found, ids_[slot]});
  }
}

std::unique_ptr<std::vector<uint32_t>> SparseIndex::listed_slots(const IdSet* filter) const {
  if (filter == nullptr || filter->complement() || filter->listed() > size() / kFewListed) return nullptr;
  auto slots = std::make_unique<std::vector<uint32_t>>();
  for (const uint32_t id : filter->listed_ids()) {
    const uint32_t slot = slots_.find(id, ids_.size());
    if (slot != SlotMap::kNone) slots->push_back(slot);
  }
  return slots;
}

std::vector<Neighbor> SparseIndex::answer(Scratch& scratch, const SearchParams& params,
                                          const std::vector<uint32_t>* slots) const {
  TopK best(std::min(params.k, slots == nullptr ? size() : slots->size()));
  if (slots == nullptr) {
    scan(scratch, params.filter, best);
  } else {
    scan_listed(scratch, *slots, best);
  }
  std::vector<Neighbor> found = best.take_sorted();
  keep_within(params.within, found);
  return found;
}

std::vector<Neighbor> SparseIndex::search(const void* vector, const SearchParams& params, SearchStats& stats) const {
  const auto* query = static_cast<const float*>(vector);
  if (params.k == 0) throw Error("INVALID_ARGUMENT", "k: expected at least 1, got 0.");
  Scratch scratch;
  for (size_t column = 0; column < dim_; ++column) {
    if (query[column] == 0) continue;
    scratch.columns.push_back(static_cast<uint32_t>(column));
    scratch.weights.push_back(query[column]);
  }
  prepare(scratch, 0);
  const auto slots = listed_slots(params.filter);
  stats.plan = slots ? Plan::kAllowedScan : Plan::kScan;
  stats.visited += slots ? slots->size() : size();
  stats.distances += slots ? slots->size() : size();
  return answer(scratch, params, slots.get());
}

template <class Load>
void SparseIndex::run_batch(size_t count, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances,
                            uint32_t* counts, SearchStats& stats, TaskControl& control, const Load& load) const {
  if (params.k == 0) throw Error("INVALID_ARGUMENT", "k: expected at least 1, got 0.");
  control.set_total(count);
  control.check();
  const auto slots = listed_slots(params.filter);
  ThreadPool& pool = ThreadPool::shared();
  std::vector<Scratch> scratches(pool.lanes(max_lanes));
  pool.parallel_for(count, 1, max_lanes, [&](size_t begin, size_t end, size_t lane) {
    Scratch& scratch = scratches[lane];
    for (size_t r = begin; r < end; ++r) {
      control.check();
      scratch.columns.clear();
      scratch.weights.clear();
      load(r, scratch);
      prepare(scratch, r);
      const std::vector<Neighbor> found = answer(scratch, params, slots.get());
      uint32_t* row_ids = ids + r * params.k;
      float* row_distances = distances + r * params.k;
      for (size_t i = 0; i < found.size(); ++i) {
        row_ids[i] = found[i].id;
        row_distances[i] = found[i].distance;
      }
      std::fill(row_ids + found.size(), row_ids + params.k, kNoId);
      std::fill(row_distances + found.size(), row_distances + params.k, std::numeric_limits<float>::infinity());
      counts[r] = static_cast<uint32_t>(found.size());
      control.advance(1);
    }
  });
  const size_t compared = slots ? slots->size() : size();
  stats.plan = slots ? Plan::kAllowedScan : Plan::kScan;
  stats.visited += compared * count;
  stats.distances += compared * count;
}

void SparseIndex::search_batch(VectorsView queries, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances,
                               uint32_t* counts, SearchStats& stats, TaskControl& control) const {
  if (queries.dim != dim_) {
    throw Error("DIMENSION_MISMATCH",
                "queries: expected rows of " + std::to_string(dim_) + " values, got " + std::to_string(queries.dim) + ".");
  }
  run_batch(queries.rows, params, max_lanes, ids, distances, counts, stats, control, [&](size_t r, Scratch& scratch) {
    const float* row = queries.float_row(r);
    for (size_t column = 0; column < dim_; ++column) {
      if (row[column] == 0) continue;
      scratch.columns.push_back(static_cast<uint32_t>(column));
      scratch.weights.push_back(row[column]);
    }
  });
}

void SparseIndex::search_rows(const CsrView& queries, const SearchParams& params, size_t max_lanes, uint32_t* ids,
                              float* distances, uint32_t* counts, SearchStats& stats, TaskControl& control) const {
  if (queries.cols != dim_) {
    throw Error("DIMENSION_MISMATCH",
                "queries: expected rows of " + std::to_string(dim_) + " values, got " + std::to_string(queries.cols) + ".");
  }
  run_batch(queries.rows(), params, max_lanes, ids, distances, counts, stats, control, [&](size_t r, Scratch& scratch) {
    for (size_t e = queries.offsets[r]; e < queries.offsets[r + 1]; ++e) {
      scratch.columns.push_back(queries.columns[e]);
      scratch.weights.push_back(queries.values[e]);
    }
  });
}

bool SparseIndex::vector(uint32_t id, void* to) const {
  auto* out = static_cast<float*>(to);
  const uint32_t slot = slots_.find(id, ids_.size());
  if (slot == SlotMap::kNone) return false;
  std::fill_n(out, dim_, 0.0f);
  for (size_t e = offsets_[slot]; e < offsets_[slot + 1]; ++e) out[columns_[e]] = values_[e];
  return true;
}

void SparseIndex::save(const std::string& path) const {
  IndexFileWriter writer(IndexKind::kSparse, metric_, static_cast<uint32_t>(dim_), size());
  writer.add("ids", std::span<const uint32_t>(ids_.data(), ids_.size()));
  writer.add("offsets", std::span<const uint32_t>(offsets_.data(), offsets_.size()));
  writer.add("columns", std::span<const uint32_t>(columns_.data(), columns_.size()));
  writer.add("values", std::span<const float>(values_.data(), values_.size()));
  writer.write(path);
}

std::unique_ptr<SparseIndex> SparseIndex::open(const IndexFile& file) {
  const IndexHeader& header = file.header();
  const auto wrong = [&](const std::string& what) { return Error("FORMAT", file.path() + ": " + what); };
  if (header.kind != IndexKind::kSparse) throw wrong("expected a sparse index, got another kind.");
  const auto count = static_cast<size_t>(header.count);
  const uint64_t column_bytes = file.section_bytes("columns");
  if (column_bytes % sizeof(uint32_t) != 0 || column_bytes / sizeof(uint32_t) > 0xffffffffu) throw wrong("too many entries.");
  const auto entries = static_cast<size_t>(column_bytes / sizeof(uint32_t));
  Buffer<uint32_t> ids = file.section<uint32_t>("ids", count);
  Buffer<uint32_t> offsets = file.section<uint32_t>("offsets", count + 1);
  Buffer<uint32_t> columns = file.section<uint32_t>("columns", entries);
  Buffer<float> values = file.section<float>("values", entries);
  if (offsets[0] != 0 || offsets[count] != entries) throw wrong("the offsets do not cover the entries.");
  for (size_t slot = 0; slot < count; ++slot) {
    if (offsets[slot] > offsets[slot + 1]) throw wrong("the offsets descend.");
  }
  for (size_t slot = 0; slot < count; ++slot) {
    for (size_t e = offsets[slot]; e < offsets[slot + 1]; ++e) {
      if (columns[e] >= header.dim || (e > offsets[slot] && columns[e] <= columns[e - 1]))
        throw wrong("a column is out of order.");
    }
  }
  try {
    require_distinct_ids(ids.data(), count);
    require_finite({values.data(), 1, entries}, "values");
  } catch (const Error& error) {
    throw wrong(error.what());
  }
  return std::unique_ptr<SparseIndex>(
      new SparseIndex(header.metric, header.dim, std::move(ids), std::move(offsets), std::move(columns), std::move(values)));
}

}  // namespace nigh

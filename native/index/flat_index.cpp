#include "index/flat_index.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/thread_pool.h"
#include "index/bounded_scan.h"
#include "index/flat_batch.h"
#include "simd/kernels.h"

namespace nigh {

namespace {

constexpr size_t kBlock = 1024;     // rows at once
constexpr size_t kMostRemoved = 3;  // an index is copied without its removed rows when they are more than a third of it
constexpr size_t kFewListed = 4;    // a random row costs about as much as so many rows in order

bool are_own_slots(const uint32_t* ids, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (ids[i] != i) return false;
  }
  return true;
}

void require_k(size_t k) {
  if (k == 0) throw Error("INVALID_ARGUMENT", "k: expected at least 1, got 0.");
}

std::vector<Neighbor> scan_listed(const FlatRows& rows, const std::vector<uint32_t>& slots, size_t k) {
  TopK best(std::min(k, slots.size()));
  float distances[kBlock];
  for (size_t begin = 0; begin < slots.size(); begin += kBlock) {
    const size_t count = std::min(kBlock, slots.size() - begin);
    rows.distances(slots.data() + begin, count, distances);
    for (size_t j = 0; j < count; ++j) {
      if (distances[j] <= best.bound()) best.push({distances[j], rows.id(slots[begin + j])});
    }
  }
  return best.take_sorted();
}

Sq8Blocks encode(Metric metric, size_t dim, const Buffer<float>& rows, size_t count, size_t capacity, size_t max_lanes) {
  Sq8Blocks codes(metric, dim, Buffer<uint8_t>(Sq8Blocks::bytes_for(metric, dim, capacity)));
  ThreadPool::shared().parallel_for(count, kBlock, max_lanes, [&](size_t begin, size_t end, size_t) {
    for (size_t i = begin; i < end; ++i) codes.put(i, rows.data() + i * dim);
  });
  return codes;
}

}  // namespace

FlatIndex::FlatIndex(Metric metric, size_t dim, Buffer<float> rows, Buffer<uint32_t> ids, size_t count, Quantization quantization,
                     Sq8Blocks codes)
    : metric_(metric),
      dim_(dim),
      rows_(std::move(rows)),
      ids_(std::move(ids)),
      quantization_(quantization),
      codes_(std::move(codes)),
      slots_(std::make_shared<SlotMap>(ids_, count, are_own_slots(ids_.data(), count))),
      count_(count) {}

std::unique_ptr<FlatIndex> FlatIndex::build(MatrixView<const float> rows, const uint32_t* ids, Metric metric,
                                            Quantization quantization) {
  require_storable_dim(rows.dim);
  if (rows.rows >= kNoId)
    throw Error("CAPACITY", "An index holds at most 4294967294 vectors, got " + std::to_string(rows.rows) + ".");
  require_quantizable(metric, quantization);
  if (quantization == Quantization::kF16) {
    throw Error("INVALID_ARGUMENT", "quantization: expected \"none\" or \"sq8\" of a flat index, got \"f16\".");
  }
  require_finite(rows, "data");
  require_distinct_ids(ids, rows.rows);
  Buffer<float> own_rows(rows.rows * rows.dim);
  Buffer<uint32_t> own_ids(rows.rows);
  const FlatView view{metric, rows.dim, rows.rows, nullptr, nullptr};
  for (size_t i = 0; i < rows.rows; ++i) {
    prepare_flat_query(view, rows.row(i), own_rows.data() + i * rows.dim, i);
    own_ids[i] = ids == nullptr ? static_cast<uint32_t>(i) : ids[i];
  }
  Sq8Blocks codes;
  if (quantization == Quantization::kSq8) codes = encode(metric, rows.dim, own_rows, rows.rows, rows.rows, 0);
  return std::unique_ptr<FlatIndex>(
      new FlatIndex(metric, rows.dim, std::move(own_rows), std::move(own_ids), rows.rows, quantization, std::move(codes)));
}

FlatIndex::FlatIndex(const FlatIndex& other)
    : metric_(other.metric_),
      dim_(other.dim_),
      rows_(other.rows_),
      ids_(other.ids_),
      quantization_(other.quantization_),
      codes_(other.codes_),
      slots_(other.slots_),
      count_(other.count_),
      removed_(other.removed_),
      change_(other.change_),
      removed_at_(other.removed_at_) {}

std::unique_ptr<FlatIndex> FlatIndex::changed(std::span<const uint32_t> dropped, MatrixView<const float> rows,
                                              const uint32_t* ids, size_t max_lanes) const {
  const size_t live = size() - dropped.size() + rows.rows;
  if (live >= kNoId) throw Error("CAPACITY", "An index holds at most 4294967294 vectors, got " + std::to_string(live) + ".");
  const size_t count = count_ + rows.rows;
  const bool sparse = (removed_ + dropped.size()) * kMostRemoved > count;
  if (sparse || count > ids_.size() || change_ == std::numeric_limits<uint32_t>::max()) {
    return copied(dropped, rows, ids, live + live / 2, max_lanes);
  }
  std::unique_ptr<FlatIndex> next(new FlatIndex(*this));
  if (!dropped.empty() && removed_at_.size() == 0) next->removed_at_ = Buffer<uint32_t>(ids_.size());
  next->put_rows(count_, rows, ids, max_lanes);
  if (rows.rows != 0) slots_->append(count_, count);
  next->count_ = count;
  if (!dropped.empty()) ++next->change_;
  next->removed_ += dropped.size();
  for (const uint32_t slot : dropped) Liveness::store(&next->removed_at_[slot], next->change_);
  return next;
}

std::unique_ptr<FlatIndex> FlatIndex::copied(std::span<const uint32_t> dropped, MatrixView<const float> rows, const uint32_t* ids,
                                             size_t capacity, size_t max_lanes) const {
  std::vector<uint8_t> leaves(count_, 0);
  for (const uint32_t slot : dropped) leaves[slot] = 1;
  Buffer<float> own_rows(capacity * dim_);
  Buffer<uint32_t> own_ids(capacity);
  const Liveness live = liveness();
  size_t at = 0;
  for (uint32_t slot = 0; slot < count_; ++slot) {
    if (leaves[slot] != 0 || !live(slot)) continue;
    std::copy_n(view().row(slot), dim_, own_rows.data() + at * dim_);
    own_ids[at++] = ids_[slot];
  }
  Sq8Blocks codes;
  if (quantization_ == Quantization::kSq8) codes = encode(metric_, dim_, own_rows, at, capacity, max_lanes);
  std::unique_ptr<FlatIndex> copy(
      new FlatIndex(metric_, dim_, std::move(own_rows), std::move(own_ids), at, quantization_, std::move(codes)));
  if (rows.rows == 0) return copy;
  copy->put_rows(at, rows, ids, max_lanes);
  copy->slots_->append(at, at + rows.rows);
  copy->count_ = at + rows.rows;
  return copy;
}

void FlatIndex::put_rows(size_t begin, MatrixView<const float> rows, const uint32_t* ids, size_t max_lanes) {
  for (size_t i = 0; i < rows.rows; ++i) {
    prepare_flat_query(view(), rows.row(i), rows_.data() + (begin + i) * dim_, i);
    ids_[begin + i] = ids[i];
  }
  if (quantization_ != Quantization::kSq8) return;
  ThreadPool::shared().parallel_for(rows.rows, kBlock, max_lanes, [&](size_t from, size_t to, size_t) {
    for (size_t i = from; i < to; ++i) codes_.put(begin + i, rows_.data() + (begin + i) * dim_);
  });
}

size_t FlatIndex::count_unsound() const {
  size_t unsound = 0;
  const Liveness live = liveness();
  for (uint32_t slot = 0; slot < count_; ++slot) {
    if (!live(slot)) continue;
    const float* row = view().row(slot);
    const bool finite = std::all_of(row, row + dim_, [](float value) { return std::isfinite(value); });
    if (!finite || slot_of(ids_[slot]) != slot) ++unsound;
  }
  return unsound;
}

size_t FlatIndex::memory_bytes() const {
  return rows_.size() * sizeof(float) + codes_.bytes().size() + ids_.size() * sizeof(uint32_t) +
         removed_at_.size() * sizeof(uint32_t) + (norms_ready_ ? count_ * sizeof(float) : 0);
}

bool FlatIndex::lists_few(const IdSet& filter) const { return !filter.complement() && filter.listed() <= size() / kFewListed; }

std::vector<uint32_t> FlatIndex::listed_slots(const IdSet& filter) const {
  std::vector<uint32_t> slots;
  for (const uint32_t id : filter.listed_ids()) {
    const uint32_t slot = slot_of(id);
    if (slot != SlotMap::kNone) slots.push_back(slot);
  }
  return slots;
}

std::vector<Neighbor> FlatIndex::search(const void* vector, const SearchParams& params, SearchStats& stats) const {
  const auto* query = static_cast<const float*>(vector);
  require_k(params.k);
  require_finite({query, 1, dim_}, "query");
  const FlatView view = this->view();
  std::vector<float> prepared(dim_);
  prepare_flat_query(view, query, prepared.data(), 0);
  const FlatRows rows{view, prepared.data(), params.filter, liveness()};

  if (params.filter != nullptr && lists_few(*params.filter)) {
    const std::vector<uint32_t> slots = listed_slots(*params.filter);
    stats.plan = Plan::kAllowedScan;
    stats.visited += slots.size();
    stats.distances += slots.size();
    std::vector<Neighbor> found = scan_listed(rows, slots, params.k);
    keep_within(params.within, found);
    return found;
  }
  stats.plan = Plan::kScan;
  stats.visited += count_;
  stats.distances += count_;
  std::vector<Neighbor> found = codes_.empty() || !kernels().i8_blocks_pay
                                    ? BoundedScan(rows, NoBounds{}, count_, params.k).run()
                                    : BoundedScan(rows, Sq8BlockBounds(codes_, prepared.data()), count_, params.k).run();
  keep_within(params.within, found);
  return found;
}

void FlatIndex::search_batch(VectorsView vectors, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances,
                             uint32_t* counts, SearchStats& stats, TaskControl& control) const {
  require_k(params.k);
  if (vectors.dim != dim_) {
    throw Error("DIMENSION_MISMATCH",
                "queries: expected rows of " + std::to_string(dim_) + " values, got " + std::to_string(vectors.dim) + ".");
  }
  require_vectors(metric_, vectors, "queries");
  const MatrixView<const float> queries = vectors.floats();
  control.set_total(queries.rows);
  control.check();

  // The rows that a filter allows are found once for the whole batch; when they are the smaller part, only they are compared. So
  // it is with those that are live, where some were removed.
  const Liveness live = liveness();
  std::vector<uint32_t> slots;
  bool listed = false;
  if (params.filter != nullptr) {
    if (lists_few(*params.filter)) {
      slots = listed_slots(*params.filter);
      listed = true;
    } else {
      for (uint32_t slot = 0; slot < count_; ++slot) {
        if (live(slot) && params.filter->contains(ids_[slot])) slots.push_back(slot);
      }
      listed = removed_ != 0 || slots.size() <= size() / 2;
    }
  } else if (removed_ != 0) {
    for (uint32_t slot = 0; slot < count_; ++slot) {
      if (live(slot)) slots.push_back(slot);
    }
    listed = true;
  }
  compute_norms(max_lanes);
  FlatBatch batch;
  batch.view = view();
  batch.squared_norms = squared_norms_.data();
  batch.longest = longest_;
  batch.slots = listed ? &slots : nullptr;
  batch.filter = listed ? nullptr : params.filter;
  const size_t compared = listed ? slots.size() : count_;
  batch.k = std::min(params.k, compared);
  flat_search_batch(batch, queries, params.k, max_lanes, ids, distances, counts, control);
  keep_within(params.within, queries.rows, params.k, ids, distances, counts);
  stats.plan = listed ? Plan::kAllowedScan : Plan::kScan;
  stats.visited += compared * queries.rows;
  stats.distances += compared * queries.rows;
}

void FlatIndex::compute_norms(size_t max_lanes) const {
  std::call_once(norms_once_, [&] {
    Buffer<float> norms(count_);
    const Kernels& simd = kernels();
    ThreadPool::shared().parallel_for(count_, kBlock, max_lanes, [&](size_t begin, size_t end, size_t) {
      for (size_t i = begin; i < end; ++i) norms[i] = simd.dot(rows_.data() + i * dim_, rows_.data() + i * dim_, dim_);
    });
    const float longest = count_ == 0 ? 0 : *std::max_element(norms.data(), norms.data() + count_);
    // Rounded up generously; a squared length below the smallest normal float says only that the length is below 1.1e-19.
    longest_ = std::sqrt(static_cast<double>(longest)) * 1.01 + 2e-19;
    squared_norms_ = norms;
    norms_ready_ = true;
  });
}

bool FlatIndex::vector(uint32_t id, void* out) const {
  const uint32_t slot = slot_of(id);
  if (slot == SlotMap::kNone) return false;
  std::copy_n(view().row(slot), dim_, static_cast<float*>(out));
  return true;
}

void FlatIndex::save(const std::string& path) const {
  if (removed_ != 0) return compacted(0)->save(path);
  IndexFileWriter writer(IndexKind::kFlat, metric_, static_cast<uint32_t>(dim_), size());
  writer.add("ids", std::span<const uint32_t>(ids_.data(), count_));
  writer.add("rows", std::span<const float>(rows_.data(), count_ * dim_));
  if (quantization_ == Quantization::kSq8)
    writer.add("codes16", codes_.bytes().first(Sq8Blocks::bytes_for(metric_, dim_, count_)));
  writer.write(path);
}

std::unique_ptr<FlatIndex> FlatIndex::open(const IndexFile& file) {
  const IndexHeader& header = file.header();
  const auto wrong = [&](const std::string& what) { return Error("FORMAT", file.path() + ": " + what); };
  if (header.kind != IndexKind::kFlat) throw wrong("expected a flat index, got another kind.");
  if (!on_products(header.metric)) throw wrong("expected l2, ip or cosine, got another metric.");
  const auto count = static_cast<size_t>(header.count);
  Buffer<uint32_t> ids = file.section<uint32_t>("ids", count);
  Buffer<float> rows = file.section<float>("rows", count * header.dim);
  try {
    require_distinct_ids(ids.data(), count);
    if (file.mode() == OpenMode::kMemory) require_finite({rows.data(), count, header.dim}, "rows");
  } catch (const Error& error) {
    throw wrong(error.what());
  }
  const Quantization quantization = file.has("codes16") ? Quantization::kSq8 : Quantization::kNone;
  Sq8Blocks codes;
  if (quantization == Quantization::kSq8) {
    const size_t bytes = Sq8Blocks::bytes_for(header.metric, header.dim, count);
    codes = Sq8Blocks(header.metric, header.dim, file.section<uint8_t>("codes16", bytes));
  }
  return std::unique_ptr<FlatIndex>(
      new FlatIndex(header.metric, header.dim, std::move(rows), std::move(ids), count, quantization, std::move(codes)));
}

}  // namespace nigh

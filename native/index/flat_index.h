// Exact search: every allowed row is compared. The oracle of every other index, and the right choice for small catalogues.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "format/index_file.h"
#include "index/flat_scoring.h"
#include "index/liveness.h"
#include "index/row_store.h"
#include "index/slot_map.h"
#include "index/vector_index.h"
#include "quant/sq8_blocks.h"

namespace nigh {

class FlatIndex final : public VectorIndex {
 public:
  /// Copies `rows` (unit length under cosine). `ids` has rows.rows entries or is null for 0 … n − 1. Under kSq8 codes are kept
  /// beside the rows, from which a search rules out most rows; the answers are the same. Throws NOT_FINITE, ZERO_VECTOR,
  /// DUPLICATE_ID, INVALID_ARGUMENT (dim outside 1 … 65536, reserved id), CAPACITY.
  static std::unique_ptr<FlatIndex> build(MatrixView<const float> rows, const uint32_t* ids, Metric metric,
                                          Quantization quantization);

  /// Takes over the sections of the file, with codes if it has them. The ids are checked in both modes; that the rows are finite
  /// in memory mode only, because a mapped open reads no row. Throws FORMAT.
  static std::unique_ptr<FlatIndex> open(const IndexFile& file);

  const char* kind() const override { return "flat"; }
  Metric metric() const override { return metric_; }
  size_t dim() const override { return dim_; }
  size_t size() const override { return count_ - removed_; }
  size_t memory_bytes() const override;
  /// Whether codes are kept beside the rows.
  Quantization quantization() const { return quantization_; }

  /// Plan kScan compares every row, by its codes where there are any, and asks the filter about those that could be among the k;
  /// kAllowedScan, for a filter that lists few allowed ids, compares only those. stats.visited and stats.distances count the rows
  /// compared.
  std::vector<Neighbor> search(const void* query, const SearchParams& params, SearchStats& stats) const override;

  /// Ids and distances are those of search() to the bit, at several times its speed from some ten queries on. The rows rescored
  /// on the way are not counted again in `stats`. Throws DIMENSION_MISMATCH besides what search() throws, and ABORTED.
  void search_batch(VectorsView queries, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances,
                    uint32_t* counts, SearchStats& stats, TaskControl& control) const override;

  /// This index without the rows in the slots `dropped` (each live, none twice), and with `rows` under `ids` after the others.
  /// Shares the memory of this one while there is room, so that many small changes are linear in all: only the newest of the
  /// indexes that share it may be changed, while all may be searched. Throws what build() throws.
  std::unique_ptr<FlatIndex> changed(std::span<const uint32_t> dropped, MatrixView<const float> rows, const uint32_t* ids,
                                     size_t max_lanes) const;
  /// The same rows in as much memory as they need.
  std::unique_ptr<FlatIndex> compacted(size_t max_lanes) const {
    return copied({}, {nullptr, 0, dim_}, nullptr, size(), max_lanes);
  }
  bool compact() const { return removed_ == 0 && count_ == ids_.size(); }
  /// Removed rows that still take place.
  size_t removed() const { return removed_; }
  /// SlotMap::kNone for an unknown id.
  uint32_t slot_of(uint32_t id) const {
    const uint32_t slot = slots_->find(id, count_);
    return slot != SlotMap::kNone && liveness()(slot) ? slot : SlotMap::kNone;
  }
  /// Rows that hold a NaN or an infinity, or that their own id does not lead to.
  size_t count_unsound() const;

  bool vector(uint32_t id, void* out) const override;
  void save(const std::string& path) const override;

 private:
  FlatIndex(Metric metric, size_t dim, Buffer<float> rows, Buffer<uint32_t> ids, size_t count, Quantization quantization,
            Sq8Blocks codes);

  /// The same, in the same memory.
  FlatIndex(const FlatIndex& other);
  std::unique_ptr<FlatIndex> copied(std::span<const uint32_t> dropped, MatrixView<const float> rows, const uint32_t* ids,
                                    size_t capacity, size_t max_lanes) const;

  void put_rows(size_t begin, MatrixView<const float> rows, const uint32_t* ids, size_t max_lanes);

  FlatView view() const { return {metric_, dim_, count_, rows_.data(), ids_.data()}; }
  Liveness liveness() const { return removed_ == 0 ? Liveness{} : Liveness{removed_at_.data(), change_}; }
  /// Whether the filter lists so few allowed ids that fetching their rows beats reading all rows.
  bool lists_few(const IdSet& filter) const;
  std::vector<uint32_t> listed_slots(const IdSet& filter) const;
  void compute_norms(size_t max_lanes) const;

  Metric metric_;
  size_t dim_;
  Buffer<float> rows_;
  Buffer<uint32_t> ids_;  // its length is the capacity
  Quantization quantization_;
  Sq8Blocks codes_;  // of all rows; empty without quantisation
  std::shared_ptr<SlotMap> slots_;
  size_t count_;                 // slots in use, removed ones among them
  size_t removed_ = 0;           // slots that were removed
  uint32_t change_ = 0;          // the last change that removed any
  Buffer<uint32_t> removed_at_;  // per slot (liveness.h); empty while nothing was removed

  // |x|² of every row and a bound of |x|, computed when the first batch needs them.
  mutable std::once_flag norms_once_;
  mutable Buffer<float> squared_norms_;
  mutable double longest_ = 0;
  mutable std::atomic<bool> norms_ready_{false};
};

}  // namespace nigh

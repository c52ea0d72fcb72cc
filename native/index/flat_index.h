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
  size_t size() const override { return ids_.size(); }
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

  /// Another index, of the rows but those marked in `dropped` (one a slot), and after them of `rows`. Throws what build() throws.
  std::unique_ptr<FlatIndex> changed(std::span<const uint8_t> dropped, MatrixView<const float> rows, const uint32_t* ids,
                                     size_t max_lanes) const;
  /// SlotMap::kNone for an unknown id.
  uint32_t slot_of(uint32_t id) const { return slots_.find(id, ids_.size()); }
  /// Rows that hold a NaN or an infinity, or that their own id does not lead to.
  size_t count_unsound() const;

  bool vector(uint32_t id, void* out) const override;
  void save(const std::string& path) const override;

 private:
  FlatIndex(Metric metric, size_t dim, Buffer<float> rows, Buffer<uint32_t> ids, Quantization quantization, Sq8Blocks codes);

  FlatView view() const { return {metric_, dim_, ids_.size(), rows_.data(), ids_.data()}; }
  /// Whether the filter lists so few allowed ids that fetching their rows beats reading all rows.
  bool lists_few(const IdSet& filter) const;
  std::vector<uint32_t> listed_slots(const IdSet& filter) const;
  void compute_norms(size_t max_lanes) const;

  Metric metric_;
  size_t dim_;
  Buffer<float> rows_;
  Buffer<uint32_t> ids_;
  Quantization quantization_;
  Sq8Blocks codes_;  // of all rows; empty without quantisation
  SlotMap slots_;

  // |x|² of every row and a bound of |x|, computed when the first batch needs them.
  mutable std::once_flag norms_once_;
  mutable Buffer<float> squared_norms_;
  mutable double longest_ = 0;
  mutable std::atomic<bool> norms_ready_{false};
};

}  // namespace nigh

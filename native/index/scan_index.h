// Exact search under the metrics that are not made of products (l1, chebyshev, hamming, jaccard): every allowed row is compared.
// Under the others FlatIndex does the same faster. Both are of kind "flat".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "format/index_file.h"
#include "index/row_store.h"
#include "index/slot_map.h"
#include "index/vector_index.h"

namespace nigh {

class ScanIndex final : public VectorIndex {
 public:
  /// Copies `rows`. There is nothing to quantise for: `quantization` is kNone. `ids` has rows.rows entries or is null for 0 … n
  /// − 1. Throws NOT_FINITE, DUPLICATE_ID, INVALID_ARGUMENT (dim outside 1 … 65536, reserved id, bits after the last), CAPACITY.
  static std::unique_ptr<ScanIndex> build(VectorsView rows, const uint32_t* ids, Metric metric, Quantization quantization);

  /// Takes over the sections of the file. The ids are checked in both modes, the rows in memory mode only, because a mapped open
  /// reads no row. Throws FORMAT.
  static std::unique_ptr<ScanIndex> open(const IndexFile& file);

  const char* kind() const override { return "flat"; }
  Metric metric() const override { return store_.metric; }
  size_t dim() const override { return store_.dim; }
  size_t size() const override { return store_.ids.size(); }
  size_t memory_bytes() const override { return store_.memory_bytes(); }

  /// Plan kScan compares every row; kAllowedScan, for a filter that lists few allowed ids, compares only those.
  std::vector<Neighbor> search(const void* query, const SearchParams& params, SearchStats& stats) const override;

  /// One search a row, the rows shared among the lanes.
  void search_batch(VectorsView queries, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances,
                    uint32_t* counts, SearchStats& stats, TaskControl& control) const override;

  bool vector(uint32_t id, void* out) const override;
  void save(const std::string& path) const override;

 private:
  explicit ScanIndex(RowStore store);

  std::vector<uint32_t> listed_slots(const IdSet& filter) const;

  RowStore store_;
  mutable SlotMap slots_;
};

}  // namespace nigh

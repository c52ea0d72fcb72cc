// Exact search: every allowed row is compared. The oracle of every other index, and the right choice for small catalogues.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "base/buffer.h"
#include "format/index_file.h"
#include "index/vector_index.h"

namespace nigh {

class FlatIndex final : public VectorIndex {
 public:
  /// Copies `rows` (unit length under cosine). `ids` has rows.rows entries or is null for 0 … n − 1.
  static std::unique_ptr<FlatIndex> build(MatrixView<const float> rows, const uint32_t* ids, Metric metric);
  static std::unique_ptr<FlatIndex> open(const IndexFile& file);

  const char* kind() const override { return "flat"; }
  Metric metric() const override { return metric_; }
  size_t dim() const override { return dim_; }
  size_t size() const override { return ids_.size(); }
  size_t memory_bytes() const override;

  std::vector<Neighbor> search(const float* query, const SearchParams& params, SearchStats& stats) const override;
  void search_batch(MatrixView<const float> queries, const SearchParams& params, size_t max_lanes, uint32_t* ids,
                    float* distances, uint32_t* counts, SearchStats& stats, TaskControl& control) const override;
  bool vector(uint32_t id, float* out) const override;
  void save(const std::string& path) const override;

 private:
  Metric metric_ = Metric::kL2;
  size_t dim_ = 0;
  Buffer<float> rows_;
  Buffer<uint32_t> ids_;
  std::unordered_map<uint32_t, uint32_t> slots_;
};

}  // namespace nigh

// An HNSW graph over a row store, with live adds: searches run on a snapshot and never wait for a writer.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "format/index_file.h"
#include "index/hnsw_builder.h"
#include "index/hnsw_graph.h"
#include "index/row_store.h"
#include "index/search_pool.h"
#include "index/slot_map.h"
#include "index/vector_index.h"

namespace nigh {

struct SearchScratch;

/// As many as fit beside the flags of a candidate.
inline constexpr size_t kMaxHnswRows = SearchPool::kSlotMask;

/// Throws INVALID_ARGUMENT.
void check_hnsw_params(const HnswParams& params);

/// Degree of layer 0: twice that of the others, and a whole number of cache lines.
inline size_t hnsw_layer0_degree(const HnswParams& params) { return (2 * params.m + 15) / 16 * 16; }

class HnswIndex final : public VectorIndex {
 public:
  ~HnswIndex() override;

  /// Builds on up to `max_lanes` threads. `ids` has rows.rows entries or is null for 0 … n − 1. With one lane the same input and
  /// seed give the same bytes. `control` counts inserted rows. Throws what require_* throw, OUT_OF_MEMORY, ABORTED.
  static std::unique_ptr<HnswIndex> build(MatrixView<const float> rows, const uint32_t* ids, Metric metric,
                                          const HnswParams& params, size_t max_lanes, TaskControl& control);
  static std::unique_ptr<HnswIndex> open(const IndexFile& file);

  /// Reads a file of hnswlib (format/hnswlib_file.h); labels become ids. `dim` is what the caller expects, 0 for any. The graph is
  /// kept unless `rebuild` says otherwise or it cannot be (hnsw_interchange.cpp); deleted elements are left out. alpha, seed and
  /// quantization come from `settings`, the rest from the file. `control` counts elements. Throws what HnswlibReader throws,
  /// DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, DUPLICATE_ID, UNSUPPORTED (a label that is no id), INVALID_ARGUMENT (a length
  /// that contradicts cosine), CAPACITY, ABORTED.
  static std::unique_ptr<HnswIndex> import_hnswlib(const std::string& path, Metric metric, size_t dim, bool rebuild,
                                                   const HnswParams& settings, size_t max_lanes, TaskControl& control);

  /// Writes a file that hnswlib opens, atomically; ids become labels. Adds wait. Throws IO, ABORTED.
  void export_hnswlib(const std::string& path, TaskControl& control) const;

  /// Adds rows on all cores. Searches may run meanwhile and find none of them until this returns. All or nothing: when it throws,
  /// the index is as it was. One add at a time; a second one waits.
  void add(MatrixView<const float> rows, const uint32_t* ids, size_t max_lanes, TaskControl& control);

  const HnswParams& params() const { return params_; }

  const char* kind() const override { return "hnsw"; }
  Metric metric() const override { return metric_; }
  size_t dim() const override { return dim_; }
  size_t size() const override;
  size_t memory_bytes() const override;

  std::vector<Neighbor> search(const float* query, const SearchParams& params, SearchStats& stats) const override;
  void search_batch(MatrixView<const float> queries, const SearchParams& params, size_t max_lanes, uint32_t* ids,
                    float* distances, uint32_t* counts, SearchStats& stats, TaskControl& control) const override;
  bool vector(uint32_t id, float* out) const override;
  void save(const std::string& path) const override;

 private:
  // Everything a search reads. Replaced as a whole when it must grow; otherwise only appended to and relinked in place.
  struct State {
    RowStore store;
    HnswGraph graph;
    std::atomic<uint32_t> count{0};
    std::atomic<uint64_t> entry{EntryPoint{}.packed()};
    size_t upper_rows_used = 0;
  };

  HnswIndex(Metric metric, size_t dim, const HnswParams& params, bool dense_ids);

  std::shared_ptr<State> snapshot() const;
  std::shared_ptr<State> with_room(size_t rows, size_t upper_rows) const;
  std::vector<uint8_t> levels_for(MatrixView<const float> rows, uint32_t begin);
  void check_new_ids(const State& state, const uint32_t* ids, size_t rows) const;
  template <class Scorer>
  std::vector<Neighbor> walk(const State& state, size_t count, const float* prepared, const SearchParams& params,
                             SearchScratch& scratch, bool& complete) const;
  std::vector<uint32_t> listed_slots(const State& state, size_t count, const IdSet& filter) const;

  std::unique_ptr<SearchScratch> take_scratch() const;
  void return_scratch(std::unique_ptr<SearchScratch> scratch) const;

  Metric metric_;
  size_t dim_;
  HnswParams params_;

  mutable std::mutex write_mutex_;  // held by add, and by save
  std::vector<float> thresholds_;   // lengths that separate the layers (ip); guarded by write_mutex_
  size_t thresholds_from_ = 0;      // number of rows they were taken from
  mutable std::mutex state_mutex_;
  std::shared_ptr<State> state_;
  mutable SlotMap slots_;

  mutable std::mutex scratch_mutex_;
  mutable std::vector<std::unique_ptr<SearchScratch>> scratches_;
};

}  // namespace nigh

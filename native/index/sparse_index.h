// Exact search over sparse rows: tf-idf rows, interaction rows, anything of some dozen entries in ten thousand columns.
//
// Zobel and Moffat, "Inverted files for text search engines", ACM Computing Surveys 38(2), 2006, section 3: the rows are kept
// once more by column (posting lists), so that a query touches only the rows that share a column with it. Accumulation is term at
// a time, over blocks of rows whose accumulators stay in the first cache level: a list is left at the end of a block and taken up
// again at the next.
//
//   1. For every block of rows: clear the accumulators.
//   2. For every entry of the query, in ascending columns: add weight × value for the rows of this block in its posting list.
//   3. Turn the accumulators into distances and keep the k smallest, ties by id.
//
// Sums are in double, in the order of the columns, whichever way a row is reached: rows that are equal tie exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "format/index_file.h"
#include "index/postings.h"
#include "index/slot_map.h"
#include "index/vector_index.h"

namespace nigh {

class SparseIndex final : public VectorIndex {
 public:
  /// Rows are copied; under cosine they are stored at unit length. `rows` holds what CsrView promises, with finite values.
  /// Null ids mean 0 … rows − 1. Throws DUPLICATE_ID, INVALID_ARGUMENT, ZERO_VECTOR, CAPACITY.
  static std::unique_ptr<SparseIndex> build(const CsrView& rows, const uint32_t* ids, Metric metric);

  /// Every offset, column and value of the file is checked in either mode, which reads all of it. Throws FORMAT.
  static std::unique_ptr<SparseIndex> open(const IndexFile& file);

  const char* kind() const override { return "sparse"; }
  Metric metric() const override { return metric_; }
  size_t dim() const override { return dim_; }
  size_t size() const override { return ids_.size(); }
  size_t memory_bytes() const override;

  std::vector<Neighbor> search(const void* query, const SearchParams& params, SearchStats& stats) const override;
  void search_batch(VectorsView queries, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances,
                    uint32_t* counts, SearchStats& stats, TaskControl& control) const override;

  /// search_batch for queries that are sparse themselves, of dim() columns; `queries` holds what CsrView promises.
  void search_rows(const CsrView& queries, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances,
                   uint32_t* counts, SearchStats& stats, TaskControl& control) const;

  bool vector(uint32_t id, void* out) const override;
  void save(const std::string& path) const override;

 private:
  struct Scratch;

  SparseIndex(Metric metric, size_t dim, Buffer<uint32_t> ids, Buffer<uint32_t> offsets, Buffer<uint32_t> columns,
              Buffer<float> values);

  CsrView rows() const;
  /// Takes over the query's entries; under cosine at unit length. Throws NOT_FINITE, ZERO_VECTOR.
  void prepare(Scratch& scratch, size_t position) const;
  std::vector<Neighbor> answer(Scratch& scratch, const SearchParams& params, const std::vector<uint32_t>* slots) const;
  void scan(Scratch& scratch, const IdSet* filter, TopK& best) const;
  void scan_listed(const Scratch& scratch, const std::vector<uint32_t>& slots, TopK& best) const;
  float distance(double dot, double query_squares, size_t slot) const;

  /// The slots to compare where a filter lists few; null where all rows are scanned.
  std::unique_ptr<std::vector<uint32_t>> listed_slots(const IdSet* filter) const;

  template <class Load>
  void run_batch(size_t count, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances, uint32_t* counts,
                 SearchStats& stats, TaskControl& control, const Load& load) const;

  Metric metric_;
  size_t dim_;
  Buffer<uint32_t> ids_;
  Buffer<uint32_t> offsets_;
  Buffer<uint32_t> columns_;
  Buffer<float> values_;
  Postings postings_;            // the same entries by column
  std::vector<double> squares_;  // |x|² of every row, under l2
  SlotMap slots_;
};

}  // namespace nigh

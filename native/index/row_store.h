// The vectors of a graph index: full float32 rows, from which every returned distance is computed, and optionally one int8
// code row a vector, which the traversal reads instead.
//
// What is stored and what is near, so that one graph and one loop serve every metric:
//   metric  row           links join rows near by  a search scores by
//   l2      x             |x − y|²                 |q − x|²
//   cosine  x / |x|       1 − x·y                  1 − q·x
//   ip      [x, 1 / |x|]  1 − cos(x, y)            −q·x
// Under ip the links follow direction only: raw inner products are no distance (a long row is "near" to everything), and pruning
// by them leaves a graph that cannot be walked. hnsw_builder.h says how the long rows are found all the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/buffer.h"
#include "base/matrix_view.h"
#include "index/metric.h"

namespace nigh {

/// What a scorer's distances are for; they differ under ip only.
enum class ScoreFor { kLinks, kSearch };

/// What the traversal reads.
enum class Quantization : uint32_t {
  kNone = 0,  // the float32 rows themselves
  kSq8 = 1    // int8 codes with one scale a vector; needs no training
};

struct RowStore {
  Metric metric = Metric::kL2;
  Quantization quantization = Quantization::kNone;
  size_t dim = 0;
  size_t row_dim = 0;      // dim, and one more for ip: the stride of rows
  size_t code_stride = 0;  // bytes of a code row, a multiple of 64; 0 without codes
  Buffer<float> rows;
  Buffer<uint8_t> codes;
  Buffer<uint32_t> ids;

  static RowStore create(Metric metric, Quantization quantization, size_t dim);

  size_t capacity() const { return ids.size(); }
  const float* row(uint32_t slot) const { return rows.data() + slot * row_dim; }

  /// A store with the same rows and room for `capacity`.
  RowStore grown(size_t capacity) const;

  /// A store of the same kind without rows, with room for `capacity`.
  RowStore emptied(size_t capacity) const;

  /// Takes over a row of a store of the same kind, as it is.
  void copy_row(const RowStore& from, uint32_t from_slot, uint32_t slot) const;

  /// Whether storing `vector` would give the row that is in `slot` already. `scratch` is overwritten. Throws ZERO_VECTOR
  /// naming `position`.
  bool holds(uint32_t slot, const float* vector, size_t position, std::vector<float>& scratch) const;

  /// Stores a vector: normalised (cosine), with its inverse length (ip), encoded. `position` names it in an error. Throws
  /// ZERO_VECTOR.
  void put(uint32_t slot, const float* vector, uint32_t id, size_t position) const;

  /// The query as the kernels want it, in `out` (dim floats): unit length under cosine. Throws ZERO_VECTOR.
  void prepare_query(const float* query, std::vector<float>& out) const;

  /// out[j] = true float32 distance of a prepared query to slots[j].
  void distances(const float* prepared, const uint32_t* slots, size_t count, float* out) const;

  /// out[j] = true float32 distance of a prepared query to slot begin + j.
  void distances_range(const float* prepared, size_t begin, size_t count, float* out) const;

  size_t memory_bytes() const;
};

}  // namespace nigh

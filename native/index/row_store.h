// The vectors of a graph index: full float32 rows, from which every returned distance is computed, and optionally one int8
// code row a vector, which the traversal reads instead.
//
// Three shapes of row, so that one graph and one loop serve every metric:
//   l2      x                          graph distance |x − y|²
//   cosine  x / |x|                    graph distance 1 − x·y
//   ip      [x, √(M² − |x|²)], |x| ≤ M graph distance M² − x·y
// The last is the lifted space of Bachrach et al., "Speeding up the Xbox recommender system using a Euclidean transformation for
// inner-product spaces", RecSys 2014: all lifted rows have length M, so the order by inner product with [q, 0] is the order by
// angle, and the graph is built where the triangle inequality holds. Queries are scored by their true dot product.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/buffer.h"
#include "base/matrix_view.h"
#include "index/metric.h"

namespace nigh {

/// What the traversal reads.
enum class Quantization : uint32_t {
  kNone = 0,  // the float32 rows themselves
  kSq8 = 1    // int8 codes with one scale a vector; needs no training
};

struct RowStore {
  Metric metric = Metric::kL2;
  Quantization quantization = Quantization::kNone;
  size_t dim = 0;
  size_t row_dim = 0;          // dim, and one more for ip: the stride of rows
  size_t code_stride = 0;      // bytes of a code row, a multiple of 64; 0 without codes
  float max_norm_squared = 0;  // M² (ip)
  Buffer<float> rows;
  Buffer<uint8_t> codes;
  Buffer<uint32_t> ids;

  static RowStore create(Metric metric, Quantization quantization, size_t dim);

  size_t capacity() const { return ids.size(); }
  const float* row(uint32_t slot) const { return rows.data() + slot * row_dim; }

  /// A store with the same rows and room for `capacity`.
  RowStore grown(size_t capacity) const;

  /// Stores a vector: normalised (cosine), lifted (ip), encoded. `position` names it in an error. Throws ZERO_VECTOR.
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

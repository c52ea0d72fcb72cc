// The vectors of an index: full rows, from which every returned distance is computed, and optionally one code row a vector,
// which the traversal of a graph reads instead.
//
// What is stored and what is near, so that one graph and one loop serve every metric:
//   metric     row                    links join rows near by  a search scores by
//   l2         x                      |x − y|²                 |q − x|²
//   cosine     x / |x|                1 − x·y                  1 − q·x
//   ip         [x, 1 / |x|]           1 − cos(x, y)            −q·x
//   l1         x                      Σ |x_i − y_i|            the same, of q and x
//   chebyshev  x                      max |x_i − y_i|          the same
//   hamming    bits, in whole words   |x xor y|                the same
//   jaccard    bits, in whole words   |x xor y| / |x or y|     the same
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
  kNone = 0,  // the rows themselves
  kSq8 = 1,   // int8 codes with one scale a vector; needs no training
  kF16 = 2    // IEEE half-precision values
};
inline constexpr uint32_t kQuantizations = 3;

/// A query as the kernels want it: float32 values, or words of bits. Words, so that both lie aligned.
using PreparedQuery = std::vector<uint64_t>;

/// Throws INVALID_ARGUMENT where codes of this kind cannot stand for vectors under this metric.
void require_quantizable(Metric metric, Quantization quantization);

struct RowStore {
  Metric metric = Metric::kL2;
  Quantization quantization = Quantization::kNone;
  size_t dim = 0;
  size_t row_bytes = 0;    // of a stored row: a multiple of 4, of 8 for bits
  size_t code_stride = 0;  // bytes of a code row, a multiple of 64; 0 without codes
  Buffer<uint8_t> rows;
  bool terms_apart = false;  // the terms of sq8 codes are in `terms`, not in the code rows (sq8.h)
  Buffer<uint8_t> codes;
  Buffer<float> terms;  // capacity × 2, or empty
  Buffer<uint32_t> ids;

  static RowStore create(Metric metric, Quantization quantization, size_t dim);

  /// Still without rows: the terms of sq8 codes go into the code rows, however much longer that makes them.
  void keep_terms_in_rows();

  /// Floats a row that are kept apart from its codes.
  size_t terms_per_row() const { return terms_apart ? 2 : 0; }

  size_t capacity() const { return ids.size(); }

  /// What a row consists of: float under the metrics of float32 values, uint64_t under those of bits.
  template <class T>
  T* row_as(size_t slot) const {
    return reinterpret_cast<T*>(rows.data() + slot * row_bytes);
  }
  /// Distance between rows in elements of T.
  template <class T>
  size_t stride_of() const {
    return row_bytes / sizeof(T);
  }
  const float* row(uint32_t slot) const { return row_as<float>(slot); }

  void prefetch_row(uint32_t slot) const {
    const uint8_t* bytes = row_as<uint8_t>(slot);
    for (size_t byte = 0; byte < row_bytes; byte += 64) __builtin_prefetch(bytes + byte, 0, 2);
  }

  /// Whether a row, which may come from a damaged file, is one that put() could have left: finite, no bit after the last.
  bool sound(size_t slot) const;

  /// Checks what every store from a file must be: distinct ids and sound rows. Throws DUPLICATE_ID or INVALID_ARGUMENT.
  void require_sound() const;

  /// A store with the same rows and room for `capacity`.
  RowStore grown(size_t capacity) const;

  /// A store of the same kind without rows, with room for `capacity`.
  RowStore emptied(size_t capacity) const;

  /// Takes over a row of a store of the same kind, as it is.
  void copy_row(const RowStore& from, uint32_t from_slot, uint32_t slot) const;

  /// Whether storing `vector` would give the row that is in `slot` already. `scratch` is overwritten. Throws ZERO_VECTOR
  /// naming `position`.
  bool holds(uint32_t slot, const void* vector, size_t position, PreparedQuery& scratch) const;

  /// Stores a vector (vector_bytes() of it): normalised (cosine), with its inverse length (ip), encoded. `position` names it in
  /// an error. Throws ZERO_VECTOR, and INVALID_ARGUMENT for values that half precision cannot hold.
  void put(uint32_t slot, const void* vector, uint32_t id, size_t position) const;

  /// The vector of a slot as it was given (unit length under cosine): vector_bytes() of it.
  void copy_vector(uint32_t slot, void* out) const;

  /// The query as the kernels want it: unit length under cosine. Throws ZERO_VECTOR.
  void prepare_query(const void* query, PreparedQuery& out) const;

  /// out[j] = true distance of a prepared query to slots[j].
  void distances(const void* prepared, const uint32_t* slots, size_t count, float* out) const;

  /// out[j] = true distance of a prepared query to slot begin + j.
  void distances_range(const void* prepared, size_t begin, size_t count, float* out) const;

  size_t memory_bytes() const;
};

}  // namespace nigh

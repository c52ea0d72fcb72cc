// The contract of every vector index: uint32 ids in, ids and distances out. One virtual call a search, never one a distance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/id_set.h"
#include "base/matrix_view.h"
#include "base/task_control.h"
#include "base/top_k.h"
#include "index/metric.h"
#include "index/vectors_view.h"

namespace nigh {

/// Reserved: marks an empty place in a batch answer, so it cannot be an id.
inline constexpr uint32_t kNoId = 0xffffffff;

/// How an answer was found.
enum class Plan : uint32_t {
  kScan = 0,           // every row compared
  kAllowedScan = 1,    // only the rows that the filter allows compared
  kGraph = 2,          // graph traversal
  kFilteredGraph = 3,  // graph traversal that collects allowed rows only
  kTwoHopGraph = 4     // graph traversal that passes over the rows that are not allowed
};

struct SearchParams {
  size_t k = 10;
  size_t ef_search = 64;          // graph indexes: size of the candidate pool; see WalkSize in hnsw_walk.h
  size_t refine_factor = 2;       // quantised indexes: refine_factor × k candidates get their true distance
  const IdSet* filter = nullptr;  // members may be returned; null allows all
  bool exact = false;             // graph indexes: compare every allowed row instead
  double recall = 0;              // graph indexes: above 0, the wanted share of the true neighbours decides instead of ef_search
  float within = std::numeric_limits<float>::infinity();  // rows beyond this distance do not match
};

struct SearchStats {
  Plan plan = Plan::kScan;
  uint64_t visited = 0;    // rows reached
  uint64_t distances = 0;  // distances computed
};

class VectorIndex {
 public:
  virtual ~VectorIndex() = default;

  virtual const char* kind() const = 0;  // "flat" or "hnsw"
  virtual Metric metric() const = 0;
  virtual size_t dim() const = 0;
  virtual size_t size() const = 0;
  virtual size_t memory_bytes() const = 0;

  /// The k nearest of the members of params.filter: exactly min(k, matching rows), where rows beyond params.within do not match,
  /// closest first, ties by id. `query` is one vector in the form that vector_bytes() describes: dim() finite float32 values, or
  /// dim() bits with none set after them. Throws NOT_FINITE, ZERO_VECTOR (cosine), INVALID_ARGUMENT (k = 0; bits after the last).
  virtual std::vector<Neighbor> search(const void* query, const SearchParams& params, SearchStats& stats) const = 0;

  /// One search per row. ids and distances are rows × k, filled with kNoId and +inf past counts[row]. `stats` sums over rows.
  virtual void search_batch(VectorsView queries, const SearchParams& params, size_t max_lanes, uint32_t* ids, float* distances,
                            uint32_t* counts, SearchStats& stats, TaskControl& control) const = 0;

  /// The stored row of this id as it was given (unit length under cosine), written to `out` (vector_bytes()). False if unknown.
  virtual bool vector(uint32_t id, void* out) const = 0;

  /// Writes one file atomically (temporary file, fsync, rename, fsync of the directory). Throws IO.
  virtual void save(const std::string& path) const = 0;
};

/// Takes what lies beyond `within` off a sorted answer.
void keep_within(float within, std::vector<Neighbor>& found);
/// The same for `rows` answers of a batch, `k` places each.
void keep_within(float within, size_t rows, size_t k, uint32_t* ids, float* distances, uint32_t* counts);

/// Of dense vectors, as in the file header.
inline constexpr size_t kMaxDim = 65536;

/// Throws INVALID_ARGUMENT.
void require_storable_dim(size_t dim);

/// Throws NOT_FINITE with the position of the first NaN or infinity.
void require_finite(MatrixView<const float> rows, const char* what);

/// Checks that vectors are what a metric is about: float32 values, all finite, or bits, with none set after the last in a row's
/// last byte. Throws NOT_FINITE, INVALID_ARGUMENT.
void require_vectors(Metric metric, VectorsView rows, const char* what);

/// `rows` vectors that lie at `data` in the form that vector_bytes() describes.
inline VectorsView vectors_at(Metric metric, const void* data, size_t rows, size_t dim) {
  return on_bits(metric) ? VectorsView::of_bits(static_cast<const uint8_t*>(data), rows, dim)
                         : VectorsView(static_cast<const float*>(data), rows, dim);
}

/// The same of one query, which lies in that form.
inline void require_query(Metric metric, const void* query, size_t dim) {
  require_vectors(metric, vectors_at(metric, query, 1, dim), "query");
}

/// Throws DUPLICATE_ID or INVALID_ARGUMENT (kNoId used). Null ids mean 0 … rows − 1 and need no check.
void require_distinct_ids(const uint32_t* ids, size_t count);

/// A product of huge rows can overflow to +inf and −inf at once; such a row is as far as can be.
void far_instead_of_nan(size_t count, float* distances);

/// out = row / |row|. Throws ZERO_VECTOR naming `position`. The length is summed in double.
void normalize_row(const float* row, size_t dim, float* out, size_t position);

}  // namespace nigh

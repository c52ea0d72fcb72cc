// Traversal on the float32 rows themselves.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/row_store.h"
#include "simd/kernels.h"

namespace nigh {

/// Distances of one query to many rows. A scorer is set to a query or to a stored row, then called once a graph hop.
class F32Scorer {
 public:
  /// `lifted`: compare whole rows, the lifted coordinate included (building); otherwise the first dim values (searching).
  F32Scorer(const RowStore& store, bool lifted)
      : rows_(store.rows.data()),
        stride_(store.row_dim),
        dim_(lifted ? store.row_dim : store.dim),
        l2_(store.metric == Metric::kL2),
        offset_(store.metric == Metric::kCosine ? 1.0f : lifted ? store.max_norm_squared : 0.0f),
        gather_(l2_ ? kernels().l2_gather : kernels().dot_gather) {}

  /// `prepared` is borrowed.
  void set_query(const float* prepared) { query_ = prepared; }
  void set_row(uint32_t slot) { query_ = rows_ + slot * stride_; }

  void operator()(const uint32_t* slots, size_t count, float* out) const {
    gather_(query_, rows_, stride_, slots, count, dim_, out);
    if (l2_) return;
    for (size_t j = 0; j < count; ++j) out[j] = offset_ - out[j];
  }

  void prefetch(uint32_t slot) const {
    const char* row = reinterpret_cast<const char*>(rows_ + slot * stride_);
    for (size_t byte = 0; byte < dim_ * sizeof(float); byte += 64) __builtin_prefetch(row + byte);
  }

 private:
  const float* rows_;
  size_t stride_;
  size_t dim_;
  bool l2_;
  float offset_;
  decltype(Kernels::dot_gather) gather_;
  const float* query_ = nullptr;
};

}  // namespace nigh

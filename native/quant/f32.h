// Traversal on the float32 rows themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/hash.h"
#include "index/metric_kernels.h"
#include "index/row_store.h"

namespace nigh {

/// Distances of one query to many rows. A scorer is set to a query or to a stored row, then called once a graph hop.
class F32Scorer {
 public:
  F32Scorer(const RowStore& store, ScoreFor purpose)
      : rows_(store.row(0)),
        stride_(store.stride_of<float>()),
        dim_(store.dim),
        form_(store.metric == Metric::kCosine ? Form::kOneMinusDot
              : store.metric != Metric::kIp   ? Form::kAsItIs
              : purpose == ScoreFor::kSearch  ? Form::kMinusDot
                                              : Form::kOneMinusCosine),
        gather_(f32_gather(store.metric)) {}

  /// `prepared` is borrowed: dim values (so a query is only for ScoreFor::kSearch; for links set a row).
  void set_query(const void* prepared) { query_ = static_cast<const float*>(prepared); }
  void set_row(uint32_t slot) { query_ = rows_ + slot * stride_; }

  void operator()(const uint32_t* slots, size_t count, float* out) const {
    gather_(query_, rows_, stride_, slots, count, dim_, out);
    switch (form_) {
      case Form::kAsItIs:
        return;
      case Form::kOneMinusDot:
        for (size_t j = 0; j < count; ++j) out[j] = 1.0f - out[j];
        return;
      case Form::kMinusDot:
        for (size_t j = 0; j < count; ++j) out[j] = -out[j];
        return;
      case Form::kOneMinusCosine:
        for (size_t j = 0; j < count; ++j) out[j] = 1.0f - query_[dim_] * rows_[slots[j] * stride_ + dim_] * out[j];
        return;
    }
  }

  /// Equal for rows that the traversal cannot tell apart.
  uint64_t fingerprint(uint32_t slot) const { return hash_words(rows_ + slot * stride_, stride_ * sizeof(float)); }

  /// Whether the traversal cannot tell two rows apart.
  bool same(uint32_t a, uint32_t b) const {
    return std::memcmp(rows_ + a * stride_, rows_ + b * stride_, stride_ * sizeof(float)) == 0;
  }

  /// Distances from the row that is set differ by no more than this through rounding alone.
  float noise() const { return form_ == Form::kAsItIs ? 0.0f : 1e-6f; }

  /// Into the second cache level: a hop of rows is more than the first holds, and requests to the first stall.
  void prefetch(uint32_t slot) const {
    const char* row = reinterpret_cast<const char*>(rows_ + slot * stride_);
    for (size_t byte = 0; byte < dim_ * sizeof(float); byte += 64) __builtin_prefetch(row + byte, 0, 2);
  }

 private:
  enum class Form { kAsItIs, kOneMinusDot, kMinusDot, kOneMinusCosine };

  const float* rows_;
  size_t stride_;
  size_t dim_;
  Form form_;
  GatherF32 gather_;
  const float* query_ = nullptr;
};

}  // namespace nigh

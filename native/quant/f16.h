// Half-precision codes: the values of a vector rounded to IEEE binary16, eleven significant bits from 6.1e-5 to 65,504. Half the
// memory traffic of float32, and four times the bytes of what sq8 reads, for vectors that int8 codes are too coarse for, and for
// metrics that are not made of products. Queries and arithmetic stay float32.
//
// A code row is dim halves, then zeros, to whole cache lines; under ip its last 4 bytes are 1 / |x̂| (float32; 0 for the zero
// vector). Under cosine rows are near unit length only after rounding, so codes are compared by |q − x̂|² / 2, which is 1 − cos
// for unit vectors and exactly 0 between equal codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/hash.h"
#include "index/row_store.h"
#include "simd/kernels.h"

namespace nigh {

/// Bytes of a code row.
inline size_t f16_stride(Metric metric, size_t dim) {
  return (dim * sizeof(uint16_t) + (metric == Metric::kIp ? sizeof(float) : 0) + 63) / 64 * 64;
}

/// Writes the code row of a vector. Throws INVALID_ARGUMENT naming `position` when its largest value is beyond 65,504, or so
/// small that nothing of the vector would be left.
void f16_encode(const float* vector, size_t dim, Metric metric, uint8_t* out, size_t stride, size_t position);

/// The same interface as F32Scorer, on half-precision codes.
class F16Scorer {
 public:
  F16Scorer(const RowStore& store, ScoreFor purpose)
      : codes_(store.codes.data()),
        stride_(store.code_stride),
        dim_(store.dim),
        form_(store.metric == Metric::kCosine ? Form::kHalf
              : store.metric != Metric::kIp   ? Form::kAsItIs
              : purpose == ScoreFor::kSearch  ? Form::kMinusDot
                                              : Form::kOneMinusCosine),
        gather_(store.metric == Metric::kIp          ? kernels().dot_f16_gather
                : store.metric == Metric::kL1        ? kernels().l1_f16_gather
                : store.metric == Metric::kChebyshev ? kernels().chebyshev_f16_gather
                                                     : kernels().l2_f16_gather),
        held_(store.dim) {}

  void set_query(const void* prepared) { query_ = static_cast<const float*>(prepared); }
  void set_row(uint32_t slot) {
    kernels().from_f16(code(slot), dim_, held_.data());
    query_ = held_.data();
    inverse_length_ = inverse_length(slot);
  }

  void operator()(const uint32_t* slots, size_t count, float* out) const {
    gather_(query_, code(0), stride_ / sizeof(uint16_t), slots, count, dim_, out);
    switch (form_) {
      case Form::kAsItIs:
        return;
      case Form::kHalf:
        for (size_t j = 0; j < count; ++j) out[j] *= 0.5f;
        return;
      case Form::kMinusDot:
        for (size_t j = 0; j < count; ++j) out[j] = -out[j];
        return;
      case Form::kOneMinusCosine:
        for (size_t j = 0; j < count; ++j) out[j] = 1.0f - inverse_length_ * inverse_length(slots[j]) * out[j];
        return;
    }
  }

  /// Equal for rows that the traversal cannot tell apart.
  uint64_t fingerprint(uint32_t slot) const { return hash_words(code(slot), stride_); }

  /// Whether the traversal cannot tell two rows apart.
  bool same(uint32_t a, uint32_t b) const { return std::memcmp(code(a), code(b), stride_) == 0; }

  /// Distances from the row that is set differ by no more than this through rounding alone.
  float noise() const { return form_ == Form::kOneMinusCosine ? 1e-6f : 0.0f; }

  /// Into the second cache level: a hop of rows is more than the first holds, and requests to the first stall.
  void prefetch(uint32_t slot) const {
    const uint8_t* row = codes_ + slot * stride_;
    for (size_t byte = 0; byte < stride_; byte += 64) __builtin_prefetch(row + byte, 0, 2);
  }

 private:
  enum class Form { kAsItIs, kHalf, kMinusDot, kOneMinusCosine };

  const uint16_t* code(uint32_t slot) const { return reinterpret_cast<const uint16_t*>(codes_ + slot * stride_); }
  float inverse_length(uint32_t slot) const {
    float value;
    std::memcpy(&value, codes_ + (slot + size_t{1}) * stride_ - sizeof value, sizeof value);
    return value;
  }

  const uint8_t* codes_;
  size_t stride_;
  size_t dim_;
  Form form_;
  GatherF16 gather_;
  std::vector<float> held_;
  const float* query_ = nullptr;
  float inverse_length_ = 0;  // of the row that is set; meaningless but under ip
};

}  // namespace nigh

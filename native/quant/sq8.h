// Scalar quantisation to int8 with one scale a vector: x ≈ s·c, c = round(x / s) ∈ [−127, 127], s = max|x| / 127. Nothing is
// trained, so an insert only encodes its own row.
//
// Lengths are those of the coded vector x̂ = s·c, not of x, so that distances between codes are a metric: equal vectors are at
// distance 0, and near ones are told apart by |q − x||x̂ − x| rather than by |q||x̂ − x|. Under cosine s is chosen so that |x̂| = 1.
//
// A code row is `dim` bytes of c + 128, then zero codes, and in its last 8 bytes the scale s and a companion float: |x̂|² under
// l2, 1 / |x̂| under ip, unused under cosine. Those 8 bytes lie inside what the kernel reads, where the query is zero.
//
// The distance of a query with scale s_q and codes ĉ is, with p = s·(ĉ·c):
//   l2                  |q̂|² + |x̂|² − 2 s_q p
//   cosine              1 − s_q p
//   ip, for a search    −s_q p
//   ip, for links       1 − (s_q / |q̂|) (1 / |x̂|) p
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/buffer.h"
#include "index/row_store.h"
#include "simd/kernels.h"

namespace nigh {

/// Bytes of a code row: dim codes and 8 bytes, rounded up to whole cache lines.
inline size_t sq8_stride(size_t dim) { return (dim + 8 + 63) / 64 * 64; }

/// The two floats that a code row carries besides its codes.
struct Sq8Terms {
  float scale = 0;
  float companion = 0;
};

/// Writes the signed codes of a vector (stride bytes, zero past dim).
Sq8Terms sq8_quantize(const float* vector, size_t dim, Metric metric, int8_t* out, size_t stride);

/// Writes the code row of a vector.
void sq8_encode(const float* vector, size_t dim, Metric metric, uint8_t* out, size_t stride);

/// The same interface as F32Scorer, on codes.
class Sq8Scorer {
 public:
  Sq8Scorer(const RowStore& store, ScoreFor purpose)
      : codes_(store.codes.data()),
        stride_(store.code_stride),
        dim_(store.dim),
        metric_(store.metric),
        purpose_(purpose),
        query_(store.code_stride),
        gather_(kernels().dot_i8_gather) {}

  void set_query(const void* prepared) {
    set_terms(sq8_quantize(static_cast<const float*>(prepared), dim_, metric_, query_.data(), stride_));
  }

  void set_row(uint32_t slot) {
    // Eight codes at a time: the compiler cannot know that a byte that is stored is none of the members.
    const uint8_t* row = codes_ + slot * stride_;
    int8_t* query = query_.data();
    for (size_t i = 0; i < stride_; i += 8) {
      uint64_t eight;
      std::memcpy(&eight, row + i, 8);
      eight ^= 0x8080808080808080;
      std::memcpy(query + i, &eight, 8);
    }
    std::memset(query + stride_ - 8, 0, 8);
    set_terms({scale_of(slot), companion_of(slot)});
  }

  void operator()(const uint32_t* slots, size_t count, float* out) const {
    int32_t products[kBlock];
    for (size_t begin = 0; begin < count; begin += kBlock) {
      const size_t block = count - begin < kBlock ? count - begin : kBlock;
      gather_(query_.data(), codes_, stride_, slots + begin, block, stride_, products);
      // offset_, add_ and multiply_ are chosen so that one expression is all four formulas.
      for (size_t j = 0; j < block; ++j) {
        const uint32_t slot = slots[begin + j];
        const float companion = companion_of(slot);
        const float product = factor_ * scale_of(slot) * static_cast<float>(products[j]);
        out[begin + j] = offset_ + add_ * companion + (multiply_ ? companion : 1.0f) * product;
      }
    }
  }

  /// Whether the traversal cannot tell two rows apart.
  bool same(uint32_t a, uint32_t b) const { return std::memcmp(codes_ + a * stride_, codes_ + b * stride_, stride_) == 0; }

  /// Distances from the row that is set differ by no more than this through rounding alone.
  float noise() const { return kRounding * (metric_ == Metric::kL2 ? 2 * offset_ : 1.0f); }

  /// Into the second cache level: a hop of rows is more than the first holds, and requests to the first stall.
  void prefetch(uint32_t slot) const {
    const uint8_t* row = codes_ + slot * stride_;
    for (size_t byte = 0; byte < stride_; byte += 64) __builtin_prefetch(row + byte, 0, 2);
  }

 private:
  static constexpr size_t kBlock = 128;
  static constexpr float kRounding = 1e-6f;

  void set_terms(Sq8Terms terms) {
    const auto [scale, companion] = terms;
    const bool l2 = metric_ == Metric::kL2;
    multiply_ = metric_ == Metric::kIp && purpose_ == ScoreFor::kLinks;
    offset_ = l2 ? companion : metric_ == Metric::kCosine || multiply_ ? 1.0f : 0.0f;
    add_ = l2 ? 1.0f : 0.0f;
    factor_ = (l2 ? -2.0f : -1.0f) * scale * (multiply_ ? companion : 1.0f);
  }

  float tail(uint32_t slot, size_t from_end) const {
    float value;
    std::memcpy(&value, codes_ + slot * stride_ + stride_ - from_end, sizeof value);
    return value;
  }
  float scale_of(uint32_t slot) const { return tail(slot, 8); }
  float companion_of(uint32_t slot) const { return tail(slot, 4); }

  const uint8_t* codes_;
  size_t stride_;
  size_t dim_;
  Metric metric_;
  ScoreFor purpose_;
  Buffer<int8_t> query_;
  decltype(Kernels::dot_i8_gather) gather_;
  float offset_ = 0;
  float add_ = 0;
  float factor_ = 0;
  bool multiply_ = false;
};

}  // namespace nigh

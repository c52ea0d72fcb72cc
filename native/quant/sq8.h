// Scalar quantisation to int8 with one scale a vector: x ≈ s·c, c = round(x / s) ∈ [−127, 127], s = max|x| / 127. Nothing is
// trained, so an insert only encodes its own row.
//
// Lengths are those of the coded vector x̂ = s·c, not of x, so that distances between codes are a metric: equal vectors are at
// distance 0, and near ones are told apart by |q − x||x̂ − x| rather than by |q||x̂ − x|. Under cosine s is chosen so that |x̂| = 1.
//
// A code row is `dim` bytes of c + 128, then zero codes, in whole cache lines. It has two terms, the scale s and a companion
// float: |x̂|² under l2, 1 / |x̂| under ip, unused under cosine. They are its last 8 bytes, inside what the kernel reads, where the
// query is zero; or, where codes fill the lines so far that the terms would take one more, an array apart (which of the two is
// a property of the file: FORMAT.md).
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
#include "base/hash.h"
#include "index/row_store.h"
#include "simd/kernels.h"

namespace nigh {

/// The two floats that a code row has besides its codes.
struct Sq8Terms {
  float scale = 0;
  float companion = 0;
};

/// Bytes of a code row with its terms in it or apart from it: whole cache lines.
inline size_t sq8_stride(size_t dim, bool terms_apart) { return (dim + (terms_apart ? 0 : sizeof(Sq8Terms)) + 63) / 64 * 64; }

/// Whether terms in the row would take a cache line of their own.
inline bool sq8_puts_terms_apart(size_t dim) { return sq8_stride(dim, true) != sq8_stride(dim, false); }

/// Code rows as they lie, and where their terms do.
struct Sq8Rows {
  uint8_t* codes = nullptr;
  size_t stride = 0;
  uint8_t* terms = nullptr;
  size_t terms_stride = 0;

  /// `apart`: the array of terms, or null where they are in the rows.
  static Sq8Rows of(uint8_t* codes, size_t stride, float* apart) {
    if (codes == nullptr) return {nullptr, stride, nullptr, stride};
    if (apart != nullptr) return {codes, stride, reinterpret_cast<uint8_t*>(apart), sizeof(Sq8Terms)};
    return {codes, stride, codes + stride - sizeof(Sq8Terms), stride};
  }
  static Sq8Rows of(const RowStore& store) { return of(store.codes.data(), store.code_stride, store.terms.data()); }

  Sq8Rows from(size_t slot) const { return {codes + slot * stride, stride, terms + slot * terms_stride, terms_stride}; }

  Sq8Terms terms_of(size_t slot) const {
    Sq8Terms out;
    std::memcpy(&out, terms + slot * terms_stride, sizeof out);
    return out;
  }
};

/// Writes the signed codes of a vector (stride bytes, zero past dim).
Sq8Terms sq8_quantize(const float* vector, size_t dim, Metric metric, int8_t* out, size_t stride);

/// Writes the code row of a vector, and its terms.
void sq8_encode(const float* vector, size_t dim, Metric metric, const Sq8Rows& rows, size_t slot);

/// The same interface as F32Scorer, on codes.
class Sq8Scorer {
 public:
  Sq8Scorer(const RowStore& store, ScoreFor purpose)
      : rows_(Sq8Rows::of(store)),
        terms_apart_(store.terms_apart),
        dim_(store.dim),
        metric_(store.metric),
        purpose_(purpose),
        query_(store.code_stride),
        gather_(kernels().dot_i8_gather) {}

  void set_query(const void* prepared) {
    set_terms(sq8_quantize(static_cast<const float*>(prepared), dim_, metric_, query_.data(), rows_.stride));
  }

  void set_row(uint32_t slot) {
    // Eight codes at a time: the compiler cannot know that a byte that is stored is none of the members.
    const uint8_t* row = rows_.codes + slot * rows_.stride;
    int8_t* query = query_.data();
    for (size_t i = 0; i < rows_.stride; i += 8) {
      uint64_t eight;
      std::memcpy(&eight, row + i, 8);
      eight ^= 0x8080808080808080;
      std::memcpy(query + i, &eight, 8);
    }
    if (!terms_apart_) std::memset(query + rows_.stride - sizeof(Sq8Terms), 0, sizeof(Sq8Terms));
    set_terms(rows_.terms_of(slot));
  }

  void operator()(const uint32_t* slots, size_t count, float* out) const {
    int32_t products[kBlock];
    for (size_t begin = 0; begin < count; begin += kBlock) {
      const size_t block = count - begin < kBlock ? count - begin : kBlock;
      gather_(query_.data(), rows_.codes, rows_.stride, slots + begin, block, rows_.stride, products);
      // offset_, add_ and multiply_ are chosen so that one expression is all four formulas.
      for (size_t j = 0; j < block; ++j) {
        const auto [scale, companion] = rows_.terms_of(slots[begin + j]);
        const float product = factor_ * scale * static_cast<float>(products[j]);
        out[begin + j] = offset_ + add_ * companion + (multiply_ ? companion : 1.0f) * product;
      }
    }
  }

  /// Equal for rows that the traversal cannot tell apart.
  uint64_t fingerprint(uint32_t slot) const {
    const Sq8Rows row = rows_.from(slot);
    return hash_words(row.codes, rows_.stride) ^ hash_words(row.terms, sizeof(Sq8Terms));
  }

  /// Whether the traversal cannot tell two rows apart.
  bool same(uint32_t a, uint32_t b) const {
    const Sq8Rows first = rows_.from(a), second = rows_.from(b);
    return std::memcmp(first.codes, second.codes, rows_.stride) == 0 &&
           std::memcmp(first.terms, second.terms, sizeof(Sq8Terms)) == 0;
  }

  /// Distances from the row that is set differ by no more than this through rounding alone.
  float noise() const { return kRounding * (metric_ == Metric::kL2 ? 2 * offset_ : 1.0f); }

  /// Into the second cache level: a hop of rows is more than the first holds, and requests to the first stall.
  void prefetch(uint32_t slot) const {
    const uint8_t* row = rows_.codes + slot * rows_.stride;
    for (size_t byte = 0; byte < rows_.stride; byte += 64) __builtin_prefetch(row + byte, 0, 2);
    if (terms_apart_) __builtin_prefetch(rows_.terms + slot * rows_.terms_stride, 0, 2);
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

  Sq8Rows rows_;
  bool terms_apart_;
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

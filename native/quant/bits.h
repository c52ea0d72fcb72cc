// Traversal on the words of bit vectors themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/hash.h"
#include "index/metric_kernels.h"
#include "index/row_store.h"

namespace nigh {

/// The same interface as F32Scorer, on bits.
class BitScorer {
 public:
  BitScorer(const RowStore& store, ScoreFor /*purpose*/)
      : rows_(store.row_as<uint64_t>(0)), words_(store.stride_of<uint64_t>()), gather_(bit_gather(store.metric)) {}

  void set_query(const void* prepared) { query_ = static_cast<const uint64_t*>(prepared); }
  void set_row(uint32_t slot) { query_ = rows_ + slot * words_; }

  void operator()(const uint32_t* slots, size_t count, float* out) const {
    gather_(query_, rows_, words_, slots, count, words_, out);
  }

  /// Equal for rows that the traversal cannot tell apart.
  uint64_t fingerprint(uint32_t slot) const { return hash_words(rows_ + slot * words_, words_ * sizeof(uint64_t)); }

  /// Whether the traversal cannot tell two rows apart.
  bool same(uint32_t a, uint32_t b) const {
    return std::memcmp(rows_ + a * words_, rows_ + b * words_, words_ * sizeof(uint64_t)) == 0;
  }

  /// Counts are exact.
  float noise() const { return 0; }

  /// Into the second cache level: a hop of rows is more than the first holds, and requests to the first stall.
  void prefetch(uint32_t slot) const {
    const char* row = reinterpret_cast<const char*>(rows_ + slot * words_);
    for (size_t byte = 0; byte < words_ * sizeof(uint64_t); byte += 64) __builtin_prefetch(row + byte, 0, 2);
  }

 private:
  const uint64_t* rows_;
  size_t words_;
  GatherBits gather_;
  const uint64_t* query_ = nullptr;
};

}  // namespace nigh

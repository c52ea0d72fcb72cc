// What recall a walk reaches at which effort, measured on the index itself: how `recall: 0.95` becomes an effort.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "index/metric.h"

namespace nigh {

/// As it lies in a file: FORMAT.md has the same table.
struct RecallTable {
  static constexpr size_t kCounts = 3;
  static constexpr size_t kLevels = 24;
  using Curve = std::array<float, kLevels>;

  /// What an effort is: the γ of hnsw_stop.h, or the size of the pool.
  enum class Kind : uint32_t { kGamma = 0, kPool = 1 };

  Kind kind = Kind::kGamma;
  uint32_t queries = 0;  // by which it was measured
  /// Numbers of neighbours that were measured, ascending; between them the effort is interpolated.
  std::array<uint32_t, kCounts> neighbors{1, 10, 100};
  Curve efforts{};  // ascending
  /// Mean recall at every effort, never descending.
  std::array<Curve, kCounts> recall{};

  /// Nothing measured yet, with the ladder of efforts for a metric.
  static RecallTable unmeasured(Metric metric);

  /// Whether all numbers are in range, whatever a file holds.
  bool valid() const;

  /// Of every effort the smaller recall of the two, by the questions of both; `other` has the same numbers and efforts.
  void lower_to(const RecallTable& other);

  /// The effort for this recall of the k nearest; the first that reaches the largest measured where that is less.
  double effort_for(double wanted, size_t k) const;
};
static_assert(sizeof(RecallTable) == 404, "no padding: it is written as it lies");

/// Room for what a walk with a γ collects: what lies beyond is out of its reach as a rule.
inline size_t gamma_pool_size(size_t k) { return k * 4 > 1024 ? k * 4 : 1024; }

/// Where a walk with this γ ends, as hnsw_stop.h wants it.
inline float slack_of_gamma(double gamma) { return static_cast<float>((1 + gamma) * (1 + gamma) - 1); }

}  // namespace nigh

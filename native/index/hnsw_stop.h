// When a walk may end before its pool is exhausted.
//
// Al-Jazzazi, Diwan, Gou, Musco, Musco and Suel, "Distance adaptive beam search for provably accurate graph-based nearest
// neighbor search", NeurIPS 2025: a walk ends at the first candidate whose distance exceeds (1 + γ) times that of the k-th found.
// Easy queries, whose neighbours stand out, end early; hard ones go on.
//
//   paper          here
//   γ              slack, (1 + γ)² − 1: our distances grow with the square of one that obeys the triangle inequality
//   d(q, x)        l2: |q − x|². cosine: half of |q − x|² of unit rows
//
// Under ip there is no such distance, and what stands in for one does not help
// (docs/decisions/0007-recall-instead-of-an-effort.md): not used there.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "base/visited_set.h"
#include "index/search_pool.h"

namespace nigh {

class StopFarther {
 public:
  static constexpr bool kStops = true;

  /// `within`: no distance beyond it counts as found.
  StopFarther(size_t k, float slack, float within) : k_(k), near_(std::min(k, kBasin)), slack_(slack), within_(within) {}

  /// Where a walk with the k-th found at this distance ends.
  static float bound(float kth, float slack) { return kth + slack * std::fabs(kth); }

  bool ends(const SearchPool& pool) {
    float kth = pool.kth_accepted(k_);
    // What lies beyond `within` need not be found, but the way leads there until some are.
    if (kth > within_) kth = std::min(kth, std::max(within_, pool.kth_accepted(near_)));
    reach_ = bound(kth, slack_);
    return pool.expanded_distance() > reach_;
  }
  /// Candidates beyond this would never be expanded.
  float reach() const { return reach_; }

 private:
  static constexpr size_t kBasin = 10;

  size_t k_;
  size_t near_;
  float slack_;
  float within_;
  float reach_ = std::numeric_limits<float>::infinity();
};

/// Ends a walk after so many nodes were expanded, once its pool is full.
class StopAfter {
 public:
  static constexpr bool kStops = true;

  explicit StopAfter(size_t expansions) : left_(expansions) {}

  bool ends(const SearchPool& pool) {
    if (left_ == 0) return pool.full();
    --left_;
    return false;
  }
  float reach() const { return std::numeric_limits<float>::infinity(); }

 private:
  size_t left_;
};

/// Ends a walk that asks only whether a node is met.
struct StopWhenMet {
  static constexpr bool kStops = true;
  const VisitedSet& visited;
  uint32_t slot;

  bool ends(const SearchPool&) const { return visited.contains(slot); }
  float reach() const { return std::numeric_limits<float>::infinity(); }
};

/// How many nodes a walk may still expand, on all layers together.
struct WalkBudget {
  size_t left = 0;
  bool spent = false;
};

/// Ends a walk where another stop would, or when its budget is spent.
template <class Inner>
class StopOverBudget {
 public:
  static constexpr bool kStops = true;

  StopOverBudget(Inner& inner, WalkBudget& budget) : inner_(inner), budget_(budget) {}

  bool ends(const SearchPool& pool) {
    if (budget_.left == 0) {
      budget_.spent = true;
      return true;
    }
    --budget_.left;
    if constexpr (Inner::kStops) return inner_.ends(pool);
    return false;
  }
  float reach() const {
    if constexpr (Inner::kStops) return inner_.reach();
    return std::numeric_limits<float>::infinity();
  }
  WalkBudget& budget() { return budget_; }

 private:
  Inner& inner_;
  WalkBudget& budget_;
};

}  // namespace nigh

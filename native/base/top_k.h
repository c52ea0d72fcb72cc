// The k closest of a stream of (distance, id), ties broken by the smaller id, so that an answer does not depend on the order
// in which candidates were met.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace nigh {

struct Neighbor {
  float distance;
  uint32_t id;

  friend bool operator<(const Neighbor& a, const Neighbor& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.id < b.id);
  }
  friend bool operator==(const Neighbor& a, const Neighbor& b) = default;
};

/// A bounded max-heap: the root is the worst of the kept, so a rejected candidate costs one comparison.
class TopK {
 public:
  explicit TopK(size_t k) : k_(k) { heap_.reserve(k); }

  size_t size() const { return heap_.size(); }
  bool full() const { return heap_.size() == k_; }

  /// Candidates with a distance above this cannot enter. +inf until k are held; −inf when k is 0.
  float bound() const {
    if (heap_.size() < k_) return std::numeric_limits<float>::infinity();
    return k_ == 0 ? -std::numeric_limits<float>::infinity() : heap_.front().distance;
  }

  void push(Neighbor candidate) {
    if (heap_.size() < k_) {
      heap_.push_back(candidate);
      std::push_heap(heap_.begin(), heap_.end());
    } else if (k_ != 0 && candidate < heap_.front()) {
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.back() = candidate;
      std::push_heap(heap_.begin(), heap_.end());
    }
  }

  /// The kept, closest first. Leaves the object empty.
  std::vector<Neighbor> take_sorted() {
    std::sort_heap(heap_.begin(), heap_.end());
    return std::move(heap_);
  }

  void clear() { heap_.clear(); }

 private:
  size_t k_;
  std::vector<Neighbor> heap_;
};

}  // namespace nigh

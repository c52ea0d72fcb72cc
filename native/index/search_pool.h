// The candidates of one graph search in a single array sorted by distance, as in NSG and pyglass: what is not yet expanded is
// the frontier, what is accepted is the answer. At pool sizes of some hundreds a sorted array beats two heaps, because most
// offers are rejected by one comparison with the last entry and the rest move a few cache lines.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace nigh {

class SearchPool {
 public:
  static constexpr uint32_t kExpanded = 1u << 31;
  static constexpr uint32_t kRejected = 1u << 30;
  static constexpr uint32_t kSlotMask = kRejected - 1;  // so an index holds at most 2^30 vectors

  struct Entry {
    float distance;
    uint32_t tagged;

    uint32_t slot() const { return tagged & kSlotMask; }
    bool rejected() const { return (tagged & kRejected) != 0; }
  };

  /// Empties the pool; it will keep the `capacity` closest accepted entries, and rejected ones closer than the last of them.
  void reset(size_t capacity) {
    capacity_ = capacity;
    size_ = 0;
    accepted_ = 0;
    cursor_ = 0;
    if (entries_.size() < capacity + 1) entries_.resize(capacity + 1);
  }

  /// Marks every entry as not expanded and changes the capacity: what was found on one layer starts the search on the next.
  void reopen(size_t capacity) {
    if (entries_.size() < capacity + 1) entries_.resize(capacity + 1);
    capacity_ = capacity;
    cursor_ = 0;
    size_t accepted = 0;
    size_t kept = 0;
    for (; kept < size_ && accepted < capacity; ++kept) {
      entries_[kept].tagged &= ~kExpanded;
      accepted += entries_[kept].rejected() ? 0 : 1;
    }
    size_ = kept;
    accepted_ = accepted;
  }

  /// Entries at this distance or beyond cannot enter.
  float bound() const { return accepted_ < capacity_ ? std::numeric_limits<float>::infinity() : entries_[size_ - 1].distance; }

  /// Inserts an entry closer than bound().
  void insert(float distance, uint32_t slot) {
    place({distance, slot});
    if (accepted_ == capacity_) {
      --size_;  // a full pool ends with an accepted entry, which is now one too many
    } else if (++accepted_ < capacity_) {
      return;
    }
    while (entries_[size_ - 1].rejected()) --size_;
    cursor_ = std::min(cursor_, size_);
  }

  /// Inserts an entry that may be walked through but not returned.
  void insert_rejected(float distance, uint32_t slot) { place({distance, slot | kRejected}); }

  /// The closest entry that was not expanded yet, marked as expanded; false when there is none.
  bool next(uint32_t& slot) {
    while (cursor_ < size_ && (entries_[cursor_].tagged & kExpanded) != 0) ++cursor_;
    if (cursor_ == size_) return false;
    slot = entries_[cursor_].slot();
    entries_[cursor_].tagged |= kExpanded;
    ++cursor_;
    return true;
  }

  /// The entry that next() would give if nothing closer came in; false when there is none.
  bool peek(uint32_t& slot) const {
    size_t at = cursor_;
    while (at < size_ && (entries_[at].tagged & kExpanded) != 0) ++at;
    if (at == size_) return false;
    slot = entries_[at].slot();
    return true;
  }

  /// Distance of the entry that next() gave last.
  float expanded_distance() const { return entries_[cursor_ - 1].distance; }

  /// Distance of the k-th accepted entry; +inf while there are fewer.
  float kth_accepted(size_t k) const {
    if (accepted_ < k) return std::numeric_limits<float>::infinity();
    if (accepted_ == size_) return entries_[k - 1].distance;
    size_t at = 0;
    for (size_t seen = 0; (seen += entries_[at].rejected() ? 0 : 1) < k;) ++at;
    return entries_[at].distance;
  }

  const Entry* begin() const { return entries_.data(); }
  const Entry* end() const { return entries_.data() + size_; }
  size_t size() const { return size_; }
  size_t accepted() const { return accepted_; }
  bool full() const { return accepted_ == capacity_; }

 private:
  void place(Entry entry) {
    if (size_ + 1 >= entries_.size()) entries_.resize(entries_.size() * 2);
    // Upper bound without a branch that depends on a comparison: what would be guessed wrong half of the time.
    const Entry* entries = entries_.data();
    const auto not_before = [&](size_t at) { return static_cast<size_t>(!(entry.distance < entries[at].distance)); };
    size_t low = 0;
    size_t length = size_;
    for (; length > 1; length -= length / 2) low += (length / 2) & (0 - not_before(low + length / 2 - 1));
    if (length == 1) low += not_before(low);
    std::memmove(&entries_[low + 1], &entries_[low], (size_ - low) * sizeof(Entry));
    entries_[low] = entry;
    ++size_;
    cursor_ = std::min(cursor_, low);
  }

  std::vector<Entry> entries_;
  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t accepted_ = 0;
  size_t cursor_ = 0;  // everything before it was expanded
};

}  // namespace nigh

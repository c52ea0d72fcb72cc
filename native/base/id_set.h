// A set of uint32 ids with a complement flag, so that "all but these" costs what "only these" costs. Stored as a two-level
// bitmap: 65,536 chunks of 65,536 bits, of which only those that hold an id exist (8 KB each).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace nigh {

class IdSet {
 public:
  /// Only these ids are members.
  static IdSet allow(std::span<const uint32_t> ids);
  /// All ids but these are members.
  static IdSet deny(std::span<const uint32_t> ids);

  bool contains(uint32_t id) const noexcept {
    const uint32_t chunk = id >> 16;
    if (chunk >= chunks_.size() || !chunks_[chunk]) return complement_;
    const uint32_t bit = id & 0xffff;
    return (((chunks_[chunk]->words[bit >> 6] >> (bit & 63)) & 1) != 0) != complement_;
  }

  IdSet operator&(const IdSet& other) const;
  IdSet operator|(const IdSet& other) const;
  IdSet operator~() const;

  /// Whether members are all ids but the listed ones.
  bool complement() const noexcept { return complement_; }
  /// How many distinct ids are listed: members of an allow set, non-members of a deny set.
  size_t listed() const noexcept { return listed_; }
  /// Memory held, chunks that are shared with other sets included.
  size_t memory_bytes() const noexcept;
  /// The listed ids, ascending.
  std::vector<uint32_t> listed_ids() const;

  /// How many members are below `end`: a step for every 65,536 ids and at most 1,024 more.
  size_t members_below(size_t end) const noexcept;
  /// Calls visit(id) for the members below `end`, ascending. Costs a step for every 64 ids, and one a member.
  template <class Visit>
  void for_each_member_below(size_t end, Visit visit) const {
    for (size_t base = 0; base < end; base += 64) {
      const size_t c = base >> 16;
      uint64_t word = c < chunks_.size() && chunks_[c] ? chunks_[c]->words[(base & 0xffff) >> 6] : 0;
      if (complement_) word = ~word;
      if (end - base < 64) word &= (uint64_t{1} << (end - base)) - 1;
      for (; word != 0; word &= word - 1) visit(static_cast<uint32_t>(base + static_cast<size_t>(std::countr_zero(word))));
    }
  }

 private:
  struct Chunk {
    std::array<uint64_t, 1024> words{};
    uint32_t listed = 0;
  };
  enum class Combine { kAnd, kAndNot, kOr };

  void insert(uint32_t id);
  static IdSet combine(const IdSet& a, const IdSet& b, Combine how);

  std::vector<std::shared_ptr<const Chunk>> chunks_;  // immutable once built, so copies and complements share them
  size_t listed_ = 0;
  bool complement_ = false;
};

}  // namespace nigh

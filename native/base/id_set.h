// A set of uint32 ids with a complement flag, so that "all but these" costs what "only these" costs. Stored as a two-level
// bitmap: 65,536 chunks of 65,536 bits, of which only those that hold an id exist (8 KB each).
#pragma once

#include <array>
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
    return ((((*chunks_[chunk])[bit >> 6] >> (bit & 63)) & 1) != 0) != complement_;
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

 private:
  using Chunk = std::array<uint64_t, 1024>;
  enum class Combine { kAnd, kAndNot, kOr };

  void insert(uint32_t id);
  static IdSet combine(const IdSet& a, const IdSet& b, Combine how);

  std::vector<std::shared_ptr<const Chunk>> chunks_;  // immutable once built, so copies and complements share them
  size_t listed_ = 0;
  bool complement_ = false;
};

}  // namespace nigh

#include "base/id_set.h"

#include <bit>

namespace nigh {

IdSet IdSet::allow(std::span<const uint32_t> ids) {
  IdSet set;
  for (const uint32_t id : ids) set.insert(id);
  return set;
}

IdSet IdSet::deny(std::span<const uint32_t> ids) {
  IdSet set = allow(ids);
  set.complement_ = true;
  return set;
}

// Only called while the set is being built and its chunks are not yet shared, which is what makes the cast sound.
void IdSet::insert(uint32_t id) {
  const uint32_t chunk = id >> 16;
  if (chunk >= chunks_.size()) chunks_.resize(chunk + 1);
  if (!chunks_[chunk]) chunks_[chunk] = std::make_shared<Chunk>();
  Chunk& owned = *const_cast<Chunk*>(chunks_[chunk].get());
  uint64_t& word = owned.words[(id & 0xffff) >> 6];
  const uint64_t mask = uint64_t{1} << (id & 63);
  const bool fresh = (word & mask) == 0;
  listed_ += fresh;
  owned.listed += fresh;
  word |= mask;
}

IdSet IdSet::combine(const IdSet& a, const IdSet& b, Combine how) {
  IdSet out;
  const size_t count = how == Combine::kOr ? std::max(a.chunks_.size(), b.chunks_.size()) : a.chunks_.size();
  out.chunks_.resize(count);
  for (size_t c = 0; c < count; ++c) {
    const Chunk* left = c < a.chunks_.size() ? a.chunks_[c].get() : nullptr;
    const Chunk* right = c < b.chunks_.size() ? b.chunks_[c].get() : nullptr;
    // Of scattered ids nearly every chunk is absent: those must cost nothing.
    const bool empty = how == Combine::kOr ? !left && !right : how == Combine::kAnd ? !left || !right : !left;
    if (empty) continue;
    auto merged = std::make_shared<Chunk>();
    uint32_t listed = 0;
    for (size_t w = 0; w < merged->words.size(); ++w) {
      const uint64_t x = left ? left->words[w] : 0;
      const uint64_t y = right ? right->words[w] : 0;
      const uint64_t z = how == Combine::kOr ? (x | y) : how == Combine::kAnd ? (x & y) : (x & ~y);
      merged->words[w] = z;
      listed += static_cast<uint32_t>(std::popcount(z));
    }
    merged->listed = listed;
    if (listed != 0) out.chunks_[c] = std::move(merged);
    out.listed_ += listed;
  }
  return out;
}

// With A, B the listed ids: A ∩ B; A ∩ ¬B = A \ B; ¬A ∩ ¬B = ¬(A ∪ B).
IdSet IdSet::operator&(const IdSet& other) const {
  if (!complement_ && !other.complement_) return combine(*this, other, Combine::kAnd);
  if (!complement_) return combine(*this, other, Combine::kAndNot);
  if (!other.complement_) return combine(other, *this, Combine::kAndNot);
  IdSet out = combine(*this, other, Combine::kOr);
  out.complement_ = true;
  return out;
}

IdSet IdSet::operator|(const IdSet& other) const { return ~(~*this & ~other); }

IdSet IdSet::operator~() const {
  IdSet out = *this;
  out.complement_ = !complement_;
  return out;
}

size_t IdSet::memory_bytes() const noexcept {
  size_t present = 0;
  for (const auto& chunk : chunks_) present += chunk != nullptr;
  return chunks_.capacity() * sizeof(chunks_[0]) + present * sizeof(Chunk);
}

std::vector<uint32_t> IdSet::listed_ids() const {
  std::vector<uint32_t> ids;
  ids.reserve(listed_);
  for (size_t c = 0; c < chunks_.size(); ++c) {
    if (!chunks_[c]) continue;
    for (size_t w = 0; w < chunks_[c]->words.size(); ++w) {
      for (uint64_t word = chunks_[c]->words[w]; word != 0; word &= word - 1) {
        ids.push_back(static_cast<uint32_t>((c << 16) | (w << 6) | static_cast<size_t>(std::countr_zero(word))));
      }
    }
  }
  return ids;
}

size_t IdSet::members_below(size_t end) const noexcept {
  size_t listed = 0;
  for (size_t c = 0; c < std::min(chunks_.size(), end >> 16); ++c) listed += chunks_[c] ? chunks_[c]->listed : 0;
  if (const size_t last = end >> 16; last < chunks_.size() && chunks_[last]) {
    const size_t rest = end & 0xffff;
    const auto& words = chunks_[last]->words;
    for (size_t w = 0; w < rest >> 6; ++w) listed += static_cast<size_t>(std::popcount(words[w]));
    if ((rest & 63) != 0) listed += static_cast<size_t>(std::popcount(words[rest >> 6] & ((uint64_t{1} << (rest & 63)) - 1)));
  }
  return complement_ ? end - listed : listed;
}

}  // namespace nigh

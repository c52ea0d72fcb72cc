#include "index/near_rows.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>
#include <numeric>

#include "base/thread_pool.h"
#include "index/node_locks.h"
#include "simd/kernels.h"

namespace nigh {

namespace {

constexpr size_t kLeftBlock =
    96;  // of rows whose lists grow together: these, their products and what they compare to fit the second cache level
constexpr size_t kRightBlock = 256;

}  // namespace

uint64_t NearRows::key(float distance, uint32_t position) {
  // Floats are ordered like integers once the bits of the negative ones are turned round.
  uint32_t bits = std::bit_cast<uint32_t>(distance);
  bits ^= (bits >> 31) != 0 ? 0xffffffffu : 0x80000000u;
  return (uint64_t{bits} << 32) | position;
}

float NearRows::distance_of(uint64_t key) {
  const auto bits = static_cast<uint32_t>(key >> 32);
  return std::bit_cast<float>(bits ^ ((bits >> 31) != 0 ? 0x80000000u : 0xffffffffu));
}

void NearRows::merge(size_t position, std::vector<uint64_t>& more) {
  uint64_t* keys = keys_.data() + position * most_;
  more.insert(more.end(), keys, keys + held_[position]);
  if (more.size() >= most_) {
    std::nth_element(more.begin(), more.begin() + static_cast<std::ptrdiff_t>(most_ - 1), more.end());
    more.resize(most_);
    // The farthest stays last: its distance is what a newcomer has to be below.
  }
  std::copy(more.begin(), more.end(), keys);
  held_[position] = static_cast<uint16_t>(more.size());
}

namespace {

class LeafComparison {
 public:
  LeafComparison(const ComparedRows& rows, const std::vector<std::vector<uint32_t>>& leaves, NearRows& near, size_t max_lanes)
      : rows_(rows), leaves_(leaves), near_(near), dim_(rows.store.dim), locks_(std::make_unique<NodeLocks>()) {
    list_leaves();
    lanes_.resize(ThreadPool::shared().lanes(max_lanes));
  }

  void compare(size_t leaf, size_t lane_number, const TaskControl& control) {
    Lane& lane = lanes_[lane_number];
    const std::vector<uint32_t>& members = leaves_[leaf];
    load(members, lane);
    for (size_t left = 0; left < members.size(); left += kLeftBlock) {
      control.check();
      const size_t lefts = std::min(kLeftBlock, members.size() - left);
      for (size_t i = 0; i < lefts; ++i) {
        lane.found[i].clear();
        lane.limits[i] = limit_of(members[left + i]);
      }
      for (size_t right = 0; right < members.size(); right += kRightBlock) {
        const size_t rights = std::min(kRightBlock, members.size() - right);
        kernels().gemm_nt(lane.rows.data() + left * dim_, lefts, lane.rows.data() + right * dim_, rights, dim_,
                          lane.products.data(), kRightBlock, lane.panels.data());
        for (size_t i = 0; i < lefts; ++i) take(leaf, members, left + i, i, right, rights, lane);
      }
      for (size_t i = 0; i < lefts; ++i) {
        const auto guard = locks_->lock(members[left + i]);
        near_.merge(members[left + i], lane.found[i]);
      }
    }
  }

 private:
  struct Lane {
    Buffer<float> rows;  // of the leaf
    std::vector<float> norms;
    std::vector<float> mean;
    Buffer<float> products;
    Buffer<float> panels;
    std::vector<uint32_t> selected;
    std::vector<uint64_t> found[kLeftBlock];
    float limits[kLeftBlock];
    std::vector<uint32_t> shared;  // a leaf: the mark of the row that was last found to be in it too
    uint32_t mark = 0;
  };

  // For every row the leaves that it is in, ascending.
  void list_leaves() {
    offsets_.assign(rows_.size() + 1, 0);
    for (const auto& members : leaves_) {
      for (const uint32_t member : members) ++offsets_[member + 1];
    }
    std::partial_sum(offsets_.begin(), offsets_.end(), offsets_.begin());
    leaves_of_.resize(offsets_.back());
    std::vector<size_t> next(offsets_.begin(), offsets_.end() - 1);
    for (size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
      for (const uint32_t member : leaves_[leaf]) leaves_of_[next[member]++] = static_cast<uint32_t>(leaf);
    }
  }

  void load(const std::vector<uint32_t>& members, Lane& lane) const {
    const Kernels& simd = kernels();
    if (lane.rows.size() < members.size() * dim_) lane.rows = Buffer<float>(members.size() * dim_);
    if (lane.products.size() == 0) {
      lane.products = Buffer<float>(kLeftBlock * kRightBlock);
      lane.panels = Buffer<float>(simd.gemm_scratch(kLeftBlock, kRightBlock, dim_));
      lane.selected.resize(kRightBlock);
      lane.shared.assign(leaves_.size(), 0);
    }
    lane.norms.assign(members.size(), 0.0f);
    for (size_t i = 0; i < members.size(); ++i) rows_.copy(members[i], lane.rows.data() + i * dim_);
    if (!rows_.squared()) return;
    // Around their mean: what is left of large numbers would drown in |a|² + |b|² − 2 a·b.
    lane.mean.assign(dim_, 0.0f);
    const float share = 1.0f / static_cast<float>(members.size());
    for (size_t i = 0; i < members.size(); ++i) simd.axpy(share, lane.rows.data() + i * dim_, lane.mean.data(), dim_);
    for (size_t i = 0; i < members.size(); ++i) {
      float* row = lane.rows.data() + i * dim_;
      simd.axpy(-1.0f, lane.mean.data(), row, dim_);
      lane.norms[i] = simd.dot(row, row, dim_);
    }
  }

  float limit_of(uint32_t position) {
    const auto guard = locks_->lock(position);
    const std::span<const uint64_t> keys = near_.of(position);
    return keys.size() < near_.most() ? std::numeric_limits<float>::infinity() : NearRows::distance_of(keys.back());
  }

  // Of a block of products with one row what is near enough for its list.
  void take(size_t leaf, const std::vector<uint32_t>& members, size_t member, size_t i, size_t right, size_t rights, Lane& lane) {
    const uint32_t position = members[member];
    const float weight = rows_.weight();
    const float own = lane.norms[member];
    const float* products = lane.products.data() + i * kRightBlock;
    const float* norms = lane.norms.data() + right;
    std::vector<uint64_t>& found = lane.found[i];
    const size_t some = kernels().select_le(products, weight, norms, rights, lane.limits[i] - own, lane.selected.data());
    if (some == 0) return;
    mark_leaves(leaf, position, lane);
    for (size_t s = 0; s < some; ++s) {
      const uint32_t j = lane.selected[s];
      const uint32_t other = members[right + j];
      if (other == position || met_before(leaf, other, lane)) continue;
      found.push_back(NearRows::key(weight * products[j] + norms[j] + own, other));
      if (found.size() < 2 * near_.most()) continue;
      const auto last = found.begin() + static_cast<std::ptrdiff_t>(near_.most() - 1);
      std::nth_element(found.begin(), last, found.end());
      lane.limits[i] = std::min(lane.limits[i], NearRows::distance_of(*last));
      found.erase(last + 1, found.end());
    }
  }

  // Two rows that share several leaves are compared in the first of them.
  void mark_leaves(size_t leaf, uint32_t position, Lane& lane) const {
    ++lane.mark;
    for (size_t at = offsets_[position]; leaves_of_[at] != leaf; ++at) lane.shared[leaves_of_[at]] = lane.mark;
  }
  bool met_before(size_t leaf, uint32_t other, const Lane& lane) const {
    for (size_t at = offsets_[other]; leaves_of_[at] != leaf; ++at) {
      if (lane.shared[leaves_of_[at]] == lane.mark) return true;
    }
    return false;
  }

  const ComparedRows& rows_;
  const std::vector<std::vector<uint32_t>>& leaves_;
  NearRows& near_;
  size_t dim_;
  std::unique_ptr<NodeLocks> locks_;
  std::vector<size_t> offsets_;
  std::vector<uint32_t> leaves_of_;
  std::vector<Lane> lanes_;
};

}  // namespace

NearRows near_rows(const ComparedRows& rows, const std::vector<std::vector<uint32_t>>& leaves, size_t most, size_t max_lanes,
                   const TaskControl& control, const std::function<void(size_t)>& on_rows) {
  NearRows near(rows.size(), most);
  LeafComparison comparison(rows, leaves, near, max_lanes);
  ThreadPool::shared().parallel_for(leaves.size(), 1, max_lanes, [&](size_t begin, size_t end, size_t lane) {
    for (size_t leaf = begin; leaf < end; ++leaf) {
      comparison.compare(leaf, lane, control);
      on_rows(leaves[leaf].size());
    }
  });
  return near;
}

}  // namespace nigh

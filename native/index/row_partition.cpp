#include "index/row_partition.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "base/buffer.h"
#include "base/rng.h"
#include "base/thread_pool.h"
#include "simd/kernels.h"

namespace nigh {

namespace {

constexpr size_t kRowBlock = 192;
constexpr size_t kLeaderBlock = 256;
constexpr uint32_t kNoLeader = ~uint32_t{0};

using Group = std::vector<uint32_t>;

class Partition {
 public:
  Partition(const ComparedRows& rows, const PartitionShape& shape, uint64_t seed, size_t max_lanes, const TaskControl& control)
      : rows_(rows), shape_(shape), dim_(rows.store.dim), max_lanes_(max_lanes), control_(control), rng_(seed) {
    const Kernels& simd = kernels();
    lanes_.resize(ThreadPool::shared().lanes(max_lanes));
    for (Lane& lane : lanes_) {
      lane.rows = Buffer<float>(kRowBlock * dim_);
      lane.products = Buffer<float>(kRowBlock * kLeaderBlock);
      lane.panels = Buffer<float>(simd.gemm_scratch(kRowBlock, kLeaderBlock, dim_));
      lane.selected.resize(kLeaderBlock);
    }
  }

  std::vector<Group> run() {
    Group all(rows_.size());
    std::iota(all.begin(), all.end(), 0);
    if (all.size() <= 2 * shape_.leaf_rows) return {std::move(all)};
    std::vector<Group> open = split(all, shape_.overlap);
    std::reverse(open.begin(), open.end());
    std::vector<Group> leaves;
    while (!open.empty()) {
      Group group = std::move(open.back());
      open.pop_back();
      if (group.size() <= 2 * shape_.leaf_rows) {
        if (group.size() > 1) leaves.push_back(std::move(group));
        continue;
      }
      std::vector<Group> parts = split(group, 1);
      const bool told_apart =
          std::all_of(parts.begin(), parts.end(), [&](const Group& part) { return part.size() < group.size(); });
      if (!told_apart) parts = cut(group);
      std::move(parts.begin(), parts.end(), std::back_inserter(open));
    }
    return leaves;
  }

 private:
  struct Lane {
    Buffer<float> rows;
    Buffer<float> products;
    Buffer<float> panels;
    std::vector<uint32_t> selected;
    std::vector<float> nearest;  // kRowBlock × overlap
  };

  std::vector<Group> cut(const Group& group) const {
    std::vector<Group> parts;
    for (size_t begin = 0; begin < group.size(); begin += shape_.leaf_rows) {
      const size_t end = std::min(group.size(), begin + shape_.leaf_rows);
      parts.emplace_back(group.begin() + static_cast<std::ptrdiff_t>(begin), group.begin() + static_cast<std::ptrdiff_t>(end));
    }
    return parts;
  }

  // Some of the group, all different, by chance.
  Group draw_leaders(const Group& group) {
    const size_t count = std::max<size_t>(2, group.size() / shape_.leaf_rows);
    Group leaders = group;
    for (size_t i = 0; i < count; ++i) {
      std::swap(leaders[i], leaders[i + rng_.below(static_cast<uint32_t>(leaders.size() - i))]);
    }
    leaders.resize(count);
    return leaders;
  }

  std::vector<Group> split(const Group& group, size_t overlap) {
    const Group leaders = draw_leaders(group);
    leader_rows_ = Buffer<float>(leaders.size() * dim_);
    leader_norms_.resize(leaders.size());
    for (size_t i = 0; i < leaders.size(); ++i) {
      float* row = leader_rows_.data() + i * dim_;
      rows_.copy(leaders[i], row);
      leader_norms_[i] = rows_.squared() ? kernels().dot(row, row, dim_) : 0.0f;
    }
    overlap = std::min(overlap, leaders.size());
    std::vector<uint32_t> chosen(group.size() * overlap, kNoLeader);
    ThreadPool::shared().parallel_for((group.size() + kRowBlock - 1) / kRowBlock, 1, max_lanes_,
                                      [&](size_t begin, size_t end, size_t lane) {
                                        for (size_t block = begin; block < end; ++block) {
                                          control_.check();
                                          choose(group, block * kRowBlock, overlap, lanes_[lane], chosen);
                                        }
                                      });
    std::vector<Group> parts(leaders.size());
    for (size_t i = 0; i < chosen.size(); ++i) {
      if (chosen[i] != kNoLeader) parts[chosen[i]].push_back(group[i / overlap]);
    }
    return parts;
  }

  // The nearest leaders of a block of rows, nearest first.
  void choose(const Group& group, size_t first, size_t overlap, Lane& lane, std::vector<uint32_t>& chosen) const {
    const Kernels& simd = kernels();
    const size_t count = std::min(kRowBlock, group.size() - first);
    const float weight = rows_.weight();
    for (size_t i = 0; i < count; ++i) rows_.copy(group[first + i], lane.rows.data() + i * dim_);
    lane.nearest.assign(kRowBlock * overlap, std::numeric_limits<float>::infinity());
    for (size_t begin = 0; begin < leader_norms_.size(); begin += kLeaderBlock) {
      const size_t leaders = std::min(kLeaderBlock, leader_norms_.size() - begin);
      simd.gemm_nt(lane.rows.data(), count, leader_rows_.data() + begin * dim_, leaders, dim_, lane.products.data(), kLeaderBlock,
                   lane.panels.data());
      for (size_t i = 0; i < count; ++i) {
        float* nearest = lane.nearest.data() + i * overlap;
        uint32_t* whose = chosen.data() + (first + i) * overlap;
        const float* products = lane.products.data() + i * kLeaderBlock;
        const float* norms = leader_norms_.data() + begin;
        const size_t some = simd.select_le(products, weight, norms, leaders, nearest[overlap - 1], lane.selected.data());
        for (size_t s = 0; s < some; ++s) {
          const uint32_t leader = lane.selected[s];
          const float distance = weight * products[leader] + norms[leader];
          if (!(distance < nearest[overlap - 1])) continue;
          size_t at = overlap - 1;
          for (; at > 0 && distance < nearest[at - 1]; --at) {
            nearest[at] = nearest[at - 1];
            whose[at] = whose[at - 1];
          }
          nearest[at] = distance;
          whose[at] = static_cast<uint32_t>(begin) + leader;
        }
      }
    }
  }

  const ComparedRows& rows_;
  const PartitionShape& shape_;
  size_t dim_;
  size_t max_lanes_;
  const TaskControl& control_;
  Rng rng_;
  Buffer<float> leader_rows_;
  std::vector<float> leader_norms_;
  std::vector<Lane> lanes_;
};

}  // namespace

std::vector<std::vector<uint32_t>> partition_rows(const ComparedRows& rows, const PartitionShape& shape, uint64_t seed,
                                                  size_t max_lanes, const TaskControl& control) {
  return Partition(rows, shape, seed, max_lanes, control).run();
}

}  // namespace nigh

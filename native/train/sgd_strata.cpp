#include "train/sgd_strata.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/thread_pool.h"

namespace nigh {

namespace {

constexpr size_t kEntriesOfCell = 1024;
constexpr size_t kMostBlocks = 64;

// Streams of one epoch: one for the groups and the order of strata, one for every cell.
uint64_t stream(size_t epoch, size_t number) { return static_cast<uint64_t>(epoch) * (kMostBlocks * kMostBlocks + 1) + number; }

template <class T>
void shuffle(std::span<T> values, Rng& rng) {
  for (size_t left = values.size(); left > 1; --left) {
    std::swap(values[left - 1], values[rng.below(static_cast<uint32_t>(left))]);
  }
}

}  // namespace

size_t SgdStrata::blocks_for(const CsrView& matrix) {
  const auto wanted = static_cast<size_t>(std::sqrt(static_cast<double>(matrix.entries() / kEntriesOfCell)));
  return std::max<size_t>(1, std::min({wanted, kMostBlocks, matrix.rows(), matrix.cols}));
}

SgdStrata::SgdStrata(const CsrView& matrix, uint64_t seed)
    : matrix_(matrix),
      seed_(seed),
      blocks_(blocks_for(matrix)),
      row_group_(matrix.rows()),
      column_group_(matrix.cols),
      column_bounds_(blocks_ + 1),
      columns_(matrix.cols),
      cell_bounds_(blocks_ * blocks_ + 1),
      entries_(matrix.entries()) {}

void SgdStrata::draw(size_t epoch) {
  Rng rng(seed_, stream(epoch, 0));
  for (uint8_t& group : row_group_) group = static_cast<uint8_t>(rng.below(static_cast<uint32_t>(blocks_)));
  for (uint8_t& group : column_group_) group = static_cast<uint8_t>(rng.below(static_cast<uint32_t>(blocks_)));

  std::fill(column_bounds_.begin(), column_bounds_.end(), 0);
  for (const uint8_t group : column_group_) ++column_bounds_[group + 1u];
  for (size_t group = 0; group < blocks_; ++group) column_bounds_[group + 1] += column_bounds_[group];
  std::vector<size_t> next(column_bounds_.begin(), column_bounds_.end() - 1);
  for (size_t column = 0; column < matrix_.cols; ++column) {
    columns_[next[column_group_[column]]++] = static_cast<uint32_t>(column);
  }

  std::fill(cell_bounds_.begin(), cell_bounds_.end(), 0);
  for (size_t row = 0; row < matrix_.rows(); ++row) {
    const size_t first = row_group_[row] * blocks_;
    for (size_t e = matrix_.offsets[row]; e < matrix_.offsets[row + 1]; ++e) {
      ++cell_bounds_[first + column_group_[matrix_.columns[e]] + 1];
    }
  }
  for (size_t cell = 0; cell < blocks_ * blocks_; ++cell) cell_bounds_[cell + 1] += cell_bounds_[cell];
  next.assign(cell_bounds_.begin(), cell_bounds_.end() - 1);
  for (size_t row = 0; row < matrix_.rows(); ++row) {
    const size_t first = row_group_[row] * blocks_;
    for (size_t e = matrix_.offsets[row]; e < matrix_.offsets[row + 1]; ++e) {
      const uint32_t column = matrix_.columns[e];
      entries_[next[first + column_group_[column]]++] = {static_cast<uint32_t>(row), column, matrix_.values[e]};
    }
  }
}

void SgdStrata::run_epoch(size_t epoch, size_t max_lanes, TaskControl& control,
                          const std::function<void(const SgdCell&)>& visit) {
  control.check();
  draw(epoch);
  for (size_t stratum = 0; stratum < blocks_; ++stratum) {
    ThreadPool::shared().parallel_for(blocks_, 1, max_lanes, [&](size_t begin, size_t end, size_t) {
      for (size_t group = begin; group < end; ++group) {
        control.check();
        const size_t column_group = (group + stratum) % blocks_;
        const size_t cell = group * blocks_ + column_group;
        const std::span<SgdEntry> entries(entries_.data() + cell_bounds_[cell], cell_bounds_[cell + 1] - cell_bounds_[cell]);
        Rng rng(seed_, stream(epoch, 1 + cell));
        shuffle(entries, rng);
        visit({entries,
               {columns_.data() + column_bounds_[column_group], column_bounds_[column_group + 1] - column_bounds_[column_group]},
               rng});
        control.advance(entries.size());
      }
    });
  }
}

}  // namespace nigh

// Exact search for many queries at once.
//
// A block of queries against a block of rows is a small matrix product, which runs near the machine's arithmetic peak where a
// query alone is bound by memory. The product adds in another order than the kernels of the single search, so its values only
// select: a row is a candidate unless it is proven to be farther than the k-th best so far, and the distance of a candidate is
// computed by the single kernel. The answer is therefore that of the single search, to the bit.
//
// The proof. With n = dim, u = 2⁻²⁴ and γ = 1.02 (n + 16) u ≥ n u / (1 − n u) plus some roundings, any order of summation gives
//   |fl(q·x) − q·x| ≤ γ |q| |x|        (Higham 2002, section 3.1, and Cauchy-Schwarz)
//   |fl(|q − x|²) − |q − x|²| ≤ γ |q − x|².
// ip, cosine: product and kernel differ by at most 2γ |q| |x|.
// l2: |q − x|² = |q|² − 2 q·x + |x|²; the right side, from the product and the stored |x|², is wrong by at most γ (|q| + |x|)²,
// and a kernel value ≤ bound means a true value ≤ (1 + 2γ) bound. Products that underflow add at most n times the smallest normal
// number. Where |q| |x| comes near the largest float, an intermediate sum may overflow in one order and not in another: there
// everything is a candidate.
//
//   1. tasks: (block of queries) × (range of rows), as many as the lanes need
//   2. per block of rows: product, then for every query select → rescore in small groups, the bound shrinking after each
//   3. where rows were split into ranges: the ranges' answers merged
#include "index/flat_batch.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>

#include "base/buffer.h"
#include "base/thread_pool.h"
#include "base/top_k.h"
#include "simd/kernels.h"

namespace nigh {

namespace {

constexpr size_t kQueryBlock = 192;   // a multiple of every level's register block
constexpr size_t kRowBlock = 256;     // product tile: 192 × 256 floats in the second cache level
constexpr size_t kDirectQueries = 3;  // up to here the single kernels beat packing for a product
constexpr size_t kRescoreGroup = 32;
constexpr size_t kHeapBytes = 32 << 20;  // of one task's k-best lists

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Scratch {
  Buffer<float> queries;   // the prepared block
  Buffer<float> products;  // kQueryBlock × kRowBlock
  Buffer<float> panels;    // gemm_nt's own
  Buffer<float> rows;      // a block of listed rows, copied together
  std::vector<float> norms;
  std::vector<double> lengths;  // |q| of the prepared queries
  std::vector<float> limits;    // their selection limits
  std::vector<uint32_t> selected;
};

class BatchSearch {
 public:
  BatchSearch(const FlatBatch& batch, MatrixView<const float> queries, size_t max_lanes, TaskControl& control)
      : batch_(batch), view_(batch.view), queries_(queries), max_lanes_(max_lanes), control_(control) {
    total_rows_ = batch.slots == nullptr ? view_.count : batch.slots->size();
    const size_t lanes = ThreadPool::shared().lanes(max_lanes);
    const size_t affordable = std::max<size_t>(1, kHeapBytes / (sizeof(Neighbor) * std::max<size_t>(1, batch.k)));
    const size_t blocks_wanted = (queries.rows + kQueryBlock - 1) / kQueryBlock;
    query_block_ = std::min(affordable, (queries.rows + blocks_wanted - 1) / blocks_wanted);
    query_blocks_ = (queries.rows + query_block_ - 1) / query_block_;
    // Enough tasks that the last ones to finish leave no lane idle for long, but no range so short that its first rows, which
    // are compared without a bound, weigh.
    const size_t wanted = lanes == 1 ? 1 : (8 * lanes + query_blocks_ - 1) / query_blocks_;
    const size_t longest = std::max<size_t>(1, total_rows_ / (16 * kRowBlock));
    ranges_ = std::clamp<size_t>(wanted, 1, longest);
    rows_per_range_ = ((total_rows_ + ranges_ - 1) / ranges_ + kRowBlock - 1) / kRowBlock * kRowBlock;
    scratch_.resize(lanes);
    if (ranges_ > 1) {
      partial_.resize(queries.rows * ranges_);
      open_ranges_ = std::make_unique<std::atomic<size_t>[]>(query_blocks_);
      for (size_t b = 0; b < query_blocks_; ++b) open_ranges_[b] = ranges_;
    }
  }

  void run(size_t stride, uint32_t* ids, float* distances, uint32_t* counts) {
    const auto write = [&](size_t query, const std::vector<Neighbor>& found) {
      counts[query] = static_cast<uint32_t>(found.size());
      for (size_t j = 0; j < stride; ++j) {
        ids[query * stride + j] = j < found.size() ? found[j].id : kNoId;
        distances[query * stride + j] = j < found.size() ? found[j].distance : kInfinity;
      }
    };
    ThreadPool::shared().parallel_for(query_blocks_ * ranges_, 1, max_lanes_, [&](size_t begin, size_t end, size_t lane) {
      for (size_t task = begin; task < end; ++task) {
        const size_t block = task / ranges_;
        const size_t range = task % ranges_;
        const size_t first = block * query_block_;
        std::vector<TopK> best = search_range(block, range, scratch_[lane]);
        for (size_t i = 0; i < best.size(); ++i) {
          if (ranges_ == 1) {
            write(first + i, best[i].take_sorted());
          } else {
            partial_[(first + i) * ranges_ + range] = best[i].take_sorted();
          }
        }
        if (ranges_ == 1 || open_ranges_[block].fetch_sub(1, std::memory_order_acq_rel) == 1) {
          for (size_t i = 0; ranges_ > 1 && i < best.size(); ++i) write(first + i, merged(first + i));
          control_.advance(best.size());
        }
      }
    });
  }

 private:
  std::vector<Neighbor> merged(size_t query) {
    TopK best(batch_.k);
    for (size_t range = 0; range < ranges_; ++range) {
      auto& part = partial_[query * ranges_ + range];
      for (const Neighbor& neighbor : part) best.push(neighbor);
      part = {};
    }
    return best.take_sorted();
  }

  // The k best of one range of rows for every query of one block.
  std::vector<TopK> search_range(size_t block, size_t range, Scratch& scratch) {
    const size_t first = block * query_block_;
    const size_t count = std::min(query_block_, queries_.rows - first);
    prepare(scratch, first, count);
    std::vector<TopK> best(count, TopK(batch_.k));
    const size_t end = std::min(total_rows_, (range + 1) * rows_per_range_);
    for (size_t row = range * rows_per_range_; row < end; row += kRowBlock) {
      control_.check();
      compare(scratch, row, std::min(kRowBlock, end - row), best);
    }
    return best;
  }

  void prepare(Scratch& scratch, size_t first, size_t count) {
    const Kernels& simd = kernels();
    if (scratch.queries.size() == 0) {
      scratch.queries = Buffer<float>(query_block_ * view_.dim);
      scratch.products = Buffer<float>(query_block_ * kRowBlock);
      scratch.panels = Buffer<float>(simd.gemm_scratch(query_block_, kRowBlock, view_.dim));
      scratch.selected.resize(kRowBlock);
      if (batch_.slots != nullptr) {
        scratch.rows = Buffer<float>(kRowBlock * view_.dim);
        scratch.norms.resize(kRowBlock);
      }
    }
    scratch.lengths.resize(count);
    scratch.limits.assign(count, kInfinity);
    for (size_t i = 0; i < count; ++i) {
      float* query = scratch.queries.data() + i * view_.dim;
      prepare_flat_query(view_, queries_.row(first + i), query, first + i);
      double squares = 0;
      for (size_t d = 0; d < view_.dim; ++d) squares += static_cast<double>(query[d]) * static_cast<double>(query[d]);
      scratch.lengths[i] = std::sqrt(squares);
    }
  }

  // One block of rows against all queries of the block.
  void compare(Scratch& scratch, size_t row, size_t rows, std::vector<TopK>& best) {
    const Kernels& simd = kernels();
    const float* block = view_.rows + row * view_.dim;
    const float* norms = batch_.squared_norms + row;
    if (batch_.slots != nullptr) {
      for (size_t j = 0; j < rows; ++j) {
        const uint32_t slot = (*batch_.slots)[row + j];
        std::copy_n(view_.row(slot), view_.dim, scratch.rows.data() + j * view_.dim);
        scratch.norms[j] = batch_.squared_norms[slot];
      }
      block = scratch.rows.data();
      norms = scratch.norms.data();
    }
    const size_t queries = best.size();
    const bool direct = queries <= kDirectQueries;
    if (direct) {
      const auto scan = view_.metric == Metric::kL2 ? simd.l2_scan : simd.dot_scan;
      for (size_t i = 0; i < queries; ++i) {
        scan(scratch.queries.data() + i * view_.dim, block, view_.dim, rows, view_.dim, scratch.products.data() + i * kRowBlock);
      }
    } else {
      simd.gemm_nt(scratch.queries.data(), queries, block, rows, view_.dim, scratch.products.data(), kRowBlock,
                   scratch.panels.data());
    }
    for (size_t i = 0; i < queries; ++i) {
      const float* values = scratch.products.data() + i * kRowBlock;
      const auto id_of = [&](size_t j) { return view_.ids[batch_.slots == nullptr ? row + j : (*batch_.slots)[row + j]]; };
      if (direct) {
        for (size_t j = 0; j < rows; ++j) offer(best[i], flat_distance(view_.metric, values[j]), id_of(j));
      } else {
        rescore(scratch, i, block, norms, rows, values, best[i], id_of);
      }
    }
  }

  void offer(TopK& best, float distance, uint32_t id) const {
    if (distance <= best.bound() && (batch_.filter == nullptr || batch_.filter->contains(id))) best.push({distance, id});
  }

  // The largest selection value (see scale and offsets in rescore) that a row with a kernel distance ≤ bound can have.
  float selection_limit(float bound, double query_length) const {
    const double longest = batch_.longest;
    const double reach = query_length + longest;
    if (bound == kInfinity || !(reach * reach < 1e37)) return kInfinity;
    const double gamma = 1.02 * (static_cast<double>(view_.dim) + 16) * 0x1p-24;
    const double underflow = static_cast<double>(view_.dim) * 0x1p-124;
    double limit =
        static_cast<double>(bound) + 2 * gamma * (std::fabs(static_cast<double>(bound)) + query_length * longest) + underflow;
    if (view_.metric == Metric::kCosine) limit += 2 * gamma - 1;
    if (view_.metric == Metric::kL2) limit += 2 * gamma * reach * reach - query_length * query_length;
    return static_cast<float>(limit);
  }

  // Takes into `best` what belongs there of one block of rows, given the products with query i.
  template <class IdOf>
  void rescore(Scratch& scratch, size_t i, const float* block, const float* norms, size_t rows, const float* values, TopK& best,
               const IdOf& id_of) const {
    const Kernels& simd = kernels();
    const bool l2 = view_.metric == Metric::kL2;
    const float scale = l2 ? -2.0f : -1.0f;
    const float* offsets = l2 ? norms : nullptr;
    const auto gather = l2 ? simd.l2_gather : simd.dot_gather;
    const float* query = scratch.queries.data() + i * view_.dim;
    float& limit = scratch.limits[i];
    const size_t selected = simd.select_le(values, scale, offsets, rows, limit, scratch.selected.data());
    uint32_t group[kRescoreGroup];
    float found[kRescoreGroup];
    for (size_t next = 0; next < selected;) {
      size_t size = 0;
      for (; next < selected && size < kRescoreGroup; ++next) {
        const uint32_t j = scratch.selected[next];
        const float value = scale * values[j] + (l2 ? norms[j] : 0.0f);
        if (value > limit || (batch_.filter != nullptr && !batch_.filter->contains(id_of(j)))) continue;
        group[size++] = j;
      }
      gather(query, block, view_.dim, group, size, view_.dim, found);
      for (size_t j = 0; j < size; ++j) {
        const float distance = flat_distance(view_.metric, found[j]);
        if (distance <= best.bound()) best.push({distance, id_of(group[j])});
      }
      limit = selection_limit(best.bound(), scratch.lengths[i]);
    }
  }

  const FlatBatch& batch_;
  const FlatView& view_;
  MatrixView<const float> queries_;
  size_t max_lanes_;
  TaskControl& control_;
  size_t total_rows_ = 0;
  size_t query_block_ = 1;
  size_t query_blocks_ = 0;
  size_t ranges_ = 1;
  size_t rows_per_range_ = 0;
  std::vector<Scratch> scratch_;                        // one a lane
  std::vector<std::vector<Neighbor>> partial_;          // query × range
  std::unique_ptr<std::atomic<size_t>[]> open_ranges_;  // ranges of a block of queries still to come
};

}  // namespace

void flat_search_batch(const FlatBatch& batch, MatrixView<const float> queries, size_t stride, size_t max_lanes, uint32_t* ids,
                       float* distances, uint32_t* counts, TaskControl& control) {
  if (queries.rows == 0) return;
  BatchSearch(batch, queries, max_lanes, control).run(stride, ids, distances, counts);
}

}  // namespace nigh

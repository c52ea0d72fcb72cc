#include "train/kmeans.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "base/buffer.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/thread_pool.h"
#include "simd/kernels.h"

namespace nigh {

namespace {

// Rows handled together: the unit of work and of the partial sums, so that results do not depend on the number of threads.
constexpr size_t kBlock = 256;

class Clustering {
 public:
  Clustering(MatrixView<const float> rows, const KmeansParams& params, float* centroids, uint32_t* assignments,
             TaskControl& control)
      : rows_(rows),
        params_(params),
        centroids_(centroids),
        assignments_(assignments),
        control_(control),
        blocks_((rows.rows + kBlock - 1) / kBlock),
        block_sums_(blocks_),
        block_changes_(blocks_),
        nearest_(rows.rows),
        half_squares_(params.clusters),
        starts_(params.clusters + 1),
        members_(rows.rows),
        lanes_(ThreadPool::shared().lanes(params.max_lanes)) {}

  std::vector<double> run() {
    control_.set_total(params_.max_iterations + 1);
    seed();
    std::vector<double> inertias;
    assign(true);
    inertias.push_back(inertia());
    control_.advance(1);
    for (size_t iteration = 0; iteration < params_.max_iterations; ++iteration) {
      const bool reseeded = update();
      const size_t changed = assign(false);
      inertias.push_back(inertia());
      control_.advance(1);
      if (reseeded) continue;
      const double before = inertias[inertias.size() - 2];
      if (changed == 0 || before - inertias.back() <= params_.tolerance * before) break;
    }
    return inertias;
  }

 private:
  struct Lane {
    Buffer<float> scratch;
    Buffer<float> products;
    std::vector<double> sum;
  };

  template <class Body>
  void each_block(const Body& body) {
    ThreadPool::shared().parallel_for(blocks_, 1, params_.max_lanes, [&](size_t begin, size_t end, size_t lane) {
      control_.check();
      for (size_t block = begin; block < end; ++block) {
        body(block, block * kBlock, std::min(rows_.rows, (block + 1) * kBlock), lanes_[lane]);
      }
    });
  }

  void place(size_t cluster, size_t row) { std::copy_n(rows_.row(row), rows_.dim, centroids_ + cluster * rows_.dim); }

  double squared_distances() const { return std::accumulate(block_sums_.begin(), block_sums_.end(), 0.0); }

  // Of unit vectors |x − c|² is 2 (1 − cos).
  double inertia() const { return squared_distances() * (params_.spherical ? 0.5 : 1.0); }

  void seed() {
    const Kernels& k = kernels();
    Rng rng(params_.seed);
    std::fill(nearest_.begin(), nearest_.end(), std::numeric_limits<float>::max());
    size_t row = rng.below(static_cast<uint32_t>(rows_.rows));
    for (size_t cluster = 0;; ++cluster) {
      place(cluster, row);
      if (cluster + 1 == params_.clusters) return;
      const float* centroid = centroids_ + cluster * rows_.dim;
      each_block([&](size_t block, size_t begin, size_t end, Lane&) {
        double sum = 0;
        for (size_t i = begin; i < end; ++i) {
          nearest_[i] = std::min(nearest_[i], k.l2(rows_.row(i), centroid, rows_.dim));
          sum += nearest_[i];
        }
        block_sums_[block] = sum;
      });
      row = draw(rng.uniform());
    }
  }

  // The row at this share of all squared distances. Where no distance is left, every row is a centroid already: any will do.
  size_t draw(double share) const {
    double left = share * squared_distances();
    size_t block = 0;
    for (size_t b = 0; b < blocks_; ++b) {
      if (block_sums_[b] == 0) continue;
      block = b;
      if (left < block_sums_[b]) break;
      left -= block_sums_[b];
    }
    size_t chosen = block * kBlock;
    const size_t end = std::min(rows_.rows, (block + 1) * kBlock);
    for (size_t i = block * kBlock; i < end; ++i) {
      if (nearest_[i] == 0) continue;
      chosen = i;
      if (left < nearest_[i]) break;
      left -= nearest_[i];
    }
    return chosen;
  }

  // How many rows found another centroid nearer than their own.
  size_t assign(bool first) {
    const Kernels& k = kernels();
    const size_t clusters = params_.clusters;
    const size_t dim = rows_.dim;
    for (size_t c = 0; c < clusters; ++c) {
      const float* centroid = centroids_ + c * dim;
      half_squares_[c] = 0.5f * k.dot(centroid, centroid, dim);
    }
    each_block([&](size_t block, size_t begin, size_t end, Lane& lane) {
      if (lane.products.size() == 0) {
        lane.products = Buffer<float>(kBlock * clusters);
        lane.scratch = Buffer<float>(k.gemm_scratch(kBlock, clusters, dim));
      }
      float* products = lane.products.data();
      k.gemm_nt(rows_.row(begin), end - begin, centroids_, clusters, dim, products, clusters, lane.scratch.data());
      double sum = 0;
      size_t changed = 0;
      for (size_t i = begin; i < end; ++i) {
        const float* product = products + (i - begin) * clusters;
        size_t best = 0;
        float best_score = product[0] - half_squares_[0];
        for (size_t c = 1; c < clusters; ++c) {
          const float score = product[c] - half_squares_[c];
          if (score > best_score) {
            best_score = score;
            best = c;
          }
        }
        float distance = k.l2(rows_.row(i), centroids_ + best * dim, dim);
        if (!first && best != assignments_[i]) {
          // Products lose digits where rows are far from the origin; a row moves only if it is nearer by the direct distance.
          const float old = k.l2(rows_.row(i), centroids_ + assignments_[i] * dim, dim);
          if (old <= distance) {
            best = assignments_[i];
            distance = old;
          } else {
            ++changed;
          }
        }
        assignments_[i] = static_cast<uint32_t>(best);
        nearest_[i] = distance;
        sum += distance;
      }
      block_sums_[block] = sum;
      block_changes_[block] = changed;
    });
    return std::accumulate(block_changes_.begin(), block_changes_.end(), size_t{0});
  }

  // Whether a centroid without rows was given one.
  bool update() {
    sort_members();
    ThreadPool::shared().parallel_for(params_.clusters, 1, params_.max_lanes, [&](size_t begin, size_t end, size_t lane) {
      control_.check();
      for (size_t c = begin; c < end; ++c) move_to_mean(c, lanes_[lane].sum);
    });
    return reseed_empty();
  }

  // The rows of every cluster, ascending, by a counting sort.
  void sort_members() {
    std::fill(starts_.begin(), starts_.end(), 0);
    for (size_t i = 0; i < rows_.rows; ++i) ++starts_[assignments_[i] + 1];
    std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
    std::vector<size_t> next(starts_.begin(), starts_.end() - 1);
    for (size_t i = 0; i < rows_.rows; ++i) members_[next[assignments_[i]]++] = static_cast<uint32_t>(i);
  }

  size_t count(size_t cluster) const { return starts_[cluster + 1] - starts_[cluster]; }

  void move_to_mean(size_t cluster, std::vector<double>& sum) {
    if (count(cluster) == 0) return;
    sum.assign(rows_.dim, 0.0);
    for (size_t m = starts_[cluster]; m < starts_[cluster + 1]; ++m) {
      const float* row = rows_.row(members_[m]);
      for (size_t d = 0; d < rows_.dim; ++d) sum[d] += row[d];
    }
    double divisor = static_cast<double>(count(cluster));
    if (params_.spherical) {
      divisor = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
      if (divisor < 1e-6) return;  // directions that cancel out have no mean: the centroid is as good as any
    }
    float* centroid = centroids_ + cluster * rows_.dim;
    for (size_t d = 0; d < rows_.dim; ++d) centroid[d] = static_cast<float>(sum[d] / divisor);
  }

  bool reseed_empty() {
    bool reseeded = false;
    for (size_t c = 0; c < params_.clusters; ++c) {
      if (count(c) != 0) continue;
      const auto farthest = std::max_element(nearest_.begin(), nearest_.end());
      if (*farthest <= 0) break;
      place(c, static_cast<size_t>(farthest - nearest_.begin()));
      *farthest = 0;  // the next one takes another row
      reseeded = true;
    }
    return reseeded;
  }

  const MatrixView<const float> rows_;
  const KmeansParams params_;
  float* const centroids_;
  uint32_t* const assignments_;
  TaskControl& control_;
  const size_t blocks_;
  std::vector<double> block_sums_;
  std::vector<size_t> block_changes_;
  std::vector<float> nearest_;  // squared distance of every row from its centroid
  std::vector<float> half_squares_;
  std::vector<size_t> starts_;
  std::vector<uint32_t> members_;
  std::vector<Lane> lanes_;
};

void check_finite(MatrixView<const float> rows) {
  for (size_t i = 0; i < rows.rows; ++i) {
    for (const float value : rows.row_span(i)) {
      if (!std::isfinite(value)) {
        throw Error("NOT_FINITE", "matrix: row " + std::to_string(i) + " holds a value that is not finite.");
      }
    }
  }
}

Buffer<float> unit_rows(MatrixView<const float> rows) {
  Buffer<float> unit(rows.rows * rows.dim);
  for (size_t i = 0; i < rows.rows; ++i) {
    double squares = 0;
    for (const float value : rows.row_span(i)) squares += static_cast<double>(value) * value;
    if (squares == 0) throw Error("ZERO_VECTOR", "matrix: row " + std::to_string(i) + " has no direction.");
    const double scale = 1 / std::sqrt(squares);
    for (size_t d = 0; d < rows.dim; ++d) unit[i * rows.dim + d] = static_cast<float>(rows.row(i)[d] * scale);
  }
  return unit;
}

}  // namespace

std::vector<double> kmeans(MatrixView<const float> rows, const KmeansParams& params, float* centroids, uint32_t* assignments,
                           TaskControl& control) {
  if (params.clusters == 0 || params.clusters > rows.rows || rows.rows > std::numeric_limits<uint32_t>::max()) {
    throw Error("INVALID_ARGUMENT", "clusters: expected 1 to " + std::to_string(rows.rows) + ", one row each at least, got " +
                                        std::to_string(params.clusters) + ".");
  }
  check_finite(rows);
  if (!params.spherical) return Clustering(rows, params, centroids, assignments, control).run();
  const Buffer<float> unit = unit_rows(rows);
  return Clustering({unit.data(), rows.rows, rows.dim}, params, centroids, assignments, control).run();
}

}  // namespace nigh

#include "train/kmeans.h"

#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "check.h"

using namespace nigh;

namespace {

struct Points {
  std::vector<float> data;
  size_t dim;

  size_t rows() const { return data.size() / dim; }
  MatrixView<const float> view() const { return {data.data(), rows(), dim}; }
};

// `groups` clouds around random centres, with an offset that costs products their digits.
Points clouds(size_t rows, size_t dim, size_t groups, double spread, double offset, uint64_t seed) {
  Points points{std::vector<float>(rows * dim), dim};
  for (size_t i = 0; i < rows; ++i) {
    Rng centre(seed, i % groups);
    Rng noise(seed + 1, i);
    for (size_t d = 0; d < dim; ++d) {
      points.data[i * dim + d] = static_cast<float>(offset + 10 * centre.normal() + spread * noise.normal());
    }
  }
  return points;
}

struct Answer {
  std::vector<float> centroids;
  std::vector<uint32_t> assignments;
  std::vector<double> inertias;
};

Answer cluster(const Points& points, const KmeansParams& params) {
  Answer answer{std::vector<float>(params.clusters * points.dim), std::vector<uint32_t>(points.rows()), {}};
  TaskControl control;
  answer.inertias = kmeans(points.view(), params, answer.centroids.data(), answer.assignments.data(), control);
  return answer;
}

double squared(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t d = 0; d < dim; ++d) sum += (double{a[d]} - b[d]) * (double{a[d]} - b[d]);
  return sum;
}

// Rows as the algorithm sees them: at unit length if spherical.
Points seen(const Points& points, bool spherical) {
  Points copy = points;
  if (!spherical) return copy;
  for (size_t i = 0; i < copy.rows(); ++i) {
    const std::vector<float> zero(copy.dim);
    const double length = std::sqrt(squared(copy.data.data() + i * copy.dim, zero.data(), copy.dim));
    for (size_t d = 0; d < copy.dim; ++d) copy.data[i * copy.dim + d] = static_cast<float>(copy.data[i * copy.dim + d] / length);
  }
  return copy;
}

}  // namespace

TEST("k-means: the inertia never rises, is that of the answer, and no row has a nearer centroid, against a naive step") {
  for (uint64_t round = 0; round < 24; ++round) {
    const size_t dim = 1 + round % 7 * 3;
    const bool spherical = round % 2 == 1 && dim > 1;
    const size_t rows = 40 + round * 53;
    const Points points = clouds(rows, dim, 5, 3.0, round % 3 == 0 ? 200.0 : 0.0, round);
    KmeansParams params;
    params.clusters = 1 + round % 11;
    params.spherical = spherical;
    params.tolerance = 0;
    params.seed = round;
    const Answer answer = cluster(points, params);

    for (size_t i = 1; i < answer.inertias.size(); ++i) CHECK(answer.inertias[i] <= answer.inertias[i - 1] * (1 + 1e-4) + 1e-4);

    const Points rows_seen = seen(points, spherical);
    double inertia = 0;
    std::vector<size_t> counts(params.clusters);
    for (size_t i = 0; i < rows; ++i) {
      const float* row = rows_seen.data.data() + i * dim;
      const double own = squared(row, answer.centroids.data() + answer.assignments[i] * dim, dim);
      inertia += own;
      ++counts[answer.assignments[i]];
      for (size_t c = 0; c < params.clusters; ++c) {
        CHECK(own <= squared(row, answer.centroids.data() + c * dim, dim) * (1 + 1e-3) + 1e-3 * (1 + own));
      }
    }
    if (spherical) inertia /= 2;
    CHECK(std::abs(inertia - answer.inertias.back()) <= 1e-3 * (1 + inertia));
    for (const size_t count : counts) CHECK(count > 0);

    // It stopped where another step changes nothing: centroids are the means of their rows.
    if (spherical) continue;
    for (size_t c = 0; c < params.clusters; ++c) {
      for (size_t d = 0; d < dim; ++d) {
        double sum = 0;
        for (size_t i = 0; i < rows; ++i) {
          if (answer.assignments[i] == c) sum += rows_seen.data[i * dim + d];
        }
        CHECK(std::abs(sum / counts[c] - answer.centroids[c * dim + d]) <= 1e-2);
      }
    }
  }
}

TEST("k-means: clouds that are far apart are found, each as one cluster") {
  const Points points = clouds(1000, 8, 6, 0.1, 0, 3);
  KmeansParams params;
  params.clusters = 6;
  const Answer answer = cluster(points, params);
  for (size_t i = 6; i < points.rows(); ++i) CHECK(answer.assignments[i] == answer.assignments[i % 6]);
}

TEST("k-means: the same seed gives the same bytes on one thread and on all") {
  const Points points = clouds(3000, 17, 40, 5, 0, 5);
  for (const bool spherical : {false, true}) {
    KmeansParams params;
    params.clusters = 33;
    params.spherical = spherical;
    params.max_lanes = 1;
    const Answer one = cluster(points, params);
    params.max_lanes = 0;
    const Answer all = cluster(points, params);
    CHECK(one.assignments == all.assignments);
    CHECK(one.inertias == all.inertias);
    CHECK(std::memcmp(one.centroids.data(), all.centroids.data(), one.centroids.size() * sizeof(float)) == 0);
  }
}

TEST("k-means: rows that are all alike leave clusters empty, and as many clusters as rows leave nothing") {
  Points alike{std::vector<float>(20 * 3, 1.5f), 3};
  KmeansParams params;
  params.clusters = 4;
  const Answer same = cluster(alike, params);
  CHECK(same.inertias.back() == 0);
  for (const uint32_t assignment : same.assignments) CHECK(assignment == 0);

  const Points points = clouds(30, 3, 30, 1, 0, 9);
  params.clusters = 30;
  CHECK(cluster(points, params).inertias.back() == 0);
}

TEST("k-means: refuses more clusters than rows, values that are not finite, and rows without a direction if spherical") {
  const auto code_of = [](const Points& points, const KmeansParams& params) -> std::string {
    try {
      cluster(points, params);
    } catch (const Error& error) {
      return error.code();
    }
    return "";
  };
  KmeansParams params;
  params.clusters = 3;
  CHECK(code_of({{1, 2}, 1}, params) == "INVALID_ARGUMENT");
  params.clusters = 1;
  CHECK(code_of({{1, NAN}, 1}, params) == "NOT_FINITE");
  params.spherical = true;
  CHECK(code_of({{1, 0, 0, 0}, 2}, params) == "ZERO_VECTOR");
}

// k-means clustering of dense rows, Euclidean or spherical.
//
// Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28(2), 1982, started by k-means++ (Arthur and
// Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007, section 2.2); spherical: Dhillon and Modha, "Concept
// decompositions for large sparse text data using clustering", Machine Learning 42, 2001, which is the same over unit rows with
// unit centroids.
//
//   1. Spherical only: rows at unit length.
//   2. Seeding: each further centroid is a row, drawn with a probability proportional to its squared distance from those before.
//   3. Every row to the nearest centroid (the first of equals); scores by blocked products, the chosen distance computed
//   directly.
//   4. Stop if nothing changed, or if the inertia fell by less than `tolerance` of itself.
//   5. Every centroid to the mean of its rows; one without rows to the row that is farthest from its own centroid. Back to 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/matrix_view.h"
#include "base/task_control.h"

namespace nigh {

struct KmeansParams {
  size_t clusters = 8;
  bool spherical = false;
  size_t max_iterations = 100;
  double tolerance = 1e-4;
  uint64_t seed = 42;
  size_t max_lanes = 0;
};

/// Writes `centroids` (clusters × dim; unit rows if spherical) and for every row the nearest of them. Returns the inertia after
/// every assignment, the seeding's first: Σ |x − c|², or Σ (1 − cos) if spherical; it never rises but for rounding. A cluster is
/// empty only if there are fewer distinct rows than clusters.
///
/// Byte-identical on any number of threads (at one SIMD level). `control` counts assignments, of at most max_iterations + 1.
/// Throws INVALID_ARGUMENT unless 1 ≤ clusters ≤ rows, NOT_FINITE, ZERO_VECTOR for a row without a direction if spherical,
/// ABORTED.
std::vector<double> kmeans(MatrixView<const float> rows, const KmeansParams& params, float* centroids, uint32_t* assignments,
                           TaskControl& control);

}  // namespace nigh

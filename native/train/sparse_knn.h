// Exact nearest neighbours among sparse rows, and what neighbours say of missing entries.
//
// Sarwar, Karypis, Konstan and Riedl, "Item-based collaborative filtering recommendation algorithms", WWW 2001; Herlocker,
// Konstan, Borchers and Riedl, "An algorithmic framework for performing collaborative filtering", SIGIR 1999 (significance
// weighting).
//
//   paper            here
//   sim(i, j)        similarity of two rows; x and y are their values where both have one (their common support), n is how many
//   there are n/(n + s)        significance weight, s = shrinkage: 0 leaves the similarity as it is
//
// Missing entries are missing: they are never read as zero. Deviation: only a positive similarity makes a neighbour.
//
// Outline: (1) one row's sums with every other row that shares a column, through the transpose; (2) sums to similarities;
// (3) either the k best rows (sparse_knn), or for every wanted pair the k best among the rows that have the column
// (sparse_knn_means).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/matrix_view.h"
#include "base/task_control.h"

namespace nigh {

enum class KnnMeasure : uint32_t {
  kCosine,        // Σ xy / (|a| |b|), lengths over all entries of a row: missing ones add nothing to them
  kCommonCosine,  // Σ xy / √(Σ x² · Σ y²), over the common support only
  kPearson,       // the same about the means over the common support; 0 where one of the two does not vary there
  kMsd,           // 1 / (Σ (x − y)² / n + 1)
  kJaccard,       // n / (entries of a + entries of b − n), whatever the values
};
inline constexpr uint32_t kKnnMeasures = 5;

struct SparseKnnParams {
  KnnMeasure measure = KnnMeasure::kCosine;
  /// At least 1: rows have that at most.
  size_t k = 1;
  /// Rows with a smaller common support are no neighbours.
  uint32_t min_support = 1;
  double shrinkage = 0;
  size_t max_lanes = 0;
};

/// For every row of `queries` the k most similar rows of `base`, most similar first, ties by the smaller row: ids and
/// similarities are queries.rows() × k, of which the first counts[row] are written. `by_column` is the transpose of `base`, whose
/// columns are those of `queries`. With `same`, query r is base row r and no neighbour of itself. The bytes do not depend on the
/// number of threads.
void sparse_knn(const CsrView& queries, const CsrView& base, const CsrView& by_column, bool same, const SparseKnnParams& params,
                uint32_t* ids, float* similarities, uint32_t* counts, TaskControl& control);

/// For every pair (row, column) the mean of the targets of the k most similar rows that have the column, weighted by similarity;
/// NaN where there is none. `targets` is parallel to the entries of `by_column`. Memory: a few numbers a row and thread, never
/// rows × rows.
void sparse_knn_means(const CsrView& base, const CsrView& by_column, std::span<const float> targets,
                      std::span<const uint32_t> pair_rows, std::span<const uint32_t> pair_columns, const SparseKnnParams& params,
                      float* out, TaskControl& control);

}  // namespace nigh

// Principal components: the directions of a set of rows in which they vary most.
//
// Hotelling, "Analysis of a complex of statistical variables into principal components", J. Educ. Psychol. 24, 1933, by the
// eigenvectors of the covariance (symmetric_eigen.h): exact up to rounding, and cheap while there are few dimensions.
#pragma once

#include <cstddef>

#include "base/matrix_view.h"
#include "base/task_control.h"

namespace nigh {

/// Writes the mean of the rows (dim), the variance of every component, all `dim` of them, descending (divided by rows − 1), the
/// first `components` directions (components × dim, unit rows, the largest value of each positive) and the centred rows along
/// them (rows × components). Byte-identical on any number of threads. Time rows · dim² + dim³; copies the rows once.
///
/// `control` counts steps, of four. Throws INVALID_ARGUMENT unless 1 ≤ components ≤ dim and there are 2 rows, NOT_FINITE,
/// ABORTED.
void pca(MatrixView<const float> rows, size_t components, size_t max_lanes, float* mean, double* variances, float* directions,
         float* projected, TaskControl& control);

}  // namespace nigh

// How much oftener two items share a user than chance would have it: what item2vec factorises, without sampling.
//
// Levy and Goldberg, "Neural word embedding as implicit matrix factorization", NIPS 2014: skip-gram with k negatives (so
// item2vec: Barkan and Koenigstein 2016) implicitly factorises the pointwise mutual information of words and contexts, shifted by
// log k. With a user's whole history as the window:
//
//   #(i, j) = users who have both, i ≠ j;   #(i) = Σ_j #(i, j);   D = Σ_i #(i)
//   SPPMI(i, j) = max(0, log(#(i, j) D / (#(i) #(j))) − log k)
#pragma once

#include <cstddef>

#include "base/csr_transpose.h"
#include "base/matrix_view.h"
#include "base/task_control.h"

namespace nigh {

/// SPPMI (items × items, symmetric) of `interactions` (users × items; values do not count) and its transpose, k > 0. Users of
/// more than `longest_history` items are passed over: they say little of any two, and cost the square of what they have. The same
/// bytes on any number of threads. `control` counts items. Throws EMPTY_DATASET when no two items share a user, ABORTED,
/// OUT_OF_MEMORY above 2^32 − 1 entries.
OwnedCsr sppmi(const CsrView& interactions, const CsrView& transposed, float negatives, size_t longest_history, size_t max_lanes,
               TaskControl& control);

}  // namespace nigh

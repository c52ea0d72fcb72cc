// What users would ask of an index of which only the rows are known (inner product).
//
// Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008: with items Y a user is
// (YᵀY + Yᵀ(Cᵘ − I)Y + λI)⁻¹ Yᵀ Cᵘ p(u). Of a user who chose the item y alone that is a multiple of (YᵀY + λI)⁻¹ y (Sherman and
// Morrison), and under inner product a multiple asks the same. Where rows are alike in all directions this is y again; where some
// directions hold most of their length, these weigh as much as others on average. Answers are no averages: where a few rows are
// far longer than the rest in such directions, they are still the answers. So the same is done twice, which leaves
// (YᵀY + λI)⁻² y: the directions that hold most length weigh least, a question that rows themselves never are.
//
// Deviations: where rows are very many (a million of 128 dimensions, 65,536 of 512 or more) YᵀY is of some from all over, and a
// very long row that is left out may then be what many questions lead to; beyond 512 dimensions coordinates are taken in blocks
// of so many, as if blocks had nothing to do with each other, so that the work stays linear in the dimension; λ is a thousandth
// of the mean square of a coordinate.
#pragma once

#include <cstddef>

#include "index/row_store.h"

namespace nigh {

/// Puts such questions in the place of rows (packed, of the store's dim), of length 1; those without a length stay as they are.
/// `count` rows of the store are looked at.
void fold_questions(const RowStore& store, size_t count, float* rows, size_t asked);

}  // namespace nigh

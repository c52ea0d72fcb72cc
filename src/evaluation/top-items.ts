/** The best items of a row of scores. */

/**
 * The k items of the largest score, best first, ties by the smaller ordinal. Items of score −Infinity or NaN have no place, nor have those
 * for which `skip` is `mark`.
 * @param candidates the items to choose among; undefined: all
 */
export function topItems(
  scores: Float32Array,
  k: number,
  skip: Int32Array,
  mark: number,
  candidates: ArrayLike<number> | undefined,
): number[] {
  // A list kept sorted: k is small beside the catalogue, and nearly every item is turned away by one comparison.
  const items: number[] = [];
  const count = candidates === undefined ? scores.length : candidates.length;
  let worst = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < count; at++) {
    const item = candidates === undefined ? at : candidates[at]!;
    const score = scores[item]!;
    if (!(score > Number.NEGATIVE_INFINITY)) continue;
    if (items.length === k && (score < worst || (score === worst && item > items[k - 1]!))) continue;
    if (skip[item] === mark) continue;
    let place = items.length;
    while (place > 0) {
      const other = items[place - 1]!;
      const difference = score - scores[other]!;
      if (difference < 0 || (difference === 0 && other < item)) break;
      place--;
    }
    items.splice(place, 0, item);
    if (items.length > k) items.pop();
    if (items.length === k) worst = scores[items[k - 1]!]!;
  }
  return items;
}

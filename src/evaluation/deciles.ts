/** Tenths of users or items by how many interactions they have: a mean over all hides what happens to the few or to the rare. */

/**
 * By ordinal 0 for the tenth with the fewest interactions up to 9 for the one with the most, equally large but for rounding; ties by ordinal, the
 * smaller counts as the more active.
 */
export function decilesOf(counts: ArrayLike<number>): Uint8Array {
  const order = Uint32Array.from({ length: counts.length }, (_, at) => at);
  order.sort((a, b) => counts[a]! - counts[b]! || b - a);
  const deciles = new Uint8Array(counts.length);
  order.forEach((ordinal, place) => {
    deciles[ordinal] = Math.floor((10 * place) / counts.length);
  });
  return deciles;
}

/** a / b tenth by tenth; NaN where b is 0 or nothing. */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, decile) => (b[decile]! > 0 ? value / b[decile]! : Number.NaN));
}

/** Whether neighbours have something in common that they were not made of. */
import type { CsrMatrix } from 'nigh/evaluation';

/**
 * @param nearest by item its nearest other, −1 for none
 * @param terms items × terms, whatever the values
 * @param fewest items of fewer terms are neither asked nor drawn
 * @returns the share of items whose nearest has a term in common with them, and the same for a random other item
 */
export function alikeShare(nearest: Int32Array, terms: CsrMatrix, fewest: number, seed: number) {
  const sizes = Array.from({ length: terms.rows }, (_, item) => terms.row(item).columns.length);
  const asked = [...nearest.keys()].filter((item) => nearest[item]! >= 0 && sizes[item]! >= fewest);
  const sets = sizes.map((_, item) => new Set(terms.row(item).columns));
  const common = (a: number, b: number) => terms.row(b).columns.some((term) => sets[a]!.has(term));
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
  let found = 0;
  let byChance = 0;
  const draws = 20;
  for (const item of asked) {
    if (common(item, nearest[item]!)) found++;
    for (let draw = 0; draw < draws; draw++) {
      let other = item;
      while (other === item) other = asked[Math.floor(next() * asked.length)]!;
      if (common(item, other)) byChance++;
    }
  }
  return { share: found / asked.length, chance: byChance / (draws * asked.length), asked: asked.length };
}

/** What two rows of a sparse matrix share. */
import type { CsrMatrix } from '../core/csr-matrix.js';

/** How many columns two rows have in common, by sorted lists: a step for each that either has. */
export function countByMerging({ offsets, columns }: CsrMatrix): (a: number, b: number) => number {
  return (a, b) => {
    const endA = offsets[a + 1]!;
    const endB = offsets[b + 1]!;
    let at = offsets[a]!;
    let other = offsets[b]!;
    let both = 0;
    while (at < endA && other < endB) {
      const difference = columns[at]! - columns[other]!;
      if (difference === 0) both++;
      if (difference <= 0) at++;
      if (difference >= 0) other++;
    }
    return both;
  };
}

/** The same by a bit for every column, 32 at a step: what popular items have in common fills most of the words. */
export function countByBits(matrix: CsrMatrix, words: number): (a: number, b: number) => number {
  const rows = new Map<number, Uint32Array>();
  const bitsOf = (row: number) => {
    let bits = rows.get(row);
    if (bits === undefined) {
      bits = new Uint32Array(words);
      for (const column of matrix.row(row).columns) bits[column >>> 5]! |= 1 << (column & 31);
      rows.set(row, bits);
    }
    return bits;
  };
  return (a, b) => {
    const one = bitsOf(a);
    const other = bitsOf(b);
    let both = 0;
    for (let word = 0; word < words; word++) both += bitCount(one[word]! & other[word]!);
    return both;
  };
}

/** Bits that are set of 32, by sums of neighbouring fields. */
function bitCount(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

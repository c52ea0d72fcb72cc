import { mulberry32 } from '../core/random.js';

/**
 * Distinct rows, drawn evenly with a seed, ascending: the same for the same numbers, on every machine.
 * All of them where there are no more than `count`.
 */
export function sampleRows(rows: number, count: number, seed: number): Uint32Array {
  if (rows <= count) return Uint32Array.from({ length: rows }, (_, r) => r);
  // Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S).
  const next = mulberry32(seed);
  const chosen = new Uint32Array(count);
  let taken = 0;
  for (let r = 0; taken < count; r++) {
    if ((rows - r) * next() < count - taken) chosen[taken++] = r;
  }
  return chosen;
}

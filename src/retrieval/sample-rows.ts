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

/** A small generator of evenly distributed numbers in [0, 1) (Tommy Ettinger, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

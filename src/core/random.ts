import { invalidArgument } from './errors.js';

/** A small generator of evenly distributed numbers in [0, 1), 32 bits each (Tommy Ettinger, public domain). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** 0 … count − 1 in an order drawn with the seed (Fisher and Yates): the same on every machine. */
export function shuffled(count: number, seed: number): Uint32Array {
  if (!Number.isSafeInteger(seed) || seed < 0) throw invalidArgument('seed', 'an integer of at least 0', seed);
  const next = mulberry32(seed);
  const order = Uint32Array.from({ length: count }, (_, at) => at);
  for (let left = count; left > 1; left--) {
    const other = Math.floor(next() * left);
    const value = order[left - 1]!;
    order[left - 1] = order[other]!;
    order[other] = value;
  }
  return order;
}

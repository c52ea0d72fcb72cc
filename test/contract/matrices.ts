/** Matrices for the contract: seeded, so that a failure comes back. */
import type { Matrix } from '../../src/core/matrix.js';

/** Uniform numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Gaussian rows around a few centres: something like embeddings. */
export function clustered(rows: number, dim: number, seed: number): Matrix {
  const random = seeded(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const centres = Float32Array.from({ length: 20 * dim }, normal);
  const data = new Float32Array(rows * dim);
  for (let r = 0; r < rows; r++) {
    const centre = Math.floor(random() * 20);
    for (let j = 0; j < dim; j++) data[r * dim + j] = centres[centre * dim + j]! + 0.7 * normal();
  }
  return { data, rows, dim };
}

/** Small whole numbers: every distance is exact in float32 under l2 and ip, and many tie. No row is zero. */
export function wholeNumbers(rows: number, dim: number, seed: number): Matrix {
  const random = seeded(seed);
  const data = Float32Array.from({ length: rows * dim }, () => Math.floor(random() * 7) - 3);
  for (let r = 0; r < rows; r++) {
    if (data.subarray(r * dim, (r + 1) * dim).every((value) => value === 0)) data[r * dim] = 1;
  }
  return { data, rows, dim };
}

/** Points on a line, 0, 1, 2, …: the neighbours of any point are known without computing. */
export function line(rows: number): Matrix {
  return { data: Float32Array.from({ length: rows }, (_, r) => r), rows, dim: 1 };
}

/** Distinct ids all over uint32. */
export function scatteredIds(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, r) => Math.imul(r + 1, 2654435761) >>> 0);
}

export function rowOf(matrix: Matrix, r: number): Float32Array {
  return matrix.data.slice(r * matrix.dim, (r + 1) * matrix.dim);
}

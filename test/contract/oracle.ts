/** Exact neighbours the slow and obvious way, in double precision: what every engine is measured against. */
import type { Matrix } from '../../src/core/matrix.js';
import type { MetricName } from '../../src/index/vector-index.js';

export interface Neighbour {
  readonly id: number;
  readonly distance: number;
}

export interface Question {
  readonly matrix: Matrix;
  readonly metric: MetricName;
  readonly ids?: Uint32Array | undefined;
  readonly allowed?: ((id: number) => boolean) | undefined;
}

/** The k nearest that are allowed, closest first, ties by id. */
export function nearest({ matrix, metric, ids, allowed }: Question, query: Float32Array, k: number): Neighbour[] {
  const all: Neighbour[] = [];
  for (let r = 0; r < matrix.rows; r++) {
    const id = ids === undefined ? r : ids[r]!;
    if (allowed !== undefined && !allowed(id)) continue;
    all.push({ id, distance: distance(metric, query, matrix.data.subarray(r * matrix.dim, (r + 1) * matrix.dim)) });
  }
  all.sort((a, b) => a.distance - b.distance || a.id - b.id);
  return all.slice(0, k);
}

export function distance(metric: MetricName, a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let squaredA = 0;
  let squaredB = 0;
  let difference = 0;
  let sum = 0;
  let largest = 0;
  for (let j = 0; j < a.length; j++) {
    dot += a[j]! * b[j]!;
    squaredA += a[j]! ** 2;
    squaredB += b[j]! ** 2;
    difference += (a[j]! - b[j]!) ** 2;
    sum += Math.abs(a[j]! - b[j]!);
    largest = Math.max(largest, Math.abs(a[j]! - b[j]!));
  }
  if (metric === 'l1') return sum;
  if (metric === 'chebyshev') return largest;
  if (metric === 'l2') return difference;
  return metric === 'ip' ? 0 - dot : 1 - dot / Math.sqrt(squaredA * squaredB);
}

/** The share of the true neighbours among those found. */
export function recall(found: ArrayLike<number>, truth: readonly Neighbour[]): number {
  if (truth.length === 0) return found.length === 0 ? 1 : 0;
  const ids = new Set(Array.from(found));
  return truth.filter(({ id }) => ids.has(id)).length / truth.length;
}

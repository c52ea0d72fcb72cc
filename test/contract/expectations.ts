import { expect } from 'vitest';
import type { Matrix } from '../../src/core/matrix.js';
import type { BatchResult, MetricName, SearchResult, VectorIndex } from '../../src/index/vector-index.js';
import { distance, type Neighbour } from './oracle.js';

/** How far a float32 distance may be from the true one. */
const tolerance = 1e-5;

/** Every distance is the true one of its id; they ascend; ties ascend by id; no id comes twice. */
export function expectSound(
  result: Pick<SearchResult, 'ids' | 'distances'>,
  query: Float32Array,
  { matrix, metric, ids }: { matrix: Matrix; metric: MetricName; ids?: Uint32Array | undefined },
): void {
  const slots = new Map(Array.from({ length: matrix.rows }, (_, r) => [ids === undefined ? r : ids[r]!, r]));
  expect(result.distances.length).toBe(result.ids.length);
  expect(new Set(result.ids).size).toBe(result.ids.length);
  for (let i = 0; i < result.ids.length; i++) {
    const slot = slots.get(result.ids[i]!);
    if (slot === undefined) throw new Error(`id ${result.ids[i]} is not in the index`);
    const truth = distance(metric, query, matrix.data.subarray(slot * matrix.dim, (slot + 1) * matrix.dim));
    expect(Math.abs(result.distances[i]! - truth)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(truth)));
    if (i === 0) continue;
    const inOrder =
      result.distances[i - 1]! < result.distances[i]! ||
      (result.distances[i - 1] === result.distances[i] && result.ids[i - 1]! < result.ids[i]!);
    if (!inOrder) throw new Error(`places ${i - 1} and ${i} are out of order: ${result.distances} of ${result.ids}`);
  }
}

/** The answer is the oracle's; two ids may have changed places where their distances differ by rounding only. */
export function expectTrue(result: Pick<SearchResult, 'ids' | 'distances'>, truth: readonly Neighbour[]): void {
  expect(result.ids.length).toBe(truth.length);
  for (let i = 0; i < truth.length; i++) {
    const slack = tolerance * Math.max(1, Math.abs(truth[i]!.distance));
    expect(Math.abs(result.distances[i]! - truth[i]!.distance)).toBeLessThanOrEqual(slack);
  }
}

/** The same ids and bits. */
export function expectSame(
  a: Pick<SearchResult, 'ids' | 'distances'>,
  b: Pick<SearchResult, 'ids' | 'distances'>,
): void {
  expect(Array.from(a.ids)).toEqual(Array.from(b.ids));
  expect(Array.from(a.distances)).toEqual(Array.from(b.distances));
}

/** One row of a batch as a single answer. */
export function rowOfBatch(batch: BatchResult, row: number): Pick<SearchResult, 'ids' | 'distances'> {
  const k = batch.ids.length / batch.counts.length;
  const count = batch.counts[row]!;
  return {
    ids: batch.ids.slice(row * k, row * k + count),
    distances: batch.distances.slice(row * k, row * k + count),
  };
}

/** Uses an index and closes it, also after a failure. */
export async function withIndex<T>(
  building: Promise<VectorIndex>,
  use: (index: VectorIndex) => Promise<T>,
): Promise<T> {
  const index = await building;
  try {
    return await use(index);
  } finally {
    index.close();
  }
}

/** The stored vector, wherever it is. */
export async function vectorOf(index: VectorIndex, id: number): Promise<Float32Array | undefined> {
  if (index.vectors === undefined) return index.vector(id);
  return (await index.vectors(Uint32Array.of(id)))[0];
}

/** A rejection with this code. */
export async function expectCode(promise: Promise<unknown>, code: string): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'NighError', code });
}

/** An index that is changed through and through, beside one that is built afresh from what it then holds. */

import type { Matrix } from '../../src/core/matrix.js';
import { FlatIndex } from '../../src/index/flat-index.js';
import { type HnswBuildOptions, HnswIndex } from '../../src/index/hnsw-index.js';
import { seeded } from '../embeddings/support.js';

export interface Churned {
  /** Live vectors that a search for them did not give, itself or one that is equal, after any round. */
  readonly notFound: number;
  /** Mean recall@10 after the last round, of the churned index and of the fresh one, at the default effort. */
  readonly churned: number;
  readonly fresh: number;
}

/**
 * Each round removes half of the rows, puts other vectors in the place of three tenths of those that were there, and adds as many new ones as
 * were removed.
 */
export async function churn(
  rows: number,
  dim: number,
  rounds: number,
  options: HnswBuildOptions,
  seed = 5,
): Promise<Churned> {
  const random = seeded(seed);
  const centres = Array.from({ length: 40 }, () => Array.from({ length: dim }, () => random() * 2 - 1));
  const vector = () => {
    const centre = centres[Math.floor(random() * centres.length)]!;
    return Float32Array.from(centre, (value) => value + (random() + random() - 1) * 0.8);
  };
  const live = new Map<number, Float32Array>();
  for (let id = 0; id < rows; id++) live.set(id, vector());
  let nextId = rows;
  const index = await HnswIndex.build(matrixOf([...live.values()]), { ...options, ids: [...live.keys()] });
  let notFound = 0;
  for (let round = 0; round < rounds; round++) {
    const ids = shuffled([...live.keys()], random);
    const removed = ids.slice(0, rows / 2);
    await index.remove(removed);
    for (const id of removed) live.delete(id);
    const added = Array.from({ length: removed.length }, () => nextId++);
    for (const id of added) live.set(id, vector());
    await index.add(matrixOf(added.map((id) => live.get(id)!)), added);
    const replaced = shuffled([...live.keys()], random).slice(0, Math.floor(rows * 0.3));
    for (const id of replaced) live.set(id, vector());
    await index.replace(matrixOf(replaced.map((id) => live.get(id)!)), replaced);
    notFound += await missing(index, live);
  }
  const matrix = matrixOf([...live.values()]);
  const ids = [...live.keys()];
  using fresh = await HnswIndex.build(matrix, { ...options, ids });
  using exact = await FlatIndex.build(matrix, { metric: options.metric, ids });
  const questions = matrixOf(Array.from({ length: 500 }, vector));
  const result = {
    notFound,
    churned: await recall(index, exact, questions),
    fresh: await recall(fresh, exact, questions),
  };
  index.close();
  return result;
}

/** How many vectors a search for them does not give: their own id, or one that is as near. */
async function missing(index: HnswIndex, live: ReadonlyMap<number, Float32Array>): Promise<number> {
  const ids = [...live.keys()];
  const { ids: found } = await index.searchBatch(matrixOf([...live.values()]), 1);
  return ids.filter((id, r) => found[r] !== id).length;
}

async function recall(index: HnswIndex, exact: FlatIndex, questions: Matrix): Promise<number> {
  const [truth, found] = [await exact.searchBatch(questions, 10), await index.searchBatch(questions, 10)];
  let hits = 0;
  for (let r = 0; r < questions.rows; r++) {
    const right = new Set(truth.ids.subarray(10 * r, 10 * r + 10));
    for (const id of found.ids.subarray(10 * r, 10 * r + 10)) if (right.has(id)) hits++;
  }
  return hits / (10 * questions.rows);
}

function matrixOf(vectors: readonly Float32Array[]): Matrix {
  const dim = vectors[0]!.length;
  const data = new Float32Array(vectors.length * dim);
  vectors.forEach((vector, r) => {
    data.set(vector, r * dim);
  });
  return { data, rows: vectors.length, dim };
}

function shuffled(values: number[], random: () => number): number[] {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return values;
}

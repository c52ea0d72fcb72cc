import { readFile } from 'node:fs/promises';
import { FlatIndex } from 'nigh/index';
import { benchCache, bytesOf, digestOf, writeWhole } from './cache.js';
import type { BenchDataset } from './datasets/dataset.js';
import { distanceOf, type Truth } from './measures.js';

/** Queries whose every distance is computed in double precision to check the exact search. */
const checked = 8;

/**
 * Distances of the true k neighbours of every query, computed once by exact search and kept under a digest of the data. The distances are
 * in double precision, and for some queries all rows are compared in double precision too: the measure of the engines must not be
 * one of them unchecked.
 * @throws Error where the exact search is wrong
 */
export async function groundTruth(dataset: BenchDataset, k: number): Promise<Truth> {
  const { base, queries, metric, baseDigest, name } = dataset;
  const width = Math.min(k, base.rows);
  const counts = new Uint32Array(queries.rows).fill(width);
  const path = benchCache('truth', `${name}-${digestOf(baseDigest, bytesOf(queries.data), k)}.f64`);
  const kept = await readFile(path).catch(() => undefined);
  if (kept?.byteLength === queries.rows * k * 8) {
    return {
      distances: new Float64Array(kept.buffer.slice(kept.byteOffset, kept.byteOffset + kept.byteLength)),
      counts,
    };
  }
  const flat = await FlatIndex.build(base, { metric });
  const { ids } = await flat.searchBatch(queries, k);
  flat.close();
  const distances = new Float64Array(queries.rows * k).fill(Number.POSITIVE_INFINITY);
  for (let q = 0; q < queries.rows; q++) {
    const row = distances.subarray(q * k, q * k + width);
    for (let i = 0; i < width; i++) row[i] = distanceOf(base, ids[q * k + i]!, queries, q, metric);
    row.sort();
  }
  for (let i = 0; i < checked; i++) checkQuery(dataset, Math.floor((i * queries.rows) / checked), distances, k, width);
  await writeWhole(path, bytesOf(distances));
  return { distances, counts };
}

function checkQuery(
  { base, queries, metric, name }: BenchDataset,
  q: number,
  found: Float64Array,
  k: number,
  width: number,
) {
  const all = Float64Array.from({ length: base.rows }, (_, id) => distanceOf(base, id, queries, q, metric)).sort();
  for (let i = 0; i < width; i++) {
    const difference = found[q * k + i]! - all[i]!;
    // Float32 rounding may exchange two rows that are this near to each other.
    if (Math.abs(difference) > 1e-5 * Math.max(1, Math.abs(all[i]!))) {
      throw new Error(`${name}: exact search is wrong at query ${q}, neighbour ${i + 1}, by ${difference}.`);
    }
  }
}

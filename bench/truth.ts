import { readFile } from 'node:fs/promises';
import { FlatIndex, IdSet } from 'nigh/index';
import { benchCache, bytesOf, digestOf, writeWhole } from './cache.js';
import type { BenchDataset } from './datasets/dataset.js';
import { distanceOf, type Truth } from './measures.js';

/** Queries whose every distance is computed in double precision to check the exact search. */
const checked = 8;

/**
 * Distances of the true k neighbours of every query, computed once by exact search and kept under a digest of the data. The distances are
 * in double precision, and for some queries all rows are compared in double precision too: the measure of the engines must not be
 * one of them unchecked.
 * @param allowed ids that may be neighbours; all where undefined
 * @throws Error where the exact search is wrong
 */
export async function groundTruth(dataset: BenchDataset, k: number, allowed?: Uint32Array): Promise<Truth> {
  const { base, queries, metric, baseDigest, name } = dataset;
  const width = Math.min(k, allowed?.length ?? base.rows);
  const counts = new Uint32Array(queries.rows).fill(width);
  const key = digestOf(baseDigest, bytesOf(queries.data), k, ...(allowed === undefined ? [] : [bytesOf(allowed)]));
  const path = benchCache('truth', `${name}-${key}.f64`);
  const kept = await readFile(path).catch(() => undefined);
  if (kept?.byteLength === queries.rows * k * 8) {
    return {
      distances: new Float64Array(kept.buffer.slice(kept.byteOffset, kept.byteOffset + kept.byteLength)),
      counts,
      width: k,
    };
  }
  const flat = await FlatIndex.build(base, { metric });
  const { ids } = await flat.searchBatch(queries, k, allowed === undefined ? {} : { filter: IdSet.allow(allowed) });
  flat.close();
  const distances = new Float64Array(queries.rows * k).fill(Number.POSITIVE_INFINITY);
  for (let q = 0; q < queries.rows; q++) {
    const row = distances.subarray(q * k, q * k + width);
    for (let i = 0; i < width; i++) row[i] = distanceOf(base, ids[q * k + i]!, queries, q, metric);
    row.sort();
  }
  const inspected = Math.min(checked, queries.rows);
  for (let i = 0; i < inspected; i++) {
    checkQuery(dataset, Math.floor((i * queries.rows) / inspected), distances, k, width, allowed);
  }
  await writeWhole(path, bytesOf(distances));
  return { distances, counts, width: k };
}

function checkQuery(
  { base, queries, metric, name }: BenchDataset,
  q: number,
  found: Float64Array,
  k: number,
  width: number,
  allowed: Uint32Array | undefined,
) {
  const rows = allowed ?? Uint32Array.from({ length: base.rows }, (_, id) => id);
  const all = Float64Array.from(rows, (id) => distanceOf(base, id, queries, q, metric)).sort();
  for (let i = 0; i < width; i++) {
    const difference = found[q * k + i]! - all[i]!;
    // Float32 rounding may exchange two rows that are this near to each other.
    if (Math.abs(difference) > 1e-5 * Math.max(1, Math.abs(all[i]!))) {
      throw new Error(`${name}: exact search is wrong at query ${q}, neighbour ${i + 1}, by ${difference}.`);
    }
  }
}

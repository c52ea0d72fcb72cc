import type { Matrix } from 'nigh/index';

/** The metrics that every peer has. */
export type PeerMetric = 'l2' | 'ip' | 'cosine';

import { benchCache, bytesOf, digestOf, readFloats, writeWhole } from '../cache.js';

/** Base vectors to index and queries to ask: what one benchmark runs on. */
export interface BenchDataset {
  readonly name: string;
  /** One line: where it comes from, or seed and law of a generated one. */
  readonly about: string;
  readonly metric: PeerMetric;
  readonly base: Matrix;
  readonly queries: Matrix;
  /** Of the base rows and the metric: what an index of it depends on. */
  readonly baseDigest: string;
}

/** One dataset a file. */
export interface BenchDatasetSource {
  readonly name: string;
  readonly about: string;
  readonly metric: PeerMetric;
  readonly dim: number;
  /** Counts up when the same name comes to mean other rows; what an older one left in the cache is then not used. */
  readonly version: number;
  /** All rows: downloads or generates, which happens once; from then on they come from the cache. */
  make(): Promise<{ readonly base: Float32Array; readonly queries: Float32Array }>;
}

/** The first rows and queries of a dataset, from the cache or made and put there. */
export async function loadDataset(
  source: BenchDatasetSource,
  limits: { readonly queries: number; readonly rows?: number | undefined },
): Promise<BenchDataset> {
  const { name, about, metric, dim, version } = source;
  const path = (part: string) => benchCache('datasets', `${name}-v${version}.${part}.f32`);
  const wanted = [(limits.rows ?? Number.POSITIVE_INFINITY) * dim, limits.queries * dim] as const;
  let base = await readFloats(path('base'), wanted[0]);
  let queries = await readFloats(path('queries'), wanted[1]);
  if (base === undefined || queries === undefined) {
    const made = await source.make();
    await writeWhole(path('base'), bytesOf(made.base));
    await writeWhole(path('queries'), bytesOf(made.queries));
    base = made.base.slice(0, wanted[0]);
    queries = made.queries.slice(0, wanted[1]);
  }
  const baseDigest = digestOf(metric, dim, bytesOf(base));
  return {
    name,
    about,
    metric,
    base: { data: base, rows: base.length / dim, dim },
    queries: { data: queries, rows: queries.length / dim, dim },
    baseDigest,
  };
}

/** Row `r` of a matrix, as a view. */
export function rowOf({ data, dim }: Matrix, r: number): Float32Array {
  return data.subarray(r * dim, (r + 1) * dim);
}

/** The first rows of a matrix, as a view. */
export function firstRows({ data, rows, dim }: Matrix, count: number): Matrix {
  const kept = Math.min(rows, count);
  return { data: data.subarray(0, kept * dim), rows: kept, dim };
}

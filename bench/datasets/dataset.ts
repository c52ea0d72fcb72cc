import { createHash } from 'node:crypto';
import type { Matrix } from 'nigh/index';
import { benchCache, bytesOf, digestOf, readFloats, writeWhole } from '../cache.js';
import { say } from '../report/say.js';
import { knownSums } from './known-sums.js';

/** The metrics that every peer has. */
export type PeerMetric = 'l2' | 'ip' | 'cosine';

/** Base vectors to index and queries to ask: what one benchmark runs on. */
export interface BenchDataset {
  readonly name: string;
  /** One line: where it comes from, or seed and law of a generated one. */
  readonly about: string;
  readonly metric: PeerMetric;
  readonly base: Matrix;
  readonly queries: Matrix;
  /** SHA-256 of the base rows, as little-endian float32. */
  readonly sha256: string;
  /** Of the base rows and the metric: what an index of it depends on. */
  readonly baseDigest: string;
}

/** One dataset a file. */
export interface BenchDatasetSource {
  readonly name: string;
  readonly about: string;
  readonly metric: PeerMetric;
  /** Of a row; what is trained or read from a file tells with its first rows. */
  readonly dim?: number;
  /** Counts up when the same name comes to mean other rows; what an older one left in the cache is then not used. */
  readonly version: number;
  /** All rows: downloads, trains or generates, which happens once; from then on they come from the cache. */
  make(): Promise<{ readonly base: Float32Array; readonly queries: Float32Array; readonly dim?: number }>;
}

/**
 * The first rows and queries of a dataset, from the cache or made and put there. A whole one whose digest is known (known-sums.ts) is
 * compared with it: figures of other rows are not figures of this dataset.
 * @throws Error where the digest is another
 */
export async function loadDataset(
  source: BenchDatasetSource,
  limits: { readonly queries: number; readonly rows?: number | undefined },
): Promise<BenchDataset> {
  const { name, about, metric, version } = source;
  const path = (part: string) => benchCache('datasets', `${name}-v${version}.${part}.f32`);
  let dim = source.dim ?? (await readFloats(path('dim')))?.[0];
  const wanted = (count: number | undefined) => (count ?? Number.POSITIVE_INFINITY) * dim!;
  let base = dim === undefined ? undefined : await readFloats(path('base'), wanted(limits.rows));
  let queries = dim === undefined ? undefined : await readFloats(path('queries'), wanted(limits.queries));
  if (dim === undefined || base === undefined || queries === undefined) {
    say(`${name}: making it`);
    const made = await source.make();
    dim = source.dim ?? made.dim;
    if (dim === undefined) throw new Error(`${name} does not say how many dimensions it has.`);
    requireKnown(name, 'queries', sha256Of(made.queries));
    requireKnown(name, 'base', sha256Of(made.base));
    await writeWhole(path('base'), bytesOf(made.base));
    await writeWhole(path('queries'), bytesOf(made.queries));
    // Last, where it says that the others are whole.
    if (source.dim === undefined) await writeWhole(path('dim'), bytesOf(Float32Array.of(dim)));
    base = made.base.slice(0, wanted(limits.rows));
    queries = made.queries.slice(0, wanted(limits.queries));
  }
  const sha256 = sha256Of(base);
  if (limits.rows === undefined) requireKnown(name, 'base', sha256);
  const rows = { data: base, rows: base.length / dim, dim };
  return {
    name,
    about,
    metric,
    base: rows,
    queries: { data: queries, rows: queries.length / dim, dim },
    sha256,
    baseDigest: digestOfRows(metric, rows),
  };
}

/** What an index of rows depends on, beside its engine. */
export function digestOfRows(metric: PeerMetric, { data, dim }: Matrix): string {
  return digestOf(metric, dim, bytesOf(data));
}

function sha256Of(values: Float32Array): string {
  return createHash('sha256').update(bytesOf(values)).digest('hex');
}

function requireKnown(name: string, part: 'base' | 'queries', found: string): void {
  const known = knownSums[name]?.[part];
  if (known === undefined || known === found) return;
  throw new Error(`${name}: the ${part} have the SHA-256 ${found}, not ${known}: remove them from the cache.`);
}

/** Row `r` of a matrix, as a view. */
export function rowOf({ data, dim }: Matrix, r: number): Float32Array {
  return data.subarray(r * dim, (r + 1) * dim);
}

/** Every query as an array of its own, as a user would hold it. */
export function queryVectors({ queries }: Pick<BenchDataset, 'queries'>): Float32Array[] {
  return Array.from({ length: queries.rows }, (_, q) => rowOf(queries, q).slice());
}

/** The first rows of a matrix, as a view. */
export function firstRows({ data, rows, dim }: Matrix, count: number): Matrix {
  const kept = Math.min(rows, count);
  return { data: data.subarray(0, kept * dim), rows: kept, dim };
}

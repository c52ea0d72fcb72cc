/**
 * Recall of an index against exact search.
 *
 * recall@k by distance, as ann-benchmarks defines it: the share of the k returned neighbours that are not farther than the
 * true k-th. Unlike a comparison of ids it does not punish an index for choosing among neighbours that are equally near, which
 * items with the same text are.
 *
 * The exact answer comes from a FlatIndex over the vectors that went in, not from the measured index: a row that the index lost
 * counts against it.
 */
import { breathe } from '../core/abort.js';
import type { Matrix } from '../core/matrix.js';
import type { Vectors } from '../embeddings/embedding.js';
import { FlatIndex } from '../index/flat-index.js';
import type { BatchResult, VectorIndex } from '../index/vector-index.js';

export interface RecallOptions {
  readonly k: number;
  readonly efSearch?: number | undefined;
  /** What every search asks for instead of an efSearch. */
  readonly wantedRecall?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Recall {
  /** Mean over the queries, 0 to 1. */
  readonly recall: number;
  readonly queries: number;
}

/** Float32 sums in another order differ in the last bits. */
const tolerance = 1e-5;
/** Queries in one batch, between two looks at the signal. */
const queriesAtOnce = 128;

/**
 * @param stored the vectors that the index was built from
 * @param queries one a row; with `self`, query r is the stored vector of id self[r], which is no neighbour of itself
 */
export async function measureRecall(
  index: VectorIndex,
  stored: Vectors,
  queries: Matrix,
  self: Uint32Array | undefined,
  options: RecallOptions,
): Promise<Recall> {
  const exact = await FlatIndex.build(stored.matrix, {
    metric: index.metric,
    ids: stored.ordinals,
    signal: options.signal,
  });
  try {
    const wanted = self === undefined ? options.k : options.k + 1;
    const { wantedRecall: recall, signal } = options;
    const efSearch = options.efSearch === undefined ? undefined : Math.max(options.efSearch, wanted);
    const settings = { signal, efSearch, recall };
    let sum = 0;
    for (let begin = 0; begin < queries.rows; begin += queriesAtOnce) {
      await breathe(signal);
      options.onProgress?.(begin, queries.rows);
      const rows = Math.min(queriesAtOnce, queries.rows - begin);
      const batch = {
        data: queries.data.subarray(begin * queries.dim, (begin + rows) * queries.dim),
        rows,
        dim: queries.dim,
      };
      const truth = await exact.searchBatch(batch, wanted, signal === undefined ? {} : { signal });
      const found = await index.searchBatch(batch, wanted, settings);
      for (let r = 0; r < rows; r++) {
        const own = self?.[begin + r];
        sum += rowRecall(distancesOf(truth, r, wanted, own), distancesOf(found, r, wanted, own), options.k);
      }
    }
    options.onProgress?.(queries.rows, queries.rows);
    return { recall: queries.rows === 0 ? 1 : sum / queries.rows, queries: queries.rows };
  } finally {
    exact.close();
  }
}

/** Share of the true neighbours' places that hold something as near. No true neighbours: nothing to miss. */
export function rowRecall(truth: readonly number[], found: readonly number[], k: number): number {
  const places = Math.min(k, truth.length);
  if (places === 0) return 1;
  const farthest = truth[places - 1]!;
  const limit = farthest + tolerance * Math.max(1, Math.abs(farthest));
  let near = 0;
  for (const distance of found.slice(0, places)) if (distance <= limit) near++;
  return near / places;
}

/** Distances of one row, closest first, without the query's own id. */
export function distancesOf(result: BatchResult, r: number, k: number, own: number | undefined): number[] {
  const distances: number[] = [];
  for (let at = r * k; at < r * k + result.counts[r]!; at++) {
    if (result.ids[at] !== own) distances.push(result.distances[at]!);
  }
  return distances;
}

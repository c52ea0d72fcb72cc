/** Typed fronts of the native neighbour search among sparse rows: exact, off the event loop, on all cores. */
import type { CsrMatrix } from '../core/csr-matrix.js';
import { type KnnArguments, native } from './native.js';
import { runTask } from './task.js';
import { csrArguments, type TrainOptions } from './train.js';

/** In the order of their numbers in native/train/sparse_knn.h, where each is defined. */
export const knnMeasures = ['cosine', 'common-cosine', 'pearson', 'msd', 'jaccard'] as const;

export interface SparseKnnParams {
  readonly measure: (typeof knnMeasures)[number];
  /** Neighbours kept, at least 1. */
  readonly k: number;
  /** Rows with fewer columns in common are no neighbours. */
  readonly minSupport: number;
  /** s of n / (n + s), which a similarity over n columns is multiplied by. */
  readonly shrinkage: number;
}

/** Row r has `counts[r]` neighbours, at r · k in `ids` and `similarities`, most similar first, ties by the smaller id. */
export interface SparseNeighbors {
  readonly k: number;
  readonly ids: Uint32Array;
  readonly similarities: Float32Array;
  readonly counts: Uint32Array;
}

/**
 * For every row of `queries` its most similar rows of `base`; only similarities above 0. Where both are the same object, a row is no
 * neighbour of itself.
 * @throws NighError INVALID_ARGUMENT, NOT_FINITE, ABORTED, OUT_OF_MEMORY
 */
export async function sparseKnn(
  queries: CsrMatrix,
  base: CsrMatrix,
  params: SparseKnnParams,
  options: TrainOptions = {},
): Promise<SparseNeighbors> {
  const k = Math.max(1, Math.min(params.k, base.rows));
  const ids = new Uint32Array(queries.rows * k);
  const similarities = new Float32Array(queries.rows * k);
  const counts = new Uint32Array(queries.rows);
  await runTask(options, (control) =>
    native().sparseKnn(
      ...csrArguments(queries),
      ...csrArguments(base),
      queries === base,
      ...knnArguments({ ...params, k }, options.threads),
      ids,
      similarities,
      counts,
      control,
    ),
  );
  return { k, ids, similarities, counts };
}

/**
 * For every pair (row, column) the mean of the targets of the k most similar rows that have the column, weighted by similarity; NaN where
 * there is none.
 * @param targets parallel to the entries of the matrix
 * @throws NighError INVALID_ARGUMENT, NOT_FINITE, ABORTED, OUT_OF_MEMORY
 */
export async function sparseKnnMeans(
  matrix: CsrMatrix,
  targets: Float32Array,
  pairRows: Uint32Array,
  pairColumns: Uint32Array,
  params: SparseKnnParams,
  options: TrainOptions = {},
): Promise<Float32Array> {
  const out = new Float32Array(pairRows.length);
  await runTask(options, (control) =>
    native().sparseKnnMeans(
      ...csrArguments(matrix),
      targets,
      pairRows,
      pairColumns,
      ...knnArguments(params, options.threads),
      out,
      control,
    ),
  );
  return out;
}

function knnArguments(
  { measure, k, minSupport, shrinkage }: SparseKnnParams,
  threads: number | undefined,
): KnnArguments {
  return [knnMeasures.indexOf(measure), k, minSupport, shrinkage, threads ?? 0];
}

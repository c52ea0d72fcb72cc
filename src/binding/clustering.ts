/** What looks for structure in dense rows: clusters and principal components. Native, off the event loop, on all cores. */
import { invalidArgument, NighError } from '../core/errors.js';
import { type Matrix, requireMatrix, zeros } from '../core/matrix.js';
import { checked, flag, integer, number, optional, readParams } from '../core/params.js';
import { native } from './native.js';
import { runTask } from './task.js';

const taskFields = {
  threads: integer({ min: 0, max: 1024, default: 0 }),
  signal: optional(checked('an AbortSignal', (value): value is AbortSignal => value instanceof AbortSignal)),
  onProgress: optional(
    checked('a function', (value): value is (done: number, total: number) => void => typeof value === 'function'),
  ),
};

interface ClusteringTaskOptions {
  /** Native threads; 0 (default) = all. The result does not depend on it. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** Called some ten times a second at most. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface KmeansOptions extends ClusteringTaskOptions {
  /** How many clusters: 1 to the number of rows. */
  readonly clusters: number;
  /** Compare rows by direction (cosine) instead of by place (Euclidean). Default false. */
  readonly spherical?: boolean;
  /** Steps at most, 0 to 10,000. Default 100. */
  readonly maxIterations?: number;
  /** Stop when a step lowers the inertia by less than this share of it, 0 to 1. 0 goes on until nothing changes. Default 0.0001. */
  readonly tolerance?: number;
  /** Which rows are drawn as first centroids. The same seed gives the same bytes on any number of threads. Default 42. */
  readonly seed?: number;
}

export interface Kmeans {
  /** (clusters, dim), unit rows if spherical. */
  readonly centroids: Matrix;
  /** The nearest centroid of every row. */
  readonly assignments: Uint32Array;
  /** Σ |x − c|² over the rows, or Σ (1 − cos) if spherical: after the seeding, then after every step. The last is that of the answer. */
  readonly inertias: Float64Array;
}

const kmeansSchema = {
  clusters: integer({ min: 1, max: 0xffff_ffff }),
  spherical: flag({ default: false }),
  maxIterations: integer({ min: 0, max: 10_000, default: 100 }),
  tolerance: number({ min: 0, max: 1, default: 1e-4 }),
  seed: integer({ min: 0, default: 42 }),
  ...taskFields,
};

/**
 * k-means: Lloyd's algorithm from k-means++ seeds (Arthur and Vassilvitskii 2007), Euclidean or spherical (Dhillon and Modha 2001). A
 * cluster that loses its rows is given the row that is farthest from its own centroid, so none is empty but where there are fewer
 * distinct rows than clusters. Rows equally near to two centroids belong to the first.
 *
 * ```ts
 * const { assignments, inertias } = await kmeans({ data, rows, dim }, { clusters: 20, spherical: true });
 * ```
 * @param matrix must not change before the promise settles
 * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR for a row of length 0 if
 * spherical, ABORTED, OUT_OF_MEMORY
 */
export async function kmeans(matrix: Matrix, options: KmeansOptions): Promise<Kmeans> {
  const { clusters, spherical, maxIterations, tolerance, seed, threads, ...task } = readParams(
    kmeansSchema,
    options,
    '',
  );
  requireMatrix('matrix', matrix);
  const { data, rows, dim } = matrix;
  if (clusters > rows) throw invalidArgument('clusters', `at most ${rows}, the number of rows`, clusters);
  const centroids = zeros(clusters, dim);
  const assignments = new Uint32Array(rows);
  const inertias = new Float64Array(maxIterations + 1);
  const count = await runTask(task, (control) =>
    native().kmeans(
      data,
      rows,
      dim,
      clusters,
      spherical,
      maxIterations,
      tolerance,
      seed,
      threads,
      centroids.data,
      assignments,
      inertias,
      control,
    ),
  );
  return { centroids, assignments, inertias: inertias.slice(0, count) };
}

export interface PcaOptions extends ClusteringTaskOptions {
  /** How many components: 1 to dim. Default: all. */
  readonly components?: number;
}

export interface Pca {
  readonly mean: Float32Array;
  /** (components, dim): unit rows, of which the largest value is positive. */
  readonly directions: Matrix;
  /** Variance along every direction, all `dim` of them, descending; divided by rows − 1. */
  readonly variances: Float64Array;
  /** (rows, components): the rows less the mean, along the directions. */
  readonly projected: Matrix;
}

const pcaSchema = { components: optional(integer({ min: 1, max: 0xffff_ffff })), ...taskFields };

/**
 * Principal components by the eigenvectors of the covariance: exact, in time rows · dim² + dim³; made for up to some thousand
 * dimensions. The same input gives the same bytes on any number of threads.
 *
 * ```ts
 * const { projected, variances } = await pca({ data, rows, dim }, { components: 2 });
 * ```
 * @param matrix at least 2 rows; must not change before the promise settles
 * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, DIMENSION_MISMATCH, NOT_FINITE, ABORTED, OUT_OF_MEMORY
 */
export async function pca(matrix: Matrix, options: PcaOptions = {}): Promise<Pca> {
  const { components: wanted, threads, ...task } = readParams(pcaSchema, options, '');
  requireMatrix('matrix', matrix);
  const { data, rows, dim } = matrix;
  const components = wanted ?? dim;
  if (components > dim) throw invalidArgument('components', `at most ${dim}, the number of dimensions`, components);
  if (rows < 2) throw invalidArgument('matrix', 'at least 2 rows', rows);
  const mean = new Float32Array(dim);
  const variances = new Float64Array(dim);
  const directions = zeros(components, dim);
  const projected = zeros(rows, components);
  await runTask(task, (control) =>
    native().pca(data, rows, dim, components, threads, mean, variances, directions.data, projected.data, control),
  );
  return { mean, directions, variances, projected };
}

/**
 * Places a vector that was not there among the principal components.
 * @throws NighError DIMENSION_MISMATCH
 */
export function project(vector: Float32Array, { mean, directions }: Pick<Pca, 'mean' | 'directions'>): Float32Array {
  const { data, rows, dim } = directions;
  if (vector.length !== dim) {
    throw new NighError('DIMENSION_MISMATCH', `vector: expected ${dim} values, got ${vector.length}.`);
  }
  return Float32Array.from({ length: rows }, (_, c) => {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += (vector[d]! - mean[d]!) * data[c * dim + d]!;
    return sum;
  });
}

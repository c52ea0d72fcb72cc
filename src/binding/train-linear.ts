/** Typed fronts of native/train/ease.h, randomized_svd.h and tall_matrix.h for dense matrices, ridge_map.h and sparse_product.h. */
import type { CsrMatrix } from '../core/csr-matrix.js';
import { type Matrix, requireMatrix, zeros } from '../core/matrix.js';
import { native } from './native.js';
import { runTask } from './task.js';
import { csrArguments, type RandomizedSvdParams, type TrainOptions } from './train.js';

/**
 * sparse · dense (sparse.rows × dense.dim). The same bytes on any number of threads.
 * @throws NighError INVALID_ARGUMENT, NOT_FINITE, ABORTED, OUT_OF_MEMORY
 */
export async function sparseProduct(sparse: CsrMatrix, dense: Matrix, options: TrainOptions = {}): Promise<Matrix> {
  requireMatrix('dense', dense);
  const out = zeros(sparse.rows, dense.dim);
  await runTask(options, (control) =>
    native().sparseProduct(
      ...csrArguments(sparse),
      dense.data,
      dense.rows,
      dense.dim,
      options.threads ?? 0,
      out.data,
      control,
    ),
  );
  return out;
}

/**
 * EASE's B (items × items) of `interactions` (users × items), and diag P, of which B = I − P / diag P. Progress counts blocks of items. The same bytes on any number of threads.
 * @throws NighError EMPTY_DATASET, NOT_FINITE, INVALID_ARGUMENT, ABORTED, OUT_OF_MEMORY
 */
export async function easeWeights(
  interactions: CsrMatrix,
  regularization: number,
  options: TrainOptions,
): Promise<{ weights: Matrix; diagonal: Float32Array }> {
  const weights = zeros(interactions.cols, interactions.cols);
  const diagonal = new Float32Array(interactions.cols);
  await runTask(options, (control) =>
    native().easeWeights(
      ...csrArguments(interactions),
      regularization,
      options.threads ?? 0,
      weights.data,
      diagonal,
      control,
    ),
  );
  return { weights, diagonal };
}

/**
 * rows · basisᵀ (rows.rows × basis.rows). The same bytes on any number of threads.
 * @throws NighError INVALID_ARGUMENT, ABORTED, OUT_OF_MEMORY
 */
export async function denseProject(rows: Matrix, basis: Matrix, options: TrainOptions = {}): Promise<Matrix> {
  requireMatrix('rows', rows);
  requireMatrix('basis', basis);
  const out = zeros(rows.rows, basis.rows);
  await runTask(options, (control) =>
    native().denseProject(
      rows.data,
      rows.rows,
      rows.dim,
      basis.data,
      basis.rows,
      basis.dim,
      options.threads ?? 0,
      out.data,
      control,
    ),
  );
  return out;
}

/**
 * Truncated SVD of a dense matrix: matrix (rows × dim) ≈ u · diag(s) · vᵀ, as randomizedSvd gives it for a sparse one.
 * @throws NighError INVALID_ARGUMENT, NOT_FINITE, ABORTED, OUT_OF_MEMORY
 */
export async function denseSvd(
  matrix: Matrix,
  { rank, oversampling, powerIterations, seed }: RandomizedSvdParams,
  options: TrainOptions,
): Promise<{ u: Matrix; s: Float32Array; v: Matrix }> {
  requireMatrix('matrix', matrix);
  const u = zeros(matrix.rows, rank);
  const s = new Float32Array(rank);
  const v = zeros(matrix.dim, rank);
  await runTask(options, (control) =>
    native().denseSvd(
      matrix.data,
      matrix.rows,
      matrix.dim,
      rank,
      oversampling,
      powerIterations,
      seed,
      options.threads ?? 0,
      u.data,
      s,
      v.data,
      control,
    ),
  );
  return { u, s, v };
}

/**
 * The linear map B (targets.dim × features.dim) of min Σ w_i |t_i − B g_i|² + λ |B|², g_i and t_i being row i of `features` and
 * `targets`. `regularization` is λ as a multiple of the mean diagonal of Gᵀ W G. The same bytes on any number of threads.
 * @throws NighError INVALID_ARGUMENT, NOT_FINITE, EMPTY_DATASET where no row has both a weight and features, ABORTED, OUT_OF_MEMORY
 */
export async function ridgeMap(
  features: Matrix,
  weights: Float32Array,
  targets: Matrix,
  regularization: number,
  options: TrainOptions = {},
): Promise<Matrix> {
  requireMatrix('features', features);
  requireMatrix('targets', targets);
  const map = zeros(targets.dim, features.dim);
  await runTask(options, (control) =>
    native().ridgeMap(
      features.data,
      features.rows,
      features.dim,
      weights,
      targets.data,
      targets.rows,
      targets.dim,
      regularization,
      options.threads ?? 0,
      map.data,
      control,
    ),
  );
  return map;
}

/** Typed fronts of the native training functions: matrices in, matrices out, off the event loop, on all cores. */
import type { CsrMatrix } from '../core/csr-matrix.js';
import { type Matrix, requireMatrix, zeros } from '../core/matrix.js';
import { type AlsArguments, type CsrArguments, native } from './native.js';
import { runTask, type TaskOptions } from './task.js';

export interface TrainOptions extends TaskOptions {
  /** Native threads to use; 0 = all. The result does not depend on it. */
  readonly threads?: number | undefined;
}

/** What fold-in needs of the parameters of a training: see native/train/als.h for their meaning in the paper. */
export interface AlsModelParams {
  readonly factors: number;
  /** w0, the weight of every pair that was not observed. */
  readonly unobservedWeight: number;
  /** λ. */
  readonly regularization: number;
  /** ν: how regularisation grows with the number of entries of a row. */
  readonly frequencyExponent: number;
  /** Whether values below 0 are confidences of a score of 0, rather than an error. Default false. */
  readonly dislikes?: boolean;
}

export interface AlsTrainParams extends AlsModelParams {
  readonly iterations: number;
  /** Standard deviation of a start vector's length. */
  readonly initStddev: number;
  /** Conjugate-gradient steps a row; 0 solves every row by Cholesky. */
  readonly cgSteps: number;
  readonly seed: number;
}

/** What is known of the items besides who chose them. */
export interface AlsFeatures {
  /** items × features; a row of zeros where nothing is known. */
  readonly rows: Matrix;
  /** Of the map from features to factors, as `ridgeMap` takes it. */
  readonly regularization: number;
}

/**
 * Implicit ALS over `matrix` (users × items, values are confidences above 0). Items and users without entries get zeros. With
 * `features` the rows of the items are pulled to a linear map of theirs, `map` (factors × features), which places items without entries.
 * Progress counts solved rows. The same seed gives the same bytes on any number of threads.
 * @throws NighError INVALID_ARGUMENT, NOT_FINITE, EMPTY_DATASET, DIMENSION_MISMATCH, ABORTED, OUT_OF_MEMORY
 */
export async function alsTrain(
  matrix: CsrMatrix,
  params: AlsTrainParams,
  options: TrainOptions,
  features?: AlsFeatures,
): Promise<{ users: Matrix; items: Matrix; map: Matrix | undefined }> {
  if (features !== undefined) requireMatrix('features', features.rows);
  const users = zeros(matrix.rows, params.factors);
  const items = zeros(matrix.cols, params.factors);
  const map = features && zeros(params.factors, features.rows.dim);
  await runTask(options, (control) =>
    native().alsTrain(
      ...csrArguments(matrix),
      ...alsArguments(params, options.threads),
      features?.rows.data ?? null,
      features?.rows.rows ?? 0,
      features?.rows.dim ?? 0,
      features?.regularization ?? 0,
      map?.data ?? null,
      users.data,
      items.data,
      control,
    ),
  );
  return { users, items, map };
}

/**
 * unobservedWeight · FᵀF (dim × dim) of a factor matrix F: the part of a row solve that all rows share.
 * @throws NighError INVALID_ARGUMENT, OUT_OF_MEMORY
 */
export async function alsGramian(factors: Matrix, unobservedWeight: number): Promise<Float32Array> {
  requireMatrix('factors', factors);
  const out = new Float32Array(factors.dim * factors.dim);
  await runTask({}, () => native().alsGramian(factors.data, factors.rows, factors.dim, unobservedWeight, 0, out));
  return out;
}

/**
 * The vectors that training would give rows with these histories (rows × items, values are confidences), against fixed
 * item factors, solved exactly. `itemsInTraining` is how many items the model was trained over, of which `itemFactors`
 * may hold a part. `means` (rows × factors) is what regularisation pulls to, and what a row without entries becomes. Items are folded
 * in with the sides swapped: `histories` of items × users, user factors, their Gramian, the number of users.
 * @throws NighError INVALID_ARGUMENT, NOT_FINITE, DIMENSION_MISMATCH, ABORTED, OUT_OF_MEMORY
 */
export async function alsFoldIn(
  histories: CsrMatrix,
  itemFactors: Matrix,
  gramian: Float32Array,
  params: AlsModelParams,
  itemsInTraining: number,
  options: TrainOptions = {},
  means?: Matrix,
): Promise<Matrix> {
  requireMatrix('itemFactors', itemFactors);
  const out = zeros(histories.rows, params.factors);
  // Fold-in is one exact row solve: it has no sweeps, no start vector and no seed.
  const solve = { ...params, iterations: 1, initStddev: 0, cgSteps: 0, seed: 0 };
  await runTask(options, (control) =>
    native().alsFoldIn(
      ...csrArguments(histories),
      itemFactors.data,
      itemFactors.rows,
      itemFactors.dim,
      gramian,
      means?.data ?? null,
      ...alsArguments(solve, options.threads),
      itemsInTraining,
      out.data,
      control,
    ),
  );
  return out;
}

export interface RandomizedSvdParams {
  /** Singular triplets wanted: at most min(rows, cols). */
  readonly rank: number;
  /** Further random directions, dropped at the end. More come closer to the true subspace. */
  readonly oversampling: number;
  /** Passes over the matrix that sharpen the subspace; each costs two products. */
  readonly powerIterations: number;
  readonly seed: number;
}

/**
 * Truncated SVD by random projection: matrix (rows × cols) ≈ u · diag(s) · vᵀ, with u rows × rank, s descending, v cols
 * × rank. The same seed gives the same bytes on any number of threads.
 * @throws NighError INVALID_ARGUMENT, NOT_FINITE, ABORTED, OUT_OF_MEMORY
 */
export async function randomizedSvd(
  matrix: CsrMatrix,
  params: RandomizedSvdParams,
  options: TrainOptions,
): Promise<{ u: Matrix; s: Float32Array; v: Matrix }> {
  const { rank, oversampling, powerIterations, seed } = params;
  const u = zeros(matrix.rows, rank);
  const s = new Float32Array(rank);
  const v = zeros(matrix.cols, rank);
  await runTask(options, (control) =>
    native().randomizedSvd(
      ...csrArguments(matrix),
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

/** A matrix as native functions take it. */
export function csrArguments(matrix: CsrMatrix): CsrArguments {
  return [matrix.offsets, matrix.columns, matrix.values, matrix.cols];
}

function alsArguments(params: AlsTrainParams, threads: number | undefined): AlsArguments {
  return [
    params.factors,
    params.iterations,
    params.unobservedWeight,
    params.regularization,
    params.frequencyExponent,
    params.initStddev,
    params.seed,
    params.cgSteps,
    params.dislikes ?? false,
    threads ?? 0,
  ];
}

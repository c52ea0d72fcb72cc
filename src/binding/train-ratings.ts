/** Typed fronts of the native solvers of rating models: see native/train/rating_sgd.h and rating_als.h. */
import type { CsrMatrix } from '../core/csr-matrix.js';
import { type Matrix, requireMatrix, zeros } from '../core/matrix.js';
import { native, type RatingFactorArguments } from './native.js';
import { runTask } from './task.js';
import { csrArguments, type TrainOptions } from './train.js';

/** r̂ = μ + b_u + b_i + p_u·q_i, before any scaling. Rows without ratings are zeros. */
export interface RatingFactors {
  readonly users: Matrix;
  readonly items: Matrix;
  readonly userBiases: Float32Array;
  readonly itemBiases: Float32Array;
}

interface RatingParams {
  readonly factors: number;
  readonly regularization: number;
  readonly initStddev: number;
  readonly seed: number;
  /** μ; in front of the sigmoid, where there is one. */
  readonly mean: number;
}

export interface RatingSgdParams extends RatingParams {
  readonly epochs: number;
  readonly learningRate: number;
  /** Predictions are low + span · σ(μ + …) instead. */
  readonly sigmoid: { readonly low: number; readonly span: number } | undefined;
}

export interface RatingAlsParams extends RatingParams {
  readonly iterations: number;
}

/**
 * Progress counts ratings. The same seed gives the same bytes on any number of threads.
 * @throws NighError EMPTY_DATASET, NOT_FINITE, INVALID_ARGUMENT when the training diverges, ABORTED, OUT_OF_MEMORY
 */
export async function ratingSgd(
  ratings: CsrMatrix,
  params: RatingSgdParams,
  options: TrainOptions,
): Promise<RatingFactors> {
  const { factors, epochs, learningRate, regularization, initStddev, seed, mean, sigmoid } = params;
  const out = emptyFactors(ratings, factors);
  await runTask(options, (control) =>
    native().ratingSgd(
      ...csrArguments(ratings),
      factors,
      epochs,
      learningRate,
      regularization,
      initStddev,
      seed,
      options.threads ?? 0,
      mean,
      sigmoid !== undefined,
      sigmoid?.low ?? 0,
      sigmoid?.span ?? 0,
      ...factorArguments(out),
      control,
    ),
  );
  return out;
}

/**
 * Progress counts solved rows. The same seed gives the same bytes on any number of threads.
 * @throws NighError EMPTY_DATASET, NOT_FINITE, INVALID_ARGUMENT where a row is not determined, ABORTED, OUT_OF_MEMORY
 */
export async function ratingAls(
  ratings: CsrMatrix,
  params: RatingAlsParams,
  options: TrainOptions,
): Promise<RatingFactors> {
  const { factors, iterations, regularization, initStddev, seed, mean } = params;
  const out = emptyFactors(ratings, factors);
  await runTask(options, (control) =>
    native().ratingAls(
      ...csrArguments(ratings),
      factors,
      iterations,
      regularization,
      initStddev,
      seed,
      options.threads ?? 0,
      mean,
      ...factorArguments(out),
      control,
    ),
  );
  return out;
}

/**
 * The users that the ALS would give these ratings (rows × items) against fixed items, exactly. `weights`, parallel to the
 * entries, multiply the squared errors.
 * @throws NighError INVALID_ARGUMENT, NOT_FINITE, ABORTED, OUT_OF_MEMORY
 */
export async function ratingFoldIn(
  ratings: CsrMatrix,
  model: {
    readonly items: Matrix;
    readonly itemBiases: Float32Array;
    readonly mean: number;
    readonly regularization: number;
  },
  weights: Float32Array | undefined,
  options: TrainOptions = {},
): Promise<{ users: Matrix; userBiases: Float32Array }> {
  const { items } = model;
  requireMatrix('items', items);
  const users = zeros(ratings.rows, items.dim);
  const userBiases = new Float32Array(ratings.rows);
  await runTask(options, (control) =>
    native().ratingFoldIn(
      ...csrArguments(ratings),
      weights ?? null,
      items.data,
      items.rows,
      items.dim,
      model.itemBiases,
      model.mean,
      model.regularization,
      options.threads ?? 0,
      users.data,
      userBiases,
      control,
    ),
  );
  return { users, userBiases };
}

function emptyFactors(ratings: CsrMatrix, factors: number): RatingFactors {
  return {
    users: zeros(ratings.rows, factors),
    items: zeros(ratings.cols, factors),
    userBiases: new Float32Array(ratings.rows),
    itemBiases: new Float32Array(ratings.cols),
  };
}

function factorArguments({ users, items, userBiases, itemBiases }: RatingFactors): RatingFactorArguments {
  return [users.data, items.data, userBiases, itemBiases];
}

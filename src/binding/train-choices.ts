/** Typed fronts of the native models of choices, besides ALS: native/train/bpr.h, nmf.h and sppmi.h. */
import { CsrMatrix } from '../core/csr-matrix.js';
import { type Matrix, requireMatrix, zeros } from '../core/matrix.js';
import { native } from './native.js';
import { runTask } from './task.js';
import { csrArguments, type TrainOptions } from './train.js';

export interface BprTrainParams {
  readonly factors: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly regularization: number;
  readonly initStddev: number;
  readonly seed: number;
}

/**
 * Scores are itemBiases[i] + users_u·items_i. Rows without interactions are zeros, but for what training taught of an item that nobody
 * chose. Progress counts interactions. The same seed gives the same bytes on any number of threads.
 * @throws NighError EMPTY_DATASET, NOT_FINITE, INVALID_ARGUMENT when the training diverges, ABORTED, OUT_OF_MEMORY
 */
export async function bprTrain(
  interactions: CsrMatrix,
  params: BprTrainParams,
  options: TrainOptions,
): Promise<{ users: Matrix; items: Matrix; itemBiases: Float32Array }> {
  const { factors, epochs, learningRate, regularization, initStddev, seed } = params;
  const users = zeros(interactions.rows, factors);
  const items = zeros(interactions.cols, factors);
  const itemBiases = new Float32Array(interactions.cols);
  await runTask(options, (control) =>
    native().bprTrain(
      ...csrArguments(interactions),
      factors,
      epochs,
      learningRate,
      regularization,
      initStddev,
      seed,
      options.threads ?? 0,
      users.data,
      items.data,
      new Float32Array(interactions.rows),
      itemBiases,
      control,
    ),
  );
  return { users, items, itemBiases };
}

interface NmfObjective {
  readonly regularization: number;
  /** Whether only stored entries are fitted, rather than all, with 0 where nothing is stored. */
  readonly observedOnly: boolean;
}

export interface NmfTrainParams extends NmfObjective {
  readonly factors: number;
  readonly iterations: number;
  readonly seed: number;
}

/**
 * Factors of at least 0. Progress counts solved rows. The same seed gives the same bytes on any number of threads.
 * @throws NighError EMPTY_DATASET, NOT_FINITE, INVALID_ARGUMENT for a value below 0, ABORTED, OUT_OF_MEMORY
 */
export async function nmfTrain(
  matrix: CsrMatrix,
  params: NmfTrainParams,
  options: TrainOptions,
): Promise<{ users: Matrix; items: Matrix }> {
  const { factors, iterations, regularization, observedOnly, seed } = params;
  const users = zeros(matrix.rows, factors);
  const items = zeros(matrix.cols, factors);
  await runTask(options, (control) =>
    native().nmfTrain(
      ...csrArguments(matrix),
      factors,
      iterations,
      regularization,
      observedOnly,
      seed,
      options.threads ?? 0,
      users.data,
      items.data,
      control,
    ),
  );
  return { users, items };
}

/**
 * The best rows of at least 0 for these histories against fixed items. `gramian` is HᵀH over all items of the training, of which `items`
 * may then hold a part; without it `items` is all of them. Items are folded in with the sides swapped.
 * @throws NighError NOT_FINITE, INVALID_ARGUMENT for a value below 0, ABORTED, OUT_OF_MEMORY
 */
export async function nmfFoldIn(
  histories: CsrMatrix,
  items: Matrix,
  { regularization, observedOnly }: NmfObjective,
  options: TrainOptions = {},
  gramian?: Float32Array,
): Promise<Matrix> {
  requireMatrix('items', items);
  const users = zeros(histories.rows, items.dim);
  await runTask(options, (control) =>
    native().nmfFoldIn(
      ...csrArguments(histories),
      items.data,
      items.rows,
      items.dim,
      gramian ?? null,
      regularization,
      observedOnly,
      options.threads ?? 0,
      users.data,
      control,
    ),
  );
  return users;
}

/**
 * Shifted positive pointwise mutual information of items that share users (items × items). Progress counts items.
 * @throws NighError EMPTY_DATASET when no two items share a user, INVALID_ARGUMENT, ABORTED, OUT_OF_MEMORY
 */
export async function sppmi(
  interactions: CsrMatrix,
  { negatives, longestHistory }: { readonly negatives: number; readonly longestHistory: number },
  options: TrainOptions,
): Promise<CsrMatrix> {
  const { offsets, columns, values } = await runTask(options, (control) =>
    native().sppmi(...csrArguments(interactions), negatives, longestHistory, options.threads ?? 0, control),
  );
  return new CsrMatrix(interactions.cols, interactions.cols, offsets, columns, values);
}

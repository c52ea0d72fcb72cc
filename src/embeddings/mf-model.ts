/**
 * Biased matrix factorisation of ratings: training, prediction and fold-in, by ordinals of one matrix.
 *
 * Koren, Bell and Volinsky, "Matrix factorization techniques for recommender systems", Computer 42(8), 2009:
 *
 *   r̂_ui = μ + b_u + b_i + p_u·q_i
 *
 * by stochastic gradient descent, as in the paper, or by alternating least squares (Zhou, Wilkinson, Schreiber and Pan 2008). The
 * sweeps are native (native/train/rating_sgd, rating_als).
 */
import type { TrainOptions } from '../binding/train.js';
import { type RatingFactors, ratingAls, ratingFoldIn, ratingSgd } from '../binding/train-ratings.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import { invalidArgument, NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { choice, integer, number, optional, type ParamsOf, readParams } from '../core/params.js';

export const mfSchema = {
  /** Stochastic gradient descent, or alternating least squares: fewer and dearer sweeps, no learning rate. */
  solver: choice(['sgd', 'als'], { default: 'sgd' }),
  /** Dimensions of a taste, besides the biases. */
  factors: integer({ min: 1, max: 1024, default: 100 }),
  /** Sweeps over the ratings. Default: 20 for `sgd`, 10 for `als`. */
  epochs: optional(integer({ min: 1, max: 10_000 })),
  /** Step of `sgd`; `als` has none. Default 0.005. Too large diverges, which is an error. */
  learningRate: optional(number({ above: 0 })),
  /** λ, for every rating: larger pulls factors and biases to zero. Default: 0.02 for `sgd`, 0.1 for `als`. */
  regularization: optional(number({ min: 0 })),
  /** Entries start as N(0, initStddev). */
  initStddev: number({ above: 0, default: 0.1 }),
  /**
   * What keeps a prediction inside the range of ratings: nothing (`none`); cutting off what lies outside (`clip`); or training through
   * low + (high − low) σ(μ + b_u + b_i + p·q), a tenth of the range wider at both ends (`sigmoid`, with `sgd` only).
   */
  scaling: choice(['none', 'clip', 'sigmoid'], { default: 'clip' }),
  /** The range. Default: from the smallest to the largest value that is trained on. */
  minRating: optional(number()),
  /** Its upper end. Default: the largest value that is trained on. */
  maxRating: optional(number()),
  seed: integer({ min: 0, default: 42 }),
};

export type MfParams = ParamsOf<typeof mfSchema>;

export interface MfModel extends RatingFactors {
  /** μ: the mean rating; under `sigmoid` what the sigmoid makes the mean rating of. */
  readonly mean: number;
  readonly scaling: 'none' | 'clip' | 'sigmoid';
  /** Smallest and largest prediction, where there is a scaling. */
  readonly low: number;
  readonly high: number;
  /** λ as it was trained with, for fold-in. */
  readonly regularization: number;
}

/**
 * Checks options and fills in the defaults.
 * @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT with the path of the key
 */
export function parseMf(params: Readonly<Record<string, unknown>>, path = ''): MfParams {
  const read = readParams(mfSchema, params, path);
  const name = (key: string) => (path === '' ? key : `${path}.${key}`);
  if (read.solver === 'als') {
    if (read.learningRate !== undefined) {
      throw new NighError('INVALID_ARGUMENT', `${name('learningRate')}: the solver als has none; leave it out.`);
    }
    if (read.scaling === 'sigmoid')
      throw invalidArgument(name('scaling'), 'none or clip with the solver als', 'sigmoid');
  }
  if (read.minRating !== undefined && read.maxRating !== undefined && !(read.minRating < read.maxRating)) {
    throw invalidArgument(name('maxRating'), `a number above minRating, ${read.minRating}`, read.maxRating);
  }
  return read;
}

/**
 * Trains on `ratings` (users × items; any finite values). Users and items without a rating get zeros: their predictions are made of
 * what is known of the other. Of ratings that are all alike nothing can be learnt, and the prediction is that value. The same seed
 * gives the same bytes on any number of threads.
 * @throws NighError EMPTY_DATASET, NOT_FINITE, INVALID_ARGUMENT when the training diverges, when values lie outside the range of a
 *   sigmoid or the range is empty, ABORTED, OUT_OF_MEMORY
 */
export async function fitMf(ratings: CsrMatrix, params: MfParams, options: TrainOptions = {}): Promise<MfModel> {
  const { mean, smallest, largest } = summary(ratings);
  const { solver, scaling, factors, initStddev, seed } = params;
  const margin = scaling === 'sigmoid' ? 0.1 : 0;
  const [min, max] = [params.minRating ?? smallest, params.maxRating ?? largest];
  const [low, high] = [min - margin * (max - min), max + margin * (max - min)];
  if (scaling === 'sigmoid') {
    if (!(low < high)) throw invalidArgument('scaling', 'ratings that differ, for a sigmoid', `${smallest} only`);
    if (smallest < low || largest > high) {
      throw invalidArgument(
        'minRating, maxRating',
        `a range that holds all ratings (${smallest} to ${largest})`,
        `${min} to ${max}`,
      );
    }
  }
  if (scaling === 'clip' && !(low <= high)) throw invalidArgument('maxRating', `at least ${low}`, high);

  const common = { factors, initStddev, seed };
  if (solver === 'als') {
    const regularization = params.regularization ?? 0.1;
    const found = await ratingAls(
      ratings,
      { ...common, regularization, mean, iterations: params.epochs ?? 10 },
      options,
    );
    return { ...found, mean, scaling, low, high, regularization };
  }
  const sigmoid = scaling === 'sigmoid' ? { low, span: high - low } : undefined;
  const offset = sigmoid === undefined ? mean : logit((mean - low) / (high - low));
  const regularization = params.regularization ?? 0.02;
  const learningRate = params.learningRate ?? 0.005;
  const found = await ratingSgd(
    ratings,
    { ...common, regularization, mean: offset, learningRate, epochs: params.epochs ?? 20, sigmoid },
    options,
  );
  return { ...found, mean: offset, scaling, low, high, regularization };
}

/** A prediction a pair: user and item ordinals, parallel. @throws NighError INVALID_ARGUMENT for an ordinal outside the model */
export function predictRatings(
  model: MfModel,
  pairs: { readonly users: Uint32Array; readonly items: Uint32Array },
): Float32Array {
  const { users, items, userBiases, itemBiases, mean } = model;
  if (pairs.items.length !== pairs.users.length) {
    throw invalidArgument('pairs.items', `${pairs.users.length} ordinals, one for every user`, pairs.items);
  }
  return Float32Array.from(pairs.users, (user, at) => {
    const item = pairs.items[at]!;
    if (user >= users.rows) throw invalidArgument('pairs.users', `ordinals below ${users.rows}`, user);
    if (item >= items.rows) throw invalidArgument('pairs.items', `ordinals below ${items.rows}`, item);
    const [p, q] = [user * users.dim, item * items.dim];
    let x = mean + userBiases[user]! + itemBiases[item]!;
    for (let d = 0; d < items.dim; d++) x += users.data[p + d]! * items.data[q + d]!;
    return scaled(model, x);
  });
}

/** What a model predicts for μ + b_u + b_i + p·q = x. */
export function scaled({ scaling, low, high }: Pick<MfModel, 'scaling' | 'low' | 'high'>, x: number): number {
  if (scaling === 'none') return x;
  if (scaling === 'clip') return Math.min(high, Math.max(low, x));
  return low + (high - low) / (1 + Math.exp(-x));
}

/** What μ + b_u + b_i + p·q would have to be for this rating: the inverse of the sigmoid, kept off its ends. */
export function unscaled({ scaling, low, high }: Pick<MfModel, 'scaling' | 'low' | 'high'>, rating: number): number {
  if (scaling !== 'sigmoid') return rating;
  return logit(Math.min(0.99, Math.max(0.01, (rating - low) / (high - low))));
}

/**
 * Users who were not there at the training, from their ratings (rows × items of the model): the ridge regression of `als` against
 * fixed items, which for a model of `als` is what training would give them. Under `sigmoid` the regression is in front of it.
 * @throws NighError INVALID_ARGUMENT, NOT_FINITE, ABORTED, OUT_OF_MEMORY
 */
export function foldInRatings(model: MfModel, ratings: CsrMatrix, options: TrainOptions = {}) {
  return ratingFoldIn(withTargets(model, ratings), model, undefined, options);
}

/**
 * Items that were not there at the training, from their ratings (rows × users of the model), likewise: their factors and biases.
 * @throws NighError INVALID_ARGUMENT, NOT_FINITE, ABORTED, OUT_OF_MEMORY
 */
export async function foldInRatedItems(
  model: MfModel,
  ratings: CsrMatrix,
  options: TrainOptions = {},
): Promise<{ items: Matrix; itemBiases: Float32Array }> {
  const fixed = { ...model, items: model.users, itemBiases: model.userBiases };
  const { users, userBiases } = await ratingFoldIn(withTargets(model, ratings), fixed, undefined, options);
  return { items: users, itemBiases: userBiases };
}

function withTargets(model: MfModel, ratings: CsrMatrix): CsrMatrix {
  if (model.scaling !== 'sigmoid') return ratings;
  const { rows, cols, offsets, columns, values } = ratings;
  return new CsrMatrix(
    rows,
    cols,
    offsets,
    columns,
    values.map((rating) => unscaled(model, rating)),
  );
}

/** All of them in one pass. @throws NighError EMPTY_DATASET, NOT_FINITE */
function summary({ values }: CsrMatrix): { mean: number; smallest: number; largest: number } {
  if (values.length === 0) throw new NighError('EMPTY_DATASET', 'mf: there are no ratings to train on.');
  let [sum, smallest, largest] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    sum += value;
    smallest = Math.min(smallest, value);
    largest = Math.max(largest, value);
  }
  if (!Number.isFinite(sum)) throw new NighError('NOT_FINITE', 'mf: a rating is NaN or infinite.');
  return { mean: sum / values.length, smallest, largest };
}

function logit(share: number): number {
  return Math.log(share / (1 - share));
}

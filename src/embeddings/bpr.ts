/**
 * The embedding `bpr`: items and users from choices, by ranking what was chosen above what was not.
 *
 * Rendle, Freudenthaler, Gantner and Schmidt-Thieme, "BPR: Bayesian personalized ranking from implicit feedback", UAI 2009; the sweeps
 * are native (native/train/bpr).
 *
 *   score       b_i + p_u·q_i, as [p_u; 1]·[q_i; b_i] under inner product
 *   likeness    the direction of q_i, without the bias, times √(n_i / (n_i + shrinkage)): what few users placed has a direction, but a
 *               random one
 *   fold-in     the mean of the items' q, weighted, at the mean length of a trained user: gradient descent has no row to solve exactly,
 *               and its first step from 0 goes there
 *   new items   the item's part of the objective, bounded by squares: one row solve (bpr-item.ts)
 */

import type { TrainOptions } from '../binding/train.js';
import { type BprTrainParams, bprTrain } from '../binding/train-choices.js';
import type { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { type Matrix, zeros } from '../core/matrix.js';
import { integer, number, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import { bprItem, bprItemModel, readBprItemModel } from './bpr-item.js';
import type { Embedding, FitContext, FittedSpace, History } from './embedding.js';
import { ModelReader } from './model-reader.js';
import { withLast } from './popularity.js';
import { type PopularityParams, withPopularityOption } from './popularity-option.js';
import { rowsWhere, squaredLength } from './trained-rows.js';
import { datasetChoices, selectionSchema } from './weighting.js';

const modelSchema = {
  /** Dimensions, besides the bias. */
  factors: integer({ min: 1, max: 1024, default: 64 }),
  /** Sweeps over the interactions, each with one item that was not chosen. */
  epochs: integer({ min: 1, max: 10_000, default: 100 }),
  /** Step of the descent. Too large diverges, which is an error. */
  learningRate: number({ above: 0, default: 0.05 }),
  /** λ: larger pulls factors and biases to zero. */
  regularization: number({ min: 0, default: 0.01 }),
  /** Entries start as N(0, initStddev). */
  initStddev: number({ above: 0, default: 0.1 }),
  seed: integer({ min: 0, default: 42 }),
};

const schema = {
  ...selectionSchema,
  ...modelSchema,
  /** How many users an item needs for half of the trust in its direction, where items are compared. */
  shrinkage: number({ min: 0, default: 5 }),
};

export type BprModelParams = ParamsOf<typeof modelSchema>;
type ModelParams = ParamsOf<typeof schema>;
export type BprParams = ModelParams & PopularityParams;

export interface BprModel {
  readonly users: Matrix;
  readonly items: Matrix;
  readonly itemBiases: Float32Array;
}

/** Checks the options of a model. @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function parseBpr(params: Readonly<Record<string, unknown>>, path = ''): BprModelParams {
  return readParams(modelSchema, params, path);
}

/**
 * Trains on `interactions` (users × items): which are there counts, their values do not. The same seed gives the same bytes on any
 * number of threads.
 * @throws NighError EMPTY_DATASET, NOT_FINITE, INVALID_ARGUMENT when the training diverges, ABORTED, OUT_OF_MEMORY
 */
export function fitBpr(interactions: CsrMatrix, params: BprTrainParams, options: TrainOptions = {}): Promise<BprModel> {
  if (interactions.entries === 0) throw new NighError('EMPTY_DATASET', 'bpr: there are no interactions to train on.');
  return bprTrain(interactions, params, options);
}

export const bpr: Embedding<BprParams> = withPopularityOption<ModelParams>({
  name: 'bpr',
  keys: Object.keys(schema),
  schema,
  parse: (params, path) => readParams(schema, params, path),
  fit: fitSpace,
  openFolder: (stored) => {
    const reader = new ModelReader('bpr', stored);
    const [factors, length] = [reader.integer('factors'), reader.number('length')];
    return (history) => Promise.resolve(foldIn(factors, length, history));
  },
  openAudienceFolder: (stored) => {
    const reader = new ModelReader('bpr', stored);
    const model = readBprItemModel(reader, reader.integer('factors'));
    return async (audience) => bprItem(model, audience);
  },
});

async function fitSpace(dataset: Dataset, params: ModelParams, context: FitContext): Promise<FittedSpace> {
  const weights = datasetChoices('bpr', dataset, params);
  const model = await fitBpr(weights, params, context);
  const counts = weights.columnCounts();
  const chosen = (item: number) => counts[item]! > 0;
  const allItems = withLast(model.items, (item) => model.itemBiases[item]!);
  const allUsers = withLast(model.users, () => 1);
  const items = rowsWhere(allItems, chosen);
  const users = rowsWhere(allUsers, (user) => weights.offsets[user + 1]! > weights.offsets[user]!);
  const lengths = users.ordinals.reduce((sum, user) => sum + Math.sqrt(squaredLength(model.users, user)), 0);
  return {
    items,
    users,
    likeness: toLikeness(model.items, items.ordinals, (item) => counts[item]! / (counts[item]! + params.shrinkage)),
    model: {
      factors: params.factors,
      length: lengths / users.ordinals.length,
      ...(await bprItemModel(weights, allUsers, allItems, params.regularization, context.signal)),
    },
    notes: {
      interactions: weights.entries,
      itemsWithoutVector: dataset.interactions.cols - items.ordinals.length,
      usersWithoutVector: dataset.interactions.rows - users.ordinals.length,
    },
  };
}

/** Directions of length √trust. */
function toLikeness(items: Matrix, ordinals: Uint32Array, trust: (item: number) => number): Matrix {
  const out = zeros(ordinals.length, items.dim);
  ordinals.forEach((item, r) => {
    const scale = Math.sqrt(trust(item) / (squaredLength(items, item) || 1));
    for (let d = 0; d < items.dim; d++) out.data[r * items.dim + d] = scale * items.data[item * items.dim + d]!;
  });
  return out;
}

function foldIn(factors: number, length: number, { vectors, weights }: History): Float32Array {
  const sum = new Float64Array(factors);
  weights.forEach((weight, r) => {
    for (let d = 0; d < factors; d++) sum[d]! += weight * vectors.data[r * (factors + 1) + d]!;
  });
  const size = Math.hypot(...sum);
  const scale = size > 0 ? length / size : 0;
  return Float32Array.from([...sum.map((value) => scale * value), 1]);
}

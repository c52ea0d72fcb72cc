/**
 * The embedding `nmf`: items and users from factors of at least 0, which read as shares of tastes.
 *
 * Lee and Seung, "Learning the parts of objects by non-negative matrix factorization", Nature 401, 1999; by coordinates (Cichocki and
 * Phan 2009, native/train/nmf). For choices, all pairs are fitted, 0 where nothing was observed; for ratings, `observedOnly` fits
 * those that were given, and the score is the predicted rating.
 *
 * Items are compared by the cosine of their factors. A newcomer is the best row of at least 0 for their history, as in the training.
 */

import type { TrainOptions } from '../binding/train.js';
import { nmfFoldIn, nmfTrain } from '../binding/train-choices.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { flag, integer, number, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import type { Embedding, FitContext, FittedSpace, History } from './embedding.js';
import { ModelReader } from './model-reader.js';
import { hasLength, rowsWhere } from './trained-rows.js';
import { datasetWeights, weightingSchema } from './weighting.js';

const modelSchema = {
  /** Dimensions. */
  factors: integer({ min: 1, max: 1024, default: 32 }),
  /** Sweeps over items and users. */
  iterations: integer({ min: 1, max: 10_000, default: 50 }),
  /** λ: larger pulls factors to zero. With `observedOnly` it counts once for every rating. */
  regularization: number({ min: 0, default: 0 }),
  /** Whether only what was observed is fitted, as ratings ask for, rather than all pairs with 0 for the others. */
  observedOnly: flag({ default: false }),
  seed: integer({ min: 0, default: 42 }),
};

const schema = { ...weightingSchema, ...modelSchema };

export type NmfModelParams = ParamsOf<typeof modelSchema>;
export type NmfParams = ParamsOf<typeof schema>;

/** The score, or predicted rating, is users_u·items_i. */
export interface NmfModel {
  readonly users: Matrix;
  readonly items: Matrix;
}

/** Checks the options of a model. @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function parseNmf(params: Readonly<Record<string, unknown>>, path = ''): NmfModelParams {
  return readParams(modelSchema, params, path);
}

/**
 * Trains on `matrix` (users × items, values of at least 0). Users and items without an entry get zeros. The same seed gives the same
 * bytes on any number of threads.
 * @throws NighError EMPTY_DATASET, NOT_FINITE, INVALID_ARGUMENT for a value below 0, ABORTED, OUT_OF_MEMORY
 */
export function fitNmf(matrix: CsrMatrix, params: NmfModelParams, options: TrainOptions = {}): Promise<NmfModel> {
  if (matrix.entries === 0) throw new NighError('EMPTY_DATASET', 'nmf: there are no interactions to train on.');
  return nmfTrain(matrix, params, options);
}

export const nmf: Embedding<NmfParams> = {
  name: 'nmf',
  keys: Object.keys(schema),
  parse: (params, path) => readParams(schema, params, path),
  fit: fitSpace,
  openFolder: (stored) => {
    const reader = new ModelReader('nmf', stored);
    // The shared part of the equations over all items is not known from a history alone.
    const factors = reader.integer('factors');
    const rows = reader.integer('items');
    const model = {
      items: { data: reader.floats('vectors', rows * factors), rows, dim: factors },
      regularization: reader.number('regularization'),
      observedOnly: reader.flag('observedOnly'),
      typical: reader.number('typical'),
    };
    return (history) => foldIn(model, history);
  },
};

async function fitSpace(dataset: Dataset, params: NmfParams, context: FitContext): Promise<FittedSpace> {
  const weights = datasetWeights('nmf', dataset, params);
  const model = await fitNmf(weights, params, context);
  const items = rowsWhere(model.items, (item) => hasLength(model.items, item));
  const users = rowsWhere(model.users, (user) => hasLength(model.users, user));
  const total = weights.values.reduce((sum, value) => sum + value, 0);
  return {
    items,
    users,
    model: {
      factors: params.factors,
      items: model.items.rows,
      vectors: model.items.data,
      regularization: params.regularization,
      observedOnly: params.observedOnly,
      typical: params.observedOnly
        ? weights.values.reduce((most, value) => Math.max(most, value))
        : total / weights.entries,
    },
    notes: {
      interactions: weights.entries,
      itemsWithoutVector: dataset.interactions.cols - items.ordinals.length,
      usersWithoutVector: dataset.interactions.rows - users.ordinals.length,
    },
  };
}

interface StoredNmf {
  readonly items: Matrix;
  readonly regularization: number;
  readonly observedOnly: boolean;
  /** The value that one plain interaction of a newcomer stands for: the mean; with `observedOnly` the best. */
  readonly typical: number;
}

/** Items that came after the fit add nothing. */
async function foldIn(model: StoredNmf, { items, weights }: History): Promise<Float32Array> {
  const known = Array.from(items, (item, at) => ({ item, weight: weights[at]! })).filter(
    ({ item, weight }) => item < model.items.rows && weight > 0,
  );
  const history = CsrMatrix.fromTriplets(
    { rows: 1, cols: model.items.rows },
    {
      rows: known.map(() => 0),
      columns: known.map(({ item }) => item),
      values: known.map(({ weight }) => (model.observedOnly ? 1 : weight) * model.typical),
    },
  );
  return (await nmfFoldIn(history, model.items, model)).data;
}

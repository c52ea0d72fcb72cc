/**
 * The embedding `nmf`: items and users from factors of at least 0, which read as shares of tastes.
 *
 * Lee and Seung, "Learning the parts of objects by non-negative matrix factorization", Nature 401, 1999; by coordinates (Cichocki and
 * Phan 2009, native/train/nmf). For choices, all pairs are fitted, 0 where nothing was observed; for ratings, `observedOnly` fits
 * those that were given, and the score is the predicted rating.
 *
 * Items are compared by the cosine of their factors. A newcomer is the best row of at least 0 for their history, as in the training.
 */

import { alsGramian, type TrainOptions } from '../binding/train.js';
import { nmfFoldIn, nmfTrain } from '../binding/train-choices.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { flag, integer, number, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import type { Audience, Embedding, FitContext, FittedSpace } from './embedding.js';
import { ModelReader } from './model-reader.js';
import { type PopularityParams, withPopularityOption } from './popularity-option.js';
import { hasLength, rowsWhere } from './trained-rows.js';
import { datasetWeights, readWeighted, weightingSchema } from './weighting.js';

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
type ModelParams = ParamsOf<typeof schema>;
export type NmfParams = ModelParams & PopularityParams;

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

export const nmf: Embedding<NmfParams> = withPopularityOption<ModelParams>({
  name: 'nmf',
  keys: Object.keys(schema),
  schema,
  parse: (params, path) => readWeighted(schema, params, path),
  fit: fitSpace,
  openFolder: (stored) => {
    const model = readModel(stored);
    return (history) => solveRow(model, history, model.gramian);
  },
  openAudienceFolder: (stored) => {
    const model = readModel(stored);
    return (audience) => solveRow(model, audience, model.userGramian);
  },
});

async function fitSpace(dataset: Dataset, params: ModelParams, context: FitContext): Promise<FittedSpace> {
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
      gramian: await alsGramian(model.items, 1),
      userGramian: await alsGramian(model.users, 1),
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
  /** HᵀH of the items and of the users: the part of a row solve that all rows share. */
  readonly gramian: Float32Array;
  readonly userGramian: Float32Array;
  readonly regularization: number;
  readonly observedOnly: boolean;
  /** The value that one plain interaction of a newcomer stands for: the mean; with `observedOnly` the best. */
  readonly typical: number;
}

function readModel(stored: Readonly<Record<string, unknown>>): StoredNmf {
  const reader = new ModelReader('nmf', stored);
  const factors = reader.integer('factors');
  return {
    gramian: reader.floats('gramian', factors * factors),
    userGramian: reader.floats('userGramian', factors * factors),
    regularization: reader.number('regularization'),
    observedOnly: reader.flag('observedOnly'),
    typical: reader.number('typical'),
  };
}

/** The row of at least 0 that training would give. What weighs nothing, or is disliked, adds nothing. */
async function solveRow(
  model: StoredNmf,
  { vectors, weights }: Audience,
  gramian: Float32Array,
): Promise<Float32Array> {
  const liked = Uint32Array.from(weights.keys()).filter((r) => weights[r]! > 0);
  const row = new CsrMatrix(
    1,
    vectors.rows,
    Uint32Array.of(0, liked.length),
    liked,
    Float32Array.from(liked, (r) => (model.observedOnly ? 1 : weights[r]!) * model.typical),
  );
  return (await nmfFoldIn(row, vectors, model, { threads: 1 }, gramian)).data;
}

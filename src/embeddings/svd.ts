/**
 * The embedding `svd` (PureSVD): items and users from the singular vectors of the interactions.
 *
 * Cremonesi, Koren and Turrin, "Performance of recommender algorithms on top-N recommendation tasks", RecSys 2010; the SVD by Halko,
 * Martinsson and Tropp 2011 (native/train/randomized_svd).
 *
 *   R ≈ U Σ Qᵀ     R: users × items, 0 where nothing was observed
 *   items          Q
 *   users          R Q = U Σ: a user's vector is the sum of the items' of their history, also of a user who came later
 *   score          (R Q)_u · Q_i
 *
 * Items are compared by the cosine of their whole columns of R as far as the factors hold them: Σ Q_i / |R_i|, under inner product,
 * whose length √s_i is how much of the item the factors explain. (R is a projection's input, so this is exact: docs/decisions/0002.)
 */
import { randomizedSvd, type TrainOptions } from '../binding/train.js';
import { sparseProduct } from '../binding/train-linear.js';
import type { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { gatherRows, type Matrix, zeros } from '../core/matrix.js';
import { integer, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import type { Audience, Embedding, FitContext, FittedSpace } from './embedding.js';
import { ModelReader } from './model-reader.js';
import { type PopularityParams, withPopularityOption } from './popularity-option.js';
import { hasLength, rowsWhere } from './trained-rows.js';
import { datasetWeights, readWeighted, weightingSchema } from './weighting.js';

const modelSchema = {
  /** Dimensions: fewer where there are fewer users or items. Few recommend what is popular in a broad taste, many follow finer ones. */
  factors: integer({ min: 1, max: 4096, default: 64 }),
  /** Further random directions, dropped at the end. More come closer to the true singular vectors. */
  oversampling: integer({ min: 0, max: 1024, default: 16 }),
  /** Passes over the interactions that sharpen the directions. */
  powerIterations: integer({ min: 0, max: 100, default: 4 }),
  seed: integer({ min: 0, default: 42 }),
};

const schema = { ...weightingSchema, ...modelSchema };

export type SvdModelParams = ParamsOf<typeof modelSchema>;
type ModelParams = ParamsOf<typeof schema>;
export type SvdParams = ModelParams & PopularityParams;

export interface SvdModel {
  /** R Q. */
  readonly users: Matrix;
  /** Q: orthonormal columns. */
  readonly items: Matrix;
  /** Σ, descending. */
  readonly singularValues: Float32Array;
}

/** Checks the options of a model. @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function parseSvd(params: Readonly<Record<string, unknown>>, path = ''): SvdModelParams {
  return readParams(modelSchema, params, path);
}

/**
 * PureSVD of `interactions` (users × items; any finite values). The same seed gives the same bytes on any number of threads.
 * @throws NighError EMPTY_DATASET without an entry, NOT_FINITE, ABORTED, OUT_OF_MEMORY
 */
export async function fitSvd(
  interactions: CsrMatrix,
  { factors, oversampling, powerIterations, seed }: SvdModelParams,
  options: TrainOptions = {},
): Promise<SvdModel> {
  if (interactions.entries === 0) throw new NighError('EMPTY_DATASET', 'svd: there are no interactions to train on.');
  const rank = Math.min(factors, interactions.rows, interactions.cols);
  const { s, v } = await randomizedSvd(interactions, { rank, oversampling, powerIterations, seed }, options);
  // R Q, and not U Σ, which random projection leaves a little different: as fold-in gives it.
  const users = await sparseProduct(interactions, v, { ...options, onProgress: undefined });
  return { users, items: v, singularValues: s };
}

export const svd: Embedding<SvdParams> = withPopularityOption<ModelParams>({
  name: 'svd',
  keys: Object.keys(schema),
  schema,
  parse: (params, path) => readWeighted(schema, params, path),
  fit: fitSpace,
  openFolder: (stored) => {
    const dim = new ModelReader('svd', stored).integer('factors');
    return (history) => Promise.resolve(projected(history, dim));
  },
  openAudienceFolder: (stored) => {
    const reader = new ModelReader('svd', stored);
    const dim = reader.integer('factors');
    const singularValues = reader.floats('singularValues', dim);
    // Rᵀ (R Q) = Q Σ²: the least squares solution of a column of R, the columns of R Q being orthogonal.
    return (audience) =>
      Promise.resolve(
        projected(audience, dim).map((value, d) => (singularValues[d]! > 0 ? value / singularValues[d]! ** 2 : 0)),
      );
  },
});

async function fitSpace(dataset: Dataset, params: ModelParams, context: FitContext): Promise<FittedSpace> {
  const weights = datasetWeights('svd', dataset, params);
  const model = await fitSvd(weights, params, context);
  const items = rowsWhere(model.items, (item) => hasLength(model.items, item));
  const users = rowsWhere(model.users, (user) => hasLength(model.users, user));
  const lengths = columnLengths(weights);
  const directions = timesColumns(model.items, model.singularValues);
  for (let item = 0; item < directions.rows; item++) {
    for (let d = item * directions.dim; d < (item + 1) * directions.dim; d++) directions.data[d]! /= lengths[item] || 1;
  }
  const kept = model.singularValues.reduce((sum, value) => sum + value * value, 0);
  const total = weights.values.reduce((sum, value) => sum + value * value, 0);
  return {
    items,
    users,
    likeness: gatherRows(directions, items.ordinals),
    model: { factors: model.items.dim, singularValues: model.singularValues },
    notes: {
      interactions: weights.entries,
      factors: model.items.dim,
      explainedVariance: kept / total,
      itemsWithoutVector: dataset.interactions.cols - items.ordinals.length,
      usersWithoutVector: dataset.interactions.rows - users.ordinals.length,
    },
  };
}

/** Σ w Q_i: R Q for one row. */
function projected({ vectors, weights }: Audience, dim: number): Float32Array {
  const sum = new Float64Array(dim);
  weights.forEach((weight, r) => {
    for (let d = 0; d < dim; d++) sum[d]! += weight * vectors.data[r * dim + d]!;
  });
  return Float32Array.from(sum);
}

function timesColumns({ data, rows, dim }: Matrix, factors: Float32Array): Matrix {
  const out = zeros(rows, dim);
  for (let r = 0; r < rows; r++) {
    for (let d = 0; d < dim; d++) out.data[r * dim + d] = data[r * dim + d]! * factors[d]!;
  }
  return out;
}

function columnLengths({ cols, columns, values }: CsrMatrix): Float64Array {
  const squares = new Float64Array(cols);
  columns.forEach((column, e) => {
    squares[column]! += values[e]! ** 2;
  });
  return squares.map(Math.sqrt);
}

/**
 * The embedding `ease`: EASE (ease-model.ts names the paper) cut down to vectors.
 *
 *   B ≈ U S Vᵀ
 *   items   V √S
 *   users   the sum of U √S over their history, also of a user who came later
 *
 * A new item is placed by what those who chose it also chose: exactly the column that training would give it, cut down like the others
 * (easeColumnMap).
 *
 * An item has two sides: what it is recommended by (V) and what it recommends (U). Items are compared by the first, under cosine: two
 * are alike that the same histories lead to.
 */
import { sparseProduct } from '../binding/train-linear.js';
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { ParamsOf } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import { requireHistories, weightedSum } from './audience-histories.js';
import { easeColumnMap, easeFactorSchema, easeSchema, factorizeEase, fitEase } from './ease-model.js';
import type { Audience, Embedding, FitContext, FittedSpace, History } from './embedding.js';
import { ModelReader } from './model-reader.js';
import { type PopularityParams, withPopularityOption } from './popularity-option.js';
import { hasLength, rowsWhere } from './trained-rows.js';
import { datasetWeights, readWeighted, weightingSchema } from './weighting.js';

const schema = { ...weightingSchema, ...easeSchema, ...easeFactorSchema };

type ModelParams = ParamsOf<typeof schema>;
export type EaseParams = ModelParams & PopularityParams;

export const ease: Embedding<EaseParams> = withPopularityOption<ModelParams>({
  name: 'ease',
  keys: Object.keys(schema),
  schema,
  parse: (params, path) => readWeighted(schema, params, path),
  fit: fitSpace,
  openFolder: (stored) => {
    const reader = new ModelReader('ease', stored);
    const [rows, dim] = [reader.integer('items'), reader.integer('factors')];
    const from = { data: reader.floats('from', rows * dim), rows, dim };
    return (history) => Promise.resolve(sumOf(from, history));
  },
  placesByHistories: true,
  openAudienceFolder: (stored) => {
    const reader = new ModelReader('ease', stored);
    const [rows, dim] = [reader.integer('items'), reader.integer('factors')];
    const columns = { data: reader.floats('columns', rows * dim), rows, dim };
    return (audience) => weightedSum(company(audience, rows), columns);
  },
});

async function fitSpace(dataset: Dataset, params: ModelParams, context: FitContext): Promise<FittedSpace> {
  const weights = datasetWeights('ease', dataset, params);
  const model = await fitEase(weights, params, context);
  const quiet = { ...context, onProgress: undefined };
  const factors = await factorizeEase(model, params, quiet);
  const { from, to, explainedVariance } = factors;
  const items = rowsWhere(to, (item) => hasLength(to, item));
  if (items.ordinals.length === 0) {
    throw new NighError('EMPTY_DATASET', `ease: no two items of the dataset ${dataset.origin.name} share a user.`);
  }
  const columns = await easeColumnMap(model, factors, quiet);
  const vectors = await sparseProduct(weights, from, quiet);
  const users = rowsWhere(vectors, (user) => hasLength(vectors, user));
  return {
    items,
    users,
    model: { items: from.rows, factors: from.dim, from: from.data, columns: columns.data },
    notes: {
      interactions: weights.entries,
      factors: from.dim,
      explainedVariance,
      itemsWithoutVector: dataset.interactions.cols - items.ordinals.length,
      usersWithoutVector: dataset.interactions.rows - users.ordinals.length,
    },
  };
}

/** Items that came after the fit lead nowhere: they add nothing. */
function sumOf({ data, rows, dim }: Matrix, { items, weights }: History): Float32Array {
  const sum = new Float64Array(dim);
  items.forEach((item, at) => {
    if (item >= rows) return;
    for (let d = 0; d < dim; d++) sum[d]! += weights[at]! * data[item * dim + d]!;
  });
  return Float32Array.from(sum);
}

/** How often those who chose an item chose each item of the training: its column of the Gram matrix. */
function company(audience: Audience, items: number): Float64Array {
  const { offsets, columns, values } = requireHistories('ease', audience);
  const counts = new Float64Array(items);
  audience.weights.forEach((weight, r) => {
    for (let e = offsets[r]!; e < offsets[r + 1]!; e++) {
      if (columns[e]! < items) counts[columns[e]!]! += weight * values[e]!;
    }
  });
  return counts;
}

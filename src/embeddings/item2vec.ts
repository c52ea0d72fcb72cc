/**
 * The embedding `item2vec`: items by the company they keep in users' histories.
 *
 * Barkan and Koenigstein, "Item2Vec: neural item embedding for collaborative filtering", MLSP 2016, by the matrix that its skip-grams
 * factorise: shifted positive pointwise mutual information (Levy and Goldberg, NIPS 2014, native/train/sppmi) and its SVD,
 *
 *   SPPMI ≈ U S Vᵀ,   item vector = U √S
 *
 * compared by cosine. Popularity is divided out, so the rarest weigh as much as hubs. A space of items only: somebody's vector is the mean
 * direction of what they liked.
 */

import { randomizedSvd, type TrainOptions } from '../binding/train.js';
import { sppmi } from '../binding/train-choices.js';
import type { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { type Matrix, zeros } from '../core/matrix.js';
import { integer, number, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import type { Embedding, FitContext, FittedSpace } from './embedding.js';
import { hasLength, rowsWhere } from './trained-rows.js';
import { datasetChoices, selectionSchema } from './weighting.js';

const modelSchema = {
  /** Dimensions: fewer where there are fewer items. */
  factors: integer({ min: 1, max: 4096, default: 64 }),
  /** k of the shift log k, in word2vec the number of negative samples: larger keeps only company that is far from chance. */
  negatives: number({ above: 0, default: 1 }),
  /** Users of more items are passed over: they say little of any two, and cost the square of what they have. */
  longestHistory: integer({ min: 2, max: 1_000_000, default: 1000 }),
  /** Further random directions, dropped at the end. */
  oversampling: integer({ min: 0, max: 1024, default: 16 }),
  /** Passes over the matrix that sharpen the directions. */
  powerIterations: integer({ min: 0, max: 100, default: 4 }),
  seed: integer({ min: 0, default: 42 }),
};

const schema = { ...selectionSchema, ...modelSchema };

export type Item2vecModelParams = ParamsOf<typeof modelSchema>;
export type Item2vecParams = ParamsOf<typeof schema>;

export interface Item2vecModel {
  /** U √S; zeros for an item without company. */
  readonly items: Matrix;
  /** Entries of SPPMI. */
  readonly pairs: number;
}

/** Checks the options of a model. @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function parseItem2vec(params: Readonly<Record<string, unknown>>, path = ''): Item2vecModelParams {
  return readParams(modelSchema, params, path);
}

/**
 * Trains on `interactions` (users × items): which are there counts, their values do not. The same seed gives the same bytes on any
 * number of threads.
 * @throws NighError EMPTY_DATASET where no two items keep company, NOT_FINITE, ABORTED, OUT_OF_MEMORY
 */
export async function fitItem2vec(
  interactions: CsrMatrix,
  params: Item2vecModelParams,
  options: TrainOptions = {},
): Promise<Item2vecModel> {
  const company = await sppmi(interactions, params, options);
  if (company.entries === 0) {
    throw new NighError('EMPTY_DATASET', 'item2vec: no two items share users oftener than by chance; lower negatives.');
  }
  const rank = Math.min(params.factors, company.rows);
  const { u, s } = await randomizedSvd(company, { ...params, rank }, { ...options, onProgress: undefined });
  const items = zeros(u.rows, rank);
  const roots = s.map(Math.sqrt);
  for (let at = 0; at < u.data.length; at++) items.data[at] = u.data[at]! * roots[at % rank]!;
  return { items, pairs: company.entries };
}

export const item2vec: Embedding<Item2vecParams> = {
  name: 'item2vec',
  keys: Object.keys(schema),
  parse: (params, path) => readParams(schema, params, path),
  fit: fitSpace,
};

async function fitSpace(dataset: Dataset, params: Item2vecParams, context: FitContext): Promise<FittedSpace> {
  const weights = datasetChoices('item2vec', dataset, params);
  const model = await fitItem2vec(weights, params, context);
  const items = rowsWhere(model.items, (item) => hasLength(model.items, item));
  return {
    items,
    model: {},
    notes: {
      interactions: weights.entries,
      pairs: model.pairs,
      itemsWithoutVector: dataset.interactions.cols - items.ordinals.length,
    },
  };
}

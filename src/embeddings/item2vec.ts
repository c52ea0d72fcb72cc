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
 *
 * A new item is placed by what those who chose it also chose: its row m of SPPMI as a training with it would count it, on the basis of
 * the others, m V S^-½, which of a row of the training is its U √S.
 */

import { randomizedSvd, type TrainOptions } from '../binding/train.js';
import { sppmi } from '../binding/train-choices.js';
import type { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { type Matrix, zeros } from '../core/matrix.js';
import { integer, number, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import { requireHistories, weightedSum } from './audience-histories.js';
import type { Audience, Embedding, FitContext, FittedSpace } from './embedding.js';
import { ModelReader } from './model-reader.js';
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
  /** V S^-½: what a row of SPPMI is multiplied with. */
  readonly contexts: Matrix;
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
  const { u, s, v } = await randomizedSvd(company, { ...params, rank }, { ...options, onProgress: undefined });
  const [items, contexts] = [zeros(u.rows, rank), zeros(v.rows, rank)];
  const roots = s.map(Math.sqrt);
  for (let at = 0; at < u.data.length; at++) {
    const root = roots[at % rank]!;
    items.data[at] = u.data[at]! * root;
    contexts.data[at] = root > 0 ? v.data[at]! / root : 0;
  }
  return { items, contexts, pairs: company.entries };
}

export const item2vec: Embedding<Item2vecParams> = {
  name: 'item2vec',
  keys: Object.keys(schema),
  schema,
  parse: (params, path) => readParams(schema, params, path),
  fit: fitSpace,
  placesByHistories: true,
  openAudienceFolder: (stored) => {
    const model = readModel(stored);
    return (audience) => weightedSum(company(audience, model), model.contexts);
  },
};

async function fitSpace(dataset: Dataset, params: Item2vecParams, context: FitContext): Promise<FittedSpace> {
  const weights = datasetChoices('item2vec', dataset, params);
  const model = await fitItem2vec(weights, params, context);
  const items = rowsWhere(model.items, (item) => hasLength(model.items, item));
  return {
    items,
    model: {
      items: model.contexts.rows,
      factors: model.contexts.dim,
      contexts: model.contexts.data,
      marginals: marginalsOf(weights, params),
      negatives: params.negatives,
      longestHistory: params.longestHistory,
    },
    notes: {
      interactions: weights.entries,
      pairs: model.pairs,
      itemsWithoutVector: dataset.interactions.cols - items.ordinals.length,
    },
  };
}

/** What placing a new item needs. */
interface StoredItem2vec {
  readonly contexts: Matrix;
  /** #(i): how many others the users of an item have, together. */
  readonly marginals: Float64Array;
  /** D: their sum. */
  readonly pairs: number;
  readonly negatives: number;
  readonly longestHistory: number;
}

function readModel(stored: Readonly<Record<string, unknown>>): StoredItem2vec {
  const reader = new ModelReader('item2vec', stored);
  const [rows, dim] = [reader.integer('items'), reader.integer('factors')];
  const marginals = reader.doubles('marginals');
  if (marginals.length !== rows) {
    throw new NighError('FORMAT', `The stored item2vec model: marginals: expected ${rows}, got ${marginals.length}.`);
  }
  return {
    contexts: { data: reader.floats('contexts', rows * dim), rows, dim },
    marginals,
    pairs: marginals.reduce((sum, count) => sum + count, 0),
    negatives: reader.number('negatives'),
    longestHistory: reader.integer('longestHistory'),
  };
}

function marginalsOf(
  { rows, cols, offsets, columns }: CsrMatrix,
  { longestHistory }: Pick<Item2vecParams, 'longestHistory'>,
): Float64Array {
  const marginals = new Float64Array(cols);
  for (let user = 0; user < rows; user++) {
    const length = offsets[user + 1]! - offsets[user]!;
    if (length > longestHistory) continue;
    for (let e = offsets[user]!; e < offsets[user + 1]!; e++) marginals[columns[e]!]! += length - 1;
  }
  return marginals;
}

/** The row of SPPMI that an item of this audience would have, had it been there. Weights say only who chose it: those above 0. */
function company(audience: Audience, model: StoredItem2vec): Float64Array {
  const { offsets, columns } = requireHistories('item2vec', audience);
  const { negatives, longestHistory } = model;
  const marginals = model.marginals.slice();
  const counts = new Float64Array(marginals.length);
  let pairs = model.pairs;
  let own = 0;
  for (let r = 0; r < audience.weights.length; r++) {
    const [begin, end] = [offsets[r]!, offsets[r + 1]!];
    let known = 0;
    for (let e = begin; e < end; e++) if (columns[e]! < counts.length) known++;
    if (!(audience.weights[r]! > 0) || known > longestHistory) continue;
    // With the new item a history is one longer, and may be too long now.
    const isLost = known === longestHistory;
    const change = isLost ? 1 - known : 1;
    for (let e = begin; e < end; e++) {
      const item = columns[e]!;
      if (item >= counts.length) continue;
      marginals[item]! += change;
      if (!isLost) counts[item]! += 1;
    }
    pairs += known * (isLost ? change : 2);
    if (!isLost) own += known;
  }
  for (let item = 0; item < counts.length; item++) {
    const count = counts[item]!;
    if (count > 0) counts[item] = Math.max(0, Math.log((count * pairs) / (own * marginals[item]! * negatives)));
  }
  return counts;
}

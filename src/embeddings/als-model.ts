/** What stays of an ALS training for query time: folding in users and items that were not there. */
import { alsFoldIn } from '../binding/train.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import type { Matrix } from '../core/matrix.js';
import type { Audience, History } from './embedding.js';
import { ModelReader } from './model-reader.js';
import { firstColumns } from './popularity.js';

/** What fold-in needs besides the vectors of the items in a history. */
export interface AlsModel {
  readonly factors: number;
  readonly unobservedWeight: number;
  readonly regularization: number;
  readonly frequencyExponent: number;
  /** Confidence of one plain interaction. */
  readonly alpha: number;
  /** How many items the model was trained over: part of a user's regularisation. */
  readonly items: number;
  /** How many users: part of an item's. */
  readonly users: number;
  /** factors × factors: unobservedWeight · QᵀQ over the items of the training, the part of a row solve that all users share. */
  readonly gramian: Float32Array;
  /** unobservedWeight · PᵀP, the part that all items share. */
  readonly userGramian: Float32Array;
}

/** @throws NighError FORMAT */
export function readAlsModel(model: Readonly<Record<string, unknown>>): AlsModel {
  const reader = new ModelReader('als', model);
  const factors = reader.integer('factors');
  return {
    factors,
    unobservedWeight: reader.number('unobservedWeight'),
    regularization: reader.number('regularization'),
    frequencyExponent: reader.number('frequencyExponent'),
    alpha: reader.number('alpha'),
    items: reader.integer('items'),
    users: reader.integer('users'),
    gramian: reader.floats('gramian', factors * factors),
    userGramian: reader.floats('userGramian', factors * factors),
  };
}

/** The vector that training would give a user with this history, exactly (Cholesky). Weights below 0 ask for a score of 0. */
export function foldIn(
  model: AlsModel,
  { vectors, weights }: Pick<History, 'vectors' | 'weights'>,
): Promise<Float32Array> {
  return solveRow(model, firstColumns(vectors, model.factors), weights, model.gramian, model.items);
}

/**
 * The vector that training would give an item with this audience, exactly. With `mean`, the place of a new item by its features, it is
 * the solution of
 *
 *   (Σ c p pᵀ + w0 PᵀP + r I) (q − mean) = Σ c (1 − p·mean) p
 *
 * where pairs that were not observed ask for the score that the features give, and not for 0 as in the training: hardly anybody had the
 * occasion to choose a new item. So an item goes over from its mean without a jump (docs/decisions/0014).
 */
export async function foldInItem(
  model: AlsModel,
  { vectors, weights }: Audience,
  mean?: Float32Array,
): Promise<Float32Array> {
  if (mean !== undefined && vectors.rows === 0) return mean;
  const fixed = firstColumns(vectors, model.factors);
  return solveRow(model, fixed, weights, model.userGramian, model.users, mean && pulledTo(model, mean, vectors.rows));
}

/** What r has to pull to so that it adds r · mean + w0 PᵀP mean to the right side. */
function pulledTo(model: AlsModel, mean: Float32Array, audience: number): Float32Array {
  const { factors, userGramian, regularization, frequencyExponent, unobservedWeight, users } = model;
  const ridge = regularization * (audience + unobservedWeight * users) ** frequencyExponent;
  // Without regularisation nothing pulls.
  if (ridge === 0) return mean;
  return mean.map((value, d) => {
    let sum = 0;
    for (let k = 0; k < factors; k++) sum += userGramian[d * factors + k]! * mean[k]!;
    return value + sum / ridge;
  });
}

async function solveRow(
  model: AlsModel,
  fixed: Matrix,
  weights: Float32Array,
  gramian: Float32Array,
  others: number,
  mean?: Float32Array,
): Promise<Float32Array> {
  const n = fixed.rows;
  const row = new CsrMatrix(
    1,
    n,
    Uint32Array.of(0, n),
    Uint32Array.from({ length: n }, (_, column) => column),
    weights.map((weight) => weight * model.alpha),
  );
  const means = mean && { data: mean, rows: 1, dim: mean.length };
  const { data } = await alsFoldIn(row, fixed, gramian, { ...model, dislikes: true }, others, { threads: 1 }, means);
  return data;
}

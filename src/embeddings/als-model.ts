/** What stays of an ALS training for query time: folding in a user who was not there. */
import { alsFoldIn } from '../binding/train.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import type { History } from './embedding.js';
import { ModelReader } from './model-reader.js';

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
  /** factors × factors: unobservedWeight · QᵀQ, the part of a row solve that all users share. */
  readonly gramian: Float32Array;
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
    gramian: reader.floats('gramian', factors * factors),
  };
}

/** The vector that training would give a user with this history, exactly (Cholesky). */
export async function foldIn(
  model: AlsModel,
  { vectors, weights }: Pick<History, 'vectors' | 'weights'>,
): Promise<Float32Array> {
  const n = vectors.rows;
  const row = new CsrMatrix(
    1,
    n,
    Uint32Array.of(0, n),
    Uint32Array.from({ length: n }, (_, column) => column),
    weights.map((weight) => weight * model.alpha),
  );
  const { data } = await alsFoldIn(row, vectors, model.gramian, model, model.items);
  return data;
}

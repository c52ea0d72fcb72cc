/**
 * EASE: every item's score is a weighted sum over the items of a history, with the best weights there are.
 *
 * Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019 (native/train/ease). Exact, and quadratic in the items; for
 * a vector index it is factorised, B ≈ U S Vᵀ, which the reference beside it tells the price of.
 */
import type { TrainOptions } from '../binding/train.js';
import { denseProject, denseSvd, easeWeights, sparseProduct } from '../binding/train-linear.js';
import type { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { type Matrix, zeros } from '../core/matrix.js';
import { integer, number, type ParamsOf, readParams } from '../core/params.js';

/** The weights take 4 bytes for every pair of items: 1.6 GB here. */
export const mostEaseItems = 20_000;

export const easeSchema = {
  /** λ: larger trusts counts of few users less. */
  regularization: number({ above: 0, default: 500 }),
};

export const easeFactorSchema = {
  /** Dimensions that the weights are cut down to: fewer where there are fewer items. More come closer to the exact model. */
  factors: integer({ min: 1, max: 4096, default: 256 }),
  /** Further random directions, dropped at the end. */
  oversampling: integer({ min: 0, max: 1024, default: 16 }),
  /** Passes over the weights that sharpen the directions. */
  powerIterations: integer({ min: 0, max: 100, default: 4 }),
  seed: integer({ min: 0, default: 42 }),
};

export type EaseModelParams = ParamsOf<typeof easeSchema>;
export type EaseFactorParams = ParamsOf<typeof easeFactorSchema>;

export interface EaseModel {
  /** B (items × items): row i is what item i of a history adds to every score; the diagonal is 0. */
  readonly weights: Matrix;
  /** diag P: B = I − P / diag P. */
  readonly diagonal: Float32Array;
}

/** B ≈ from · toᵀ. */
export interface EaseFactors {
  /** U √S: a user is the sum of the rows of their history. */
  readonly from: Matrix;
  /** V √S: what the user's vector is multiplied with. */
  readonly to: Matrix;
  /** S, descending. */
  readonly singularValues: Float32Array;
  /** Σ S² / |B|²: the share of the weights' squared size that the factors hold. */
  readonly explainedVariance: number;
}

/** Checks the options of a model. @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function parseEase(params: Readonly<Record<string, unknown>>, path = ''): EaseModelParams {
  return readParams(easeSchema, params, path);
}

/**
 * The exact model of `interactions` (users × items). An item without interactions has zeros. The same bytes on any number of threads.
 * @throws NighError EMPTY_DATASET, NOT_FINITE, INVALID_ARGUMENT above 20,000 items, ABORTED, OUT_OF_MEMORY
 */
export async function fitEase(
  interactions: CsrMatrix,
  { regularization }: EaseModelParams,
  options: TrainOptions = {},
): Promise<EaseModel> {
  if (interactions.entries === 0) throw new NighError('EMPTY_DATASET', 'ease: there are no interactions to train on.');
  if (interactions.cols > mostEaseItems) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `ease: expected at most ${mostEaseItems} items, got ${interactions.cols}: its weights are a number for every pair of items. Use svd or als.`,
    );
  }
  return easeWeights(interactions, regularization, options);
}

/** Scores of all items for each history (rows × items): histories · B, exactly. @throws NighError INVALID_ARGUMENT, ABORTED */
export function easeScores(
  { weights }: Pick<EaseModel, 'weights'>,
  histories: CsrMatrix,
  options: TrainOptions = {},
): Promise<Matrix> {
  return sparseProduct(histories, weights, options);
}

/** @throws NighError ABORTED, OUT_OF_MEMORY */
export async function factorizeEase(
  { weights }: EaseModel,
  params: EaseFactorParams,
  options: TrainOptions = {},
): Promise<EaseFactors> {
  const { u, s, v } = await denseSvd(weights, { ...params, rank: Math.min(params.factors, weights.rows) }, options);
  let total = 0;
  for (const weight of weights.data) total += weight * weight;
  const kept = s.reduce((sum, value) => sum + value * value, 0);
  return {
    from: timesRoots(u, s),
    to: timesRoots(v, s),
    singularValues: s,
    explainedVariance: total > 0 ? Math.min(1, kept / total) : 1,
  };
}

/**
 * What places an item that came after the training, items × factors: A, so that the item's vector is Aᵀ g, where g is how often those who chose
 * it chose each item of the training.
 *
 * The column of B that a training with the new item would give it is P g, P being that of the training without: by the inverse of a bordered
 * matrix, −P'_ij / P'_jj with the new item j is (P g)_i, whatever its own count. The vector that comes nearest to it among U √S v is
 * v = S^-½ Uᵀ P g, which of a column of the training is its row of V √S. So A = P U S^-½, with P = (I − B) diag P.
 * @throws NighError ABORTED, OUT_OF_MEMORY
 */
export async function easeColumnMap(
  { weights, diagonal }: EaseModel,
  { from, singularValues }: EaseFactors,
  options: TrainOptions = {},
): Promise<Matrix> {
  const { rows, dim } = from;
  // diag P · U S^-½, and the same by its columns.
  const map = zeros(rows, dim);
  const columns = zeros(dim, rows);
  for (let i = 0; i < rows; i++) {
    for (let d = 0; d < dim; d++) {
      const size = singularValues[d]!;
      const value = size > 0 ? (diagonal[i]! * from.data[i * dim + d]!) / size : 0;
      map.data[i * dim + d] = value;
      columns.data[d * rows + i] = value;
    }
  }
  const taken = await denseProject(weights, columns, options);
  for (let at = 0; at < map.data.length; at++) map.data[at]! -= taken.data[at]!;
  return map;
}

function timesRoots({ data, rows, dim }: Matrix, values: Float32Array): Matrix {
  const out = zeros(rows, dim);
  const roots = values.map(Math.sqrt);
  for (let r = 0; r < rows; r++) {
    for (let d = 0; d < dim; d++) out.data[r * dim + d] = data[r * dim + d]! * roots[d]!;
  }
  return out;
}

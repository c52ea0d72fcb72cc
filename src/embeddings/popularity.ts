/**
 * How popular items are: as a further dimension of an inner product, and as a list for somebody of whom nothing is known.
 *
 *   [q; c · ln(1 + n_i)] · [p; β / c] = p·q + β · ln(1 + n_i)
 *
 * β is chosen when the question is asked, so popularity is damped (below 0) or raised (above 0) without another index. c only makes the
 * dimension about as long as the others, which a graph over the vectors searches best.
 */
import type { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { type Matrix, row, zeros } from '../core/matrix.js';
import { number, optional, type ParamsOf, readParams } from '../core/params.js';
import type { Vectors } from './embedding.js';

/** Where the vectors of a space hold how popular an item is. */
export interface PopularityDimension {
  /** c: the last value of an item's vector is c · ln(1 + its interactions), and that of a user's is 0. */
  readonly scale: number;
}

/** The vectors with a last value that says how popular they are. @param counts interactions by item ordinal */
export function withPopularity(
  { matrix, ordinals }: Vectors,
  counts: ArrayLike<number>,
): { readonly items: Vectors; readonly popularity: PopularityDimension } {
  const logs = Float64Array.from(ordinals, (item) => Math.log1p(counts[item]!));
  const scale = Math.sqrt((meanSquare(matrix.data) || 1) / (meanSquare(logs) || 1));
  return {
    items: { matrix: withLast(matrix, (r) => scale * logs[r]!), ordinals },
    popularity: { scale },
  };
}

/** The matrix with one more column. */
export function withLast({ data, rows, dim }: Matrix, last: (r: number) => number): Matrix {
  const out = zeros(rows, dim + 1);
  for (let r = 0; r < rows; r++) {
    out.data.set(data.subarray(r * dim, (r + 1) * dim), r * (dim + 1));
    out.data[r * (dim + 1) + dim] = last(r);
  }
  return out;
}

/** The matrix without its columns from `dim` on. */
export function firstColumns(matrix: Matrix, dim: number): Matrix {
  if (matrix.dim === dim) return matrix;
  const out = zeros(matrix.rows, dim);
  for (let r = 0; r < matrix.rows; r++) out.data.set(row(matrix, r).subarray(0, dim), r * dim);
  return out;
}

/** A user's vector that asks with this β. */
export function askingPopularity(vector: Float32Array, { scale }: PopularityDimension, beta: number): Float32Array {
  const asking = vector.slice();
  asking[asking.length - 1] = beta / scale;
  return asking;
}

const weightedRatingSchema = { m: optional(number({ above: 0 })) };

export type WeightedRatingParams = ParamsOf<typeof weightedRatingSchema>;

/** @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function parseWeightedRating(params: unknown, path = ''): WeightedRatingParams {
  return readParams(weightedRatingSchema, params, path);
}

/**
 * The weighted rating of every item: v/(v+m)·R + m/(v+m)·C, where R is the item's mean value, v how many gave one, and C the mean of all
 * values. What to recommend to somebody who has picked nothing yet. An item without interactions has C.
 * @param options.m how many values it takes until an item's own mean weighs as much as C. Default: the mean number of an item
 * @throws NighError EMPTY_DATASET without interactions, NOT_FINITE, UNKNOWN_OPTION, INVALID_ARGUMENT
 */
export function weightedRatings(interactions: CsrMatrix, options: { readonly m?: number } = {}): Float32Array {
  const { m = interactions.entries / interactions.cols } = parseWeightedRating(options);
  if (interactions.entries === 0) {
    throw new NighError('EMPTY_DATASET', 'weighted rating: there are no interactions to count.');
  }
  const sums = new Float64Array(interactions.cols);
  const counts = interactions.columnCounts();
  let total = 0;
  interactions.values.forEach((value, e) => {
    sums[interactions.columns[e]!]! += value;
    total += value;
  });
  if (!Number.isFinite(total)) throw new NighError('NOT_FINITE', 'weighted rating: a value is NaN or infinite.');
  return Float32Array.from(ratingsOf(sums, counts, total / interactions.entries, m));
}

/**
 * Weighted ratings by what is known of every item.
 * @param sums of its values; v · R
 * @param counts how many they are; v
 * @param overall the mean of all values; C
 */
export function ratingsOf(sums: Float64Array, counts: Uint32Array, overall: number, m: number): Float64Array {
  return sums.map((sum, item) => (sum + m * overall) / (counts[item]! + m));
}

function meanSquare(values: Float32Array | Float64Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return squares / values.length;
}

/**
 * Coefficients that are cosines of transformed rows: what an index under `cosine` finds over the transformed rows is what the
 * coefficient finds over the given ones, 1 − distance being the coefficient. Queries are transformed by the same function.
 *
 * Rows are dense: every value counts, and a 0 is a value of 0. In ratings a missing value is not a 0, so these are not for
 * matrices of ratings with zeros where nobody rated; compare items by the factors of a model, or give imputed values.
 */
import { invalidArgument, NighError } from '../core/errors.js';
import { type Matrix, requireMatrix, zeros } from '../core/matrix.js';

/**
 * Every row less its mean: the cosine of two such rows is the Pearson correlation of the given ones. A new matrix of the
 * same shape.
 * @throws NighError ZERO_VECTOR for a row whose values are all equal, INVALID_ARGUMENT, DIMENSION_MISMATCH, NOT_FINITE
 */
export function pearsonRows(matrix: Matrix): Matrix {
  return transformed(matrix, (from, to) => centre(from, to));
}

/**
 * Every row's ranks, from 1, equal values sharing the mean of theirs, less the mean rank: the cosine of two such rows is
 * the Spearman rank correlation of the given ones. A new matrix of the same shape.
 * @throws NighError ZERO_VECTOR for a row whose values are all equal, INVALID_ARGUMENT, DIMENSION_MISMATCH, NOT_FINITE
 */
export function spearmanRows(matrix: Matrix): Matrix {
  return transformed(matrix, (from, to) => centre(averageRanks(from), to));
}

/**
 * Every value less the mean of its column: with items as rows, users as columns and `means` as the users' mean ratings, the
 * cosine of two such rows is the adjusted cosine of Sarwar et al., "Item-based collaborative filtering recommendation
 * algorithms", WWW 2001, section 3.1.3, over all columns rather than the ones that both have. `means` has dim values. A new
 * matrix of the same shape.
 * @throws NighError ZERO_VECTOR for a row that equals the means, INVALID_ARGUMENT, DIMENSION_MISMATCH, NOT_FINITE
 */
export function adjustedCosineRows(matrix: Matrix, means: ArrayLike<number>): Matrix {
  requireMatrix('matrix', matrix);
  if (!(Array.isArray(means) || ArrayBuffer.isView(means)))
    throw invalidArgument('means', 'an array of numbers', means);
  if (means.length !== matrix.dim) {
    throw new NighError(
      'DIMENSION_MISMATCH',
      `means: expected ${matrix.dim} values, one a column, got ${means.length}.`,
    );
  }
  for (let j = 0; j < means.length; j++) requireFinite(means[j]!, () => `means[${j}]`);
  return transformed(matrix, (from, to) => {
    let varies = false;
    for (let j = 0; j < from.length; j++) {
      to[j] = from[j]! - means[j]!;
      varies ||= to[j] !== 0;
    }
    return varies;
  });
}

/** Applies `write`, which says whether anything of the row is left. */
function transformed(matrix: Matrix, write: (from: Float32Array, to: Float32Array) => boolean): Matrix {
  requireMatrix('matrix', matrix);
  const { rows, dim } = matrix;
  const out = zeros(rows, dim);
  for (let r = 0; r < rows; r++) {
    const from = matrix.data.subarray(r * dim, (r + 1) * dim);
    for (let j = 0; j < dim; j++) requireFinite(from[j]!, () => `matrix: row ${r}, dimension ${j}`);
    if (!write(from, out.data.subarray(r * dim, (r + 1) * dim))) {
      throw new NighError('ZERO_VECTOR', `matrix: row ${r} does not vary, so it correlates with nothing.`);
    }
  }
  return out;
}

function requireFinite(value: number, where: () => string): void {
  if (!Number.isFinite(value)) throw new NighError('NOT_FINITE', `${where()}: expected a finite number, got ${value}.`);
}

function centre(from: ArrayLike<number>, to: Float32Array): boolean {
  let sum = 0;
  let varies = false;
  for (let j = 0; j < from.length; j++) {
    sum += from[j]!;
    varies ||= from[j] !== from[0];
  }
  const mean = sum / from.length;
  for (let j = 0; j < from.length; j++) to[j] = from[j]! - mean;
  return varies;
}

function averageRanks(values: Float32Array): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let begin = 0, end = 0; begin < order.length; begin = end) {
    while (end < order.length && values[order[end]!] === values[order[begin]!]) end++;
    // Places begin + 1 … end are shared.
    for (let at = begin; at < end; at++) ranks[order[at]!] = (begin + 1 + end) / 2;
  }
  return ranks;
}

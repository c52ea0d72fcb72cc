/**
 * Latent semantic analysis: tf-idf rows → dense vectors.
 *
 * Deerwester, Dumais, Furnas, Landauer and Harshman, "Indexing by latent semantic analysis", JASIS 41(6), 1990; the SVD by
 * Halko, Martinsson and Tropp 2011 (native/train/randomized_svd).
 *
 *   A ≈ U S Vᵀ     A: documents × terms, unit rows
 *   vector(d) = row d of U·S, at unit length;  a new document a: a·V, at unit length (equal, since A·V = U·S)
 *
 * A document of which the chosen dimensions keep nearly nothing would be pure rounding noise at unit length: it gets no vector
 * (see `minCapturedLength`).
 */
import { randomizedSvd } from '../binding/train.js';
import type { CsrMatrix } from '../core/csr-matrix.js';
import { gatherRows, type Matrix, row, zeros } from '../core/matrix.js';
import type { FitContext } from './embedding.js';
import type { Entry } from './term-matrix.js';

export interface LsaParams {
  /** Dimensions wanted; fewer where there are fewer terms or documents. */
  readonly dim: number;
  readonly oversampling: number;
  readonly powerIterations: number;
  readonly seed: number;
}

export interface Lsa {
  /** Unit vectors of the documents that have one. */
  readonly vectors: Matrix;
  /** The row of the input for every row of `vectors`, ascending. */
  readonly rows: Uint32Array;
  /** terms × dim. */
  readonly basis: Matrix;
  /** Σ S² / |A|²: the share of the tf-idf rows' squared length that the dimensions keep. */
  readonly explainedVariance: number;
}

/** A unit tf-idf row whose projection is shorter than this has no direction worth indexing. */
export const minCapturedLength = 0.02;

/** @throws NighError ABORTED */
export async function fitLsa(matrix: CsrMatrix, params: LsaParams, context: FitContext): Promise<Lsa> {
  const rank = Math.min(params.dim, matrix.rows, matrix.cols);
  const { u, s, v } = await randomizedSvd(
    matrix,
    { rank, oversampling: params.oversampling, powerIterations: params.powerIterations, seed: params.seed },
    context,
  );
  const projected = zeros(matrix.rows, rank);
  for (let r = 0; r < matrix.rows; r++) {
    for (let d = 0; d < rank; d++) projected.data[r * rank + d] = u.data[r * rank + d]! * s[d]!;
  }
  const rows = Uint32Array.from({ length: matrix.rows }, (_, r) => r).filter(
    (r) => length(row(projected, r)) >= minCapturedLength,
  );
  const vectors = gatherRows(projected, rows);
  for (let r = 0; r < vectors.rows; r++) scaleToUnit(row(vectors, r));
  let kept = 0;
  for (const value of s) kept += value * value;
  let total = 0;
  for (const value of matrix.values) total += value * value;
  return {
    vectors,
    rows,
    basis: v,
    explainedVariance: kept / total,
  };
}

/** The vector of a new document, or undefined where the dimensions keep nearly nothing of it. */
export function projectDocument(entries: readonly Entry[], basis: Matrix): Float32Array | undefined {
  const out = new Float32Array(basis.dim);
  for (const { ordinal, value } of entries) {
    const at = ordinal * basis.dim;
    for (let d = 0; d < basis.dim; d++) out[d] = out[d]! + value * basis.data[at + d]!;
  }
  if (length(out) < minCapturedLength) return undefined;
  scaleToUnit(out);
  return out;
}

function scaleToUnit(vector: Float32Array): void {
  const size = length(vector);
  for (let d = 0; d < vector.length; d++) vector[d] = vector[d]! / size;
}

function length(vector: Float32Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}

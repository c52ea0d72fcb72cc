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
import type { Matrix } from '../core/matrix.js';
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
  const data = new Float32Array(matrix.rows * rank);
  const rows: number[] = [];
  for (let r = 0; r < matrix.rows; r++) {
    const out = data.subarray(rows.length * rank, (rows.length + 1) * rank);
    for (let d = 0; d < rank; d++) out[d] = u.data[r * rank + d]! * s[d]!;
    if (scaleToUnit(out)) rows.push(r);
  }
  let kept = 0;
  for (const value of s) kept += value * value;
  let total = 0;
  for (const value of matrix.values) total += value * value;
  return {
    vectors: { data: data.slice(0, rows.length * rank), rows: rows.length, dim: rank },
    rows: Uint32Array.from(rows),
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
  return scaleToUnit(out) ? out : undefined;
}

/** Scales in place; false, and the values left alone, where the vector is too short to have a direction. */
function scaleToUnit(vector: Float32Array): boolean {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  if (!(length >= minCapturedLength)) return false;
  for (let d = 0; d < vector.length; d++) vector[d] = vector[d]! / length;
  return true;
}

/** What those who chose an item also have: for models that place an item by its company. */
import { sparseProduct } from '../binding/train-linear.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import type { Audience } from './embedding.js';

/** @throws NighError INVALID_ARGUMENT where the audience has none, or not one for every weight */
export function requireHistories(embedding: string, { histories, weights }: Audience): CsrMatrix {
  if (histories !== undefined && histories.rows === weights.length) return histories;
  const got = histories === undefined ? 'none' : `${histories.rows} for ${weights.length} weights`;
  throw new NighError(
    'INVALID_ARGUMENT',
    `${embedding}: audience.histories: expected what each of the audience has, one row a weight, got ${got}.`,
  );
}

/** Σ value · row of the matrix, over the rows whose value is not 0. */
export async function weightedSum(values: Float64Array, matrix: Matrix): Promise<Float32Array> {
  const rows = new Uint32Array(values.length);
  const weights = new Float32Array(values.length);
  let size = 0;
  for (let r = 0; r < values.length; r++) {
    if (values[r] === 0) continue;
    rows[size] = r;
    weights[size++] = values[r]!;
  }
  const offsets = Uint32Array.of(0, size);
  const one = new CsrMatrix(1, matrix.rows, offsets, rows.subarray(0, size), weights.subarray(0, size));
  return (await sparseProduct(one, matrix, { threads: 1 })).data;
}

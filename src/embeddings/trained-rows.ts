import { gatherRows, type Matrix } from '../core/matrix.js';
import type { Vectors } from './embedding.js';

/** The rows whose ordinal fits, with their ordinals ascending. */
export function rowsWhere(matrix: Matrix, fits: (ordinal: number) => boolean): Vectors {
  const ordinals = Uint32Array.from({ length: matrix.rows }, (_, ordinal) => ordinal).filter(fits);
  return { matrix: gatherRows(matrix, ordinals), ordinals };
}

/** Whether training left a row more than rounding noise. */
export function hasLength(matrix: Matrix, r: number): boolean {
  return squaredLength(matrix, r) > 1e-18;
}

export function squaredLength({ data, dim }: Matrix, r: number): number {
  let squares = 0;
  for (let d = r * dim; d < (r + 1) * dim; d++) squares += data[d]! * data[d]!;
  return squares;
}

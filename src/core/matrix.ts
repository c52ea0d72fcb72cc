import { describe, NighError } from './errors.js';

/** Dense float32 matrix, row-major and packed: one vector a row. */
export interface Matrix {
  /** rows × dim values; row r is `data.subarray(r * dim, (r + 1) * dim)`. */
  readonly data: Float32Array;
  readonly rows: number;
  /** Number of columns. */
  readonly dim: number;
}

/** A zeroed matrix. */
export function zeros(rows: number, dim: number): Matrix {
  return { data: new Float32Array(rows * dim), rows, dim };
}

/** Row r as a view: writing to it writes to the matrix. */
export function row(matrix: Matrix, r: number): Float32Array {
  return matrix.data.subarray(r * matrix.dim, (r + 1) * matrix.dim);
}

/** The chosen rows, copied, in the order given. */
export function gatherRows({ data, dim }: Matrix, rows: Uint32Array): Matrix {
  const gathered = zeros(rows.length, dim);
  rows.forEach((r, at) => {
    gathered.data.set(data.subarray(r * dim, (r + 1) * dim), at * dim);
  });
  return gathered;
}

/** The position of the first NaN or infinity, or −1. A plain loop: a callback for each value takes several times as long. */
export function findNotFinite(values: Float32Array): number {
  for (let at = 0; at < values.length; at++) if (!Number.isFinite(values[at])) return at;
  return -1;
}

/**
 * Checks that a value is a matrix whose data has exactly rows × dim entries.
 * @throws NighError INVALID_ARGUMENT, DIMENSION_MISMATCH
 */
export function requireMatrix(name: string, value: Matrix): void {
  const { data, rows, dim } = value ?? {};
  if (
    !(data instanceof Float32Array) ||
    !Number.isSafeInteger(rows) ||
    rows < 0 ||
    !Number.isSafeInteger(dim) ||
    dim < 1
  ) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `${name}: expected { data: Float32Array, rows, dim } with dim ≥ 1, got ${describe(value)}.`,
    );
  }
  if (data.length !== rows * dim) {
    throw new NighError(
      'DIMENSION_MISMATCH',
      `${name}: expected ${rows} × ${dim} = ${rows * dim} values, got ${data.length}.`,
    );
  }
}

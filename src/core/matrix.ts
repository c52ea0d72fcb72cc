import { describe, NighError } from './errors.js';

/** Dense float32 matrix, row-major and packed: one vector a row. */
export interface Matrix {
  /** rows × dim values; row r is `data.subarray(r * dim, (r + 1) * dim)`. */
  readonly data: Float32Array;
  readonly rows: number;
  /** Number of columns. */
  readonly dim: number;
}

/** Dense matrix of bits, one vector a row. */
export interface BitMatrix {
  /** rows × ceil(dim / 8) bytes: bit i of a row is bit i mod 8, the lowest first, of its byte i / 8; bits after the last are 0. */
  readonly data: Uint8Array;
  readonly rows: number;
  /** Number of bits a row. */
  readonly dim: number;
}

/** One vector: float32 values, or bits in bytes as in a BitMatrix. */
export type Vector = Float32Array | Uint8Array;

/** The matrix whose rows are such vectors. */
export type MatrixOf<V extends Vector> = { readonly data: V; readonly rows: number; readonly dim: number };

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

/** Whether a value is a Float32Array itself: what only inherits from one, as a proxy does, has no numbers. */
export function isFloat32Array(value: unknown): value is Float32Array {
  return ArrayBuffer.isView(value) && value instanceof Float32Array;
}

/** Whether a value is a Uint8Array itself. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && value instanceof Uint8Array;
}

/**
 * Checks that a value is a matrix whose data has exactly rows × dim entries.
 * @throws NighError INVALID_ARGUMENT, DIMENSION_MISMATCH
 */
export function requireMatrix(name: string, value: Matrix): void {
  const { data, rows, dim } = value ?? {};
  if (!isFloat32Array(data) || !isCount(rows, 0) || !isCount(dim, 1)) {
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

/** Bytes of a vector of so many bits. */
export function bitBytes(dim: number): number {
  return Math.ceil(dim / 8);
}

/**
 * Checks that a value is a matrix of bits whose data has exactly rows × ceil(dim / 8) bytes.
 * @throws NighError INVALID_ARGUMENT, DIMENSION_MISMATCH
 */
export function requireBitMatrix(name: string, value: BitMatrix): void {
  const { data, rows, dim } = value ?? {};
  if (!isUint8Array(data) || !isCount(rows, 0) || !isCount(dim, 1)) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `${name}: expected { data: Uint8Array, rows, dim } with dim ≥ 1 under a metric of bits, got ${describe(value)}.`,
    );
  }
  const bytes = bitBytes(dim);
  if (data.length !== rows * bytes) {
    throw new NighError(
      'DIMENSION_MISMATCH',
      `${name}: expected ${rows} × ${bytes} = ${rows * bytes} bytes for ${dim} bits a row, got ${data.length}.`,
    );
  }
}

function isCount(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least;
}

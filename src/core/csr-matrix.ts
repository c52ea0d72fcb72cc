import { invalidArgument } from './errors.js';

/**
 * Sparse float32 matrix by compressed rows. The entries of row r are at `offsets[r]` up to `offsets[r + 1]`; columns within a
 * row ascend strictly. Holds at most 2^32 − 1 entries.
 */
export class CsrMatrix {
  constructor(
    readonly rows: number,
    readonly cols: number,
    /** rows + 1 entries, from 0 to the number of entries. */
    readonly offsets: Uint32Array,
    readonly columns: Uint32Array,
    readonly values: Float32Array,
  ) {}

  /** Number of stored entries. */
  get entries(): number {
    return this.columns.length;
  }

  /** Columns and values of one row, as views. */
  row(r: number): { columns: Uint32Array; values: Float32Array } {
    const begin = this.offsets[r] ?? 0;
    const end = this.offsets[r + 1] ?? begin;
    return { columns: this.columns.subarray(begin, end), values: this.values.subarray(begin, end) };
  }

  /** How many entries every column has. */
  columnCounts(): Uint32Array {
    const counts = new Uint32Array(this.cols);
    for (const column of this.columns) counts[column] = counts[column]! + 1;
    return counts;
  }

  /** The transpose, in time linear in the entries. Columns within its rows ascend. */
  transpose(): CsrMatrix {
    const offsets = new Uint32Array(this.cols + 1);
    for (const column of this.columns) offsets[column + 1] = offsets[column + 1]! + 1;
    for (let c = 0; c < this.cols; c++) offsets[c + 1] = offsets[c + 1]! + offsets[c]!;
    const next = offsets.slice(0, this.cols);
    const columns = new Uint32Array(this.entries);
    const values = new Float32Array(this.entries);
    for (let r = 0; r < this.rows; r++) {
      for (let e = this.offsets[r]!; e < this.offsets[r + 1]!; e++) {
        const column = this.columns[e]!;
        const at = next[column]!;
        next[column] = at + 1;
        columns[at] = r;
        values[at] = this.values[e]!;
      }
    }
    return new CsrMatrix(this.cols, this.rows, offsets, columns, values);
  }

  /**
   * From three parallel arrays in any order. Entries of the same place are merged by `merge` in the order in which they come
   * (default: the sum).
   * @throws NighError INVALID_ARGUMENT when the arrays differ in length or an index is outside the shape
   */
  static fromTriplets(
    shape: { readonly rows: number; readonly cols: number },
    triplets: {
      readonly rows: ArrayLike<number>;
      readonly columns: ArrayLike<number>;
      readonly values: ArrayLike<number>;
    },
    merge: (old: number, next: number) => number = (old, next) => old + next,
  ): CsrMatrix {
    const order = tripletOrder(shape, triplets.rows, triplets.columns);
    if (triplets.values.length !== order.length) {
      throw invalidArgument('values', `${order.length} entries, one for every row index`, triplets.values);
    }
    const offsets = new Uint32Array(shape.rows + 1);
    const columns = new Uint32Array(order.length);
    const values = new Float32Array(order.length);
    let size = 0;
    let previousRow = -1;
    for (const at of order) {
      const r = triplets.rows[at]!;
      const column = triplets.columns[at]!;
      const value = triplets.values[at]!;
      if (r === previousRow && columns[size - 1] === column) {
        values[size - 1] = merge(values[size - 1]!, value);
        continue;
      }
      columns[size] = column;
      values[size] = value;
      size++;
      offsets[r + 1] = offsets[r + 1]! + 1;
      previousRow = r;
    }
    for (let r = 0; r < shape.rows; r++) offsets[r + 1] = offsets[r + 1]! + offsets[r]!;
    return new CsrMatrix(shape.rows, shape.cols, offsets, columns.slice(0, size), values.slice(0, size));
  }
}

/**
 * The positions of triplets by row, then by column, then in the order in which they came; in time linear in the entries and
 * the shape.
 * @throws NighError INVALID_ARGUMENT when the arrays differ in length or an index is outside the shape
 */
export function tripletOrder(
  shape: { readonly rows: number; readonly cols: number },
  rows: ArrayLike<number>,
  columns: ArrayLike<number>,
): Uint32Array {
  if (columns.length !== rows.length)
    throw invalidArgument('columns', `${rows.length} entries, one for every row index`, columns);
  // Two stable counting sorts, by column and then by row, leave every row's columns ascending.
  const byColumn = countingOrder('columns', columns, shape.cols, undefined);
  return countingOrder('rows', rows, shape.rows, byColumn);
}

/** Positions sorted stably by key, starting from the order given. */
function countingOrder(
  name: string,
  keys: ArrayLike<number>,
  bound: number,
  start: Uint32Array | undefined,
): Uint32Array {
  const next = new Uint32Array(bound + 1);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (key >>> 0 !== key || key >= bound) throw invalidArgument(name, `indices below ${bound}`, key);
    next[key + 1] = next[key + 1]! + 1;
  }
  for (let key = 0; key < bound; key++) next[key + 1] = next[key + 1]! + next[key]!;
  const order = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const at = start === undefined ? i : start[i]!;
    const key = keys[at]!;
    order[next[key]!] = at;
    next[key] = next[key]! + 1;
  }
  return order;
}

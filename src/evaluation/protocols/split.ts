/** What every protocol makes of a matrix of interactions: what models may learn from, and what they are asked. */
import { CsrMatrix } from '../../core/csr-matrix.js';
import { invalidArgument, NighError } from '../../core/errors.js';

export interface Split {
  /** For the table: `fold 1 of 5`. */
  readonly name: string;
  /** What was held out, in one sentence, printed with the figures. */
  readonly definition: string;
  /** users × items: all that a model is fitted to. */
  readonly train: CsrMatrix;
  /** asked users × items: what is held out, with its values. A row may be empty; its user is skipped and counted. */
  readonly test: CsrMatrix;
  /** asked users × items: what a model may know of the user of each row of `test`, and what is not recommended to them again. */
  readonly histories: CsrMatrix;
  /** Whose the rows are, as rows of `train`; undefined where the asked users are not in `train` (strong generalisation). */
  readonly users: Uint32Array | undefined;
  /** The items that may be recommended, ascending; undefined: the whole catalogue. */
  readonly pool?: Uint32Array;
  /** By row of `test`: the items that its held-out ones are ranked among, instead of the catalogue. */
  readonly negatives?: CsrMatrix;
}

/** The entries of a matrix for which `keep` is 1; the shape stays. */
export function entriesWhere(matrix: CsrMatrix, keep: Uint8Array): CsrMatrix {
  const offsets = new Uint32Array(matrix.rows + 1);
  let size = 0;
  for (let r = 0; r < matrix.rows; r++) {
    for (let e = matrix.offsets[r]!; e < matrix.offsets[r + 1]!; e++) size += keep[e]!;
    offsets[r + 1] = size;
  }
  const columns = new Uint32Array(size);
  const values = new Float32Array(size);
  for (let e = 0, at = 0; e < matrix.entries; e++) {
    if (keep[e] !== 1) continue;
    columns[at] = matrix.columns[e]!;
    values[at++] = matrix.values[e]!;
  }
  return new CsrMatrix(matrix.rows, matrix.cols, offsets, columns, values);
}

/** The chosen rows, copied, in the order given. */
export function rowsOf(matrix: CsrMatrix, rows: Uint32Array): CsrMatrix {
  const offsets = new Uint32Array(rows.length + 1);
  rows.forEach((r, at) => {
    offsets[at + 1] = offsets[at]! + (matrix.offsets[r + 1]! - matrix.offsets[r]!);
  });
  const columns = new Uint32Array(offsets[rows.length]!);
  const values = new Float32Array(columns.length);
  rows.forEach((r, at) => {
    const row = matrix.row(r);
    columns.set(row.columns, offsets[at]);
    values.set(row.values, offsets[at]);
  });
  return new CsrMatrix(rows.length, matrix.cols, offsets, columns, values);
}

/** A split among users who stay in training: entries with `heldOut` 1 are asked for, the others are trained on. */
export function splitEntries(
  matrix: CsrMatrix,
  heldOut: Uint8Array,
  name: string,
  definition: string,
): Split & { readonly users: Uint32Array } {
  const train = entriesWhere(
    matrix,
    heldOut.map((held) => 1 - held),
  );
  const users = Uint32Array.from({ length: matrix.rows }, (_, user) => user);
  return { name, definition, train, test: entriesWhere(matrix, heldOut), histories: train, users };
}

/** @throws NighError EMPTY_DATASET */
export function requireEntries(matrix: CsrMatrix, protocol: string, atLeast: number): void {
  if (matrix.entries >= atLeast) return;
  throw new NighError(
    'EMPTY_DATASET',
    `${protocol}: expected at least ${atLeast} interactions to split, got ${matrix.entries}.`,
  );
}

/** @throws NighError INVALID_ARGUMENT */
export function requireShare(name: string, share: number): void {
  if (typeof share === 'number' && share > 0 && share < 1) return;
  throw invalidArgument(name, 'a share above 0 and below 1', share);
}

/** @throws NighError INVALID_ARGUMENT */
export function requireCount(name: string, count: number, atLeast: number): void {
  if (Number.isSafeInteger(count) && count >= atLeast) return;
  throw invalidArgument(name, `an integer of at least ${atLeast}`, count);
}

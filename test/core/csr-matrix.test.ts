import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsrMatrix, tripletOrder } from '../../src/core/csr-matrix.js';
import { NighError } from '../../src/core/errors.js';

/** Small shapes, so that places repeat and rows stay empty. */
const triplets = fc
  .record({ rows: fc.integer({ min: 0, max: 7 }), cols: fc.integer({ min: 0, max: 7 }) })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      entries: fc.array(
        fc.record({
          row: fc.integer({ min: 0, max: Math.max(shape.rows - 1, 0) }),
          column: fc.integer({ min: 0, max: Math.max(shape.cols - 1, 0) }),
          value: fc.integer({ min: -8, max: 8 }),
        }),
        { maxLength: shape.rows * shape.cols === 0 ? 0 : 40 },
      ),
    }),
  );

interface Entry {
  readonly row: number;
  readonly column: number;
  readonly value: number;
}

function build(
  shape: { rows: number; cols: number },
  entries: readonly Entry[],
  merge?: (a: number, b: number) => number,
) {
  const parts = {
    rows: entries.map(({ row }) => row),
    columns: entries.map(({ column }) => column),
    values: entries.map(({ value }) => value),
  };
  return CsrMatrix.fromTriplets(shape, parts, merge);
}

/** Place → value, merged one after another. */
function oracle(entries: readonly Entry[], merge: (a: number, b: number) => number): Map<string, number> {
  const map = new Map<string, number>();
  for (const { row, column, value } of entries) {
    const key = `${row},${column}`;
    const old = map.get(key);
    map.set(key, old === undefined ? value : merge(old, value));
  }
  return map;
}

function toMap(matrix: CsrMatrix): Map<string, number> {
  const map = new Map<string, number>();
  for (let r = 0; r < matrix.rows; r++) {
    const { columns, values } = matrix.row(r);
    for (let e = 0; e < columns.length; e++) map.set(`${r},${columns[e]}`, values[e]!);
  }
  return map;
}

function expectValid(matrix: CsrMatrix): void {
  expect(matrix.offsets).toHaveLength(matrix.rows + 1);
  expect(matrix.offsets[0]).toBe(0);
  expect(matrix.offsets.at(-1)).toBe(matrix.entries);
  expect(matrix.values).toHaveLength(matrix.entries);
  for (let r = 0; r < matrix.rows; r++) {
    const columns = [...matrix.row(r).columns];
    expect(columns).toEqual([...new Set(columns)].sort((a, b) => a - b));
    expect(columns.every((column) => column < matrix.cols)).toBe(true);
  }
}

describe('CsrMatrix.fromTriplets', () => {
  it('holds what a map of places holds when repeated places are summed', () => {
    fc.assert(
      fc.property(triplets, ({ shape, entries }) => {
        const matrix = build(shape, entries);
        expectValid(matrix);
        expect(toMap(matrix)).toEqual(oracle(entries, (a, b) => a + b));
      }),
    );
  });

  it('merges repeated places in the order in which they come', () => {
    fc.assert(
      fc.property(triplets, ({ shape, entries }) => {
        // Neither commutative nor associative: any other order shows.
        const merge = (old: number, next: number) => old * 2 - next;
        expect(toMap(build(shape, entries, merge))).toEqual(oracle(entries, merge));
      }),
    );
  });

  it.each([
    ['a row outside the shape', [2], [0], [1]],
    ['a column outside the shape', [0], [3], [1]],
    ['a negative row', [-1], [0], [1]],
    ['a column that is not whole', [0], [0.5], [1]],
    ['fewer columns than rows', [0, 1], [0], [1, 1]],
    ['fewer values than rows', [0, 1], [0, 1], [1]],
  ])('refuses %s', (_, rows, columns, values) => {
    const attempt = () => CsrMatrix.fromTriplets({ rows: 2, cols: 3 }, { rows, columns, values });
    expect(attempt).toThrow(NighError);
    expect(attempt).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('CsrMatrix.transpose', () => {
  it('swaps the two indices of every entry, and twice gives back the same bytes', () => {
    fc.assert(
      fc.property(triplets, ({ shape, entries }) => {
        const matrix = build(shape, entries);
        const transposed = matrix.transpose();
        expectValid(transposed);
        expect([transposed.rows, transposed.cols]).toEqual([matrix.cols, matrix.rows]);
        const swapped = [...toMap(transposed)].map(
          ([key, value]) => [key.split(',').reverse().join(','), value] as const,
        );
        expect(new Map(swapped)).toEqual(toMap(matrix));
        expect(transposed.transpose()).toEqual(matrix);
      }),
    );
  });
});

describe('CsrMatrix', () => {
  it('counts the entries of every column', () => {
    const matrix = build({ rows: 3, cols: 3 }, [
      { row: 0, column: 2, value: 1 },
      { row: 2, column: 2, value: 5 },
      { row: 1, column: 0, value: 1 },
    ]);
    expect([...matrix.columnCounts()]).toEqual([1, 0, 2]);
  });

  it('gives rows as views and a row outside the shape as empty', () => {
    const matrix = build({ rows: 1, cols: 2 }, [{ row: 0, column: 1, value: 3 }]);
    expect(matrix.row(0).columns.buffer).toBe(matrix.columns.buffer);
    expect(matrix.row(7).columns).toHaveLength(0);
  });
});

describe('tripletOrder', () => {
  it('sorts by row and column and keeps the order of equal places', () => {
    fc.assert(
      fc.property(triplets, ({ shape, entries }) => {
        const order = tripletOrder(
          shape,
          entries.map(({ row }) => row),
          entries.map(({ column }) => column),
        );
        const expected = entries
          .map((entry, at) => ({ ...entry, at }))
          .sort((a, b) => a.row - b.row || a.column - b.column || a.at - b.at)
          .map(({ at }) => at);
        expect([...order]).toEqual(expected);
      }),
    );
  });
});

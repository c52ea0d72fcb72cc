import { expect, test } from 'vitest';
import { alikeShare } from '../../bench/recsys/nearest-alike.js';
import { CsrMatrix } from '../../src/core/csr-matrix.js';

/** Item i of 40 has the terms 2g and 2g + 1 of its group g = i mod 4. */
const terms = CsrMatrix.fromTriplets(
  { rows: 40, cols: 8 },
  {
    rows: Array.from({ length: 80 }, (_, at) => at >> 1),
    columns: Array.from({ length: 80 }, (_, at) => 2 * ((at >> 1) % 4) + (at % 2)),
    values: Array(80).fill(1),
  },
);

test('neighbours of the same group all share a term, and random ones as often as groups are met', () => {
  const right = alikeShare(
    Int32Array.from({ length: 40 }, (_, item) => (item + 4) % 40),
    terms,
    2,
    1,
  );
  expect(right).toMatchObject({ share: 1, asked: 40 });
  expect(Math.abs(right.chance - 9 / 39)).toBeLessThan(0.05);
  const wrong = alikeShare(
    Int32Array.from({ length: 40 }, (_, item) => (item + 1) % 40),
    terms,
    2,
    1,
  );
  expect(wrong.share).toBe(0);
});

test('items without a neighbour or with too few terms are not asked', () => {
  const nearest = Int32Array.from({ length: 40 }, (_, item) => (item < 10 ? -1 : (item + 4) % 40));
  expect(alikeShare(nearest, terms, 2, 1).asked).toBe(30);
  expect(alikeShare(nearest, terms, 3, 1).asked).toBe(0);
});

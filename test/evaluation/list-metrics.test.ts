import { describe, expect, test } from 'vitest';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { countByBits, countByMerging } from '../../src/evaluation/common-columns.js';
import {
  catalogueCoverage,
  churn,
  coOccurrence,
  cumulativeHitRate,
  diversity,
  gini,
  novelty,
  popularityRanks,
  ratingHitRates,
  userCoverage,
} from '../../src/evaluation/list-metrics.js';
import { randomRatings } from './random-matrix.js';

/** Item 0 has users 0–3, item 1 users 0 and 1, item 2 user 3, item 3 nobody. */
const train = CsrMatrix.fromTriplets(
  { rows: 4, cols: 4 },
  { rows: [0, 1, 2, 3, 0, 1, 3], columns: [0, 0, 0, 0, 1, 1, 2], values: [1, 1, 1, 1, 1, 1, 1] },
);

describe('metrics of lists', () => {
  test('coverage counts items that are ever recommended, and users with a full list', () => {
    expect(catalogueCoverage([[0, 1], [1]], 4)).toBe(0.5);
    expect(userCoverage([[0, 1], [1]], 2)).toBe(0.5);
  });

  test('diversity is 1 minus the mean cosine of the pairs of a list', () => {
    const likeness = coOccurrence(train);
    expect(likeness(0, 1)).toBeCloseTo(2 / Math.sqrt(8), 12);
    expect(likeness(1, 2)).toBe(0);
    expect(likeness(0, 3)).toBe(0);
    expect(diversity([[0, 1, 2], [3]], likeness)).toBeCloseTo(1 - (2 / Math.sqrt(8) + 1 / 2 + 0) / 3, 12);
  });

  test('novelty is the mean popularity rank, ties by ordinal', () => {
    expect([...popularityRanks(train)]).toEqual([1, 2, 3, 4]);
    expect(novelty([[0, 3], [1]], popularityRanks(train))).toBeCloseTo(7 / 3, 12);
  });

  test('Gini is 0 where all items are recommended alike and (n − 1)/n where one always is', () => {
    expect(
      gini(
        [
          [0, 1],
          [2, 3],
        ],
        4,
      ),
    ).toBeCloseTo(0, 12);
    expect(gini([[2], [2], [2]], 4)).toBeCloseTo(0.75, 12);
    // By the mean absolute difference: Σ|a − b| / (2 n² mean) of 3, 1, 0.
    expect(gini([[0, 1], [0], [0]], 3)).toBeCloseTo((2 * (2 + 3 + 1)) / (2 * 9 * (4 / 3)), 12);
  });

  test('churn is the share of a list that is gone', () => {
    expect(
      churn(
        [
          [1, 2],
          [3, 4],
        ],
        [
          [2, 1],
          [3, 5],
        ],
        2,
      ),
    ).toBe(0.25);
    expect(() => churn([[1]], [], 1)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test('cumulative and rating hit rates are shares of the users who hold such a value out', () => {
    const outcomes = [
      { user: 0, value: 5, hit: true },
      { user: 0, value: 3, hit: false },
      { user: 1, value: 5, hit: false },
      { user: 2, value: 2, hit: true },
    ];
    expect(cumulativeHitRate(outcomes, 3)).toBe(0.5);
    expect(ratingHitRates(outcomes)).toEqual([
      { value: 2, hitRate: 1, users: 1 },
      { value: 3, hitRate: 0, users: 1 },
      { value: 5, hitRate: 0.5, users: 2 },
    ]);
  });
});

test('columns in common are counted alike by merging lists and by bits', () => {
  const matrix = randomRatings(12, 150, 0.4, 9);
  const [merged, bits] = [countByMerging(matrix), countByBits(matrix, Math.ceil(150 / 32))];
  for (let a = 0; a < 12; a++) {
    const own = new Set(matrix.row(a).columns);
    for (let b = 0; b < 12; b++) {
      const both = [...matrix.row(b).columns].filter((column) => own.has(column)).length;
      expect([merged(a, b), bits(a, b)]).toEqual([both, both]);
    }
  }
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  areaUnderCurve,
  averagePrecision,
  cappedRecall,
  hitRanks,
  hitRate,
  ndcg,
  precision,
  recall,
  reciprocalHitRank,
  reciprocalRank,
} from '../../src/evaluation/ranking-metrics.js';
import { mae, rmse } from '../../src/evaluation/rating-metrics.js';

describe('rating metrics', () => {
  test('four predictions that are off by 2, 3, 1 and 0 have MAE 1.5 and RMSE √3.5', () => {
    const predicted = [5, 4, 5, 1];
    const truth = [3, 1, 4, 1];
    expect(mae(predicted, truth)).toBe(1.5);
    expect(rmse(predicted, truth)).toBeCloseTo(1.8708, 4);
  });

  test('values of another number than the truth are refused', () => {
    expect(() => rmse([1], [1, 2])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('ranking metrics', () => {
  test('hits at ranks 3, 2 and 1 of three users have the mean reciprocal hit rank (1/3 + 1/2 + 1) / 3', () => {
    const lists = [
      [7, 8, 1],
      [7, 1, 8],
      [1, 7, 8],
    ];
    const sum = lists.reduce((total, list) => total + reciprocalHitRank(hitRanks(list, new Set([1]), 10)), 0);
    expect(sum / 3).toBeCloseTo(11 / 18, 12);
  });

  test('a perfect list scores 1 by every measure, one without a hit scores 0', () => {
    const relevant = new Set([4, 5]);
    const perfect = hitRanks([5, 4], relevant, 2);
    expect([
      hitRate(perfect),
      precision(perfect, 2),
      recall(perfect, 2),
      ndcg(perfect, 2, 2),
      averagePrecision(perfect, 2, 2),
      reciprocalRank(perfect),
    ]).toEqual([1, 1, 1, 1, 1, 1]);
    const empty = hitRanks([1, 2], relevant, 2);
    expect([
      hitRate(empty),
      precision(empty, 2),
      ndcg(empty, 2, 2),
      averagePrecision(empty, 2, 2),
      reciprocalRank(empty),
    ]).toEqual([0, 0, 0, 0, 0]);
  });

  test('a hit beyond k does not count, and recall may be capped at k', () => {
    const ranks = hitRanks([9, 1, 2, 3], new Set([1, 2, 3]), 2);
    expect(ranks).toEqual([2]);
    expect(recall(ranks, 3)).toBeCloseTo(1 / 3, 12);
    expect(cappedRecall(ranks, 3, 2)).toBe(0.5);
  });

  test('NDCG of one hit at rank 2 of two relevant is 1/log2(3) over 1 + 1/log2(3)', () => {
    const gain = 1 / Math.log2(3);
    expect(ndcg([2], 2, 10)).toBeCloseTo(gain / (1 + gain), 12);
  });

  test('the area under the curve is the share of pairs in the right order, ties counting half', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ score: fc.integer({ min: 0, max: 6 }), relevant: fc.boolean() }), {
          minLength: 2,
          maxLength: 40,
        }),
        (items) => {
          const relevant = new Set(items.flatMap((item, at) => (item.relevant ? [at] : [])));
          fc.pre(relevant.size > 0 && relevant.size < items.length);
          let right = 0;
          let pairs = 0;
          for (const [i, a] of items.entries()) {
            for (const [j, b] of items.entries()) {
              if (!relevant.has(i) || relevant.has(j)) continue;
              pairs++;
              right += a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0;
            }
          }
          const scores = items.map(({ score }) => score);
          const others = [...items.keys()].filter((item) => !relevant.has(item));
          const area = areaUnderCurve(scores, [...relevant], others);
          expect(area).toBeCloseTo(right / pairs, 12);
        },
      ),
    );
  });
});

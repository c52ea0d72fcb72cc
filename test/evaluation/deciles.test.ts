import { describe, expect, test } from 'vitest';
import { decilesOf, ratios } from '../../src/evaluation/deciles.js';
import { evaluateRanking } from '../../src/evaluation/evaluate-ranking.js';
import { popularityTrainer } from '../../src/evaluation/models/ranking-baselines.js';
import { randomSplit } from '../../src/evaluation/protocols/random-split.js';
import { idealGain, ndcg, uncutNdcg } from '../../src/evaluation/ranking-metrics.js';
import { randomRatings } from './random-matrix.js';

describe('tenths', () => {
  test('are of equal size, the fewest first, and of equal counts the smaller ordinal is the more active', () => {
    expect([...decilesOf([5, 1, 9, 3, 7, 2, 8, 4, 6, 0])]).toEqual([5, 1, 9, 3, 7, 2, 8, 4, 6, 0]);
    expect([...decilesOf([4, 4])]).toEqual([5, 0]);
    expect([...decilesOf([])]).toEqual([]);
    const sizes = new Array(10).fill(0);
    for (const decile of decilesOf(Array.from({ length: 25 }, (_, at) => at % 4))) sizes[decile]++;
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });

  test('a ratio over nothing is not a number', () => {
    expect(ratios([1, 0, 2], [2, 0, Number.NaN])).toEqual([0.5, Number.NaN, Number.NaN]);
  });

  test('what hits on items of each tenth add is the whole NDCG, and so is the mean over tenths of users', async () => {
    const split = randomSplit(randomRatings(80, 50, 0.25, 3), { testShare: 0.3, seed: 1 });
    const found = await evaluateRanking(popularityTrainer, [split], { seed: 1, k: 5 });
    const total = found.ndcgByPopularity.reduce((sum, each) => sum + each, 0);
    expect(total).toBeCloseTo(found.ndcg, 12);
    // Popularity recommends from the top tenths alone.
    expect(found.ndcgByPopularity.slice(0, 4)).toEqual([0, 0, 0, 0]);
    const mean = found.ndcgByActivity.reduce((sum, each) => sum + each, 0) / 10;
    expect(Math.abs(mean - found.ndcg)).toBeLessThan(0.02);
  });
});

describe('uncut NDCG', () => {
  test('is over all that is relevant: ten hits of thirty are not perfect', () => {
    const ranks = Array.from({ length: 10 }, (_, at) => at + 1);
    expect(ndcg(ranks, 30, 10)).toBeCloseTo(1, 12);
    expect(uncutNdcg(ranks, 30)).toBeCloseTo(idealGain(10) / idealGain(30), 12);
    expect(uncutNdcg([3], 1)).toBe(ndcg([3], 1, 10));
  });
});

import { describe, expect, test } from 'vitest';
import { nearestPoint, qpsAtRecall, quantile, recallByDistance } from '../../bench/measures.js';

describe('recall by distance', () => {
  // On a line: rows at 0, 1, 1, 2, 5, and a query at 0.
  const dataset = {
    base: { data: Float32Array.of(0, 1, -1, 2, 5), rows: 5, dim: 1 },
    queries: { data: Float32Array.of(0), rows: 1, dim: 1 },
    metric: 'l2',
  } as const;
  const truth = { distances: [0, 1], counts: [2] };

  test('another row at the distance of the last true neighbour is no loss', () => {
    expect(recallByDistance([[0, 1]], truth, dataset, 2)).toBe(1);
    expect(recallByDistance([[0, 2]], truth, dataset, 2)).toBe(1);
    expect(recallByDistance([[0n, 2n]], truth, dataset, 2)).toBe(1);
  });

  test('a farther row, a missing one and one given twice are', () => {
    expect(recallByDistance([[0, 3]], truth, dataset, 2)).toBe(0.5);
    expect(recallByDistance([[0]], truth, dataset, 2)).toBe(0.5);
    expect(recallByDistance([[0, 0]], truth, dataset, 2)).toBe(0.5);
  });

  test('what comes after the k-th is not looked at', () => {
    expect(recallByDistance([[3, 4, 0, 1]], truth, dataset, 2)).toBe(0);
  });
});

describe('quantiles', () => {
  test('lie linearly between the values around them, whatever the order of these', () => {
    expect(quantile([4, 1, 3, 2], 0)).toBe(1);
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([4, 1, 3, 2], 1)).toBe(4);
    expect(quantile([10, 9], 0.25)).toBe(9.25);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe('a curve', () => {
  const curve = [
    { recall: 0.8, qps: 1000 },
    { recall: 0.9, qps: 100 },
    { recall: 0.98, qps: 10 },
  ];

  test('is read between two efforts, linearly in the logarithm of the speed', () => {
    expect(qpsAtRecall(curve, 0.9)).toBeCloseTo(100);
    expect(qpsAtRecall(curve, 0.85)).toBeCloseTo(Math.sqrt(100_000));
  });

  test('is the speed of the smallest effort below it, and nothing beyond its end', () => {
    expect(qpsAtRecall(curve, 0.5)).toBe(1000);
    expect(qpsAtRecall(curve, 0.99)).toBeNaN();
  });

  test('has a point nearest to a recall, the smaller effort of two alike', () => {
    expect(nearestPoint(curve, 0.93)).toBe(curve[1]);
    expect(nearestPoint([{ recall: 0.5 }, { recall: 0.5 }], 0.4)).toEqual({ recall: 0.5 });
    expect(nearestPoint([], 0.9)).toBeUndefined();
  });
});

import { describe, expect, test } from 'vitest';
import { Random } from '../../bench/datasets/random.js';
import { distanceOf, nearestPoint, recallByDistance } from '../../bench/measures.js';
import { qpsAtRecall, quantile } from '../../src/evaluation/benchmark/speed.js';
import { FlatIndex } from '../../src/index/flat-index.js';

describe('recall by distance', () => {
  // On a line: rows at 0, 1, 1, 2, 5, and a query at 0.
  const dataset = {
    base: { data: Float32Array.of(0, 1, -1, 2, 5), rows: 5, dim: 1 },
    queries: { data: Float32Array.of(0), rows: 1, dim: 1 },
    metric: 'l2',
  } as const;
  const truth = { distances: [0, 1], counts: [2], width: 2 };

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

describe('recall by distance beside an independent implementation', () => {
  /** Whole numbers on a small grid: exact in every precision, and full of ties. */
  const random = new Random(11);
  const draw = (rows: number) => Float32Array.from({ length: rows * 3 }, () => random.below(4));
  const base = { data: draw(300), rows: 300, dim: 3 };
  const queries = { data: draw(40), rows: 40, dim: 3 };

  /** By the definition of ann-benchmarks.com: of the first k answers those that are no farther than the true k-th, over k. */
  function independent(answers: readonly (readonly number[])[], k: number): number {
    const point = ({ data }: typeof base, r: number) => [0, 1, 2].map((d) => BigInt(data[3 * r + d]!));
    const apart = (id: number, q: number) => {
      const [a, b] = [point(base, id), point(queries, q)];
      return Number(a.reduce((sum, x, d) => sum + (x - b[d]!) * (x - b[d]!), 0n));
    };
    const shares = answers.map((ids, q) => {
      const threshold = Array.from({ length: base.rows }, (_, id) => apart(id, q)).sort((a, b) => a - b)[k - 1]!;
      return ids.slice(0, k).filter((id) => apart(id, q) <= threshold).length / k;
    });
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }

  test('both agree at every k, on answers that are right, half right, of other ties and wrong', async () => {
    const dataset = { name: 'ties', about: '', metric: 'l2' as const, base, queries, sha256: '', baseDigest: 'ties' };
    const flat = await FlatIndex.build(base, { metric: 'l2' });
    const right = Array.from({ length: 40 }, (_, q) => [
      ...flat.searchSync(queries.data.subarray(3 * q, 3 * q + 3), 100).ids,
    ]);
    flat.close();
    const distances = right.flatMap((ids, q) => ids.map((id) => distanceOf(base, id, queries, q, 'l2')));
    const truth = { distances, counts: Array(40).fill(100), width: 100 };
    let ties = 0;
    for (const k of [1, 10, 100]) {
      ties += right.filter((_, q) => k < 100 && distances[100 * q + k - 1] === distances[100 * q + k]).length;
      const kinds = [
        right,
        right.map((ids) => ids.map((id, at) => (at % 2 === 0 ? id : base.rows - 1 - at))),
        right.map((ids) => ids.slice(k >> 1)),
        right.map((_, q) => Array.from({ length: k }, (__, at) => (7 * q + at) % base.rows)),
      ].map((answers) => answers.map((ids) => [...new Set(ids)]));
      for (const answers of kinds) {
        expect(recallByDistance(answers, truth, dataset, k)).toBeCloseTo(independent(answers, k), 12);
      }
    }
    // Most queries have a tie at the border of their neighbours, or this would show nothing.
    expect(ties).toBeGreaterThan(40);
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

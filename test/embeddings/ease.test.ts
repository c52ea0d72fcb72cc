import { describe, expect, it } from 'vitest';
import { row } from '../../src/core/matrix.js';
import { ease } from '../../src/embeddings/ease.js';
import { easeScores, factorizeEase, fitEase, mostEaseItems, parseEase } from '../../src/embeddings/ease-model.js';
import { dot, interactionsOf, seeded } from './support.js';

/** Two tastes; the last item is never touched, and the last user touches nothing. */
function world(users = 60, items = 24) {
  const random = seeded(8);
  const pairs: [number, number][] = [];
  for (let u = 0; u < users - 1; u++) {
    for (let i = 0; i < items - 1; i++) if (random() < (u % 2 === i % 2 ? 0.5 : 0.1)) pairs.push([u, i]);
  }
  return interactionsOf(users, items, pairs);
}

/** B by Gauss and Jordan, in double. */
function naiveWeights(dense: number[][], lambda: number): number[][] {
  const n = dense[0]!.length;
  const a = Array.from({ length: n }, (_, i) =>
    Float64Array.from({ length: 2 * n }, (_, j) => {
      if (j >= n) return j - n === i ? 1 : 0;
      return dense.reduce((sum, x) => sum + x[i]! * x[j]!, 0) + (i === j ? lambda : 0);
    }),
  );
  for (let k = 0; k < n; k++) {
    const pivotRow = a[k]!;
    const pivot = pivotRow[k]!;
    for (let j = 0; j < 2 * n; j++) pivotRow[j]! /= pivot;
    for (let i = 0; i < n; i++) {
      const line = a[i]!;
      const factor = line[k]!;
      if (i === k || factor === 0) continue;
      for (let j = 0; j < 2 * n; j++) line[j]! -= factor * pivotRow[j]!;
    }
  }
  return a.map((line, i) => Array.from({ length: n }, (_, j) => (i === j ? 0 : -line[n + j]! / a[j]![n + j]!)));
}

const denseOf = ({ interactions }: ReturnType<typeof world>) =>
  Array.from({ length: interactions.rows }, (_, u) => {
    const line = new Array<number>(interactions.cols).fill(0);
    const { columns, values } = interactions.row(u);
    columns.forEach((item, e) => {
      line[item] = values[e]!;
    });
    return line;
  });

describe('ease', () => {
  // 300 items are two blocks of the inverse, the second of them partial.
  it.each([
    [60, 24, 2],
    [120, 300, 50],
    [30, 513, 10],
  ])('is the closed form of its paper: %i users, %i items, λ = %d', async (users, items, regularization) => {
    const dataset = world(users, items);
    const { weights } = await fitEase(dataset.interactions, parseEase({ regularization }));
    const expected = naiveWeights(denseOf(dataset), regularization);
    let worst = 0;
    for (let i = 0; i < items; i++) {
      for (let j = 0; j < items; j++) {
        worst = Math.max(worst, Math.abs(weights.data[i * items + j]! - expected[i]![j]!));
      }
    }
    expect(worst).toBeLessThan(1e-5);
  });

  it('scores are sums of weights, and its factors at full rank give the same', async () => {
    const dataset = world();
    const model = await fitEase(dataset.interactions, parseEase({ regularization: 3 }));
    const scores = await easeScores(model, dataset.interactions);
    const factors = await factorizeEase(model, { factors: 100, oversampling: 8, powerIterations: 3, seed: 1 });
    expect(factors.explainedVariance).toBeCloseTo(1, 4);
    const { columns } = dataset.interactions.row(4);
    for (let i = 0; i < 24; i++) {
      const sum = columns.reduce((total, item) => total + model.weights.data[item * 24 + i]!, 0);
      const byFactors = columns.reduce((total, item) => total + dot(row(factors.from, item), row(factors.to, i)), 0);
      expect(scores.data[4 * 24 + i]!).toBeCloseTo(sum, 5);
      expect(byFactors).toBeCloseTo(sum, 4);
    }
  });

  it('recommends users their taste, and folds in as it fits', async () => {
    const dataset = world();
    const space = await ease.fit(dataset, ease.parse({ factors: 6, regularization: 3 }, ''), {});
    expect([...space.items.ordinals]).toEqual(Array.from({ length: 23 }, (_, i) => i));
    expect([...space.users!.ordinals]).toEqual(Array.from({ length: 59 }, (_, u) => u));
    const fold = ease.openFolder!(space.model);
    for (const user of [0, 1, 30, 41]) {
      const items = dataset.interactions.row(user).columns;
      const vectors = { data: new Float32Array(items.length * 6), rows: items.length, dim: 6 };
      const folded = await fold({ items, vectors, weights: new Float32Array(items.length).fill(1) });
      const fitted = row(space.users!.matrix, user);
      folded.forEach((value, d) => {
        expect(value).toBeCloseTo(fitted[d]!, 5);
      });
      const mean = (parity: number) => {
        const scores = [...space.items.ordinals]
          .filter((i) => i % 2 === parity)
          .map((i) => dot(folded, row(space.items.matrix, i)));
        return scores.reduce((sum, score) => sum + score, 0) / scores.length;
      };
      expect(mean(user % 2)).toBeGreaterThan(mean(1 - (user % 2)) + 0.1);
    }
  });

  it('gives the same bytes on any number of threads', async () => {
    const { interactions } = world(100, 600);
    const [one, two] = await Promise.all([1, 2].map((threads) => fitEase(interactions, parseEase({}), { threads })));
    expect(Buffer.from(two!.weights.data.buffer).equals(Buffer.from(one!.weights.data.buffer))).toBe(true);
  });

  it('refuses what it cannot train on, reports progress, and stops when its signal fires', async () => {
    const { interactions } = world();
    await expect(fitEase(interactionsOf(3, 3, []).interactions, parseEase({}))).rejects.toMatchObject({
      code: 'EMPTY_DATASET',
    });
    const large = interactionsOf(1, mostEaseItems + 1, [[0, 0]]).interactions;
    await expect(fitEase(large, parseEase({}))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const hostile = interactionsOf(1, 2, [[0, 0, Number.POSITIVE_INFINITY]]).interactions;
    await expect(fitEase(hostile, parseEase({}))).rejects.toMatchObject({ code: 'NOT_FINITE' });
    const alone = interactionsOf(2, 2, [
      [0, 0],
      [1, 1],
    ]);
    await expect(ease.fit(alone, ease.parse({}, ''), {})).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    expect(() => parseEase({ regularization: 0 }, 'cf')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => ease.openFolder!({ items: 2, factors: 2, from: new Float32Array(3) })).toThrow(
      expect.objectContaining({ code: 'FORMAT' }),
    );
    const reports: number[] = [];
    await fitEase(interactions, parseEase({}), { onProgress: (done, total) => reports.push(done / total) });
    expect(reports.at(-1)).toBe(1);
    await expect(fitEase(interactions, parseEase({}), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

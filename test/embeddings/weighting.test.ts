import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { als } from '../../src/embeddings/als.js';
import { bpr } from '../../src/embeddings/bpr.js';
import { item2vec } from '../../src/embeddings/item2vec.js';
import { datasetWeights, toWeights, type Weighting } from '../../src/embeddings/weighting.js';
import { interactionsOf } from './support.js';

const plain: Weighting = { value: 'binary', minValue: 0, k1: undefined, b: undefined, halfLifeDays: undefined };
const day = 86_400;

const pairs = fc.uniqueArray(
  fc.record({
    user: fc.integer({ min: 0, max: 4 }),
    item: fc.integer({ min: 0, max: 5 }),
    value: fc.integer({ min: -3, max: 5 }),
    days: fc.integer({ min: 0, max: 20 }),
  }),
  { selector: ({ user, item }) => 6 * user + item, minLength: 1, maxLength: 30 },
);
const weightings = fc.record({
  value: fc.constantFrom('binary', 'raw', 'log', 'bm25'),
  minValue: fc.integer({ min: 0, max: 4 }),
  halfLifeDays: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
  k1: fc.option(fc.double({ min: 0, max: 5, noNaN: true }), { nil: undefined }),
  b: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
});
const dislikes = fc.record({
  neutral: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  weight: fc.constantFrom(0, 0.5, 2),
});

describe('toWeights', () => {
  it('weighs every pair by the formulas of its documentation', () => {
    fc.assert(
      fc.property(pairs, weightings, dislikes, (list, weighting, { neutral, weight }) => {
        const sorted = list.toSorted((a, b) => a.user - b.user || a.item - b.item);
        const matrix = CsrMatrix.fromTriplets(
          { rows: 5, cols: 6 },
          {
            rows: sorted.map(({ user }) => user),
            columns: sorted.map(({ item }) => item),
            values: sorted.map(({ value }) => value),
          },
        );
        const times = Float64Array.from(sorted, ({ days }) => 1e9 + day * days);
        const found = toWeights(matrix, weighting, times, { neutral, weight });

        const counted = sorted
          .map((pair) => ({ ...pair, liking: pair.value - (neutral ?? 0) }))
          .filter(({ liking, value }) => (liking > 0 ? value >= weighting.minValue : liking < 0 && weight > 0));
        const latest = Math.max(...sorted.map(({ days }) => days));
        const sizes = (of: (pair: (typeof counted)[number]) => boolean) =>
          counted.filter(of).reduce((sum, { liking }) => sum + Math.abs(liking), 0);
        const users = new Set(counted.map(({ user }) => user)).size;
        const { k1 = 1.2, b = 0.75 } = weighting;
        const weigh = ({ user, item, liking, days }: (typeof counted)[number]) => {
          const s = Math.abs(liking);
          const n = counted.filter((other) => other.item === item).length;
          const length = sizes((other) => other.user === user) / (sizes(() => true) / users);
          const size = {
            binary: 1,
            raw: s,
            log: Math.log2(1 + s),
            bm25: (Math.log(1 + (users - n + 0.5) / (n + 0.5)) * s * (k1 + 1)) / (s + k1 * (1 - b + b * length)),
          }[weighting.value];
          const age = weighting.halfLifeDays === undefined ? 1 : 0.5 ** ((latest - days) / weighting.halfLifeDays);
          return size * age * (liking > 0 ? 1 : -weight);
        };
        expect([...found.columns]).toEqual(counted.map(({ item }) => item));
        expect([...found.offsets]).toEqual(
          [0, 1, 2, 3, 4, 5].map((u) => counted.filter(({ user }) => user < u).length),
        );
        counted.forEach((pair, e) => {
          expect(found.values[e]).toBeCloseTo(weigh(pair), 4);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('is a mean of the user lengths under bm25, so that one user weighs by size and rarity alone', () => {
    const matrix = interactionsOf(1, 2, [[0, 0, 4]]).interactions;
    const { values } = toWeights(matrix, { ...plain, value: 'bm25', k1: 1, b: 1 });
    expect(values[0]).toBeCloseTo((Math.log(1 + 0.5 / 1.5) * 4 * 2) / (4 + 1), 6);
  });

  it('leaves something of what is very old', () => {
    const matrix = interactionsOf(1, 2, [
      [0, 0],
      [0, 1],
    ]).interactions;
    const { values } = toWeights(matrix, { ...plain, halfLifeDays: 1 }, Float64Array.of(0, 1e9));
    expect(values[1]).toBe(1);
    expect(values[0]).toBeGreaterThan(0);
  });
});

describe('the weighting of an embedding', () => {
  it('needs times for a half-life, and something that is liked', async () => {
    const dataset = interactionsOf(2, 2, [
      [0, 0, 2],
      [1, 1, -2],
    ]);
    const weigh = (given: Partial<Weighting>, minimum = {}) =>
      datasetWeights('als', dataset, { ...plain, ...given, ...minimum });
    expect(() => weigh({ halfLifeDays: 3 })).toThrow(expect.objectContaining({ code: 'MISSING_COLUMN' }));
    expect(() => weigh({ minValue: 3 })).toThrow(expect.objectContaining({ code: 'EMPTY_DATASET' }));
    const onlyDislikes = interactionsOf(2, 2, [
      [0, 0, -2],
      [1, 1, -2],
    ]);
    await expect(als.fit(onlyDislikes, als.parse({ dislikes: 1 }, ''), {})).rejects.toMatchObject({
      code: 'EMPTY_DATASET',
    });
  });

  it('is no option of models that look at nothing but which interactions there are', () => {
    for (const embedding of [bpr, item2vec]) {
      expect(embedding.keys).toContain('minValue');
      for (const option of ['value', 'halfLifeDays', 'k1']) {
        expect(() => embedding.parse({ [option]: 1 }, 'cf')).toThrow(
          expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
        );
      }
    }
  });

  it('keeps what somebody dislikes out of their list', async () => {
    const pairs: [number, number, number][] = [];
    for (let user = 0; user < 40; user++) {
      for (let item = 0; item < 20; item++) if ((user + 3 * item) % 4 !== 0) pairs.push([user, item, 5]);
    }
    // User 1 rates item 0 badly: 1 of 5.
    const dataset = interactionsOf(40, 20, [...pairs.filter(([u, i]) => u !== 1 || i !== 0), [1, 0, 1]]);
    const scoreOf = async (params: Record<string, unknown>) => {
      const { users, items } = await als.fit(dataset, als.parse({ factors: 16, ...params }, ''), {});
      let score = 0;
      for (let d = 0; d < 16; d++) score += users!.matrix.data[16 + d]! * items.matrix.data[d]!;
      return score;
    };
    const liked = await scoreOf({});
    const passedOver = await scoreOf({ minValue: 3 });
    const disliked = await scoreOf({ neutral: 3, value: 'raw', dislikes: 20 });
    expect(liked).toBeGreaterThan(passedOver);
    expect(Math.abs(disliked)).toBeLessThan(0.3 * passedOver);
  });
});

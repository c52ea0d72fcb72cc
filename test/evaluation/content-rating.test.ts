import { describe, expect, test } from 'vitest';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { closenessOf, contentKnnTrainer, cosineOfSets } from '../../src/evaluation/models/content-rating.js';
import { easeRankingTrainer } from '../../src/evaluation/models/ease-ranking.js';
import { nmfRatingTrainer } from '../../src/evaluation/models/nmf-rating.js';
import { rankByRating } from '../../src/evaluation/models/rank-by-rating.js';
import { itemMeanTrainer } from '../../src/evaluation/models/rating-baselines.js';
import { randomRatings } from './random-matrix.js';

const context = { seed: 1 };

describe('content neighbours', () => {
  const sets = ['action|war', 'war', 'comedy', 'action', ''].map((text) => new Set(text.split('|').filter(Boolean)));
  const ratings = CsrMatrix.fromTriplets(
    { rows: 1, cols: 5 },
    { rows: [0, 0, 0], columns: [1, 2, 3], values: [5, 1, 2] },
  );

  test('the cosine of sets and the closeness of numbers are what they say', () => {
    const cosine = cosineOfSets(sets);
    expect([cosine(0, 1), cosine(0, 2), cosine(0, 0), cosine(0, 4)]).toEqual(
      [Math.SQRT1_2, 0, 1, 0].map((x) => expect.closeTo(x, 12)),
    );
    const closeness = closenessOf([1990, 2000, Number.NaN], 10);
    expect([closeness(0, 1), closeness(1, 2)]).toEqual([expect.closeTo(Math.exp(-1), 12), 0]);
  });

  test('an item is predicted by the mean of what is like it, weighted; what is not alike has no say', async () => {
    const pairs = { users: Uint32Array.of(0, 0), items: Uint32Array.of(0, 4) };
    const all = await (await contentKnnTrainer('genre', cosineOfSets(sets)).fit(ratings, context)).predict(pairs);
    expect(all[0]).toBeCloseTo(3.5, 6); // (5 + 2) / 2 at equal likeness
    expect(all[1]).toBeGreaterThan(1); // nothing is like it: the baseline
    const nearest = await (
      await contentKnnTrainer('genre', cosineOfSets(sets), { k: 1 }).fit(ratings, context)
    ).predict(pairs);
    expect(nearest[0]).toBe(5); // of two equally alike the first
  });
});

test('EASE scores a history by the sums of its exact weights, and an item that nobody has not at all', async () => {
  const train = randomRatings(50, 20, 0.3, 2);
  const model = await easeRankingTrainer({ regularization: 5 }).fit(train, context);
  const one = (item: number) =>
    model.scores({
      users: undefined,
      histories: CsrMatrix.fromTriplets({ rows: 1, cols: 20 }, { rows: [0], columns: [item], values: [4] }),
    });
  const both = await model.scores({
    users: undefined,
    histories: CsrMatrix.fromTriplets({ rows: 1, cols: 20 }, { rows: [0, 0], columns: [3, 7], values: [1, 2] }),
  });
  const [a, b] = [await one(3), await one(7)];
  for (let item = 0; item < 20; item++) expect(both.data[item]).toBeCloseTo(a.data[item]! + b.data[item]!, 5);
  expect(a.data[3]).toBe(0); // the diagonal
});

test('non-negative factors fit ratings better than the mean does', async () => {
  const train = randomRatings(60, 40, 0.4, 4);
  const pairs = {
    users: Uint32Array.from({ length: train.rows }, (_, user) => user).filter(
      (user) => train.row(user).columns.length > 0,
    ),
    items: new Uint32Array(0),
  };
  const items = pairs.users.map((user) => train.row(user).columns[0]!);
  const truth = Array.from(pairs.users, (user) => train.row(user).values[0]!);
  const predicted = await (await nmfRatingTrainer({ factors: 8, iterations: 30 }).fit(train, context)).predict({
    users: pairs.users,
    items,
  });
  const mean = train.values.reduce((sum, value) => sum + value, 0) / train.entries;
  const error = (of: ArrayLike<number>) => truth.reduce((sum, value, at) => sum + (value - of[at]!) ** 2, 0);
  expect(error(predicted)).toBeLessThan(error(truth.map(() => mean)) / 2);
});

test('a rating model ranks by what it predicts, without items that nobody rated, and only for users it knows', async () => {
  const train = CsrMatrix.fromTriplets({ rows: 2, cols: 3 }, { rows: [0, 1], columns: [0, 1], values: [2, 5] });
  const model = await rankByRating(itemMeanTrainer).fit(train, context);
  const { data } = await model.scores({ users: Uint32Array.of(1, 0), histories: train });
  expect([...data]).toEqual([2, 5, Number.NEGATIVE_INFINITY, 2, 5, Number.NEGATIVE_INFINITY]);
  await expect(model.scores({ users: undefined, histories: train })).rejects.toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { zeros } from '../../src/core/matrix.js';
import { evaluateRanking } from '../../src/evaluation/evaluate-ranking.js';
import { evaluateRating } from '../../src/evaluation/evaluate-rating.js';
import type { RankingModel, RatingModel, Trainer } from '../../src/evaluation/model.js';
import { biasesTrainer, fitBiases } from '../../src/evaluation/models/biases.js';
import { knnRankingTrainer } from '../../src/evaluation/models/knn-ranking.js';
import { knnRatingTrainer } from '../../src/evaluation/models/knn-rating.js';
import {
  popularityTrainer,
  randomRankingTrainer,
  weightedRatingTrainer,
} from '../../src/evaluation/models/ranking-baselines.js';
import {
  globalMeanTrainer,
  itemMeanTrainer,
  normalTrainer,
  randomRatingTrainer,
  userMeanTrainer,
} from '../../src/evaluation/models/rating-baselines.js';
import { similarityNames } from '../../src/evaluation/models/similarity.js';
import { itemCold } from '../../src/evaluation/protocols/item-cold.js';
import { leaveOneOut } from '../../src/evaluation/protocols/leave-one-out.js';
import { randomSplit } from '../../src/evaluation/protocols/random-split.js';
import { strongGeneralization } from '../../src/evaluation/protocols/strong-generalization.js';
import { topItems } from '../../src/evaluation/top-items.js';
import { randomRatings } from './random-matrix.js';

const ratings = randomRatings(80, 50, 0.25, 3);
const context = { seed: 1 };

/** Scores what is held out by `good`, everything else by −item. */
const knowing = (held: CsrMatrix, good: number): Trainer<RankingModel> => ({
  name: 'knowing',
  fit: async (train) => ({
    scores: async ({ users }) => {
      const scores = zeros(users!.length, train.cols);
      users!.forEach((user, r) => {
        for (let i = 0; i < train.cols; i++) scores.data[r * train.cols + i] = -i;
        for (const item of held.row(user).columns) scores.data[r * train.cols + item] = good;
      });
      return scores;
    },
  }),
});

describe('ranking', () => {
  test('the best items are those of a full sort, ties by id, without what is skipped or cannot be placed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(Number.NEGATIVE_INFINITY)), { maxLength: 30 }),
        fc.integer({ min: 1, max: 8 }),
        fc.func(fc.boolean()),
        (values, k, skipped) => {
          const skip = Int32Array.from(values, (_, item) => (skipped(item) ? 7 : 0));
          const expected = [...values.keys()]
            .filter((item) => skip[item] !== 7 && values[item]! > Number.NEGATIVE_INFINITY)
            .sort((a, b) => values[b]! - values[a]! || a - b)
            .slice(0, k);
          expect(topItems(Float32Array.from(values), k, skip, 7, undefined)).toEqual(expected);
        },
      ),
    );
  });

  test('a model that knows what is held out is perfect, one that knows it and hides it finds nothing', async () => {
    const split = leaveOneOut(ratings, { seed: 4 });
    const best = await evaluateRanking(knowing(split.test, 1), [split], { ...context, k: 5, likedFrom: 3 });
    expect([best.hitRate, best.ndcg, best.map, best.mrr, best.auc, best.recall, best.cumulativeHitRate]).toEqual(
      Array(7).fill(1),
    );
    expect(best.precision).toBeCloseTo(0.2, 12);
    expect(best.users + best.skipped).toBe(80);
    const worst = await evaluateRanking(knowing(split.test, -1000), [split], { ...context, k: 5 });
    expect([worst.hitRate, worst.auc]).toEqual([0, 0]);
  });

  test('what is in the history is never recommended, also under strong generalisation', async () => {
    const split = strongGeneralization(ratings, { userShare: 0.3, given: { share: 0.5 }, seed: 2 });
    // Popularity counts held-out hits only if the told items are out of its way: an independent count is compared.
    const found = await evaluateRanking(popularityTrainer, [split], { ...context, k: 3 });
    const counts = split.train.columnCounts();
    let hits = 0;
    let users = 0;
    for (let r = 0; r < split.test.rows; r++) {
      const held = [...split.test.row(r).columns];
      if (held.length === 0) continue;
      users++;
      const told = new Set(split.histories.row(r).columns);
      const list = [...counts.keys()].filter((i) => !told.has(i)).sort((a, b) => counts[b]! - counts[a]! || a - b);
      hits += held.some((item) => list.slice(0, 3).includes(item)) ? 1 : 0;
    }
    expect(found.users).toBe(users);
    expect(found.hitRate).toBeCloseTo(hits / users, 12);
  });

  test('a pool restricts the lists, and sampled negatives replace the catalogue', async () => {
    const cold = itemCold(ratings, { cold: { share: 0.2, seed: 1 }, pool: 'cold' });
    const among = await evaluateRanking(randomRankingTrainer, [cold], { ...context, k: 10 });
    expect(among.recall).toBe(1); // all ten cold items are listed
    const sampled = leaveOneOut(ratings, { seed: 4, negatives: 4 });
    const random = await evaluateRanking(randomRankingTrainer, [sampled], { ...context, k: 5 });
    expect(random.hitRate).toBe(1); // one of five
  });

  test('random ranking has half the area, and no user with anything relevant is an error', async () => {
    const split = randomSplit(ratings, { testShare: 0.3, seed: 1 });
    const random = await evaluateRanking(randomRankingTrainer, [split], { ...context, k: 5 });
    expect(Math.abs(random.auc - 0.5)).toBeLessThan(0.05);
    await expect(evaluateRanking(popularityTrainer, [split], { ...context, k: 5, relevantFrom: 6 })).rejects.toThrow(
      expect.objectContaining({ code: 'EMPTY_DATASET' }),
    );
    await expect(
      evaluateRanking(popularityTrainer, [split], { ...context, k: 5, signal: AbortSignal.abort() }),
    ).rejects.toThrow(expect.objectContaining({ code: 'ABORTED' }));
  });

  test.each(['item', 'user'])(
    '%s neighbours rank as the definition says, for users of training and for new ones',
    async (of) => {
      const model = await knnRankingTrainer({ of, k: 7 }).fit(ratings, context);
      const users = Uint32Array.of(3, 40);
      const histories = CsrMatrix.fromTriplets(
        { rows: 2, cols: 50 },
        {
          rows: [...ratings.row(3).columns].map(() => 0).concat([...ratings.row(40).columns].map(() => 1)),
          columns: [...ratings.row(3).columns, ...ratings.row(40).columns],
          values: Array(ratings.row(3).columns.length + ratings.row(40).columns.length).fill(1),
        },
      );
      const lines = of === 'item' ? ratings.transpose() : ratings;
      const sets = Array.from({ length: lines.rows }, (_, r) => new Set(lines.row(r).columns));
      const likeness = (a: Set<number>, b: Set<number>) =>
        [...a].filter((x) => b.has(x)).length / Math.sqrt(a.size * b.size);
      const nearest = (own: Set<number>, without: number) =>
        [...sets.keys()]
          .filter((r) => r !== without)
          .map((r) => [r, likeness(own, sets[r]!)] as const)
          .filter(([, s]) => s > 0)
          .sort((a, b) => Math.fround(b[1]) - Math.fround(a[1]) || a[0] - b[0])
          .slice(0, 7);
      for (const known of [users, undefined]) {
        const { data } = await model.scores({ users: known, histories });
        users.forEach((user, r) => {
          const mine = new Set(ratings.row(user).columns);
          const neighbors = nearest(mine, known === undefined ? -1 : user);
          for (let item = 0; item < 50; item++) {
            const expected =
              of === 'item'
                ? nearest(sets[item]!, item).reduce((sum, [other, s]) => sum + (mine.has(other) ? s : 0), 0)
                : neighbors.reduce((sum, [other, s]) => sum + (sets[other]!.has(item) ? s : 0), 0);
            expect(data[r * 50 + item]).toBeCloseTo(expected, 5);
          }
        });
      }
    },
  );

  test('weighted rating pulls items with few ratings to the mean', async () => {
    const model = await weightedRatingTrainer({ m: 10 }).fit(ratings, context);
    const { data } = await model.scores({ users: Uint32Array.of(0), histories: randomRatings(1, 50, 0, 1) });
    const mean = ratings.values.reduce((sum, value) => sum + value, 0) / ratings.entries;
    const column = ratings.transpose().row(4).values;
    const own = column.reduce((sum, value) => sum + value, 0) / column.length;
    expect(data[4]).toBeCloseTo((column.length * own + 10 * mean) / (column.length + 10), 5);
  });
});

describe('ratings', () => {
  const split = randomSplit(ratings, { testShare: 0.2, seed: 8 });
  const everyKnn = ['user', 'item'].flatMap((of) =>
    similarityNames.flatMap((similarity) =>
      ['none', 'mean', 'z-score', 'baseline'].map((center) => ({ of, similarity, center, k: 9 })),
    ),
  );

  test('every model gives every pair a finite prediction within the range, also of unknown users and items', async () => {
    const lone = CsrMatrix.fromTriplets(
      { rows: 4, cols: 4 },
      { rows: [0, 1, 1], columns: [0, 0, 1], values: [2, 4, 5] },
    );
    const pairs = { users: Uint32Array.of(0, 0, 3, 3), items: Uint32Array.of(1, 3, 0, 3) };
    const trainers: Trainer<RatingModel>[] = [
      globalMeanTrainer,
      userMeanTrainer,
      itemMeanTrainer,
      normalTrainer,
      randomRatingTrainer,
      biasesTrainer(),
      biasesTrainer({ method: 'sgd' }),
      ...everyKnn.map((params) => knnRatingTrainer(params)),
    ];
    for (const trainer of trainers) {
      const predicted = await (await trainer.fit(lone, context)).predict(pairs);
      expect(predicted).toHaveLength(4);
      expect([trainer.name, predicted.every((value) => value >= 2 && value <= 5)]).toEqual([trainer.name, true]);
    }
  });

  test('item KNN by adjusted cosine predicts what the definition says', async () => {
    const train = split.train;
    const model = await knnRatingTrainer({ of: 'item', similarity: 'adjusted-cosine', k: 5 }).fit(train, context);
    const pairs = { users: Uint32Array.of(2, 7, 30), items: Uint32Array.of(10, 20, 30) };
    const predicted = await model.predict(pairs);
    const rating = (u: number, i: number) => {
      const { columns, values } = train.row(u);
      const at = columns.indexOf(i);
      return at < 0 ? undefined : values[at]!;
    };
    const meanOf = (u: number) =>
      train.row(u).values.reduce((sum, value) => sum + value, 0) / train.row(u).values.length;
    const likeness = (i: number, j: number) => {
      let xy = 0;
      let xx = 0;
      let yy = 0;
      for (let u = 0; u < 80; u++) {
        const x = rating(u, i);
        const y = rating(u, j);
        if (x === undefined || y === undefined) continue;
        xy += (x - meanOf(u)) * (y - meanOf(u));
        xx += (x - meanOf(u)) ** 2;
        yy += (y - meanOf(u)) ** 2;
      }
      return xx * yy === 0 ? 0 : xy / Math.sqrt(xx * yy);
    };
    pairs.users.forEach((u, at) => {
      const near = [...train.row(u).columns]
        .filter((j) => j !== pairs.items[at])
        .map((j) => [j, likeness(pairs.items[at]!, j)] as const)
        .filter(([, s]) => s > 0)
        .sort((a, b) => b[1] - a[1])
        .slice(0, 5);
      const weights = near.reduce((sum, [, s]) => sum + s, 0);
      const expected = near.reduce((sum, [j, s]) => sum + s * rating(u, j)!, 0) / weights;
      expect(predicted[at]).toBeCloseTo(expected, 4);
    });
  });

  test('biases by turns are the stationary point: another round changes nothing', () => {
    const params = {
      method: 'als' as const,
      userRegularization: 15,
      itemRegularization: 10,
      learningRate: 0.005,
      regularization: 0.02,
    };
    const settled = fitBiases(ratings, { ...params, iterations: 200 });
    const more = fitBiases(ratings, { ...params, iterations: 201 });
    more.users.forEach((bias, user) => {
      expect(bias).toBeCloseTo(settled.users[user]!, 10);
    });
    const { values, columns } = ratings.row(5);
    const sum = values.reduce((total, value, at) => total + value - settled.mean - settled.items[columns[at]!]!, 0);
    expect(settled.users[5]).toBeCloseTo(sum / (15 + values.length), 8);
  });

  test('a table row has both errors, the pairs and no prediction for users outside training', async () => {
    const row = await evaluateRating(globalMeanTrainer, [split], context);
    expect(row.pairs).toBe(split.test.entries);
    expect(row.rmse).toBeGreaterThan(row.mae);
    const strong = strongGeneralization(ratings, { userShare: 0.2, given: { share: 0.5 }, seed: 1 });
    await expect(evaluateRating(globalMeanTrainer, [strong], context)).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(() => knnRatingTrainer({ similarty: 'cosine' })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    );
  });
});

/** What every trainer does with input that is hardly any: a documented answer or an error with a code, and never a NaN. */
import { describe, expect, test } from 'vitest';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { Vocabulary } from '../../src/core/vocabulary.js';
import { findEmbedding } from '../../src/embeddings/registry.js';
import type { RankingModel, RatingModel, Trainer } from '../../src/evaluation/model.js';
import { biasesTrainer } from '../../src/evaluation/models/biases.js';
import { contentKnnTrainer, cosineOfSets } from '../../src/evaluation/models/content-rating.js';
import { easeRankingTrainer } from '../../src/evaluation/models/ease-ranking.js';
import { knnRankingTrainer } from '../../src/evaluation/models/knn-ranking.js';
import { knnRatingTrainer } from '../../src/evaluation/models/knn-rating.js';
import { mfRatingTrainer } from '../../src/evaluation/models/mf-rating.js';
import { nmfRatingTrainer } from '../../src/evaluation/models/nmf-rating.js';
import { rankByRating } from '../../src/evaluation/models/rank-by-rating.js';
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
import { withValues } from '../../src/evaluation/models/similarity.js';
import { spaceTrainer } from '../../src/evaluation/models/space-model.js';
import { randomRatings } from './random-matrix.js';

const context = { seed: 1, threads: 1 };
const matrix = (rows: number, cols: number, entries: readonly (readonly [number, number, number])[]) =>
  CsrMatrix.fromTriplets(
    { rows, cols },
    {
      rows: entries.map(([row]) => row),
      columns: entries.map(([, column]) => column),
      values: entries.map(([, , value]) => value),
    },
  );

const ratingTrainers: Trainer<RatingModel>[] = [
  globalMeanTrainer,
  userMeanTrainer,
  itemMeanTrainer,
  normalTrainer,
  randomRatingTrainer,
  biasesTrainer(),
  biasesTrainer({ method: 'sgd' }),
  knnRatingTrainer({ of: 'user' }),
  knnRatingTrainer({ of: 'item', similarity: 'pearson', center: 'z-score' }),
  contentKnnTrainer('genre', cosineOfSets(Array.from({ length: 40 }, (_, at) => new Set([`${at % 3}`])))),
  mfRatingTrainer({ factors: 30, epochs: 5 }),
  mfRatingTrainer({ solver: 'als', factors: 30, epochs: 5 }),
  nmfRatingTrainer({ factors: 30, iterations: 5, regularization: 0.1 }),
];

const space = (of: CsrMatrix, embedding: string, params: Record<string, unknown>): Trainer<RankingModel> => {
  const found = findEmbedding(embedding, embedding);
  const names = (count: number) => new Vocabulary(Array.from({ length: count }, (_, at) => `${at}`));
  const items = names(of.cols);
  const dataset = {
    origin: { name: 'bad input', licence: '', source: '' },
    items,
    users: names(of.rows),
    titles: items.terms,
    columns: new Map(),
    interactions: of,
  };
  const parsed = found.parse(params, embedding);
  return spaceTrainer(
    { name: embedding, embedding, fit: (data, options) => found.fit(data, parsed, options) },
    dataset,
  );
};

const rankingTrainers = (of: CsrMatrix): Trainer<RankingModel>[] => [
  randomRankingTrainer,
  popularityTrainer,
  weightedRatingTrainer(),
  knnRankingTrainer(),
  knnRankingTrainer({ of: 'user' }),
  easeRankingTrainer(),
  rankByRating(biasesTrainer()),
  // More factors than there are users or items.
  space(of, 'als', { factors: 64 }),
  space(of, 'svd', { factors: 64 }),
  space(of, 'bpr', { factors: 64, epochs: 5 }),
  space(of, 'nmf', { factors: 64, iterations: 5 }),
  space(of, 'ease', { factors: 64 }),
  space(of, 'item2vec', { factors: 64, negatives: 0.01 }),
  space(of, 'mf', { factors: 64, epochs: 5 }),
];

/** Every one that is trained on interactions. */
const embeddings = ['als', 'svd', 'bpr', 'nmf', 'ease', 'item2vec', 'mf'];

const nothing = matrix(3, 40, []);
/** User 2 and items 3 … 39 have nothing. */
const gaps = matrix(3, 40, [
  [0, 0, 5],
  [0, 1, 3],
  [1, 0, 4],
  [1, 1, 2],
  [1, 2, 1],
]);
const single = matrix(1, 1, [[0, 0, 4]]);
const alike = withValues(randomRatings(6, 40, 0.3, 1), () => 3);

describe('rating models', () => {
  test.each(ratingTrainers.map((trainer) => [trainer.name, trainer] as const))('%s', async (_, trainer) => {
    await expect(trainer.fit(nothing, context)).rejects.toThrow(expect.objectContaining({ code: 'EMPTY_DATASET' }));
    for (const [train, low, high] of [
      [gaps, 1, 5],
      [single, 4, 4],
    ] as const) {
      const pairs = {
        users: Uint32Array.from({ length: train.rows * train.cols }, (__, at) => Math.floor(at / train.cols)),
        items: Uint32Array.from({ length: train.rows * train.cols }, (__, at) => at % train.cols),
      };
      const predicted = await (await trainer.fit(train, context)).predict(pairs);
      expect(predicted.length).toBe(train.rows * train.cols);
      expect(predicted.every((value) => value >= low && value <= high)).toBe(true);
    }
  });

  test('values that are all alike are predicted by every model', async () => {
    const pairs = { users: Uint32Array.of(0, 5), items: Uint32Array.of(39, 0) };
    for (const trainer of ratingTrainers) {
      const predicted = await (await trainer.fit(alike, context)).predict(pairs);
      expect([trainer.name, ...predicted]).toEqual([trainer.name, 3, 3]);
    }
  });

  test('a rating that is not finite is refused by every model', async () => {
    const similarities = ['cosine', 'adjusted-cosine', 'pearson', 'spearman', 'msd', 'jaccard', 'pearson-baseline'];
    const neighbours = similarities.map((similarity) => knnRatingTrainer({ similarity }));
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      const values = gaps.values.slice();
      values[2] = value;
      const bad = new CsrMatrix(gaps.rows, gaps.cols, gaps.offsets, gaps.columns, values);
      for (const trainer of [...ratingTrainers, ...neighbours]) {
        await expect(trainer.fit(bad, context), trainer.name).rejects.toThrow(
          expect.objectContaining({ code: 'NOT_FINITE' }),
        );
      }
    }
  });
});

describe('ranking models', () => {
  const names = rankingTrainers(gaps).map(({ name }, at) => [name, at] as const);

  test.each(names)('%s answers users and items without interactions', async (name, at) => {
    const trainer = rankingTrainers(gaps)[at]!;
    const { data } = await (await trainer.fit(gaps, context)).scores({
      users: Uint32Array.of(0, 1, 2),
      histories: gaps,
    });
    expect(data.length).toBe(3 * 40);
    expect(data.some(Number.isNaN), name).toBe(false);
    expect(data.includes(Number.POSITIVE_INFINITY), name).toBe(false);
  });

  test.each(names)('%s refuses to learn from nothing, or recommends without having learnt', async (name, at) => {
    const trainer = rankingTrainers(nothing)[at]!;
    const learnsNothing = ['random', 'popular', 'item KNN cosine', 'user KNN cosine'].includes(name);
    const fitted = trainer
      .fit(nothing, context)
      .then((model) => model.scores({ users: undefined, histories: nothing }));
    if (learnsNothing) expect((await fitted).data.some(Number.isNaN)).toBe(false);
    else await expect(fitted, name).rejects.toThrow(expect.objectContaining({ code: 'EMPTY_DATASET' }));
  });

  test.each(embeddings)('%s refuses a value that is not finite', async (embedding) => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const values = gaps.values.slice();
      values[2] = value;
      const bad = new CsrMatrix(gaps.rows, gaps.cols, gaps.offsets, gaps.columns, values);
      await expect(space(bad, embedding, {}).fit(bad, context)).rejects.toThrow(
        expect.objectContaining({ code: 'NOT_FINITE' }),
      );
    }
  });

  test.each(embeddings)('%s of values of 0 and below has nothing to learn choices from', async (embedding) => {
    const negative = withValues(gaps, (value) => -value);
    const fitted = space(negative, embedding, {}).fit(negative, context);
    // Ratings may lie below 0.
    if (embedding === 'mf') expect((await fitted).scores).toBeTypeOf('function');
    else await expect(fitted).rejects.toThrow(expect.objectContaining({ code: 'EMPTY_DATASET' }));
  });

  test.each(embeddings)('%s of a single value gives an answer or says why there is none', async (embedding) => {
    const scored = space(single, embedding, {})
      .fit(single, context)
      .then((model) => model.scores({ users: Uint32Array.of(0), histories: single }));
    // Of one value no difference can be learnt, and of one item no company.
    const code = { mf: 'INVALID_ARGUMENT', ease: 'EMPTY_DATASET', item2vec: 'EMPTY_DATASET' }[embedding];
    if (code === undefined) expect((await scored).data.every(Number.isFinite)).toBe(true);
    else await expect(scored).rejects.toThrow(expect.objectContaining({ code }));
  });

  test.each(embeddings)('%s is interrupted with a code', async (embedding) => {
    const ratings = randomRatings(300, 200, 0.2, 1);
    const controller = new AbortController();
    const trainer = space(ratings, embedding, {});
    const fitted = trainer.fit(ratings, { ...context, signal: controller.signal });
    controller.abort();
    await expect(fitted).rejects.toThrow(expect.objectContaining({ code: 'ABORTED' }));
  });
});

test('the weighted rating of 4.5 from 5 ratings, with m = 10 and a mean of 3.5, is 3.8333', async () => {
  // Five ratings of 4.5 and five of 2.5: the mean of all is 3.5.
  const ratings = matrix(
    5,
    2,
    Array.from(
      { length: 5 },
      (_, user) =>
        [
          [user, 0, 4.5],
          [user, 1, 2.5],
        ] as const,
    ).flat(),
  );
  const model = await weightedRatingTrainer({ m: 10 }).fit(ratings, context);
  const { data } = await model.scores({ users: undefined, histories: matrix(1, 2, []) });
  expect(data[0]).toBeCloseTo((5 / 15) * 4.5 + (10 / 15) * 3.5, 5);
  expect(data[0]).toBeCloseTo(3.8333, 4);
});

import { describe, expect, test } from 'vitest';
import { zeros } from '../../src/core/matrix.js';
import type { RankingModel, Trainer } from '../../src/evaluation/model.js';
import { knnRankingTrainer } from '../../src/evaluation/models/knn-ranking.js';
import { popularityTrainer } from '../../src/evaluation/models/ranking-baselines.js';
import { leaveOneOut } from '../../src/evaluation/protocols/leave-one-out.js';
import { measureStability } from '../../src/evaluation/stability.js';
import { randomRatings } from './random-matrix.js';

const split = leaveOneOut(randomRatings(60, 80, 0.2, 5), { seed: 1 });
const context = { seed: 3, k: 5 };

/** Recommends the items that come after the number of events in the history, whatever they are. */
const byLength: Trainer<RankingModel> = {
  name: 'by length',
  fit: async (train) => ({
    scores: async ({ histories }) => {
      const scores = zeros(histories.rows, train.cols);
      for (let r = 0; r < histories.rows; r++) {
        const size = histories.offsets[r + 1]! - histories.offsets[r]!;
        for (let i = 0; i < train.cols; i++) scores.data[r * train.cols + i] = (i + size * 20) % train.cols;
      }
      return scores;
    },
  }),
};

describe('stability', () => {
  test('a list that does not look at the history does not respond; one that turns with every event does wholly', async () => {
    expect((await measureStability(popularityTrainer, split, context)).responsiveness).toBe(0);
    const { responsiveness, churn, users } = await measureStability(byLength, split, context);
    // Of 80 items the best five move by twenty; what is seen of them is made up for by their neighbours.
    expect(responsiveness).toBe(1);
    expect(churn).toBe(0); // the training does not matter to it
    expect(users).toBeLessThanOrEqual(60);
  });

  test('a model that learns churns and responds in part, the same with the same seed', async () => {
    const trainer = knnRankingTrainer({ k: 20 });
    const found = await measureStability(trainer, split, context);
    for (const share of [found.responsiveness, found.churn]) {
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThan(1);
    }
    expect(await measureStability(trainer, split, context)).toEqual(found);
    expect(await measureStability(trainer, split, { ...context, seed: 4 })).not.toEqual(found);
  });

  test('users of one event are passed over, and nobody left is an error', async () => {
    const lone = leaveOneOut(randomRatings(5, 40, 0.3, 2), { seed: 1 });
    const none = { ...lone, histories: randomRatings(5, 40, 0, 1) };
    await expect(measureStability(popularityTrainer, none, context)).rejects.toThrow(
      expect.objectContaining({ code: 'EMPTY_DATASET' }),
    );
    await expect(
      measureStability(popularityTrainer, split, { ...context, signal: AbortSignal.abort() }),
    ).rejects.toThrow(expect.objectContaining({ code: 'ABORTED' }));
  });
});

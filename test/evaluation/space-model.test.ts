import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/dataset.js';
import { als } from '../../src/embeddings/als.js';
import { spaceTrainer } from '../../src/evaluation/models/space-model.js';
import { randomSplit } from '../../src/evaluation/protocols/random-split.js';
import { strongGeneralization } from '../../src/evaluation/protocols/strong-generalization.js';
import { interactionsOf } from '../embeddings/support.js';
import { randomRatings } from './random-matrix.js';

const interactions = randomRatings(40, 25, 0.3, 5);
const dataset: Dataset = {
  ...interactionsOf(40, 25, []),
  interactions,
  timestamps: Float64Array.from({ length: interactions.entries }, (_, e) => 86_400 * e),
};

describe('a space that is evaluated', () => {
  it('is fitted to the training part with the time of every interaction', async () => {
    const split = randomSplit(interactions, { testShare: 0.3, seed: 2 });
    let seen: Dataset | undefined;
    const trainer = spaceTrainer(
      {
        name: 'cf',
        embedding: 'als',
        fit: (given, context) => {
          seen = given;
          return als.fit(given, als.parse({ factors: 4, halfLifeDays: 30 }, ''), context);
        },
      },
      dataset,
    );
    await trainer.fit(split.train, { seed: 1 });
    let matched = 0;
    for (let user = 0; user < 40; user++) {
      for (let e = split.train.offsets[user]!; e < split.train.offsets[user + 1]!; e++) {
        const at = interactions.row(user).columns.indexOf(split.train.columns[e]!);
        expect(seen!.timestamps![e]).toBe(86_400 * (interactions.offsets[user]! + at));
        matched++;
      }
    }
    expect(matched).toBe(split.train.entries);
    // Whose the interactions of fewer users are is not known, and neither is when they were.
    const strong = strongGeneralization(interactions, { userShare: 0.2, given: { picks: 2 }, seed: 1 });
    await expect(trainer.fit(strong.train, { seed: 1 })).rejects.toMatchObject({ code: 'MISSING_COLUMN' });
  });
});

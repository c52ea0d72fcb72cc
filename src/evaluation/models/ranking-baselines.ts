/** What ranks items without learning anything of tastes. */
import type { CsrMatrix } from '../../core/csr-matrix.js';
import { zeros } from '../../core/matrix.js';
import { mulberry32 } from '../../core/random.js';
import { parseWeightedRating, weightedRatings } from '../../embeddings/popularity.js';
import type { RankingModel, Trainer } from '../model.js';

/** Every user gets scores drawn by the seed and their history, so that asking again gives the same. */
export const randomRankingTrainer: Trainer<RankingModel> = {
  name: 'random',
  fit: async (train, { seed }) => ({
    scores: async ({ users, histories }) => {
      const scores = zeros(histories.rows, train.cols);
      for (let r = 0; r < scores.rows; r++) {
        const own =
          users === undefined
            ? histories.row(r).columns.reduce((mix, item) => Math.imul(mix, 31) + item, 7)
            : users[r]!;
        const next = mulberry32((seed + Math.imul(own + 1, 0x9e3779b1)) >>> 0);
        for (let at = r * scores.dim; at < (r + 1) * scores.dim; at++) scores.data[at] = next();
      }
      return scores;
    },
  }),
};

/** By number of interactions in training. */
export const popularityTrainer = sameForAll('popular', (train) => Float32Array.from(train.columnCounts()));

/** By weighted rating: popularity.ts has the formula and `m`. @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function weightedRatingTrainer(params: { readonly m?: number } = {}): Trainer<RankingModel> {
  parseWeightedRating(params, 'weighted rating');
  return sameForAll('weighted rating', (train) => weightedRatings(train, params));
}

function sameForAll(name: string, score: (train: CsrMatrix) => Float32Array): Trainer<RankingModel> {
  return {
    name,
    fit: async (train) => {
      const row = score(train);
      return {
        scores: async ({ histories }) => {
          const scores = zeros(histories.rows, train.cols);
          for (let r = 0; r < scores.rows; r++) scores.data.set(row, r * scores.dim);
          return scores;
        },
      };
    },
  };
}

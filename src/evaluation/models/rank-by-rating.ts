import { invalidArgument } from '../../core/errors.js';
import type { RankingModel, RatingModel, Trainer } from '../model.js';

/**
 * A rating model as one that ranks: by predicted rating, ties by ordinal. It recommends what would be rated highest, often what few have
 * rated; its figures beside those of models of choices show that predicting ratings is not recommending.
 * @throws NighError INVALID_ARGUMENT when asked for users who are not in training (strong generalisation)
 */
export function rankByRating(trainer: Trainer<RatingModel>): Trainer<RankingModel> {
  return {
    name: trainer.name,
    fit: async (train, context) => {
      const model = await trainer.fit(train, context);
      const counts = train.columnCounts();
      return {
        scores: async ({ users }) => {
          if (users === undefined) throw invalidArgument('splits', 'splits whose users are in training', users);
          const pairs = {
            users: new Uint32Array(users.length * train.cols),
            items: new Uint32Array(users.length * train.cols),
          };
          users.forEach((user, r) => {
            pairs.users.fill(user, r * train.cols, (r + 1) * train.cols);
            for (let item = 0; item < train.cols; item++) pairs.items[r * train.cols + item] = item;
          });
          const data = await model.predict(pairs);
          // Nothing is known of an item that nobody has rated.
          for (let at = 0; at < data.length; at++) {
            if (counts[pairs.items[at]!] === 0) data[at] = Number.NEGATIVE_INFINITY;
          }
          return { data, rows: users.length, dim: train.cols };
        },
      };
    },
  };
}

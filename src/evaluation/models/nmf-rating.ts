import { fitNmf, parseNmf } from '../../embeddings/nmf.js';
import type { RatingModel, Trainer } from '../model.js';
import { biasOf, clipper, fitBiases, mapPairs } from './biases.js';

/**
 * Non-negative factors of the observed ratings (nmf.ts with `observedOnly`): r̂ = p_u·q_i, and the baseline μ + b_u + b_i where the user or
 * the item has no rating. Trained with the context's seed.
 * @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT
 */
export function nmfRatingTrainer(params: Readonly<Record<string, unknown>> = {}): Trainer<RatingModel> {
  const parsed = parseNmf({ ...params, observedOnly: true }, 'nmf');
  return {
    name: `nmf, ${parsed.factors} factors`,
    fit: async (train, { seed, signal, threads }) => {
      const { users, items } = await fitNmf(train, { ...parsed, seed }, { signal, threads });
      const biases = fitBiases(train);
      const counts = train.columnCounts();
      const clip = clipper(train);
      const predict = (user: number, item: number) => {
        const known = train.offsets[user + 1]! > train.offsets[user]! && counts[item]! > 0;
        if (!known) return biasOf(biases, user, item);
        let sum = 0;
        for (let d = 0; d < users.dim; d++)
          sum += users.data[user * users.dim + d]! * items.data[item * items.dim + d]!;
        return sum;
      };
      return { predict: async (pairs) => mapPairs(pairs, (user, item) => clip(predict(user, item))) };
    },
  };
}

/**
 * Ratings predicted from what the items are: the mean of the user's ratings of the k items most like the asked one, weighted by likeness.
 *
 *   r̂_ui = Σ sim(i, j) r_uj / Σ sim(i, j)     over at most k items j of the user with sim(i, j) > 0
 *
 * Ties go to the item that comes first. Where the user has rated nothing alike, the prediction is the baseline μ + b_u + b_i.
 */
import { integer, readParams } from '../../core/params.js';
import type { RatingModel, Trainer } from '../model.js';
import { biasOf, clipper, fitBiases, mapPairs } from './biases.js';

/** How alike two items are, by ordinal; 0 and below: not at all. */
export type ItemSimilarity = (a: number, b: number) => number;

/**
 * @param name of the similarity, for the table
 * @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT
 */
export function contentKnnTrainer(
  name: string,
  similarity: ItemSimilarity,
  params: Readonly<Record<string, unknown>> = {},
): Trainer<RatingModel> {
  const { k } = readParams({ k: integer({ min: 1, max: 1_000_000, default: 40 }) }, params, 'content knn');
  return {
    name: `content KNN ${name}`,
    fit: async (train) => {
      const biases = fitBiases(train);
      const clip = clipper(train);
      const predict = (user: number, item: number) => {
        const { columns, values } = train.row(user);
        const alike = Array.from(columns, (other, at) => ({ likeness: similarity(item, other), value: values[at]! }))
          .filter(({ likeness }) => likeness > 0)
          .sort((a, b) => b.likeness - a.likeness)
          .slice(0, k);
        const weight = alike.reduce((sum, { likeness }) => sum + likeness, 0);
        if (weight === 0) return biasOf(biases, user, item);
        return alike.reduce((sum, { likeness, value }) => sum + likeness * value, 0) / weight;
      };
      return { predict: async (pairs) => mapPairs(pairs, (user, item) => clip(predict(user, item))) };
    },
  };
}

/** Cosine of sets: how many terms both have / √(terms of one · terms of the other). 0 where one has none. */
export function cosineOfSets(sets: readonly ReadonlySet<string>[]): ItemSimilarity {
  return (a, b) => {
    const [one, other] = [sets[a]!, sets[b]!];
    if (one.size === 0 || other.size === 0) return 0;
    let both = 0;
    for (const term of one) if (other.has(term)) both++;
    return both / Math.sqrt(one.size * other.size);
  };
}

/** exp(−|x − y| / scale); 0 where one of the two is not known (NaN). */
export function closenessOf(values: ArrayLike<number>, scale: number): ItemSimilarity {
  return (a, b) => {
    const distance = Math.abs(values[a]! - values[b]!);
    return Number.isNaN(distance) ? 0 : Math.exp(-distance / scale);
  };
}

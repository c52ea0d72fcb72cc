import { fitMf, parseMf, predictRatings } from '../../embeddings/mf-model.js';
import type { RatingModel, Trainer } from '../model.js';

/** Biased matrix factorisation (mf-model.ts), trained with the context's seed. @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function mfRatingTrainer(params: Readonly<Record<string, unknown>> = {}): Trainer<RatingModel> {
  const parsed = parseMf(params, 'mf');
  return {
    name: `mf ${parsed.solver}, ${parsed.factors} factors${parsed.scaling === 'sigmoid' ? ', sigmoid' : ''}`,
    fit: async (train, { seed, signal, threads }) => {
      const model = await fitMf(train, { ...parsed, seed }, { signal, threads });
      return { predict: async (pairs) => predictRatings(model, pairs) };
    },
  };
}

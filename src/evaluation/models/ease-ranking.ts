import { easeScores, fitEase, parseEase } from '../../embeddings/ease-model.js';
import type { RankingModel, Trainer } from '../model.js';
import { withValues } from './similarity.js';

/**
 * EASE with all of its weights (ease-model.ts): the reference for what factors of it lose. Every interaction counts as 1.
 * @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT
 */
export function easeRankingTrainer(params: Readonly<Record<string, unknown>> = {}): Trainer<RankingModel> {
  const parsed = parseEase(params, 'ease');
  return {
    name: 'EASE, exact',
    fit: async (train, { signal, threads }) => {
      const options = { signal, threads };
      const model = await fitEase(
        withValues(train, () => 1),
        parsed,
        options,
      );
      const counts = train.columnCounts();
      return {
        scores: async ({ histories }) => {
          const scores = await easeScores(
            model,
            withValues(histories, () => 1),
            options,
          );
          // Nothing is known of an item that nobody has.
          for (let at = 0; at < scores.data.length; at++) {
            if (counts[at % scores.dim] === 0) scores.data[at] = Number.NEGATIVE_INFINITY;
          }
          return scores;
        },
      };
    },
  };
}

/** Leave-one-out over the whole catalogue for every kind of model: what predicts ratings well seldom recommends well. */
import {
  biasesTrainer,
  evaluateRanking,
  itemMeanTrainer,
  knnRatingTrainer,
  leaveOneOut,
  mfRatingTrainer,
  nmfRatingTrainer,
  popularityTrainer,
  type RankingModel,
  randomRankingTrainer,
  rankByRating,
  type Trainer,
  weightedRatingTrainer,
} from 'nigh/evaluation';
import { decimal, textTable } from '../report/text-table.js';
import { latestSmall } from './datasets.js';
import { tunedModels } from './models.js';
import { tunedParams } from './tuned.js';

const seed = 42;

export async function hitRates(): Promise<void> {
  const films = latestSmall('ml-latest-small-2016');
  if (films === undefined) return void process.stdout.write('ml-latest-small-2016: not in NIGH_DATA, left out.\n');
  const { ratings } = films;
  const split = leaveOneOut(ratings, { seed });
  const rows: Trainer<RankingModel>[] = [
    randomRankingTrainer,
    popularityTrainer,
    weightedRatingTrainer(),
    ...[
      itemMeanTrainer,
      biasesTrainer(),
      knnRatingTrainer({ of: 'user', similarity: 'msd' }),
      knnRatingTrainer({ of: 'item', similarity: 'msd' }),
      knnRatingTrainer({ of: 'user', similarity: 'msd', center: 'baseline' }),
      nmfRatingTrainer({ factors: 15, regularization: 0.06 }),
      mfRatingTrainer({ factors: 50 }),
    ].map(rankByRating),
    // Parameters of a catalogue of the same kind and size.
    ...tunedModels.map(({ key, trainer }) => trainer(tunedParams('ml-100k, leave-one-out', key), ratings)),
  ];
  const cells: string[][] = [];
  let judged = '';
  for (const trainer of rows) {
    const found = await evaluateRanking(trainer, [split], { seed, k: 10, likedFrom: 4 });
    judged = `${found.users} users, ${found.skipped} skipped for want of anything held out`;
    cells.push([
      trainer.name,
      ...[found.hitRate, found.arhr, found.cumulativeHitRate, found.ndcg, found.auc].map((value) => decimal(value, 4)),
      ...[found.coverage, found.diversity].map((value) => decimal(value, 3)),
      decimal(found.novelty, 0),
    ]);
  }
  process.stdout.write(
    `\nml-latest-small-2016, leave-one-out, the whole catalogue, @10; cumulative HR from a rating of 4\n${split.definition}; ${judged}\n\n`,
  );
  process.stdout.write(
    textTable(['model', 'HR', 'ARHR', 'cumulative', 'NDCG', 'AUC', 'coverage', 'diversity', 'novelty'], cells),
  );
}

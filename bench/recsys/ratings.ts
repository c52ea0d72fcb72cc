/** Rating tables, each figure beside the published one. */
import {
  biasesTrainer,
  closenessOf,
  contentKnnTrainer,
  cosineOfSets,
  evaluateRating,
  globalMeanTrainer,
  itemMeanTrainer,
  knnRatingTrainer,
  mfRatingTrainer,
  nmfRatingTrainer,
  normalTrainer,
  type RatingModel,
  randomSplit,
  type Split,
  type Trainer,
  userMeanTrainer,
} from 'nigh/evaluation';
import { decimal, textTable } from '../report/text-table.js';
import { latestSmall, ml100kFolds, ofAtLeast } from './datasets.js';

interface Row {
  readonly trainer: Trainer<RatingModel>;
  /** RMSE as published; with a slash RMSE/MAE, or published/rerun. */
  readonly published?: string;
}

const seed = 42;
const sigmoid = { scaling: 'sigmoid', learningRate: 0.02, regularization: 0.05, epochs: 30 };
const nonNegative = { factors: 15, regularization: 0.06, iterations: 50 };
const knn = (of: 'user' | 'item', similarity: string, center = 'none', more: Record<string, unknown> = {}) =>
  knnRatingTrainer({ of, similarity, center, k: 40, ...more });

/** ml-latest-small-2016, one random 75/25 split. */
export async function latestSmallRatings(): Promise<void> {
  const films = latestSmall('ml-latest-small-2016');
  if (films === undefined) return void process.stdout.write('ml-latest-small-2016: not in NIGH_DATA, left out.\n');
  const split = randomSplit(films.ratings, { testShare: 0.25, seed });
  await table(
    'ml-latest-small-2016, published RMSE / independent rerun',
    [split],
    [
      { trainer: normalTrainer },
      { trainer: globalMeanTrainer },
      { trainer: userMeanTrainer },
      { trainer: itemMeanTrainer },
      { trainer: biasesTrainer(), published: '– / .8986' },
      { trainer: biasesTrainer({ method: 'sgd', iterations: 20 }), published: '– / .8986' },
      { trainer: knn('user', 'cosine'), published: '.9961 / 1.0014' },
      { trainer: knn('user', 'msd'), published: '.9713 / .9770' },
      { trainer: knn('user', 'pearson'), published: '1.0016 / –' },
      { trainer: knn('user', 'spearman') },
      { trainer: knn('user', 'jaccard') },
      { trainer: knn('item', 'cosine'), published: '.9995 / –' },
      { trainer: knn('item', 'adjusted-cosine') },
      { trainer: knn('item', 'msd'), published: '.9424 / –' },
      { trainer: knn('item', 'pearson'), published: '.9928 / –' },
      { trainer: knn('user', 'msd', 'z-score'), published: '.9347 / –' },
      { trainer: knn('user', 'msd', 'mean'), published: '.9306 / .9232' },
      { trainer: knn('user', 'msd', 'baseline'), published: '.9129 / .9021' },
      { trainer: knn('item', 'pearson-baseline', 'baseline', { shrinkage: 100 }) },
      { trainer: contentKnnTrainer('genre', cosineOfSets(films.genres)), published: '.9552 / –' },
      { trainer: contentKnnTrainer('year', closenessOf(films.years, 10)), published: '.9626 / –' },
      { trainer: mfRatingTrainer({ factors: 100 }), published: '.9033 / .9030' },
      { trainer: mfRatingTrainer({ factors: 50 }), published: '.9002 / .9009' },
    ],
  );
  for (const least of [20, 50, 100]) {
    const some = ofAtLeast(
      { ratings: films.ratings, timestamps: new Float64Array(films.ratings.entries) },
      { perItem: least, perUser: 0 },
    ).ratings;
    await table(
      `ml-latest-small-2016, films of at least ${least} ratings: ${some.entries} ratings`,
      [randomSplit(some, { testShare: 0.25, seed })],
      [
        { trainer: biasesTrainer() },
        { trainer: knn('user', 'msd') },
        { trainer: knn('item', 'msd') },
        { trainer: knn('user', 'msd', 'baseline') },
        { trainer: mfRatingTrainer({ factors: 100 }) },
        { trainer: mfRatingTrainer({ factors: 50 }) },
      ],
    );
  }
}

/** ml-latest-small of 2018, one random 80/20 split. */
export async function latestSmall2018Ratings(): Promise<void> {
  const films = latestSmall('ml-latest-small');
  if (films === undefined) return void process.stdout.write('ml-latest-small: not in NIGH_DATA, left out.\n');
  await table(
    'ml-latest-small (2018), published RMSE: a neural dot product of width 50 with biases and sigmoid scaling',
    [randomSplit(films.ratings, { testShare: 0.2, seed })],
    [
      { trainer: globalMeanTrainer },
      { trainer: biasesTrainer() },
      { trainer: mfRatingTrainer({ factors: 50 }), published: '.85' },
      { trainer: mfRatingTrainer({ factors: 50, ...sigmoid }), published: '.85' },
      { trainer: mfRatingTrainer({ factors: 50, solver: 'als' }), published: '.85' },
    ],
  );
}

/** ml-100k, the five standard folds. */
export async function ml100kRatings(): Promise<void> {
  const folds = ml100kFolds();
  if (folds === undefined) return void process.stdout.write('ml-100k: not in NIGH_DATA, left out.\n');
  await table('ml-100k, published RMSE / MAE (Surprise, 5-fold)', folds, [
    { trainer: normalTrainer, published: '1.518 / 1.219' },
    { trainer: globalMeanTrainer, published: '1.126 / .945 (LibRec)' },
    { trainer: userMeanTrainer, published: '1.041 / .835 (LibRec)' },
    { trainer: itemMeanTrainer, published: '1.024 / .817 (LibRec)' },
    { trainer: biasesTrainer(), published: '.944 / .748' },
    { trainer: knn('user', 'msd'), published: '.980 / .774' },
    { trainer: knn('user', 'msd', 'mean'), published: '.951 / .749' },
    { trainer: knn('user', 'msd', 'baseline'), published: '.931 / .733' },
    { trainer: knn('item', 'pearson-baseline', 'baseline', { shrinkage: 100 }) },
    { trainer: nmfRatingTrainer(nonNegative), published: '.963 / .758' },
    { trainer: mfRatingTrainer({ factors: 100 }), published: '.934 / .737' },
  ]);
}

async function table(title: string, splits: readonly Split[], rows: readonly Row[]): Promise<void> {
  const cells: string[][] = [];
  for (const { trainer, published = '–' } of rows) {
    const found = await evaluateRating(trainer, splits, { seed });
    const { rmse, mae, fitSeconds, predictSeconds } = found;
    cells.push([
      trainer.name,
      decimal(rmse, 4),
      decimal(mae, 4),
      published,
      decimal(fitSeconds, 2),
      decimal(predictSeconds, 2),
    ]);
  }
  process.stdout.write(`\n${title}\n${splits[0]?.definition ?? ''}\n\n`);
  process.stdout.write(textTable(['model', 'RMSE', 'MAE', 'published', 'fit s', 'predict s'], cells));
}

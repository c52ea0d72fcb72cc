/** Ranking tables, each figure beside the published one. */

import { findEmbedding } from 'nigh/embeddings';
import {
  type CsrMatrix,
  evaluateRanking,
  knnRankingTrainer,
  leaveOneOut,
  popularityTrainer,
  type RankingModel,
  randomRankingTrainer,
  randomSplit,
  type Split,
  spaceTrainer,
  type Trainer,
  weightedRatingTrainer,
} from 'nigh/evaluation';
import { decimal, textTable } from '../report/text-table.js';
import { asDataset } from './as-dataset.js';
import { ml1mUnion, ml100k } from './datasets.js';

const seed = 42;

interface Row {
  readonly trainer: Trainer<RankingModel>;
  /** The model's name in the published tables. */
  readonly key: string;
}

interface Published {
  /** Name of the metric, for the heading. */
  readonly metric: string;
  readonly figures: Readonly<Record<string, string>>;
}

const rowsFor = (matrix: CsrMatrix): Row[] => {
  const dataset = asDataset(matrix);
  const space = (name: string, embedding: string, params: Record<string, unknown>): Row => {
    const found = findEmbedding(embedding, embedding);
    const parsed = found.parse(params, embedding);
    return {
      key: name,
      trainer: spaceTrainer({ name, embedding, fit: (data, context) => found.fit(data, parsed, context) }, dataset),
    };
  };
  return [
    { trainer: randomRankingTrainer, key: 'random' },
    { trainer: popularityTrainer, key: 'popular' },
    { trainer: weightedRatingTrainer(), key: 'weighted rating' },
    { trainer: knnRankingTrainer({ of: 'item', k: 100, shrinkage: 10 }), key: 'item KNN' },
    { trainer: knnRankingTrainer({ of: 'user', k: 100, shrinkage: 10 }), key: 'user KNN' },
    space('EASE', 'ease', {}),
    space('PureSVD', 'svd', {}),
    space('NMF', 'nmf', {}),
    space('BPR', 'bpr', {}),
    space('iALS', 'als', { factors: 64, iterations: 15, unobservedWeight: 0.3, regularization: 0.007 }),
  ];
};

export async function ml100kRanking(): Promise<void> {
  const data = ml100k();
  if (data === undefined) return void process.stdout.write('ml-100k: not in NIGH_DATA, left out.\n');
  const { ratings: matrix, timestamps } = data;
  const rows = rowsFor(matrix);
  await table(
    'ml-100k, random 80/20, the whole catalogue, @10',
    rows,
    [randomSplit(matrix, { testShare: 0.2, seed })],
    10,
    [
      {
        metric: 'NDCG@10',
        figures: {
          popular: '.1361',
          'item KNN': '.2601',
          iALS: '.2759',
          EASE: '.2905',
          PureSVD: '.2719',
          NMF: '.2585',
          BPR: '.2195',
        },
      },
    ],
  );
  await table(
    'ml-100k, leave-one-out, the whole catalogue, @10',
    rows,
    [leaveOneOut(matrix, { seed, timestamps })],
    10,
    [],
  );
  await table(
    'ml-100k, leave-one-out, 100 negatives, @10',
    rows,
    [leaveOneOut(matrix, { seed, timestamps, negatives: 100 })],
    10,
    [
      {
        metric: 'HR/NDCG@10',
        figures: {
          popular: '.4145/.2342',
          'item KNN': '.6026/.3506',
          iALS: '.6142/.3691',
          EASE: '.6089/.3571',
          PureSVD: '.5877/.3555',
          NMF: '.5855/.3515',
          BPR: '.5951/.3365',
        },
      },
    ],
  );
}

export async function ml1mRanking(): Promise<void> {
  const matrix = await ml1mUnion();
  if (matrix === undefined) return void process.stdout.write('ml-1m-cold: not in NIGH_DATA, left out.\n');
  const rows = rowsFor(matrix);
  await table(
    'ML-1M (implicit union), random 80/20, the whole catalogue, @20',
    rows,
    [randomSplit(matrix, { testShare: 0.2, seed })],
    20,
    [
      {
        metric: 'recall@20',
        figures: {
          popular: '.1892',
          'item KNN': '.2929',
          iALS: '.3033',
          EASE: '.3085',
          PureSVD: '.2595',
          NMF: '.2384',
          BPR: '.2616',
        },
      },
    ],
  );
  await table(
    'ML-1M (implicit union), leave-one-out, the whole catalogue, @10',
    rows,
    [leaveOneOut(matrix, { seed })],
    10,
    [],
  );
  await table(
    'ML-1M (implicit union), leave-one-out, 99 negatives, @10',
    rows,
    [leaveOneOut(matrix, { seed, negatives: 99 })],
    10,
    [
      {
        metric: 'HR/NDCG@10',
        figures: {
          popular: '.4533/.2542',
          'item KNN': '.6694/.3979',
          iALS: '.7109/.4382',
          EASE: '.7192/.4494',
          PureSVD: '.6937/.4303',
          NMF: '.6844/.4192',
          BPR: '.6305/.3730',
        },
      },
    ],
  );
}

async function table(
  title: string,
  rows: readonly Row[],
  splits: readonly Split[],
  k: number,
  published: readonly Published[],
): Promise<void> {
  const cells: string[][] = [];
  let judged = '';
  for (const { trainer, key } of rows) {
    const found = await evaluateRanking(trainer, splits, { seed, k });
    judged = `${found.users} users, ${found.skipped} skipped for want of anything held out`;
    cells.push([
      trainer.name,
      ...[found.hitRate, found.arhr, found.ndcg, found.map, found.recall, found.precision, found.auc].map((value) =>
        decimal(value, 4),
      ),
      ...[found.coverage, found.diversity].map((value) => decimal(value, 3)),
      decimal(found.novelty, 0),
      decimal(found.fitSeconds, 2),
      decimal(found.scoreSeconds, 2),
      ...published.map(({ figures }) => figures[key] ?? '–'),
    ]);
  }
  const heading = [
    'model',
    'HR',
    'ARHR',
    'NDCG',
    'MAP',
    'recall',
    'precision',
    'AUC',
    'coverage',
    'diversity',
    'novelty',
  ];
  process.stdout.write(`\n${title}\n${splits[0]?.definition ?? ''}; ${judged}\n\n`);
  process.stdout.write(
    textTable([...heading, 'fit s', 'score s', ...published.map(({ metric }) => `published ${metric}`)], cells),
  );
}

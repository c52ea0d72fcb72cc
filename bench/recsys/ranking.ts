/**
 * Ranking tables, each figure beside the published one (Ferrari Dacrema et al., "A troubling analysis of reproducibility and progress in
 * recommender systems research", TOIS 2021; the protocols as their published evaluator has them).
 *
 *   ml-100k, full ranking     all ratings count as 1; 80/20 at random; their NDCG@10 is over the best list of all that is relevant
 *   ml-100k, leave-one-out    items of at least 5 ratings, then users of at least 20; the newest is held out (415 users have several of the
 *                             same second: that of the first item), among 100 others
 *   ML-1M, leave-one-out      the newest is held out, among 99 others. The pairs at hand have no times: a random one is
 *   ML-1M, full ranking       ratings of 5 only (226,310). The pairs at hand have no ratings: all 933,517 are taken, so these figures are
 *                             of another matrix, four times as dense
 */
import {
  type CsrMatrix,
  evaluateRanking,
  leaveOneOut,
  popularityTrainer,
  type RankingModel,
  type RankingResult,
  randomRankingTrainer,
  randomSplit,
  type Split,
  type Trainer,
} from 'nigh/evaluation';
import { decimal, textTable } from '../report/text-table.js';
import { ml1mUnion, ml100k, ofAtLeast } from './datasets.js';
import { tunedModels } from './models.js';
import { everyNth, howFound, tune, tunedParams } from './tuned.js';

const seed = 42;

type Metric = 'hitRate' | 'arhr' | 'ndcg' | 'uncutNdcg' | 'map' | 'recall' | 'precision' | 'auc';

const metricNames: Readonly<Record<Metric, string>> = {
  hitRate: 'HR',
  arhr: 'ARHR',
  ndcg: 'NDCG',
  uncutNdcg: 'uncut NDCG',
  map: 'MAP',
  recall: 'recall',
  precision: 'precision',
  auc: 'AUC',
};

/** Published figures by model, each for one of our metrics, to be printed to its right. */
type Published = Partial<Record<Metric, Readonly<Record<string, number>>>>;

interface Table {
  readonly name: string;
  readonly title: string;
  readonly split: Split;
  readonly k: number;
  readonly metrics: readonly Metric[];
  readonly published: Published;
}

const byModel = (figures: readonly (number | undefined)[]): Readonly<Record<string, number>> => {
  const names = ['popular', 'item KNN', 'EASE', 'PureSVD', 'NMF', 'BPR', 'iALS'];
  return Object.fromEntries(
    names.flatMap((name, at) => (figures[at] === undefined ? [] : [[name, figures[at]]])) as [string, number][],
  );
};

function ml100kTables(): { matrix: CsrMatrix; tables: Table[] }[] | undefined {
  const data = ml100k();
  if (data === undefined) return undefined;
  const counted = ofAtLeast(data, { perItem: 5, perUser: 20 });
  const full: Table = {
    name: 'ml-100k, random 80/20',
    title: 'ml-100k, random 80/20, the whole catalogue, @10',
    split: randomSplit(data.ratings, { testShare: 0.2, seed }),
    k: 10,
    metrics: ['uncutNdcg', 'ndcg', 'recall', 'precision', 'map', 'auc'],
    published: { uncutNdcg: byModel([0.1361, 0.2601, 0.2905, 0.2719, 0.2585, 0.2195, 0.2759]) },
  };
  const one = { seed, timestamps: counted.timestamps };
  const sampled: Table = {
    name: 'ml-100k, leave-one-out',
    title: 'ml-100k, leave-one-out, 100 negatives, @10',
    split: leaveOneOut(counted.ratings, { ...one, negatives: 100 }),
    k: 10,
    metrics: ['hitRate', 'ndcg', 'auc'],
    published: {
      hitRate: byModel([0.4145, 0.6026, 0.6089, 0.5877, 0.5855, 0.5951, 0.6142]),
      ndcg: byModel([0.2342, 0.3506, 0.3571, 0.3555, 0.3515, 0.3365, 0.3691]),
    },
  };
  const whole: Table = {
    ...sampled,
    title: 'ml-100k, leave-one-out, the whole catalogue, @10',
    split: leaveOneOut(counted.ratings, one),
    metrics: ['hitRate', 'arhr', 'ndcg', 'auc'],
    published: {},
  };
  return [
    { matrix: data.ratings, tables: [full] },
    { matrix: counted.ratings, tables: [whole, sampled] },
  ];
}

async function ml1mTables(): Promise<{ matrix: CsrMatrix; tables: Table[] }[] | undefined> {
  const matrix = await ml1mUnion();
  if (matrix === undefined) return undefined;
  const full: Table = {
    name: 'ml-1m, random 80/20',
    title: 'ML-1M (implicit union), random 80/20, the whole catalogue, @20; published: ratings of 5 only',
    split: randomSplit(matrix, { testShare: 0.2, seed }),
    k: 20,
    metrics: ['recall', 'ndcg', 'uncutNdcg', 'precision', 'map', 'auc'],
    published: { recall: byModel([0.1892, 0.2929, 0.3085, 0.2595, 0.2384, 0.2616, 0.3033]) },
  };
  const sampled: Table = {
    name: full.name,
    title:
      'ML-1M (implicit union), leave-one-out, 99 negatives, @10; published: the newest is held out, here a random one',
    split: leaveOneOut(matrix, { seed, negatives: 99 }),
    k: 10,
    metrics: ['hitRate', 'ndcg', 'auc'],
    published: {
      hitRate: byModel([0.4533, 0.6694, 0.7192, 0.6937, 0.6844, 0.6305, 0.7109]),
      ndcg: byModel([0.2542, 0.3979, 0.4494, 0.4303, 0.4192, 0.373, 0.4382]),
    },
  };
  const whole: Table = {
    ...sampled,
    title: 'ML-1M (implicit union), leave-one-out, the whole catalogue, @10',
    split: leaveOneOut(matrix, { seed }),
    metrics: ['hitRate', 'arhr', 'ndcg', 'auc'],
    published: {},
  };
  return [{ matrix, tables: [full, whole, sampled] }];
}

export async function ml100kRanking(): Promise<void> {
  const parts = ml100kTables();
  if (parts === undefined) return void process.stdout.write('ml-100k: not in NIGH_DATA, left out.\n');
  for (const { matrix, tables } of parts) for (const each of tables) await print(each, matrix);
}

export async function ml1mRanking(): Promise<void> {
  const parts = await ml1mTables();
  if (parts === undefined) return void process.stdout.write('ml-1m-cold: not in NIGH_DATA, left out.\n');
  for (const { matrix, tables } of parts) for (const each of tables) await print(each, matrix);
}

/** The training part is split again, at random, as the published search for parameters did. */
export async function tune100k(): Promise<void> {
  const full = ml100kTables()?.[0];
  if (full === undefined) return void process.stdout.write('ml-100k: not in NIGH_DATA, left out.\n');
  const { name, split } = full.tables[0]!;
  const validation = randomSplit(split.train, { testShare: 0.1, seed: seed + 1 });
  await tune(name, full.matrix, validation, { k: 10, metric: 'uncutNdcg', label: 'uncut NDCG@10', grid: 'grid' });
}

export async function tune100kLeaveOneOut(): Promise<void> {
  const one = ml100kTables()?.[1];
  if (one === undefined) return void process.stdout.write('ml-100k: not in NIGH_DATA, left out.\n');
  const { name, split } = one.tables[1]!;
  const validation = leaveOneOut(split.train, { seed: seed + 1, negatives: 100 });
  await tune(name, one.matrix, validation, { k: 10, metric: 'ndcg', label: 'NDCG@10', grid: 'grid' });
}

export async function tune1m(): Promise<void> {
  const parts = await ml1mTables();
  if (parts === undefined) return void process.stdout.write('ml-1m-cold: not in NIGH_DATA, left out.\n');
  const [{ matrix, tables }] = parts as [(typeof parts)[0]];
  const validation = randomSplit(tables[0]!.split.train, { testShare: 0.1, seed: seed + 1 });
  await tune(tables[0]!.name, matrix, everyNth(validation, 4), {
    k: 20,
    metric: 'recall',
    label: 'recall@20',
    grid: 'coarse',
  });
}

interface Row {
  readonly key: string;
  readonly trainer: Trainer<RankingModel>;
}

async function print({ name, title, split, k, metrics, published }: Table, matrix: CsrMatrix): Promise<void> {
  const rows: Row[] = [
    { key: 'random', trainer: randomRankingTrainer },
    { key: 'popular', trainer: popularityTrainer },
    ...tunedModels.map(({ key, trainer }) => ({ key, trainer: trainer(tunedParams(name, key), matrix) })),
  ];
  const cells: string[][] = [];
  let judged = '';
  for (const { key, trainer } of rows) {
    const found: RankingResult = await evaluateRanking(trainer, [split], { seed, k });
    judged = `${found.users} users, ${found.skipped} skipped for want of anything held out`;
    cells.push([
      key,
      ...metrics.flatMap((metric) => {
        const theirs = published[metric];
        const ours = decimal(found[metric], 4);
        return theirs === undefined ? [ours] : [ours, decimal(theirs[key], 4)];
      }),
      decimal(found.coverage, 3),
      decimal(found.diversity, 3),
      decimal(found.novelty, 0),
      decimal(found.fitSeconds, 2),
      decimal(found.scoreSeconds, 2),
    ]);
  }
  const heading = metrics.flatMap((metric) =>
    published[metric] === undefined ? [metricNames[metric]] : [metricNames[metric], 'published'],
  );
  process.stdout.write(`\n${title}\n${split.definition}; ${judged}; ${howFound(name)}\n\n`);
  process.stdout.write(textTable(['model', ...heading, 'coverage', 'diversity', 'novelty', 'fit s', 'score s'], cells));
}

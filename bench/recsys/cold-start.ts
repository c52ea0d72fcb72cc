/**
 * Items that nobody has chosen, on ml-1m-cold: nothing of a test item is seen in training, neither who chose it nor its words. Parameters
 * were chosen on the validation items; the figures are those of the test items.
 */

import { type Dataset, type FittedSpace, findEmbedding } from 'nigh/embeddings';
import {
  CsrMatrix,
  evaluateRanking,
  fewShot,
  itemCold,
  knnRankingTrainer,
  popularityTrainer,
  type RankingModel,
  randomRankingTrainer,
  randomSplit,
  type Split,
  spaceTrainer,
  strongGeneralization,
  type Trainer,
} from 'nigh/evaluation';
import { decimal, textTable } from '../report/text-table.js';
import {
  alsTrainer,
  contentKnn,
  contentSpace,
  contentTaste,
  foldedItems,
  genrePopularity,
  knnMap,
} from './cold-models.js';
import { coldMovies } from './cold-movies.js';

const seed = 42;
const k = 20;

/** The best of a grid by NDCG@20 on a held-out part of the training interactions. */
const factorParams = { factors: 64, iterations: 15, unobservedWeight: 0.3, regularization: 0.007 };

/** The best of a grid by NDCG@20 among the validation items, with less than 1 % lost on warm ones. */
const featureParams = { ...factorParams, regularization: 0.008, featureRegularization: 0.5 };

const contentParts = {
  words: {
    embedding: 'tfidf',
    weight: 1,
    params: {
      fields: { title: 1, plot: 1, genres: 1, directors: 1, writers: 1, actors: 1 },
      dim: 128,
    },
  },
  facts: {
    embedding: 'features',
    weight: 1,
    params: { blocks: { genres: { type: 'tags', weight: 2 }, year: { type: 'number', scale: 10 } } },
  },
};
const genreParts = {
  genres: { embedding: 'features', weight: 1, params: { blocks: { genres: { type: 'tags' } } } },
};
const neighbours = 100;
const mapNeighbours = 20;
/** Every so many users are asked: what 1,500 say is steady to .01. */
const usersApart = 4;

interface Prepared {
  readonly dataset: Dataset;
  readonly warm: CsrMatrix;
  /** Training and test pairs. */
  readonly all: CsrMatrix;
  readonly cold: Uint32Array;
  /** What is known of the films, fitted to those of training. */
  readonly content: () => Promise<FittedSpace>;
}

async function prepared(): Promise<Prepared | undefined> {
  const data = await coldMovies();
  if (data === undefined) return void process.stdout.write('ml-1m-cold: not in NIGH_DATA, left out.\n');
  const { dataset, test, described } = data;
  const warm = dataset.interactions;
  const cold = columnsOf(test);
  process.stdout.write(
    `\nml-1m-cold: ${cold.length} test items, ${described} of ${dataset.items.size} films described; every ${usersApart}th user is asked\n`,
  );
  return {
    dataset,
    warm,
    all: union(warm, test),
    cold,
    content: once(() => contentSpace(dataset, warm, contentParts)),
  };
}

/** Cold items among themselves and in the catalogue, and what is lost on warm ones. */
export async function coldStart(): Promise<void> {
  const found = await prepared();
  if (found === undefined) return;
  const { dataset, warm, all, cold, content } = found;
  const plain = alsTrainer('factors alone', dataset, factorParams);
  const aware = alsTrainer('feature-aware iALS', dataset, featureParams, content);
  const models = [
    randomRankingTrainer,
    genrePopularity(dataset),
    contentKnn(
      'content KNN by genre',
      once(() => contentSpace(dataset, warm, genreParts)),
      neighbours,
    ),
    contentTaste(content),
    contentKnn('content KNN', content, neighbours),
    plain,
    knnMap(dataset, factorParams, content, mapNeighbours),
    alsTrainer('ridge map', dataset, { ...featureParams, coldItems: 'map' }, content),
    aware,
  ];
  await itemColdTable(models, all, cold);
  await warmTable(warm, [plain, aware]);
}

async function itemColdTable(
  models: readonly Trainer<RankingModel>[],
  all: CsrMatrix,
  cold: Uint32Array,
): Promise<void> {
  const among = thinned(itemCold(all, { cold, pool: 'cold' }), usersApart);
  const { pool: _, ...inCatalogue } = among;
  const splits = [among, inCatalogue];
  const rows = [];
  for (const model of models) {
    const found = [];
    const fittedOnce = remembering(model);
    for (const split of splits) found.push(await judged(fittedOnce, split));
    rows.push([
      model.name,
      ...found.flatMap(({ recall, ndcg, coverage }) => [decimal(recall, 4), decimal(ndcg, 4), decimal(coverage, 3)]),
      decimal(found[0]!.fitSeconds, 2),
    ]);
  }
  table(
    `Cold items: (a) ${splits[0]!.definition}; (b) the whole catalogue`,
    ['model', 'recall@20 (a)', 'NDCG@20 (a)', 'coverage (a)', 'recall@20 (b)', 'NDCG@20 (b)', 'coverage (b)', 'fit s'],
    rows,
  );
}

async function warmTable(warm: CsrMatrix, models: readonly Trainer<RankingModel>[]): Promise<void> {
  const split = { ...thinned(randomSplit(warm, { testShare: 0.2, seed }), usersApart), pool: columnsOf(warm) };
  const rows = [];
  let first: { recall: number; ndcg: number } | undefined;
  for (const model of models) {
    const found = await judged(model, split);
    first ??= found;
    const change = (name: 'recall' | 'ndcg') => `${decimal((100 * found[name]) / first![name] - 100, 2)} %`;
    rows.push([model.name, decimal(found.recall, 4), decimal(found.ndcg, 4), change('recall'), change('ndcg')]);
  }
  table(
    `Warm items among themselves: ${split.definition}`,
    ['model', 'recall@20', 'NDCG@20', 'change', 'change'],
    rows,
  );
}

/** A trainer that is not asked again for the training part that it was asked for last. */
function remembering(trainer: Trainer<RankingModel>): Trainer<RankingModel> {
  let last: { readonly train: CsrMatrix; readonly model: RankingModel } | undefined;
  return {
    name: trainer.name,
    fit: async (train, context) => {
      if (last?.train !== train) last = { train, model: await trainer.fit(train, context) };
      return last.model;
    },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const shots = [0, 1, 2, 5, 10, 20];

/** What every revealed rating of a cold item is worth. */
export async function coldItemsRevealed(): Promise<void> {
  const found = await prepared();
  if (found === undefined) return;
  const { dataset, warm, all, cold, content } = found;
  const splits = fewShot(all, { cold, pool: 'cold', shots, seed }).map((split) => thinned(split, usersApart));
  const models = [
    foldedItems('factors, items folded in', dataset, warm, factorParams),
    foldedItems('feature-aware iALS, items folded in', dataset, warm, featureParams, content),
    alsTrainer('feature-aware iALS, trained anew', dataset, featureParams, content),
  ];
  const rows = [];
  for (const model of models) rows.push([model.name, ...(await ndcgs(model, splits))]);
  table(
    `Revealed ratings per cold item, NDCG@20 in (a), the same asked for in every column: ${splits[0]!.definition}`,
    ['model', ...shots.map((shot) => `${shot}`)],
    rows,
  );
}

/** New users, by how much they have told. */
export async function coldUsers(): Promise<void> {
  const found = await prepared();
  if (found === undefined) return;
  const { dataset, warm, content } = found;
  const als = findEmbedding('als', 'als');
  const space = (name: string, params: Record<string, unknown>, features: FittedSpace | undefined) =>
    spaceTrainer(
      {
        name,
        embedding: 'als',
        fit: (data, context) =>
          als.fit(data, als.parse(params, name) as never, {
            ...context,
            spaces: new Map(features === undefined ? [] : [['content', features]]),
          }),
      },
      dataset,
    );
  const models = [
    popularityTrainer,
    knnRankingTrainer({ of: 'item', k: 100, shrinkage: 10 }),
    space('factors, users folded in', factorParams, undefined),
    space('feature-aware iALS, users folded in', { ...featureParams, features: 'content' }, await content()),
  ];
  const picks = [0, 1, 3, 5, 10];
  const splits = picks.map((count) => strongGeneralization(warm, { userShare: 0.2, given: { picks: count }, seed }));
  const rows = [];
  for (const model of models) rows.push([model.name, ...(await ndcgs(model, splits))]);
  table(
    'New users by their picks, NDCG@20: a fifth of the users are held out whole, all but their picks are asked for',
    ['model', ...picks.map((count) => `${count}`)],
    rows,
  );
}

async function ndcgs(model: Trainer<RankingModel>, splits: readonly Split[]): Promise<string[]> {
  const figures = [];
  for (const split of splits) figures.push(decimal((await judged(model, split)).ndcg, 4));
  return figures;
}

/** The split, asked for every so many of its users. */
function thinned(split: Split, apart: number): Split {
  const rows = Uint32Array.from({ length: Math.floor(split.test.rows / apart) }, (_, r) => r * apart);
  const gathered = (matrix: CsrMatrix) => {
    const parts = Array.from(rows, (r) => matrix.row(r));
    return CsrMatrix.fromTriplets(
      { rows: rows.length, cols: matrix.cols },
      {
        rows: parts.flatMap(({ columns }, r) => Array.from(columns, () => r)),
        columns: parts.flatMap(({ columns }) => [...columns]),
        values: parts.flatMap(({ values }) => [...values]),
      },
    );
  };
  return {
    ...split,
    test: gathered(split.test),
    histories: gathered(split.histories),
    users: split.users && rows.map((r) => split.users![r]!),
  };
}

const judged = (model: Trainer<RankingModel>, split: Split) => evaluateRanking(model, [split], { seed, k });

function table(title: string, heading: readonly string[], rows: readonly (readonly string[])[]): void {
  process.stdout.write(`\n${title}\n\n${textTable(heading, rows)}`);
}

/** Entries of both, which have none in common. */
function union(a: CsrMatrix, b: CsrMatrix): CsrMatrix {
  const rows: number[] = [];
  const columns: number[] = [];
  for (const matrix of [a, b]) {
    for (let r = 0; r < matrix.rows; r++) {
      for (const column of matrix.row(r).columns) {
        rows.push(r);
        columns.push(column);
      }
    }
  }
  return CsrMatrix.fromTriplets({ rows: a.rows, cols: a.cols }, { rows, columns, values: rows.map(() => 1) });
}

function columnsOf(matrix: CsrMatrix): Uint32Array {
  const counts = matrix.columnCounts();
  return Uint32Array.from(counts.keys()).filter((column) => counts[column]! > 0);
}

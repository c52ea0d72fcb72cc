/**
 * What an index costs recommendations, user by user: the lists of exact search beside those of a graph at several efforts, from the same
 * factors. Index recall by tenths of items and users; NDCG, recall and ARHR of both with a paired bootstrap of the difference; coverage,
 * novelty; the time of a request (the user's filter made, the search, scores).
 */
import { findEmbedding } from 'nigh/embeddings';
import {
  type CsrMatrix,
  catalogueCoverage,
  decilesOf,
  hitRanks,
  ndcg,
  novelty,
  pairedDifference,
  popularityRanks,
  quantile,
  randomSplit,
  recall,
  reciprocalHitRank,
} from 'nigh/evaluation';
import { FlatIndex, HnswIndex, IdSet, type SearchResult } from 'nigh/index';
import { rowOf } from '../datasets/dataset.js';
import { decimal, textTable, whole } from '../report/text-table.js';
import { asDataset } from './as-dataset.js';
import { latestSmall, ml1mUnion } from './datasets.js';
import { tunedParams } from './tuned.js';

const seed = 42;
const k = 10;
const efforts = [8, 16, 32, 64, 128];
/** At so few an index loses something, which shows where. */
const tenthsAt = 8;
const models = [
  ['iALS', 'als'],
  ['PureSVD', 'svd'],
  ['BPR', 'bpr'],
] as const;

interface Asked {
  /** Item ordinals of every user, best first. */
  readonly lists: Uint32Array[];
  /** Of the same items: smaller is better. */
  readonly distances: Float32Array[];
  readonly micros: number[];
}

export async function approximate(): Promise<void> {
  for (const [name, matrix] of [
    ['ML-1M (implicit union)', await ml1mUnion()],
    ['ml-latest-small (2018)', latestSmall('ml-latest-small')?.ratings],
  ] as const) {
    if (matrix === undefined) process.stdout.write(`${name}: not in NIGH_DATA, left out.\n`);
    else await measure(name, matrix);
  }
}

async function measure(name: string, matrix: CsrMatrix): Promise<void> {
  const split = randomSplit(matrix, { testShare: 0.2, seed });
  const { train, test } = split;
  const cells: string[][] = [];
  const tenths: string[][] = [];
  let users: number[] = [];
  for (const [model, embedding] of models) {
    const found = findEmbedding(embedding, embedding);
    const params = found.parse(tunedParams('ml-1m, random 80/20', model), embedding);
    const fitted = await found.fit(asDataset(train), params, {});
    if (fitted.users === undefined) {
      process.stdout.write(`${model}: has no user vectors, left out.\n`);
      continue;
    }
    const { matrix: vectors, ordinals } = fitted.users;
    const rows = new Map(Array.from(ordinals, (user, row) => [user, row] as const));
    users = Array.from({ length: test.rows }, (_, user) => user).filter(
      (user) => rows.has(user) && test.row(user).columns.length > 0,
    );
    const ask = (search: (vector: Float32Array, filter: IdSet) => SearchResult): Asked => {
      const asked: Asked = { lists: [], distances: [], micros: [] };
      for (const user of users) {
        const vector = rowOf(vectors, rows.get(user)!);
        const began = performance.now();
        const { ids, distances } = search(vector, IdSet.deny(train.row(user).columns));
        asked.micros.push((performance.now() - began) * 1000);
        asked.lists.push(ids);
        asked.distances.push(distances);
      }
      return asked;
    };
    const items = { metric: 'ip', ids: fitted.items.ordinals } as const;
    const flat = await FlatIndex.build(fitted.items.matrix, items);
    const index = await HnswIndex.build(fitted.items.matrix, { ...items, calibrationQueries: vectors });
    ask((vector, filter) => index.searchSync(vector, k, { filter })); // warm-up
    const exact = ask((vector, filter) => flat.searchSync(vector, k, { filter }));
    const best = figures(exact, users, test);
    const ranks = popularityRanks(train);
    const row = (what: string, asked: Asked) => {
      const found = figures(asked, users, test);
      const loss = (of: keyof typeof found) => {
        if (asked === exact) return '';
        const { value, low, high } = pairedDifference(found[of], best[of], { resamples: 1000, seed });
        return `${signed(value)} (${signed(low)} to ${signed(high)})`;
      };
      cells.push([
        `${model}, ${what}`,
        decimal(asked === exact ? 1 : mean(indexRecall(asked, exact)), 4),
        ...(['ndcg', 'recall', 'arhr'] as const).flatMap((of) => [decimal(mean(found[of]), 4), loss(of)]),
        decimal(catalogueCoverage(asked.lists, train.cols), 3),
        decimal(novelty(asked.lists, ranks), 0),
        decimal(quantile(asked.micros, 0.5)),
        decimal(quantile(asked.micros, 0.99)),
      ]);
    };
    row('exact', exact);
    for (const efSearch of efforts) {
      const asked = ask((vector, filter) => index.searchSync(vector, k, { filter, efSearch }));
      row(`efSearch ${efSearch}`, asked);
      if (efSearch === tenthsAt) tenths.push(...byTenths(model, asked, exact, users, train));
    }
    flat.close();
    index.close();
  }
  process.stdout.write(
    `\n${name}: lists of ${k} through a graph beside exact ones, from the same factors; ${whole(users.length)} users; differences with 95 % intervals of a paired bootstrap over users. ` +
      `Microseconds of a request: the filter of the user's past, the search, its scores\n${split.definition}\n\n`,
  );
  const pairs = ['NDCG', 'recall', 'ARHR'].flatMap((metric) => [metric, 'difference']);
  process.stdout.write(textTable(['', 'index recall', ...pairs, 'coverage', 'novelty', 'p50', 'p99'], cells));
  process.stdout.write(
    `\nIndex recall at efSearch ${tenthsAt}, by tenths: of users by activity, of true neighbours by popularity, from the fewest interactions\n\n`,
  );
  process.stdout.write(textTable(['', ...Array.from({ length: 10 }, (_, tenth) => `${tenth + 1}`)], tenths));
}

function figures({ lists }: Asked, users: readonly number[], test: CsrMatrix) {
  const of = { ndcg: [] as number[], recall: [] as number[], arhr: [] as number[] };
  lists.forEach((list, at) => {
    const relevant = new Set(test.row(users[at]!).columns);
    const ranks = hitRanks(list, relevant, k);
    of.ndcg.push(ndcg(ranks, relevant.size, k));
    of.recall.push(recall(ranks, relevant.size));
    of.arhr.push(reciprocalHitRank(ranks));
  });
  return of;
}

/** Of every user the share of the exact list's places that hold something as near. */
function indexRecall({ distances }: Asked, exact: Asked): number[] {
  return distances.map((own, at) => {
    const best = exact.distances[at]!;
    const limit = best.at(-1)! + 1e-5 * Math.max(1, Math.abs(best.at(-1)!));
    return own.filter((distance) => distance <= limit).length / best.length;
  });
}

function byTenths(model: string, asked: Asked, exact: Asked, users: readonly number[], train: CsrMatrix): string[][] {
  const perUser = Uint32Array.from({ length: train.rows }, (_, user) => train.row(user).columns.length);
  const activity = decilesOf(perUser);
  const popularity = decilesOf(train.columnCounts());
  const sums = {
    users: Array(10).fill(0),
    asked: Array(10).fill(0),
    found: Array(10).fill(0),
    wanted: Array(10).fill(0),
  };
  indexRecall(asked, exact).forEach((share, at) => {
    const tenth = activity[users[at]!]!;
    sums.users[tenth] += share;
    sums.asked[tenth]++;
    const own = new Set(asked.lists[at]);
    for (const item of exact.lists[at]!) {
      sums.wanted[popularity[item]!]++;
      if (own.has(item)) sums.found[popularity[item]!]++;
    }
  });
  const shares = (of: readonly number[], all: readonly number[]) =>
    of.map((sum, tenth) => decimal(all[tenth] === 0 ? undefined : sum / all[tenth]!, 3));
  return [
    [`${model}: users`, ...shares(sums.users, sums.asked)],
    [`${model}: items`, ...shares(sums.found, sums.wanted)],
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
}

/** How well a model ranks: one trainer, some splits, one row of a table. */
import { breathe } from '../core/abort.js';
import { invalidArgument, NighError } from '../core/errors.js';
import {
  catalogueCoverage,
  coOccurrence,
  cumulativeHitRate,
  diversity,
  gini,
  novelty,
  type Outcome,
  popularityRanks,
  ratingHitRates,
  userCoverage,
} from './list-metrics.js';
import type { FitContext, RankingModel, Trainer } from './model.js';
import { requireCount, rowsOf, type Split } from './protocols/split.js';
import {
  areaUnderCurve,
  averagePrecision,
  cappedRecall,
  hitRanks,
  hitRate,
  ndcg,
  precision,
  recall,
  reciprocalHitRank,
  reciprocalRank,
} from './ranking-metrics.js';
import { topItems } from './top-items.js';

export interface RankingContext extends FitContext {
  /** Length of the lists. */
  readonly k: number;
  /** Held-out interactions of a smaller value are not asked for (a film rated 1 is no good answer); they stay held out. Default: all are. */
  readonly relevantFrom?: number;
  /** Threshold of the cumulative hit rate. Default: none is computed. */
  readonly likedFrom?: number;
  /** Called with users answered and in all, over all splits. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Means over users that have something relevant held out. */
export interface RankingFigures {
  readonly hitRate: number;
  readonly arhr: number;
  readonly ndcg: number;
  readonly map: number;
  readonly mrr: number;
  /** NaN under sampled negatives of which none is left, or where every item is relevant. */
  readonly auc: number;
  readonly recall: number;
  readonly cappedRecall: number;
  readonly precision: number;
  readonly coverage: number;
  readonly userCoverage: number;
  readonly diversity: number;
  readonly novelty: number;
  readonly gini: number;
}

export interface RankingResult extends RankingFigures {
  readonly model: string;
  readonly k: number;
  /** Users whose list was judged, over all splits. */
  readonly users: number;
  /** Users with nothing relevant held out, or whose row was asked without any. */
  readonly skipped: number;
  readonly cumulativeHitRate?: number;
  readonly ratingHitRates: readonly { readonly value: number; readonly hitRate: number; readonly users: number }[];
  readonly fitSeconds: number;
  readonly scoreSeconds: number;
}

/** Users scored at once: bounds the memory to these rows of scores. */
const usersAtOnce = 256;

/**
 * Trains on every split and judges the lists. Figures are means over the splits' users; what is a property of all lists (coverage, Gini,
 * …) is the mean over splits.
 * @throws NighError INVALID_ARGUMENT, EMPTY_DATASET when no user has anything relevant held out, ABORTED, and what the trainer throws
 */
export async function evaluateRanking(
  trainer: Trainer<RankingModel>,
  splits: readonly Split[],
  context: RankingContext,
): Promise<RankingResult> {
  requireCount('k', context.k, 1);
  if (splits.length === 0) throw invalidArgument('splits', 'at least one split', splits);
  const total = splits.reduce((sum, { test }) => sum + test.rows, 0);
  let done = 0;
  const judged: SplitJudgement[] = [];
  for (const split of splits) {
    const began = done;
    judged.push(await judge(trainer, split, context, (users) => context.onProgress?.(began + users, total)));
    done += split.test.rows;
  }
  const users = judged.reduce((sum, each) => sum + each.users, 0);
  if (users === 0) {
    throw new NighError('EMPTY_DATASET', `${trainer.name}: no user has anything relevant held out.`);
  }
  const perUser = (name: keyof UserSums) => judged.reduce((sum, each) => sum + each.sums[name], 0) / users;
  const perSplit = (name: 'coverage' | 'userCoverage' | 'diversity' | 'novelty' | 'gini') =>
    judged.reduce((sum, each) => sum + each[name], 0) / judged.length;
  const outcomes = judged.flatMap((each, at) =>
    // A user of two folds counts twice, as in every other mean.
    each.outcomes.map((outcome) => ({ ...outcome, user: outcome.user + at * 2 ** 32 })),
  );
  const withArea = judged.reduce((sum, each) => sum + each.withArea, 0);
  return {
    model: trainer.name,
    k: context.k,
    users,
    skipped: total - users,
    hitRate: perUser('hitRate'),
    arhr: perUser('arhr'),
    ndcg: perUser('ndcg'),
    map: perUser('map'),
    mrr: perUser('mrr'),
    auc: judged.reduce((sum, each) => sum + each.sums.auc, 0) / withArea,
    recall: perUser('recall'),
    cappedRecall: perUser('cappedRecall'),
    precision: perUser('precision'),
    coverage: perSplit('coverage'),
    userCoverage: perSplit('userCoverage'),
    diversity: perSplit('diversity'),
    novelty: perSplit('novelty'),
    gini: perSplit('gini'),
    ...(context.likedFrom === undefined ? {} : { cumulativeHitRate: cumulativeHitRate(outcomes, context.likedFrom) }),
    ratingHitRates: ratingHitRates(outcomes),
    fitSeconds: judged.reduce((sum, each) => sum + each.fitSeconds, 0),
    scoreSeconds: judged.reduce((sum, each) => sum + each.scoreSeconds, 0),
  };
}

type UserSums = Record<
  'hitRate' | 'arhr' | 'ndcg' | 'map' | 'mrr' | 'auc' | 'recall' | 'cappedRecall' | 'precision',
  number
>;

interface SplitJudgement {
  readonly sums: UserSums;
  readonly users: number;
  readonly withArea: number;
  readonly outcomes: readonly Outcome[];
  readonly coverage: number;
  readonly userCoverage: number;
  readonly diversity: number;
  readonly novelty: number;
  readonly gini: number;
  readonly fitSeconds: number;
  readonly scoreSeconds: number;
}

async function judge(
  trainer: Trainer<RankingModel>,
  split: Split,
  context: RankingContext,
  onUsers: (done: number) => void,
): Promise<SplitJudgement> {
  const { k, relevantFrom = Number.NEGATIVE_INFINITY } = context;
  const began = performance.now();
  const model = await trainer.fit(split.train, context);
  const fitSeconds = (performance.now() - began) / 1000;
  const sums: UserSums = {
    hitRate: 0,
    arhr: 0,
    ndcg: 0,
    map: 0,
    mrr: 0,
    auc: 0,
    recall: 0,
    cappedRecall: 0,
    precision: 0,
  };
  const lists: number[][] = [];
  const outcomes: Outcome[] = [];
  let withArea = 0;
  let scoreSeconds = 0;
  const asked = Uint32Array.from(split.test.offsets.subarray(1).keys()).filter((r) =>
    hasRelevant(split, r, relevantFrom),
  );
  const skip = new Int32Array(split.train.cols).fill(-1);
  for (let begin = 0; begin < asked.length; begin += usersAtOnce) {
    await breathe(context.signal);
    const rows = asked.subarray(begin, begin + usersAtOnce);
    const scoring = performance.now();
    const scores = await model.scores({
      users: split.users && rows.map((r) => split.users![r]!),
      histories: rowsOf(split.histories, rows),
    });
    scoreSeconds += (performance.now() - scoring) / 1000;
    requireScores(trainer.name, scores, rows.length, split.train.cols);
    rows.forEach((r, at) => {
      const row = scores.data.subarray(at * scores.dim, (at + 1) * scores.dim);
      for (const item of split.histories.row(r).columns) skip[item] = r;
      const { columns, values } = split.test.row(r);
      const relevant = new Set(columns.filter((_, e) => values[e]! >= relevantFrom));
      const candidates =
        split.negatives === undefined
          ? split.pool
          : Uint32Array.from(new Set([...split.negatives.row(r).columns, ...relevant])).sort();
      const list = topItems(row, k, skip, r, candidates);
      const ranks = hitRanks(list, relevant, k);
      sums.hitRate += hitRate(ranks);
      sums.arhr += reciprocalHitRank(ranks);
      sums.ndcg += ndcg(ranks, relevant.size, k);
      sums.map += averagePrecision(ranks, relevant.size, k);
      sums.mrr += reciprocalRank(ranks);
      sums.recall += recall(ranks, relevant.size);
      sums.cappedRecall += cappedRecall(ranks, relevant.size, k);
      sums.precision += precision(ranks, k);
      const unseen = (candidates ?? allItems(row.length)).filter((item) => skip[item] !== r);
      const area = areaUnderCurve(row, unseen, relevant);
      if (!Number.isNaN(area)) {
        sums.auc += area;
        withArea++;
      }
      lists.push(list);
      const listed = new Set(list);
      columns.forEach((item, e) => {
        if (relevant.has(item)) outcomes.push({ user: r, value: values[e]!, hit: listed.has(item) });
      });
    });
    onUsers(rows[rows.length - 1]! + 1);
  }
  const recommendable = split.pool?.length ?? split.train.cols;
  return {
    sums,
    users: asked.length,
    withArea,
    outcomes,
    coverage: catalogueCoverage(lists, recommendable),
    userCoverage: userCoverage(lists, k),
    diversity: diversity(lists, coOccurrence(split.train)),
    novelty: novelty(lists, popularityRanks(split.train)),
    gini: gini(lists, recommendable),
    fitSeconds,
    scoreSeconds,
  };
}

function hasRelevant({ test, pool }: Split, r: number, relevantFrom: number): boolean {
  const { columns, values } = test.row(r);
  return columns.some((item, e) => values[e]! >= relevantFrom && (pool === undefined || pool.includes(item)));
}

const everyItem: { items: Uint32Array } = { items: new Uint32Array(0) };

/** 0 … n − 1, kept for the next user. */
function allItems(n: number): Uint32Array {
  if (everyItem.items.length !== n) everyItem.items = Uint32Array.from({ length: n }, (_, item) => item);
  return everyItem.items;
}

/** @throws NighError INTERNAL: a fault of the model, not of what it was given */
function requireScores(name: string, scores: { rows: number; dim: number }, rows: number, items: number): void {
  if (scores.rows === rows && scores.dim === items) return;
  throw new NighError('INTERNAL', `${name}: expected ${rows} × ${items} scores, got ${scores.rows} × ${scores.dim}.`);
}

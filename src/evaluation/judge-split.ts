/** One split: a model is fitted, asked, and its lists are judged. evaluate-ranking.ts makes figures of several. */
import { breathe } from '../core/abort.js';
import { NighError } from '../core/errors.js';
import { decilesOf } from './deciles.js';
import type { RankingContext } from './evaluate-ranking.js';
import {
  catalogueCoverage,
  coOccurrence,
  diversity,
  gini,
  novelty,
  type Outcome,
  popularityRanks,
  userCoverage,
} from './list-metrics.js';
import type { RankingModel, Trainer } from './model.js';
import { rowsOf, type Split } from './protocols/split.js';
import {
  areaUnderCurve,
  averagePrecision,
  cappedRecall,
  gainAt,
  hitRanks,
  hitRate,
  idealGain,
  ndcg,
  precision,
  recall,
  reciprocalHitRank,
  reciprocalRank,
  uncutNdcg,
} from './ranking-metrics.js';
import { topItems } from './top-items.js';

export type UserSums = Record<
  'hitRate' | 'arhr' | 'ndcg' | 'uncutNdcg' | 'map' | 'mrr' | 'auc' | 'recall' | 'cappedRecall' | 'precision',
  number
>;

export interface SplitJudgement {
  readonly sums: UserSums;
  readonly users: number;
  /** Users with an area under the curve. */
  readonly withArea: number;
  /** By tenth of the users' activity: Σ NDCG, and how many users. */
  readonly activity: { readonly ndcg: Float64Array; readonly users: Float64Array };
  /** By tenth of the items' popularity: what hits on them add to Σ NDCG. */
  readonly popularity: Float64Array;
  readonly outcomes: readonly Outcome[];
  readonly coverage: number;
  readonly userCoverage: number;
  readonly diversity: number;
  readonly novelty: number;
  readonly gini: number;
  readonly fitSeconds: number;
  readonly scoreSeconds: number;
}

/** Users scored at once: bounds the memory to these rows of scores. */
const usersAtOnce = 256;

export async function judgeSplit(
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
    uncutNdcg: 0,
    map: 0,
    mrr: 0,
    auc: 0,
    recall: 0,
    cappedRecall: 0,
    precision: 0,
  };
  const activity = { ndcg: new Float64Array(10), users: new Float64Array(10) };
  const popularity = new Float64Array(10);
  const lists: number[][] = [];
  const outcomes: Outcome[] = [];
  let withArea = 0;
  let scoreSeconds = 0;
  const pooled = maskOf(split);
  const asked = Uint32Array.from(split.test.offsets.subarray(1).keys()).filter((r) =>
    hasRelevant(split, r, relevantFrom, pooled),
  );
  const itemDecile = decilesOf(split.train.columnCounts());
  const activityDecile = decilesOf(asked.map((r) => split.histories.offsets[r + 1]! - split.histories.offsets[r]!));
  const skip = new Int32Array(split.train.cols).fill(-1);
  const scratch = new Uint32Array(split.train.cols);
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
      const gain = ndcg(ranks, relevant.size, k);
      sums.hitRate += hitRate(ranks);
      sums.arhr += reciprocalHitRank(ranks);
      sums.ndcg += gain;
      sums.uncutNdcg += uncutNdcg(ranks, relevant.size);
      sums.map += averagePrecision(ranks, relevant.size, k);
      sums.mrr += reciprocalRank(ranks);
      sums.recall += recall(ranks, relevant.size);
      sums.cappedRecall += cappedRecall(ranks, relevant.size, k);
      sums.precision += precision(ranks, k);
      const tenth = activityDecile[begin + at]!;
      activity.ndcg[tenth] = activity.ndcg[tenth]! + gain;
      activity.users[tenth] = activity.users[tenth]! + 1;
      const ideal = idealGain(Math.min(k, relevant.size));
      for (const rank of ranks) {
        const decile = itemDecile[list[rank - 1]!]!;
        popularity[decile] = popularity[decile]! + gainAt(rank) / ideal;
      }
      const unseen = [...relevant].filter((item) => skip[item] !== r && (pooled === undefined || pooled[item] === 1));
      // What is asked for is marked like what is seen: left are the others.
      for (const item of relevant) skip[item] = r;
      const area = areaUnderCurve(row, unseen, unmarked(candidates, row.length, skip, r, scratch));
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
    activity,
    popularity,
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

/** By item 1 where it is in the pool; undefined: all are. */
function maskOf({ pool, train }: Split): Uint8Array | undefined {
  if (pool === undefined) return undefined;
  const mask = new Uint8Array(train.cols);
  for (const item of pool) mask[item] = 1;
  return mask;
}

function hasRelevant({ test }: Split, r: number, relevantFrom: number, pooled: Uint8Array | undefined): boolean {
  const { columns, values } = test.row(r);
  return columns.some((item, e) => values[e]! >= relevantFrom && (pooled === undefined || pooled[item] === 1));
}

/** The candidates (undefined: all items) without the mark, in the scratch array. */
function unmarked(
  candidates: ArrayLike<number> | undefined,
  items: number,
  skip: Int32Array,
  mark: number,
  scratch: Uint32Array,
): Uint32Array {
  const count = candidates === undefined ? items : candidates.length;
  let size = 0;
  for (let at = 0; at < count; at++) {
    const item = candidates === undefined ? at : candidates[at]!;
    if (skip[item] !== mark) scratch[size++] = item;
  }
  return scratch.subarray(0, size);
}

/** @throws NighError INTERNAL: a fault of the model, not of what it was given */
function requireScores(name: string, scores: { rows: number; dim: number }, rows: number, items: number): void {
  if (scores.rows === rows && scores.dim === items) return;
  throw new NighError('INTERNAL', `${name}: expected ${rows} × ${items} scores, got ${scores.rows} × ${scores.dim}.`);
}

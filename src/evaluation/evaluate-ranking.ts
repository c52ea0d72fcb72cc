/** How well a model ranks: one trainer, some splits, one row of a table. */
import { invalidArgument, NighError } from '../core/errors.js';
import { judgeSplit, type SplitJudgement, type UserSums } from './judge-split.js';
import { cumulativeHitRate, ratingHitRates } from './list-metrics.js';
import type { FitContext, RankingModel, Trainer } from './model.js';
import { requireCount, type Split } from './protocols/split.js';

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
  /** NDCG over the best list of all that is relevant instead of k: what some published tables call NDCG@k. */
  readonly uncutNdcg: number;
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
  /** NDCG of the users of each tenth by length of history, from the shortest; NaN for a tenth without users. */
  readonly ndcgByActivity: readonly number[];
  /** What hits on the items of each tenth by popularity, from the rarest, add to NDCG: the ten sum to it. */
  readonly ndcgByPopularity: readonly number[];
  readonly fitSeconds: number;
  readonly scoreSeconds: number;
}

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
    judged.push(await judgeSplit(trainer, split, context, (users) => context.onProgress?.(began + users, total)));
    done += split.test.rows;
  }
  const users = sum(judged, (each) => each.users);
  if (users === 0) {
    throw new NighError('EMPTY_DATASET', `${trainer.name}: no user has anything relevant held out.`);
  }
  const perUser = (name: keyof UserSums) => sum(judged, (each) => each.sums[name]) / users;
  const perSplit = (name: 'coverage' | 'userCoverage' | 'diversity' | 'novelty' | 'gini') =>
    sum(judged, (each) => each[name]) / judged.length;
  const outcomes = judged.flatMap((each, at) =>
    // A user of two folds counts twice, as in every other mean.
    each.outcomes.map((outcome) => ({ ...outcome, user: outcome.user + at * 2 ** 32 })),
  );
  const withArea = sum(judged, (each) => each.withArea);
  return {
    model: trainer.name,
    k: context.k,
    users,
    skipped: total - users,
    hitRate: perUser('hitRate'),
    arhr: perUser('arhr'),
    ndcg: perUser('ndcg'),
    uncutNdcg: perUser('uncutNdcg'),
    map: perUser('map'),
    mrr: perUser('mrr'),
    auc: sum(judged, (each) => each.sums.auc) / withArea,
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
    ndcgByActivity: tenths(
      (tenth) => sum(judged, (each) => each.activity.ndcg[tenth]!) / sum(judged, (each) => each.activity.users[tenth]!),
    ),
    ndcgByPopularity: tenths((tenth) => sum(judged, (each) => each.popularity[tenth]!) / users),
    fitSeconds: sum(judged, (each) => each.fitSeconds),
    scoreSeconds: sum(judged, (each) => each.scoreSeconds),
  };
}

const tenths = (value: (tenth: number) => number): number[] => Array.from({ length: 10 }, (_, tenth) => value(tenth));

const sum = (judged: readonly SplitJudgement[], value: (each: SplitJudgement) => number): number =>
  judged.reduce((total, each) => total + value(each), 0);

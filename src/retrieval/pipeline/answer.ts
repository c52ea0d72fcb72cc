/** Runs the stages for one request, and says what they found. */
import type { SearchPlan } from '../../index/vector-index.js';
import { describeResult } from '../describe-item.js';
import type { Part } from '../questions/part.js';
import type { Plan } from '../questions/sources.js';
import type { Answer, AnswerStats, Result, SourceStats } from '../types.js';
import { explainAnswer, explainResults } from './explain.js';
import { keepAllowed, scoresEnough } from './filtering.js';
import { likenessesOf } from './likeness.js';
import { proposeCandidates } from './popular-candidates.js';
import { poolOf, rerank, wantsReranking } from './reranking.js';
import { scoreCandidates } from './scoring.js';
import type { StageClock } from './stage-clock.js';
import { type Candidates, notProposed, type Ranked, type Request, type Scored, type Stages } from './stages.js';

/** The stages that answer where no other is given. */
export const defaultStages: Stages = {
  candidates: proposeCandidates,
  scoring: scoreCandidates,
  reranking: rerank,
  filtering: keepAllowed,
};

/** A walk to more than one in so many items costs more than comparing all of them. */
const worthAWalk = 8;

/** Candidates that a source of several is asked for at least: what the others have further up may be further down here. */
const fewestOfSeveral = 100;

/** @throws NighError ABORTED, CLOSED, INVALID_ARGUMENT, UNKNOWN_OPTION, DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, UNSUPPORTED */
export async function answerRequest(
  request: Request,
  stages: Stages,
  clock: StageClock,
  parts: readonly Part[],
  fallback: Plan['fallback'],
): Promise<Answer> {
  const { collection, query } = request;
  const found = await run(request, stages, clock);
  const { scored, ranked, positions } = found;
  const likenesses = await likenessesOf(request, scored, positions);
  const explanations = query.explain ? await explainResults(request, parts, scored, ranked, positions) : undefined;
  const results = new Array<Result>(positions.length);
  for (let at = 0; at < positions.length; at++) {
    const p = positions[at]!;
    const result: Writable<Result> = describeResult(collection, scored.items[p]!, scored.scores[p]!, likenesses[at]!);
    if (request.sources.length > 1) result.sources = proposers(request, scored, p);
    if (ranked.explored?.has(p) === true) result.explored = true;
    if (explanations !== undefined) result.explanation = explanations[at]!;
    results[at] = result;
  }
  const explanation = query.explain ? await explainAnswer(request, scored, ranked) : undefined;
  const { generation } = collection.manifest;
  return {
    results,
    stats: {
      ...found.stats,
      ...(fallback === undefined ? {} : { fallback }),
      generation,
      stages: clock.stages,
      tookMs: clock.elapsed,
    },
    ...(explanation === undefined ? {} : { explanation }),
  };
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

interface Found {
  readonly scored: Scored;
  readonly ranked: Ranked;
  readonly positions: Uint32Array;
  readonly stats: Pick<AnswerStats, 'plan' | 'space' | 'visited' | 'distances' | 'exact' | 'sources'>;
}

/** Asks for more candidates as long as the answer is short of k and there are more, so that it always has min(k, matches) results. */
async function run(request: Request, stages: Stages, clock: StageClock): Promise<Found> {
  const { collection, query } = request;
  const all = Math.max(1, collection.catalogue.size);
  let count = poolSize(request);
  const work = new Map<number, { visited: number; distances: number; plan: SearchPlan; exact: boolean }>();
  for (;;) {
    const asked = Math.max(1, count);
    const candidates = await clock.time('candidates', () => stages.candidates(request, asked));
    const scored = await clock.time('scoring', () => stages.scoring(request, candidates));
    const ranked = await clock.time('reranking', () => stages.reranking(request, scored));
    const positions = await clock.time('filtering', () => stages.filtering(request, scored, ranked));
    candidates.forEach(({ stats: { plan, visited, distances } }, s) => {
      const before = work.get(s);
      work.set(s, {
        plan,
        visited: visited + (before?.visited ?? 0),
        distances: distances + (before?.distances ?? 0),
        exact: plan === 'scan' || plan === 'allowed-scan',
      });
    });
    if (positions.length >= query.k || asked >= all || !moreToFind(request, candidates, scored, asked)) {
      return { scored, ranked, positions, stats: statsOf(request, candidates, [...work.values()]) };
    }
    count = asked * 4 * worthAWalk > all ? all : asked * 4;
  }
}

/** Whether a larger pool may hold something that can be returned. */
function moreToFind(
  { query: { minScore, fusion } }: Request,
  candidates: readonly Candidates[],
  { scores }: Scored,
  asked: number,
): boolean {
  if (candidates.every(({ complete }) => complete)) return false;
  // One source's scores only fall; beyond what was asked for stands what is there for its popularity.
  const last = scores[Math.min(asked, scores.length) - 1] ?? 0;
  const fallen = candidates.length === 1 && fusion === 'sum' && !scoresEnough(last, minScore);
  return !fallen;
}

function poolSize({ query, sources, collection }: Request): number {
  const { k, exact } = query;
  const several = sources.length > 1;
  if (several && exact) return Math.max(1, collection.catalogue.size);
  const wanted = several || wantsReranking(query) ? poolOf(query) : Math.max(k, query.candidates ?? 0);
  return Math.max(wanted, several ? fewestOfSeveral : 0);
}

function statsOf(
  { sources }: Request,
  candidates: readonly Candidates[],
  work: readonly { visited: number; distances: number; plan: SearchPlan; exact: boolean }[],
): Found['stats'] {
  const names = [...new Set(sources.map(({ name }) => name))];
  const each = candidates.map(({ source, items }, s): SourceStats => {
    const { plan, visited, distances } = work[s]!;
    const part = source.kind === 'search' ? { part: source.part } : {};
    return { source: source.name, ...part, weight: source.weight, plan, visited, distances, candidates: items.length };
  });
  return {
    plan: each[0]?.plan ?? 'scan',
    space: names.join('+'),
    visited: work.reduce((sum, { visited }) => sum + visited, 0),
    distances: work.reduce((sum, { distances }) => sum + distances, 0),
    exact: work.every(({ exact }) => exact),
    ...(each.length > 1 ? { sources: each } : {}),
  };
}

function proposers({ sources }: Request, { ranks }: Scored, p: number): string[] {
  return [...new Set(sources.filter((_, s) => ranks[s]![p] !== notProposed).map(({ name }) => name))];
}

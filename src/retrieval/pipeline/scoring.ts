/**
 * Scoring: one score for every item that a source proposed.
 *
 * `sum`: Σ w · score over the sources, exactly: what a source did not propose is scored there as well. An item that lacks a source's space has
 * no score in it; it adds nothing (`missing: 'zero'`), or the other sources' weights stand for it (`missing: 'renormalise'`).
 *
 * `rrf`: reciprocal-rank fusion, Σ w / (60 + rank), for scores that cannot be compared. Cormack, Clarke and Büttcher, "Reciprocal rank fusion
 * outperforms Condorcet and individual rank learning methods", SIGIR 2009, with their constant; the weights are ours.
 */
import { IdSet } from '../../index/id-set.js';
import type { SearchSource } from '../questions/sources.js';
import { scoreOf } from './candidates.js';
import { firstPositions } from './positions.js';
import { type Candidates, notProposed, type Request, type Scored } from './stages.js';

const rankConstant = 60;

/** @throws NighError ABORTED, CLOSED */
export async function scoreCandidates(request: Request, candidates: readonly Candidates[]): Promise<Scored> {
  const [only] = candidates;
  const isRanked = request.query.fusion === 'rrf';
  if (candidates.length === 1 && only !== undefined && !isRanked) {
    const { items, scores, allCompete = false } = only;
    return { items, scores, bySource: [scores], ranks: [firstPositions(items.length)], allCompete };
  }
  const items = unionOf(candidates);
  const position = new Map<number, number>();
  items.forEach((item, p) => {
    position.set(item, p);
  });
  const ranks = candidates.map((each) => {
    const row = new Uint32Array(items.length).fill(notProposed);
    each.items.forEach((item, rank) => {
      row[position.get(item)!] = rank;
    });
    return row;
  });
  const bySource = await Promise.all(candidates.map((each) => scoresIn(request, each, items, position)));
  const scores = new Float64Array(items.length);
  for (let p = 0; p < items.length; p++) {
    scores[p] = isRanked ? fused(candidates, ranks, p) : summed(request, candidates, bySource, p);
  }
  return sorted({ items, scores, bySource, ranks });
}

/** Ascending. */
function unionOf(candidates: readonly Candidates[]): Uint32Array {
  const all = new Set<number>();
  for (const { items } of candidates) for (const item of items) all.add(item);
  return Uint32Array.from(all).sort();
}

/** The scores of all items in one source: those that it did not propose are compared as well, unless it proposed all that it has. */
async function scoresIn(
  { query: { signal } }: Request,
  { source, items: proposed, scores, complete }: Candidates,
  items: Uint32Array,
  position: ReadonlyMap<number, number>,
): Promise<Float64Array> {
  const row = new Float64Array(items.length).fill(Number.NaN);
  proposed.forEach((item, at) => {
    row[position.get(item)!] = scores[at]!;
  });
  if (complete || source.kind !== 'search') return row;
  const missing = items.filter((_, p) => Number.isNaN(row[p]));
  for (const [item, score] of await scoresOf(source, missing, signal)) row[position.get(item)!] = score;
  return row;
}

/** The scores of these items in one source, for those that have a vector there. */
export async function scoresOf(
  { index, vector }: Pick<SearchSource, 'index' | 'vector'>,
  items: Uint32Array,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, number>> {
  if (items.length === 0) return new Map();
  const { ids, distances } = await index.search(vector, items.length, {
    filter: IdSet.allow(items),
    exact: true,
    ...(signal === undefined ? {} : { signal }),
  });
  const scores = new Map<number, number>();
  ids.forEach((item, at) => {
    scores.set(item, scoreOf(index, distances[at]!));
  });
  return scores;
}

function summed(
  { query: { missing } }: Request,
  candidates: readonly Candidates[],
  bySource: readonly Float64Array[],
  p: number,
): number {
  let sum = 0;
  let weights = 0;
  candidates.forEach(({ source: { weight } }, s) => {
    const score = bySource[s]![p]!;
    if (Number.isNaN(score)) return;
    sum += weight * score;
    weights += weight;
  });
  return missing === 'zero' || weights === 0 ? sum : sum / weights;
}

function fused(candidates: readonly Candidates[], ranks: readonly Uint32Array[], p: number): number {
  return candidates.reduce((sum, { source: { weight } }, s) => {
    const rank = ranks[s]![p]!;
    return rank === notProposed ? sum : sum + weight / (rankConstant + rank + 1);
  }, 0);
}

/** Best first, ties by item. */
function sorted({ items, scores, bySource, ranks }: Scored): Scored {
  const order = firstPositions(items.length).sort((p, q) => scores[q]! - scores[p]! || p - q);
  return {
    items: Uint32Array.from(order, (p) => items[p]!),
    scores: Float64Array.from(order, (p) => scores[p]!),
    bySource: bySource.map((row) => Float64Array.from(order, (p) => row[p]!)),
    ranks: ranks.map((row) => Uint32Array.from(order, (p) => row[p]!)),
  };
}

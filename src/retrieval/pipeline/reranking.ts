/**
 * Re-ranking: the places of an answer are given one by one, each to the best that is left.
 *
 * Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing summaries", SIGIR 1998:
 *
 *   next = argmax_i (1 − diversity) · relevance(i) − diversity · max over the chosen j of likeness(i, j)
 *
 * theirs is λ = 1 − diversity. Relevance is the score within the pool, from 0 to 1, plus what popularity, boosts and recency add
 * (adjustments.ts); likeness is that of the spaces that answered (similarity.ts). Besides:
 *
 * 1. An item whose group has had its places is passed over (`perGroup`).
 * 2. Where a source is behind its quota at some place, that place goes to the best of what is among its own first k (`quotas`).
 * 3. The last `explore.slots` places go to items drawn from the rest of the pool, the same for the same seed.
 *
 * Without any of it the order is that of the scores.
 */
import { breathe } from '../../core/abort.js';
import { mulberry32 } from '../../core/random.js';
import { requireColumn } from '../filters/compile.js';
import type { AnyQuery } from '../query-options.js';
import { adjustmentsOf } from './adjustments.js';
import { scoresEnough } from './filtering.js';
import { PoolSimilarity } from './similarity.js';
import type { Ranked, Request, Scored } from './stages.js';

/** Whether a question wants another order than that of the scores. */
export function wantsReranking(query: AnyQuery): boolean {
  const { diversity, popularity, boosts, recency, perGroup, explore, quotas } = query;
  return (
    diversity > 0 ||
    popularity !== 0 ||
    boosts.length > 0 ||
    recency !== undefined ||
    perGroup !== undefined ||
    explore !== undefined ||
    Object.values(quotas).some((quota) => quota > 0)
  );
}

/** Operations between two looks at the event loop: some milliseconds. */
const operationsAtOnce = 4e6;

/** @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT for attributes; ABORTED */
export async function rerank(request: Request, scored: Scored): Promise<Ranked> {
  const { query } = request;
  const pool = poolOf(scored, query.minScore);
  if (!wantsReranking(query)) return { order: Uint32Array.from({ length: pool }, (_, p) => p) };
  const { k, diversity, explore, signal } = query;
  const adjustments = adjustmentsOf(request, scored, pool);
  const totals = Float64Array.from(
    adjustments,
    ({ relevance, popularity, boosts, recency }) => relevance + popularity + boosts + recency,
  );
  const groups = new Groups(request, scored);
  const quotas = new Quotas(request, scored);
  const similarity = diversity > 0 ? new PoolSimilarity(request, scored.items.subarray(0, pool)) : undefined;
  /** How like a position is to the nearest that was chosen. */
  const nearest = new Float64Array(pool);
  const taken = new Uint8Array(pool);
  const order: number[] = [];
  const take = (p: number) => {
    taken[p] = 1;
    order.push(p);
    groups.add(p);
    quotas.add(p);
  };
  const best = (fits: (p: number) => boolean): number => {
    let found = -1;
    let highest = Number.NEGATIVE_INFINITY;
    for (let p = 0; p < pool; p++) {
      if (taken[p] === 1 || !fits(p) || groups.isFull(p)) continue;
      const value = (1 - diversity) * totals[p]! - diversity * nearest[p]!;
      if (value > highest) {
        highest = value;
        found = p;
      }
    }
    return found;
  };

  let operations = 0;
  const earned = Math.max(0, k - (explore?.slots ?? 0));
  while (order.length < earned) {
    const behind = quotas.behind(order.length + 1);
    const fromQuota = behind === undefined ? -1 : best((p) => quotas.isOf(behind, p));
    const p = fromQuota >= 0 ? fromQuota : best(() => true);
    if (p < 0) break;
    take(p);
    if (similarity !== undefined) {
      for (let q = 0; q < pool; q++) {
        if (taken[q] === 1) continue;
        const likeness = similarity.between(p, q);
        nearest[q] = order.length === 1 ? likeness : Math.max(nearest[q]!, likeness);
      }
    }
    operations += pool * (similarity?.cost ?? 1);
    if (operations > operationsAtOnce) {
      operations = 0;
      await breathe(signal);
    }
  }

  const explored = new Set<number>();
  if (explore !== undefined) {
    const random = mulberry32(explore.seed);
    while (order.length < k) {
      const rest = Uint32Array.from(taken.keys()).filter((p) => taken[p] === 0 && !groups.isFull(p));
      if (rest.length === 0) break;
      const p = rest[Math.floor(random() * rest.length)]!;
      take(p);
      explored.add(p);
    }
  }
  const first = Uint32Array.from({ length: Math.min(k, pool) }, (_, p) => p);
  const crowdedOut = first.filter((p) => taken[p] === 0 && groups.isFull(p));
  return { order: Uint32Array.from(order), adjustments, explored, crowdedOut };
}

/** How many of the scored items may be returned at all: filtering would drop the others. */
function poolOf({ scores }: Scored, minScore: number | undefined): number {
  let pool = scores.length;
  while (pool > 0 && !scoresEnough(scores[pool - 1]!, minScore)) pool--;
  return pool;
}

/** How many of every group were chosen. An item that lacks the attribute is alone in its group; one of several tags is in several. */
class Groups {
  readonly #most: number;
  readonly #namesOf: (p: number) => readonly (string | number | boolean)[];
  readonly #counts = new Map<string | number | boolean, number>();

  constructor({ query: { perGroup }, collection }: Request, { items }: Scored) {
    this.#most = perGroup?.most ?? Number.POSITIVE_INFINITY;
    if (perGroup === undefined) {
      this.#namesOf = () => [];
      return;
    }
    const { read } = requireColumn(collection.catalogue.columns, perGroup.attribute, 'perGroup.attribute');
    this.#namesOf = (p) => {
      const value = read(items[p]!);
      return value === undefined ? [] : typeof value === 'object' ? value : [value];
    };
  }

  isFull(p: number): boolean {
    return this.#namesOf(p).some((name) => (this.#counts.get(name) ?? 0) >= this.#most);
  }

  add(p: number): void {
    for (const name of new Set(this.#namesOf(p))) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }
}

/** Which sources have had how many places. */
class Quotas {
  readonly #wanted: readonly { readonly share: number; readonly ranks: readonly Uint32Array[] }[];
  readonly #counts: number[];
  readonly #k: number;

  constructor({ query: { quotas, k }, sources }: Request, { ranks }: Scored) {
    this.#k = k;
    this.#wanted = Object.entries(quotas).map(([name, share]) => ({
      share,
      ranks: ranks.filter((_, s) => sources[s]!.name === name),
    }));
    this.#counts = this.#wanted.map(() => 0);
  }

  /** The source that has too few among the first `places`, if one has. */
  behind(places: number): number | undefined {
    const found = this.#wanted.findIndex(({ share }, s) => Math.floor(share * places + 1e-9) > this.#counts[s]!);
    return found < 0 ? undefined : found;
  }

  isOf(source: number, p: number): boolean {
    return this.#wanted[source]!.ranks.some((row) => row[p]! < this.#k);
  }

  add(p: number): void {
    this.#wanted.forEach((_, s) => {
      if (this.isOf(s, p)) this.#counts[s] = this.#counts[s]! + 1;
    });
  }
}

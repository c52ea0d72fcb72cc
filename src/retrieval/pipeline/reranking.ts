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
 * The pool is what stands first of what is left: 4 · k of it, or `candidates` where that is more, however many were scored. So an exact
 * answer, which scores everything, is re-ranked like any other. Only where popularity brought candidates of its own (popular-candidates.ts)
 * it is all of them; relevance is measured by the first 4 · k there, too.
 *
 * Without any of it the order is that of the scores.
 */
import { breathe } from '../../core/abort.js';
import { mulberry32 } from '../../core/random.js';
import type { AnyQuery } from '../query-options.js';
import { Adjuster } from './adjustments.js';
import { scoresEnough } from './filtering.js';
import { Groups } from './groups.js';
import { firstPositions } from './positions.js';
import { Quotas } from './quotas.js';
import { type Fetched, Similarity } from './similarity.js';
import type { Adjustments, Ranked, Request, Scored } from './stages.js';

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

/** How many candidates a place of the answer is given among. */
export function poolOf({ k, candidates }: AnyQuery): number {
  return Math.max(4 * k, candidates ?? 0);
}

/** Candidates to look at between two looks at the event loop: some milliseconds. */
const looksAtOnce = 50_000;

/** @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT for attributes; ABORTED */
export async function rerank(request: Request, scored: Scored): Promise<Ranked> {
  const { query } = request;
  const count = eligible(scored, query.minScore);
  if (!wantsReranking(query)) return { order: firstPositions(count) };
  const { k, explore, signal } = query;
  // All that may be compared: the pool, and what comes after those whose group is full.
  const fetched = query.diversity > 0 ? await Similarity.fetch(request, scored.items.subarray(0, count)) : undefined;
  const places = new Places(request, scored, count, fetched);
  const earned = Math.max(0, k - (explore?.slots ?? 0));
  let looked = 0;
  while (places.order.length < earned && places.takeBest()) {
    if (places.looks - looked < looksAtOnce) continue;
    looked = places.looks;
    await breathe(signal);
  }
  const explored = explore === undefined ? undefined : places.draw(k, explore.seed);
  const crowdedOut = places.crowdedOut(k);
  // Should filtering drop any, others stand behind them.
  const rest = places.rest();
  return {
    order: Uint32Array.from([...places.order, ...rest]),
    adjustments: places.adjustments,
    crowdedOut,
    ...(explored === undefined ? {} : { explored }),
  };
}

/** How many of the scored items may be returned at all: filtering would drop the others. */
export function eligible({ scores }: Pick<Scored, 'scores'>, minScore: number | undefined): number {
  let count = scores.length;
  while (count > 0 && !scoresEnough(scores[count - 1]!, minScore)) count--;
  return count;
}

/** The places of one answer as they are given. */
class Places {
  readonly order: number[] = [];
  /** How many candidates were looked at so far. */
  looks = 0;
  readonly #count: number;
  readonly #pool: number;
  readonly #diversity: number;
  readonly #taken: Uint8Array;
  readonly #adjuster: Adjuster;
  readonly #groups: Groups;
  readonly #quotas: Quotas;
  readonly #similarity: Similarity | undefined;
  /** How like a position is to the nearest that was chosen, of those that it was compared with. */
  readonly #nearest: Float64Array;
  readonly #compared: Uint32Array;

  constructor(request: Request, scored: Scored, count: number, fetched: Fetched | undefined) {
    const { diversity } = request.query;
    this.#count = count;
    this.#pool = scored.allCompete === true ? count : poolOf(request.query);
    this.#diversity = diversity;
    this.#taken = new Uint8Array(count);
    this.#nearest = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
    this.#compared = new Uint32Array(count);
    this.#adjuster = new Adjuster(request, scored, Math.min(count, poolOf(request.query)));
    this.#groups = new Groups(request, scored);
    this.#quotas = new Quotas(request, scored);
    this.#similarity = diversity > 0 ? new Similarity(request, scored.items, fetched) : undefined;
  }

  get adjustments(): ReadonlyMap<number, Adjustments> {
    return this.#adjuster.made;
  }

  /** Gives the next place; false where nothing is left that may have it. */
  takeBest(): boolean {
    const behind = this.#quotas.behind(this.order.length + 1);
    const fromQuota = behind === undefined ? undefined : this.#best((p) => this.#quotas.isOf(behind, p));
    const p = fromQuota ?? this.#best(() => true);
    if (p !== undefined) this.#take(p);
    return p !== undefined;
  }

  /** Fills the places up to k with positions drawn from the pool. */
  draw(k: number, seed: number): ReadonlySet<number> {
    const random = mulberry32(seed);
    const drawn = new Set<number>();
    while (this.order.length < k) {
      const rest = this.rest();
      if (rest.length === 0) break;
      const p = rest[Math.floor(random() * rest.length)]!;
      this.#take(p);
      drawn.add(p);
    }
    return drawn;
  }

  /** What of the first k lost its place to others of its group. */
  crowdedOut(k: number): Uint32Array {
    return firstPositions(Math.min(k, this.#count)).filter((p) => this.#taken[p] === 0 && this.#groups.isFull(p));
  }

  /** The pool: what stands first of what is left, by score. */
  rest(): number[] {
    const rest: number[] = [];
    for (let p = 0; p < this.#count && rest.length < this.#pool; p++) {
      if (this.#taken[p] === 0 && !this.#groups.isFull(p)) rest.push(p);
    }
    return rest;
  }

  #best(fits: (p: number) => boolean): number | undefined {
    let found: number | undefined;
    let highest = Number.NEGATIVE_INFINITY;
    let inPool = 0;
    for (let p = 0; p < this.#count && inPool < this.#pool; p++) {
      if (this.#taken[p] === 1 || !fits(p) || this.#groups.isFull(p)) continue;
      inPool++;
      const value = (1 - this.#diversity) * this.#adjuster.total(p) - this.#diversity * this.#likenessToChosen(p);
      if (value > highest) {
        highest = value;
        found = p;
      }
    }
    this.looks += inPool;
    return found;
  }

  /** Compares a position with those that were chosen since it was last looked at. */
  #likenessToChosen(p: number): number {
    if (this.#similarity === undefined || this.order.length === 0) return 0;
    let nearest = this.#nearest[p]!;
    for (let at = this.#compared[p]!; at < this.order.length; at++) {
      nearest = Math.max(nearest, this.#similarity.between(p, this.order[at]!));
    }
    this.#nearest[p] = nearest;
    this.#compared[p] = this.order.length;
    return nearest;
  }

  #take(p: number): void {
    this.#taken[p] = 1;
    this.order.push(p);
    this.#groups.add(p);
    this.#quotas.add(p);
  }
}

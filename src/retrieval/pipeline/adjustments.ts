/** What is added to the relevance of an item before it is ranked: for what many people have, for what somebody wants raised, for what is new. */
import { NighError } from '../../core/errors.js';
import { requireColumn } from '../filters/compile.js';
import type { Adjustments, Request, Scored } from './stages.js';

/** What positions of the scored items gain, computed where it is asked for. */
export class Adjuster {
  /** By position. */
  readonly made = new Map<number, Adjustments>();
  readonly #scored: Scored;
  readonly #range: number;
  readonly #popularity: Adjustment;
  readonly #boosts: Adjustment;
  readonly #recency: Adjustment;

  /**
   * Relevance is the score from 0 for the last of the pool, which are the first `pool` scored items, to 1 for the best, so that what is added
   * means the same in every space.
   * @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT for attributes
   */
  constructor(request: Request, scored: Scored, pool: number) {
    this.#scored = scored;
    this.#range = (scored.scores[0] ?? 0) - (scored.scores[pool - 1] ?? 0);
    this.#popularity = popularityOf(request);
    this.#boosts = boostsOf(request);
    this.#recency = recencyOf(request);
  }

  /** Relevance with all that is added to it. */
  total(p: number): number {
    const { relevance, popularity, boosts, recency } = this.#of(p);
    return relevance + popularity + boosts + recency;
  }

  #of(p: number): Adjustments {
    const known = this.made.get(p);
    if (known !== undefined) return known;
    const { items, scores } = this.#scored;
    const item = items[p]!;
    const behind = scores[0]! - scores[p]!;
    const adjustments = {
      // Without a range all of the pool is as good as the best.
      relevance: behind === 0 ? 1 : 1 - behind / (this.#range > 0 ? this.#range : behind),
      popularity: this.#popularity(item),
      boosts: this.#boosts(item),
      recency: this.#recency(item),
    };
    this.made.set(p, adjustments);
    return adjustments;
  }
}

type Adjustment = (item: number) => number;

const none: Adjustment = () => 0;

/** By the logarithm of how many people have it, as a share of the most: raised above 0, damped below. */
function popularityOf({ query, collection }: Request): Adjustment {
  const by = query.popularity;
  if (by === 0) return none;
  const { popularity, mostPopular } = collection.seen;
  const most = Math.log1p(Math.max(1, mostPopular));
  return (item) => (by * Math.log1p(popularity[item]!)) / most;
}

function boostsOf({ query: { boosts }, collection }: Request): Adjustment {
  if (boosts.length === 0) return none;
  const sets = boosts.map(({ where, by }) => ({ by, set: collection.filters.setOf(where) }));
  return (item) => sets.reduce((sum, { by, set }) => (set.has(item) ? sum + by : sum), 0);
}

/** The newest of the catalogue gets all of the weight, what is a half-life older half of it, what has no date nothing. */
function recencyOf({ query: { recency }, collection }: Request): Adjustment {
  if (recency === undefined) return none;
  const { attribute, halfLife, weight } = recency;
  const column = requireColumn(collection.catalogue.columns, attribute, 'recency.attribute');
  if (column.type !== 'number') {
    throw new NighError(
      'INVALID_ARGUMENT',
      `recency.attribute: expected a number, and ${attribute} is ${column.type}.`,
    );
  }
  const newest = collection.catalogue.largest(attribute);
  const { read } = column;
  return (item) => {
    const value = read(item);
    return typeof value === 'number' ? weight * 2 ** ((value - newest) / halfLife) : 0;
  };
}

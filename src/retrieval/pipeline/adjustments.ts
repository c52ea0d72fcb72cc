/** What is added to the relevance of an item before it is ranked: for what many people have, for what somebody wants raised, for what is new. */
import { NighError } from '../../core/errors.js';
import { requireColumn } from '../filters/compile.js';
import type { Adjustments, Request, Scored } from './stages.js';

/**
 * One for each of the first `pool` scored items. Relevance is the score from 0 for the least of these to 1 for the best, so that what is
 * added means the same in every space.
 * @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT for attributes
 */
export function adjustmentsOf(request: Request, { items, scores }: Scored, pool: number): Adjustments[] {
  const popularity = popularityOf(request);
  const boosts = boostsOf(request);
  const recency = recencyOf(request);
  const best = scores[0] ?? 0;
  const range = best - (scores[pool - 1] ?? 0);
  return Array.from({ length: pool }, (_, p) => ({
    relevance: range > 0 ? 1 - (best - scores[p]!) / range : 1,
    popularity: popularity(items[p]!),
    boosts: boosts(items[p]!),
    recency: recency(items[p]!),
  }));
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
  const { values } = column;
  const newest = newestOf(values);
  return (item) => (Number.isNaN(values[item]!) ? 0 : weight * 2 ** ((values[item]! - newest) / halfLife));
}

const newestByColumn = new WeakMap<Float64Array, number>();

function newestOf(values: Float64Array): number {
  const known = newestByColumn.get(values);
  if (known !== undefined) return known;
  let newest = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > newest && value < Number.POSITIVE_INFINITY) newest = value;
  newestByColumn.set(values, newest);
  return newest;
}

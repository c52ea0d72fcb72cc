/** What a query may ask for, checked. The same for the library, the command line and the service. */
import { invalidArgument } from '../core/errors.js';
import {
  checked,
  type Field,
  flag,
  integer,
  number,
  optional,
  type ParamsOf,
  readParams,
  text,
} from '../core/params.js';
import { readBlockWeights } from '../embeddings/blocks.js';
import type { HistoryEntry, QueryOptions, RecommendOptions } from './types.js';

const denied: Field<readonly string[]> = {
  optional: true,
  fallback: [],
  read: (value, path) => {
    if (!Array.isArray(value)) throw invalidArgument(path, 'an array of item ids', value);
    value.forEach((id, i) => {
      if (typeof id !== 'string') throw invalidArgument(`${path}[${i}]`, 'an item id (a string)', id);
    });
    return value;
  },
};

const signal = checked('an AbortSignal', (value): value is AbortSignal => value instanceof AbortSignal);

const querySchema = {
  k: integer({ min: 1, max: 10_000, default: 10 }),
  space: optional(text()),
  weights: optional({ read: readBlockWeights, optional: false }),
  exact: flag({ default: false }),
  efSearch: optional(integer({ min: 1, max: 10_000 })),
  deny: denied,
  signal: optional(signal),
};

const recommendSchema = { ...querySchema, excludeSeen: flag({ default: true }) };

/** QueryOptions with every default filled in. */
export type Query = ParamsOf<typeof querySchema>;

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readQueryOptions(options: QueryOptions): Query {
  return readParams(querySchema, options, '');
}

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readRecommendOptions(options: RecommendOptions): Query & { readonly excludeSeen: boolean } {
  return readParams(recommendSchema, options, '');
}

const maxHistory = 10_000;

const historySchema = { item: text(), weight: number({ above: 0, max: 1e6, default: 1 }) };

/**
 * Item → weight; the weights of an item that comes twice are added.
 * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION
 */
export function readHistory(history: readonly HistoryEntry[]): ReadonlyMap<string, number> {
  if (!Array.isArray(history) || history.length === 0 || history.length > maxHistory) {
    throw invalidArgument('history', `an array of 1 to ${maxHistory} entries { item, weight }`, history);
  }
  const weights = new Map<string, number>();
  history.forEach((entry: unknown, i) => {
    const { item, weight } = readParams(historySchema, entry, `history[${i}]`);
    weights.set(item, (weights.get(item) ?? 0) + weight);
  });
  return weights;
}

const findSchema = { limit: integer({ min: 1, max: 10_000, default: 10 }) };

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readFindOptions(options: { readonly limit?: number }): { readonly limit: number } {
  return readParams(findSchema, options, '');
}

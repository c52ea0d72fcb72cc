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
import { tasteField } from './taste.js';
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

const recommendSchema = { ...querySchema, excludeSeen: flag({ default: true }), taste: tasteField };

/** RecommendOptions with every default filled in. */
export type RecommendQuery = ParamsOf<typeof recommendSchema>;

/** QueryOptions with every default filled in. */
export type Query = ParamsOf<typeof querySchema>;

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readQueryOptions(options: QueryOptions): Query {
  return readParams(querySchema, options, '');
}

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readRecommendOptions(options: RecommendOptions): RecommendQuery {
  return readParams(recommendSchema, options, '');
}

const maxHistory = 10_000;

const weight: Field<number> = {
  optional: true,
  fallback: 1,
  read: (value, path) => {
    const fits = typeof value === 'number' && Math.abs(value) <= 1e6 && value !== 0;
    if (!fits) throw invalidArgument(path, 'a number from -1e6 to 1e6 other than 0', value);
    return value;
  },
};

const historySchema = { item: text(), weight, timestamp: optional(number()) };

/** A HistoryEntry with its default filled in. */
export type HistoryPick = ParamsOf<typeof historySchema>;

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readHistory(history: readonly HistoryEntry[]): readonly HistoryPick[] {
  if (!Array.isArray(history) || history.length === 0 || history.length > maxHistory) {
    throw invalidArgument('history', `an array of 1 to ${maxHistory} entries { item, weight }`, history);
  }
  return history.map((entry: unknown, i) => readParams(historySchema, entry, `history[${i}]`));
}

const findSchema = { limit: integer({ min: 1, max: 10_000, default: 10 }) };

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readFindOptions(options: { readonly limit?: number }): { readonly limit: number } {
  return readParams(findSchema, options, '');
}

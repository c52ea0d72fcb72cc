/** What a query may ask for, checked. The same for the library, the command line and the service. */
import { invalidArgument, NighError } from '../core/errors.js';
import {
  checked,
  choice,
  type Field,
  flag,
  integer,
  isPlainObject,
  number,
  optional,
  type ParamsOf,
  readParams,
  type Schema,
  text,
} from '../core/params.js';
import { readBlockWeights } from '../embeddings/blocks.js';
import type { KeyedPredicate } from './filters/filter-cache.js';
import { whereField } from './filters/where-field.js';
import { tasteField } from './taste.js';
import type { HistoryEntry, QueryOptions, RecommendOptions, SimilarUsersOptions } from './types.js';

function itemIds(expected: string): Field<readonly string[] | undefined> {
  return {
    optional: true,
    read: (value, path) => {
      if (!Array.isArray(value)) throw invalidArgument(path, expected, value);
      value.forEach((id, i) => {
        if (typeof id !== 'string') throw invalidArgument(`${path}[${i}]`, 'an item id (a string)', id);
      });
      return value;
    },
  };
}

const signal = checked('an AbortSignal', (value): value is AbortSignal => value instanceof AbortSignal);

/** Shares of the results by space; together at most all of them. */
const quotas: Field<Readonly<Record<string, number>>> = {
  optional: true,
  fallback: {},
  read: (value, path) => {
    const expected = 'an object of spaces and shares that sum to at most 1, such as { "image": 0.2 }';
    if (!isPlainObject(value)) throw invalidArgument(path, expected, value);
    const share = number({ min: 0, max: 1 });
    const read = Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, share.read(each, `${path}.${name}`)]),
    );
    const sum = Object.values(read).reduce((total, each) => total + each, 0);
    if (sum > 1 + 1e-9) throw new NighError('INVALID_ARGUMENT', `${path}: expected ${expected}, got a sum of ${sum}.`);
    return read;
  },
};

/** An options object within the options. */
function nested<S extends Schema>(schema: S): Field<ParamsOf<S>> {
  return { optional: false, read: (value, path) => readParams(schema, value, path) };
}

const boostSchema = {
  where: { ...whereField, optional: false } as Field<KeyedPredicate>,
  by: number({ min: -1, max: 1 }),
};
const mostBoosts = 100;

const boosts: Field<readonly ParamsOf<typeof boostSchema>[]> = {
  optional: true,
  fallback: [],
  read: (value, path) => {
    if (!Array.isArray(value) || value.length > mostBoosts) {
      throw invalidArgument(path, `an array of at most ${mostBoosts} entries { where, by }`, value);
    }
    return value.map((each, i) => readParams(boostSchema, each, `${path}[${i}]`));
  },
};

const perGroup = nested({ attribute: text(), most: integer({ min: 1, max: 10_000 }) });
const recency = nested({
  attribute: text(),
  halfLife: number({ above: 0 }),
  weight: number({ min: 0, max: 1, default: 0.3 }),
});
const explore = nested({
  slots: integer({ min: 1, max: 10_000 }),
  seed: integer({ min: 0, max: 0xffffffff, default: 0 }),
});

const querySchema = {
  k: integer({ min: 1, max: 10_000, default: 10 }),
  space: optional(text()),
  weights: optional({ read: readBlockWeights, optional: false }),
  fusion: choice(['sum', 'rrf'], { default: 'sum' }),
  missing: choice(['zero', 'renormalise'], { default: 'zero' }),
  quotas,
  candidates: optional(integer({ min: 1, max: 1_000_000 })),
  exact: flag({ default: false }),
  efSearch: optional(integer({ min: 1, max: 10_000 })),
  recall: optional(number({ above: 0, max: 0.9999 })),
  where: whereField,
  allow: itemIds('an array of item ids'),
  deny: itemIds('an array of item ids'),
  minScore: optional(number()),
  diversity: number({ min: 0, max: 1, default: 0 }),
  perGroup: optional(perGroup),
  popularity: number({ min: -1, max: 1, default: 0 }),
  boosts,
  recency: optional(recency),
  explore: optional(explore),
  fallback: optional(flag()),
  explain: flag({ default: false }),
  signal: optional(signal),
};

const recommendSchema = { ...querySchema, excludeSeen: flag({ default: true }), taste: tasteField };

/** RecommendOptions with every default filled in; those of a question about an item, which has no past, as if nothing was said. */
export type AnyQuery = ParamsOf<typeof recommendSchema>;

/** The largest k beside a diversity: the work is that of k² comparisons. */
const mostDiverse = 1_000;

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readQueryOptions(options: QueryOptions): AnyQuery {
  return agreeing({ ...readParams(querySchema, options, ''), excludeSeen: true, taste: {} });
}

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readRecommendOptions(options: RecommendOptions): AnyQuery {
  return agreeing(readParams(recommendSchema, options, ''));
}

/** @throws NighError INVALID_ARGUMENT where options contradict each other */
function agreeing(query: AnyQuery): AnyQuery {
  const { k, diversity, efSearch, recall } = query;
  if (efSearch !== undefined && recall !== undefined) {
    throw new NighError('INVALID_ARGUMENT', 'recall: expected only one of efSearch and recall, got both.');
  }
  if (diversity > 0 && k > mostDiverse) {
    throw new NighError('INVALID_ARGUMENT', `k: expected at most ${mostDiverse} beside diversity, got ${k}.`);
  }
  return query;
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

/** An empty one is that of somebody of whom nothing is known. @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readHistory(history: readonly HistoryEntry[]): readonly HistoryPick[] {
  if (!Array.isArray(history) || history.length > maxHistory) {
    throw invalidArgument('history', `an array of at most ${maxHistory} entries { item, weight }`, history);
  }
  return history.map((entry: unknown, i) => readParams(historySchema, entry, `history[${i}]`));
}

const similarUsersSchema = {
  k: integer({ min: 1, max: 10_000, default: 10 }),
  space: optional(text()),
  signal: optional(signal),
};

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readSimilarUsersOptions(options: SimilarUsersOptions): ParamsOf<typeof similarUsersSchema> {
  return readParams(similarUsersSchema, options, '');
}

const findSchema = { limit: integer({ min: 1, max: 10_000, default: 10 }) };

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readFindOptions(options: { readonly limit?: number }): { readonly limit: number } {
  return readParams(findSchema, options, '');
}

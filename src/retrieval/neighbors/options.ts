/** What a pass over everybody may ask for, checked. */
import { invalidArgument } from '../../core/errors.js';
import { choice, type Field, integer, optional, readParams } from '../../core/params.js';
import { type AnyQuery, readQueryOptions, readRecommendOptions } from '../query-options.js';
import type { RecommendOptions } from '../types.js';

/** One part of a pass that several jobs share. */
export interface Shard {
  /** From 1. */
  readonly number: number;
  /** How many there are. */
  readonly of: number;
}

/**
 * The options of `similarItems` for items and of `recommend` for users, but for `explain`; k is 50 where nothing is said. A pass is fast where
 * one search answers each row; re-ranking, weights of several spaces and `candidates` are answered row by row.
 */
export interface NeighborsOptions extends Omit<RecommendOptions, 'explain' | 'k'> {
  /** How many neighbours of each, 1 to 10,000. Default 50. */
  readonly k?: number;
  /** Who is asked for: every item has items like it, every user items that suit them. Default `items`. */
  readonly of?: 'items' | 'users';
  /** Only this part of the rows: those of all shards, one after the other, are the rows of the whole. Default: all. */
  readonly shard?: Shard;
  /** Native threads; 0 (default) = all. */
  readonly threads?: number;
}

/** NeighborsOptions with every default filled in. */
export interface NeighborsQuery {
  readonly of: 'items' | 'users';
  readonly shard: Shard;
  readonly threads: number;
  readonly query: AnyQuery;
}

const shardSchema = { number: integer({ min: 1, max: 1_000_000 }), of: integer({ min: 1, max: 1_000_000 }) };

const shard: Field<Shard> = {
  optional: true,
  fallback: { number: 1, of: 1 },
  read: (value, path) => {
    const read = readParams(shardSchema, value, path);
    if (read.number > read.of) throw invalidArgument(`${path}.number`, `at most the ${read.of} shards`, read.number);
    return read;
  },
};

const passSchema = {
  of: choice(['items', 'users'], { default: 'items' }),
  shard,
  threads: integer({ min: 0, max: 1024, default: 0 }),
};

const explain = optional<undefined>({
  optional: false,
  read: (value, path) => {
    throw invalidArgument(path, 'nothing: a pass over everybody is not explained', value);
  },
});

const defaultK = 50;

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readNeighborsOptions(options: NeighborsOptions): NeighborsQuery {
  const { of: who, shard: part, threads: some, ...rest } = options ?? {};
  const { of, shard: read, threads } = readParams(passSchema, { of: who, shard: part, threads: some }, '');
  const { explain: unwanted, ...question } = rest as RecommendOptions;
  readParams({ explain }, { explain: unwanted }, '');
  const asked = { ...question, k: question.k ?? defaultK };
  return { of, shard: read, threads, query: of === 'items' ? readQueryOptions(asked) : readRecommendOptions(asked) };
}

/** What PgVectorIndex takes: its options and how they are read. */
import { checked, choice, flag, integer, optional, text } from '../core/params.js';
import { buildFields } from '../index/build-options.js';
import type { Ids } from '../index/id-list.js';
import { type ProductMetricName, productMetricNames } from '../index/vector-index.js';
import { Database } from './database.js';

/** pgvector's own bound of hnsw.ef_search. */
export const largestPool = 1000;
const defaultPool = 64;

/** The recall that a size of the pool reached, measured. */
export interface MeasuredEffort {
  readonly efSearch: number;
  readonly recall: number;
}

export interface PgOpenOptions {
  /** postgres://user@host:5432/database; the password is better left to PGPASSWORD or ~/.pgpass. Or a database that is open, which stays so. */
  readonly connection: string | Database;
  /** `schema.table`, or a table of the search path. */
  readonly table: string;
  readonly metric: ProductMetricName;
  /** Candidate pool of a search that names none, 1 to 1,000. Default 64. */
  readonly efSearch?: number | undefined;
  /** Connections at once, where a URL is given. Default 4. */
  readonly connections?: number | undefined;
  /** What `recall` is answered by. Default: nothing was measured, and who wants a recall gets the exact answer. */
  readonly efforts?: readonly MeasuredEffort[] | undefined;
}

export interface PgBuildOptions extends PgOpenOptions {
  /** One distinct uint32 a row. Default: 0 … rows − 1. */
  readonly ids?: Ids | undefined;
  /** Whether there is an HNSW index. Default: from 1,000 rows on, up to pgvector's 2,000 dimensions. */
  readonly graph?: boolean | undefined;
  /** Links of a row in the graph, 2 to 100. Default 16. */
  readonly m?: number | undefined;
  /** Pool while it is built, 4 to 1,000. Default 200. */
  readonly efConstruction?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const isConnection = (value: unknown): value is string | Database =>
  typeof value === 'string' || value instanceof Database;
export const openSchema = {
  connection: checked('a URL or a Database', isConnection),
  table: text(),
  metric: choice(productMetricNames),
  efSearch: integer({ min: 1, max: largestPool, default: defaultPool }),
  connections: integer({ min: 1, max: 1000, default: 4 }),
  efforts: optional(checked('an array', (value): value is readonly MeasuredEffort[] => Array.isArray(value))),
};
export const buildSchema = {
  ...openSchema,
  ids: buildFields.ids,
  graph: optional(flag()),
  m: integer({ min: 2, max: 100, default: 16 }),
  efConstruction: integer({ min: 4, max: 1000, default: 200 }),
  signal: buildFields.signal,
};
export const changeSchema = {
  signal: buildFields.signal,
  onProgress: buildFields.onProgress,
  threads: integer({ min: 0, max: 1024, default: 0 }),
};
export const replaceSchema = { ...changeSchema, addMissing: flag({ default: false }) };
export const removeSchema = { ...changeSchema, ignoreMissing: flag({ default: false }) };
export const verifySchema = {
  ...changeSchema,
  repair: flag({ default: false }),
  efSearch: optional(integer({ min: 1 })),
};

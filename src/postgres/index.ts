/** `nigh/postgres`: vectors and collections in PostgreSQL with pgvector. Needs the packages pg and pg-copy-streams. */
export { Database, type DatabaseOptions } from './database.js';
export { type OpenPushedOptions, openPushed } from './open-pushed.js';
export type { MeasuredEffort, PgBuildOptions, PgOpenOptions } from './pg-options.js';
export { PgVectorIndex } from './pg-vector-index.js';
export { type Push, type PushedTable, type PushOptions, type PushStep, pushCollection } from './push-collection.js';

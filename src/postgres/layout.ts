/**
 * Where a pushed collection lies.
 *
 *   nigh_<collection>_gen_000007   a generation: tables that are never changed once its row in `generation` says `complete`
 *     generation                   one row: the manifest, the attributes' names and types, whether all of it is there
 *     items, users                 vocabularies by ordinal; items with titles and attributes (jsonb)
 *     interactions                 what every user did: seen-lists and tastes
 *     files                        the models of spaces, in parts
 *     similar_<space>, recommend_<space>, users_<space>    vectors by ordinal
 *   nigh_<collection>              views of the live generation's tables, all switched in one transaction
 */
import { NighError } from '../core/errors.js';
import { quoteName } from './sql-text.js';

/** PostgreSQL cuts longer names. */
const longestName = 63;

export interface Layout {
  readonly live: string;
  /** The schema of a generation. */
  generation(name: string): string;
  /** What the schemas of its generations begin with. */
  readonly prefix: string;
}

/** @throws NighError UNSUPPORTED for a name that a schema cannot have */
export function layoutOf(collection: string): Layout {
  const live = `nigh_${collection}`;
  const prefix = `${live}_gen_`;
  if (Buffer.byteLength(prefix) + 8 > longestName || /_gen_\d+$/.test(collection)) {
    throw new NighError(
      'UNSUPPORTED',
      `The name ${JSON.stringify(collection)} cannot be that of a schema: it needs at most ${longestName - 18} characters, and another end than _gen_ and a number.`,
    );
  }
  return { live, prefix, generation: (name) => `${live}_${name.replace('-', '_')}` };
}

export const tableNames = {
  generation: 'generation',
  items: 'items',
  users: 'users',
  interactions: 'interactions',
  files: 'files',
  similar: (space: string) => `similar_${space}`,
  recommend: (space: string) => `recommend_${space}`,
  usersOf: (space: string) => `users_${space}`,
} as const;

/** A table of a schema, quoted. */
export function tableIn(schema: string, table: string): string {
  return `${quoteName(schema)}.${quoteName(table)}`;
}

/** What is kept of an attribute beside its values. */
export interface PushedColumn {
  readonly name: string;
  readonly type: 'text' | 'number' | 'tags';
}

/** What was measured of a table of vectors when it was pushed. */
export interface PushedIndex {
  readonly efSearch: number;
  readonly efforts: readonly { readonly efSearch: number; readonly recall: number }[];
}

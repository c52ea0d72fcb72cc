/**
 * A generation into PostgreSQL, blue/green.
 *
 *   1. one pusher a collection at a time (an advisory lock); what a push that died left half loaded is dropped
 *   2. a schema of its own; vocabularies, attributes, interactions, models and vectors by COPY, a table a transaction
 *   3. HNSW indexes, where the collection's own are graphs
 *   4. exact answers compared with the collection's own; recall of the graphs measured, which must reach the recipe's floor
 *   5. one transaction: the row that says `complete`, and the views, which from then on show the new tables
 *   6. old generations are dropped but for the newest
 *
 * Whatever ends it before 5 leaves the views as they were.
 */

import { join } from 'node:path';
import { throwIfAborted } from '../core/abort.js';
import { NighError } from '../core/errors.js';
import { checked, integer, optional, type ParamsOf, readParams, text } from '../core/params.js';
import { buildFields } from '../index/build-options.js';
import type { VectorIndex } from '../index/vector-index.js';
import { isProductMetric } from '../index/vector-index.js';
import { Collection, type Generation } from '../retrieval/collection.js';
import type { SpaceManifest } from '../retrieval/generation.js';
import { readFileStamped } from '../retrieval/packed-file.js';
import { Retriever } from '../retrieval/retriever.js';
import { type Space, spaceFiles } from '../retrieval/space.js';
import type { IndexInfo } from '../retrieval/types.js';
import { textRows } from './copy-rows.js';
import { Database } from './database.js';
import { type Layout, layoutOf, type PushedColumn, type PushedIndex, tableIn, tableNames } from './layout.js';
import { idsOf, measurePushed } from './measure-pushed.js';
import { buildSchema } from './pg-options.js';
import { type ColumnType, PgTable, requireVectorExtension } from './pg-table.js';
import { deeds, itemRows, userRows } from './push-rows.js';
import { dropIncomplete, liveGenerationOf, schemasOf } from './pushed-schemas.js';
import { quoteName, quoteText } from './sql-text.js';

/** What the steps are called. */
export type PushStep = 'items' | 'users' | 'interactions' | 'files' | 'vectors' | 'graph' | 'recall' | 'switch';

export interface PushOptions {
  /** postgres://user@host:5432/database; the password is better left to PGPASSWORD or ~/.pgpass. */
  readonly to: string;
  /** Generations to keep in the database, the new one included, 1 to 1,000. Default 2. */
  readonly keep?: number;
  /** Links of a row in the graphs, 2 to 100. Default 16. */
  readonly m?: number;
  /** Pool while they are built, 4 to 1,000. Default 200. */
  readonly efConstruction?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (step: PushStep, what: string, done: number, total: number) => void;
}

export interface PushedTable {
  readonly space: string;
  readonly table: string;
  readonly rows: number;
  readonly dim: number;
  /** Whether it has an HNSW index. */
  readonly graph: boolean;
  /** recall@10 at `efSearch` against the collection's exact answers; 1 without a graph. */
  readonly recallAt10: number;
  readonly efSearch: number;
  readonly queries: number;
  readonly seconds: number;
}

export interface Push {
  readonly collection: string;
  readonly generation: string;
  /** Where its tables are. */
  readonly schema: string;
  /** False where it was live there already. */
  readonly switched: boolean;
  readonly items: number;
  readonly users: number;
  readonly interactions: number;
  readonly tables: readonly PushedTable[];
  /** Generations that were dropped. */
  readonly dropped: readonly string[];
  /** Changes of the journal that are not in the generation, and so not in the database. */
  readonly pending: number;
  /** Whether the tables are distributed over a Citus cluster. */
  readonly distributed: boolean;
  readonly bytes: number;
  readonly seconds: number;
}

const partBytes = 1 << 22;

type OnProgress = NonNullable<PushOptions['onProgress']>;

const pushSchema = {
  to: text(),
  keep: integer({ min: 1, max: 1000, default: 2 }),
  m: buildSchema.m,
  efConstruction: buildSchema.efConstruction,
  signal: buildFields.signal,
  onProgress: optional(checked('a function', (value): value is OnProgress => typeof value === 'function')),
};

/**
 * Pushes the live generation of a collection directory.
 * @throws NighError UNKNOWN_COLLECTION, what opening it throws, INVALID_ARGUMENT, UNKNOWN_OPTION, OPTIONAL_PACKAGE, CONNECTION_LOST, DATABASE,
 * UNSUPPORTED without pgvector 0.8, LOCKED while another pushes it, DUPLICATE_ID where the database has another generation of this name,
 * RECALL_FLOOR, ABORTED
 */
export async function pushCollection(directory: string, options: PushOptions): Promise<Push> {
  const began = performance.now();
  const settings = readParams(pushSchema, options, '');
  const database = await Database.open(settings.to, { connections: 3 });
  try {
    const generation = await Collection.open(directory, 'mmap');
    try {
      const pending = await pendingChanges(directory);
      const layout = layoutOf(generation.manifest.name);
      return await locked(database, layout, async () => {
        const pushed = await new Pusher(database, generation, directory, layout, settings).run();
        return { ...pushed, pending, seconds: (performance.now() - began) / 1000 };
      });
    } finally {
      await generation.closeAll();
    }
  } finally {
    await database.close();
  }
}

async function pendingChanges(directory: string): Promise<number> {
  const retriever = await Retriever.open(directory);
  const pending = retriever.journal?.entries ?? 0;
  await retriever.close();
  return pending;
}

/** The lock is the connection's: whoever dies lets it go. @throws NighError LOCKED */
function locked<T>(database: Database, { live }: Layout, work: () => Promise<T>): Promise<T> {
  return database.held(async (read) => {
    const key = `hashtextextended(${quoteText(live)}, 0)`;
    const [got] = await read(`SELECT pg_try_advisory_lock(${key})`);
    if (got?.[0] !== 't') throw new NighError('LOCKED', `${database.name}: another process pushes to ${live}.`);
    try {
      return await work();
    } finally {
      await read(`SELECT pg_advisory_unlock(${key})`).catch(() => {}); // a connection that was lost has let it go
    }
  });
}

class Pusher {
  readonly #database: Database;
  readonly #generation: Generation;
  readonly #directory: string;
  readonly #layout: Layout;
  readonly #schema: string;
  readonly #options: ParamsOf<typeof pushSchema>;
  #distributed = false;

  constructor(
    database: Database,
    generation: Generation,
    directory: string,
    layout: Layout,
    options: ParamsOf<typeof pushSchema>,
  ) {
    this.#database = database;
    this.#generation = generation;
    this.#directory = directory;
    this.#layout = layout;
    this.#options = options;
    this.#schema = layout.generation(generation.manifest.generation);
  }

  async run(): Promise<Omit<Push, 'pending' | 'seconds'>> {
    const { manifest, catalogue, users, seen } = this.#generation;
    await this.#prepare();
    const counts = { items: catalogue.size, users: users.size, interactions: seen.interactions };
    const told = { collection: manifest.name, generation: manifest.generation, schema: this.#schema, ...counts };
    if (await this.#isComplete()) {
      const switched = (await liveGenerationOf(this.#database, this.#layout)) !== manifest.generation;
      if (switched) await this.#switch(undefined);
      const dropped = await this.#prune();
      const bytes = await this.#bytes();
      return { ...told, switched, tables: [], dropped, distributed: this.#distributed, bytes };
    }
    const tables: PushedTable[] = [];
    const indexes: Record<string, PushedIndex> = {};
    await this.#loadVocabularies();
    const spaces: SpaceManifest[] = [];
    for (const space of manifest.spaces) spaces.push(await this.#loadSpace(space, tables, indexes));
    const bytes = await this.#bytes();
    const files = Object.fromEntries(this.#models().map((name) => [name, manifest.files[name]!]));
    const { made: _made, journal: _journal, journalFolder: _folder, pictures: _pictures, ...rest } = manifest;
    await this.#switch({ manifest: { ...rest, spaces, files, tableBytes: bytes }, indexes });
    return { ...told, switched: true, tables, dropped: await this.#prune(), distributed: this.#distributed, bytes };
  }

  async #prepare(): Promise<void> {
    const { signal } = this.#options;
    throwIfAborted(signal);
    const [there] = await this.#database.read(`SELECT count(*) FROM pg_extension WHERE extname = 'vector'`);
    // Who may not create it is told that it is not there.
    if (there?.[0] === '0') await this.#database.alone('CREATE EXTENSION IF NOT EXISTS vector').catch(() => {});
    await requireVectorExtension(this.#database);
    const [citus] = await this.#database.read(`SELECT count(*) FROM pg_extension WHERE extname = 'citus'`);
    this.#distributed = citus?.[0] !== '0';
    await dropIncomplete(this.#database, this.#layout);
  }

  /** @throws NighError DUPLICATE_ID */
  async #isComplete(): Promise<boolean> {
    const known = (await schemasOf(this.#database, this.#layout)).find(({ name }) => name === this.#schema);
    if (known === undefined) return false;
    const { createdAt, generation } = this.#generation.manifest;
    if (known.createdAt === createdAt) return true;
    throw new NighError(
      'DUPLICATE_ID',
      `${this.#database.name}: the schema ${this.#schema} holds another ${generation}, built ${known.createdAt}; drop it, or build a further generation.`,
    );
  }

  async #loadVocabularies(): Promise<void> {
    const { signal } = this.#options;
    const { catalogue, users, seen } = this.#generation;
    const schema = this.#schema;
    const columns: PushedColumn[] = [...catalogue.columns].map(([name, { type }]) => ({ name, type }));
    const table = (name: string) => tableIn(schema, name);
    await this.#database.transact(async (transaction) => {
      await transaction.read(`CREATE SCHEMA ${quoteName(schema)}`);
      await transaction.read(
        `CREATE TABLE ${table(tableNames.generation)} (complete boolean NOT NULL, created_at text NOT NULL, columns jsonb NOT NULL, manifest text, indexes jsonb)`,
      );
      await transaction.read(
        `INSERT INTO ${table(tableNames.generation)} VALUES (false, ${quoteText(this.#generation.manifest.createdAt)}, ${quoteText(JSON.stringify(columns))}, NULL, NULL)`,
      );
      await transaction.read(
        `CREATE TABLE ${table(tableNames.items)} (ordinal bigint PRIMARY KEY, id text NOT NULL, title text NOT NULL, attributes jsonb NOT NULL)`,
      );
      await transaction.read(`CREATE TABLE ${table(tableNames.users)} (ordinal bigint PRIMARY KEY, id text NOT NULL)`);
      await transaction.read(
        `CREATE TABLE ${table(tableNames.interactions)} (user_ordinal bigint, item_ordinal bigint, value real NOT NULL, at double precision, PRIMARY KEY (user_ordinal, item_ordinal))`,
      );
      await transaction.read(
        `CREATE TABLE ${table(tableNames.files)} (name text, part integer, bytes bytea NOT NULL, PRIMARY KEY (name, part))`,
      );
      if (this.#distributed) await this.#distribute(transaction.read);
    }, signal);
    const load = (
      step: PushStep,
      name: string,
      names: string,
      total: number,
      rows: Iterable<readonly (string | number | undefined)[]>,
    ) => this.#copy(step, table(name), names, total, rows);
    await load('items', tableNames.items, 'ordinal, id, title, attributes', catalogue.size, itemRows(this.#generation));
    await load('users', tableNames.users, 'ordinal, id', users.size, userRows(this.#generation));
    await load(
      'interactions',
      tableNames.interactions,
      'user_ordinal, item_ordinal, value, at',
      seen.interactions,
      deeds(this.#generation),
    );
    await this.#loadFiles();
    await this.#database.alone(
      `CREATE UNIQUE INDEX ON ${table(tableNames.items)} USING btree (id); CREATE UNIQUE INDEX ON ${table(tableNames.users)} USING btree (id)`,
      signal,
    );
  }

  /** As the documentation of Citus has it: small tables on every node, the others by what they are asked for. */
  async #distribute(read: (sql: string) => Promise<unknown>): Promise<void> {
    const text = (name: string) => quoteText(tableIn(this.#schema, name));
    for (const name of [tableNames.generation, tableNames.items, tableNames.users, tableNames.files]) {
      await read(`SELECT create_reference_table(${text(name)})`);
    }
    await read(`SELECT create_distributed_table(${text(tableNames.interactions)}, 'user_ordinal')`);
  }

  async #copy(
    step: PushStep,
    table: string,
    names: string,
    total: number,
    rows: Iterable<readonly (string | number | undefined)[]>,
  ): Promise<void> {
    const { signal, onProgress } = this.#options;
    let done = 0;
    const counted = (function* () {
      for (const row of rows) {
        if (++done % 10_000 === 0) onProgress?.(step, table, done, total);
        yield row;
      }
    })();
    await this.#database.transact(
      (transaction) => transaction.copy(`COPY ${table} (${names}) FROM STDIN`, textRows(counted)),
      signal,
    );
    onProgress?.(step, table, total, total);
  }

  #models(): string[] {
    const { spaces, files } = this.#generation.manifest;
    return spaces.map(({ name }) => spaceFiles.model(name)).filter((name) => files[name] !== undefined);
  }

  async #loadFiles(): Promise<void> {
    const { generation, files } = this.#generation.manifest;
    for (const name of this.#models()) {
      const bytes = await readFileStamped(join(this.#directory, generation, name), files[name]!);
      const parts = (function* () {
        for (let part = 0; part * partBytes < bytes.length; part++) {
          yield [name, part, `\\x${bytes.subarray(part * partBytes, (part + 1) * partBytes).toString('hex')}`] as const;
        }
      })();
      await this.#copy(
        'files',
        tableIn(this.#schema, tableNames.files),
        'name, part, bytes',
        Math.ceil(bytes.length / partBytes),
        parts,
      );
    }
  }

  async #loadSpace(
    manifest: SpaceManifest,
    tables: PushedTable[],
    indexes: Record<string, PushedIndex>,
  ): Promise<SpaceManifest> {
    const space = this.#generation.requireSpace(manifest.name);
    const { similar, recommend } = space.indexes;
    const load = async (name: string, index: VectorIndex, asks: 'items' | 'users' | 'nobody'): Promise<IndexInfo> => {
      const pushed = await this.#loadVectors(space, name, index, asks, indexes);
      tables.push(pushed);
      const { metric, dim, size: count } = index;
      const fileBytes = await sizeOf(this.#database, tableIn(this.#schema, name));
      const { recallAt10, queries } = pushed;
      return { kind: 'pgvector', metric, dim, count, fileBytes, recallAt10, queries };
    };
    const { efSearch: _own, ...rest } = manifest;
    const ofItems = await load(tableNames.similar(space.name), similar, 'items');
    const forUsers =
      recommend === undefined ? undefined : await load(tableNames.recommend(space.name), recommend, 'users');
    if (space.fittedUsers !== undefined) await load(tableNames.usersOf(space.name), space.fittedUsers, 'nobody');
    return {
      ...rest,
      similar: { ...rest.similar, ...ofItems },
      ...(forUsers === undefined ? {} : { recommend: { ...rest.recommend, ...forUsers } }),
    };
  }

  async #loadVectors(
    space: Space,
    name: string,
    index: VectorIndex,
    asks: 'items' | 'users' | 'nobody',
    indexes: Record<string, PushedIndex>,
  ): Promise<PushedTable> {
    const began = performance.now();
    const { signal, onProgress, m, efConstruction } = this.#options;
    const { metric, dim, size } = index;
    if (!isProductMetric(metric)) {
      throw new NighError(
        'UNSUPPORTED',
        `The space ${space.name} is under ${metric}; pgvector here knows l2, ip and cosine.`,
      );
    }
    const type: ColumnType = index.kind === 'sparse' ? 'sparsevec' : 'vector';
    const table = `${this.#schema}.${name}`;
    const ids = await idsOf(index, signal);
    await this.#database.transact(async (transaction) => {
      await PgTable.create(transaction, table, dim, type);
      if (this.#distributed) {
        await transaction.read(`SELECT create_distributed_table(${quoteText(tableIn(this.#schema, name))}, 'id')`);
      }
      const onRows = (done: number) => onProgress?.('vectors', table, done, size);
      await PgTable.load(transaction, table, ids, (id) => index.vector(id)!, onRows, type);
    }, signal);
    const isGraph = (index.kind === 'hnsw' || index.kind === 'hnswlib') && dim <= PgTable.mostGraphDims && size > 0;
    if (isGraph) {
      onProgress?.('graph', table, 0, size);
      await this.#database.transact(
        (transaction) => PgTable.index(transaction, table, metric, type, { m, efConstruction }),
        signal,
      );
    }
    await this.#database.alone(`ANALYZE ${tableIn(this.#schema, name)}`, signal);
    onProgress?.('recall', table, 0, 1);
    const { recallFloor, spaces } = this.#generation.manifest;
    const own = spaces.find((manifest) => manifest.name === space.name);
    const measured = await measurePushed({
      ...{ database: this.#database, table, metric, index, recallFloor, signal },
      users: asks === 'users' ? space.fittedUsers : undefined,
      ownRecall: (asks === 'users' ? own?.recommend : own?.similar)?.recallAt10 ?? 0.95,
    });
    indexes[name] = { efSearch: measured.efSearch, efforts: measured.efforts };
    const { recallAt10, efSearch, queries } = measured;
    const seconds = (performance.now() - began) / 1000;
    return { space: space.name, table: name, rows: size, dim, graph: isGraph, recallAt10, efSearch, queries, seconds };
  }

  /** The views of the live schema, all in one transaction. */
  async #switch(done: { readonly manifest: object; readonly indexes: object } | undefined): Promise<void> {
    const { signal, onProgress } = this.#options;
    onProgress?.('switch', this.#layout.live, 0, 1);
    const { live } = this.#layout;
    await this.#database.transact(async (transaction) => {
      if (done !== undefined) {
        await transaction.read(
          `UPDATE ${tableIn(this.#schema, tableNames.generation)} SET complete = true, manifest = ${quoteText(JSON.stringify(done.manifest))}, indexes = ${quoteText(JSON.stringify(done.indexes))}`,
        );
      }
      await transaction.read(`CREATE SCHEMA IF NOT EXISTS ${quoteName(live)}`);
      const relations = (schema: string, kind: string) =>
        transaction.read(
          `SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = ${quoteText(schema)} AND relkind IN (${kind}) ORDER BY relname`,
        );
      for (const [view] of await relations(live, "'v'")) await transaction.read(`DROP VIEW ${tableIn(live, view!)}`);
      for (const [table] of await relations(this.#schema, "'r', 'p'")) {
        const columns =
          table === tableNames.generation
            ? `${quoteText(this.#generation.manifest.generation)}::text AS generation, ${quoteText(this.#schema)}::text AS schema, *`
            : '*';
        await transaction.read(
          `CREATE VIEW ${tableIn(live, table!)} AS SELECT ${columns} FROM ${tableIn(this.#schema, table!)}`,
        );
      }
    }, signal);
  }

  /** Drops old generations: of those that are complete the newest stay, the live one first. */
  async #prune(): Promise<string[]> {
    const { keep } = this.#options;
    const others = (await schemasOf(this.#database, this.#layout))
      .map(({ name }) => name)
      .filter((name) => name !== this.#schema);
    const old = others
      .sort()
      .reverse()
      .slice(Math.max(0, keep - 1));
    for (const schema of old) await this.#database.alone(`DROP SCHEMA ${quoteName(schema)} CASCADE`);
    return old;
  }

  async #bytes(): Promise<number> {
    const [row] = await this.#database.read(
      `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = ${quoteText(this.#schema)} AND relkind IN ('r', 'p')`,
    );
    return Number(row?.[0]);
  }
}

async function sizeOf(database: Database, table: string): Promise<number> {
  const [row] = await database.read(`SELECT pg_total_relation_size(to_regclass(${quoteText(table)}))`);
  return Number(row?.[0]);
}

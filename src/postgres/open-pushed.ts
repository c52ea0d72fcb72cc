/**
 * A collection that was pushed, opened for questions. What its items and users are called, their attributes and what users did are read into this
 * process when it is opened, so that titles, predicates and seen-lists cost no request; vectors stay in the database, and each search is one
 * request. docs/decisions tells why.
 */
import { createHash } from 'node:crypto';
import { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import { isPlainObject } from '../core/params.js';
import type { Column } from '../data/dataset.js';
import { IdSet } from '../index/id-set.js';
import { isProductMetric } from '../index/vector-index.js';
import { Catalogue } from '../retrieval/catalogue.js';
import { Generation } from '../retrieval/collection.js';
import { ContentTerms } from '../retrieval/content-terms.js';
import { Embedders } from '../retrieval/embedders.js';
import { FilterCache } from '../retrieval/filters/filter-cache.js';
import { Stoplists } from '../retrieval/filters/stoplists.js';
import { FixedCollection } from '../retrieval/fixed-collection.js';
import type { Manifest, SpaceManifest } from '../retrieval/generation.js';
import type { GenerationFiles } from '../retrieval/generation-files.js';
import { requireManifest } from '../retrieval/manifest-shape.js';
import { unpackBytes } from '../retrieval/packed-file.js';
import { Retriever, type RetrieverOptions } from '../retrieval/retriever.js';
import { SeenLists } from '../retrieval/seen-lists.js';
import { Space } from '../retrieval/space.js';
import { StringIndex } from '../retrieval/string-index.js';
import { Database } from './database.js';
import { withoutCollection } from './database-url.js';
import { layoutOf, type PushedColumn, type PushedIndex, tableIn, tableNames } from './layout.js';
import { PgVectorIndex } from './pg-vector-index.js';
import { liveGenerationOf } from './pushed-schemas.js';
import { quoteText } from './sql-text.js';

const rowsOfARead = 20_000;
const usersOfARead = 5000;

export interface OpenPushedOptions extends Pick<RetrieverOptions, 'stages'> {
  /** Connections at once. Default 8. */
  readonly connections?: number;
}

/**
 * @param url postgres://user@host:5432/database?collection=movies; without a name, the one collection that was pushed there
 * @throws NighError INVALID_ARGUMENT, OPTIONAL_PACKAGE, CONNECTION_LOST, DATABASE, UNKNOWN_COLLECTION, FORMAT, VERSION_UNSUPPORTED
 */
export async function openPushed(
  url: string,
  { connections = 8, ...options }: OpenPushedOptions = {},
): Promise<Retriever> {
  return Retriever.over(await openSource(url, connections), options);
}

async function openSource(url: string, connections: number): Promise<FixedCollection> {
  const { address, collection: wanted } = withoutCollection(url);
  const database = await Database.open(address, { connections });
  try {
    const layout = layoutOf(wanted ?? (await onlyCollection(database)));
    const live = await liveGenerationOf(database, layout);
    if (live === undefined) throw await unknownCollection(database, wanted);
    const generation = await readGeneration(database, layout.generation(live));
    return new FixedCollection({
      generation,
      place: database.name,
      liveGeneration: () => liveGenerationOf(database, layout),
      reopen: () => openSource(url, connections),
      onClosed: () => database.close(),
    });
  } catch (cause) {
    await database.close();
    throw cause;
  }
}

async function pushedCollections(database: Database): Promise<string[]> {
  const rows = await database.read(`
    SELECT substr(nspname, 6) FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
    WHERE starts_with(nspname, 'nigh_') AND relname = ${quoteText(tableNames.generation)} AND relkind = 'v' ORDER BY 1`);
  return rows.map(([name]) => name!);
}

async function onlyCollection(database: Database): Promise<string> {
  const names = await pushedCollections(database);
  if (names.length === 1) return names[0]!;
  throw await unknownCollection(database, undefined);
}

async function unknownCollection(database: Database, wanted: string | undefined): Promise<NighError> {
  const names = await pushedCollections(database);
  const there = names.length === 0 ? 'nothing was pushed there' : `pushed there: ${names.join(', ')}`;
  const message =
    wanted === undefined
      ? `${database.name}: name one collection (?collection=…); ${there}.`
      : `${database.name}: there is no collection ${JSON.stringify(wanted)}; ${there}.${didYouMean(wanted, names)}`;
  return new NighError('UNKNOWN_COLLECTION', message);
}

async function readGeneration(database: Database, schema: string): Promise<Generation> {
  const [row] = await database.read(`SELECT manifest, columns, indexes FROM ${tableIn(schema, tableNames.generation)}`);
  const place = `${database.name}, ${schema}`;
  if (row?.[0] == null) throw new NighError('FORMAT', `${place}: the generation is not complete.`);
  const manifest = requireManifest(JSON.parse(row[0]), place);
  const columns = JSON.parse(row[1]!) as PushedColumn[];
  const indexes = JSON.parse(row[2]!) as Record<string, PushedIndex>;
  const seen = await readSeen(database, schema, manifest);
  const users = new StringIndex(await StringIndex.index(await readUsers(database, schema, manifest)));
  const catalogue = await readCatalogue(database, schema, manifest, columns, seen.popularity);
  const files = new PushedFiles(database, schema, manifest);
  const spaces: Space[] = [];
  try {
    for (const space of manifest.spaces) spaces.push(await openSpace(database, schema, space, indexes, files));
    const { columns: attributes, size: items } = catalogue;
    return new Generation({
      ...{ manifest, catalogue, users, seen, spaces },
      sequence: 0,
      userCount: users.size,
      embedders: new Embedders(files, manifest),
      pictures: undefined,
      filters: new FilterCache({ columns: attributes, items }),
      stoplists: new Stoplists(catalogue),
      content: () => ContentTerms.of(attributes, items),
    });
  } catch (cause) {
    for (const space of spaces) space.close();
    throw cause;
  }
}

async function openSpace(
  database: Database,
  schema: string,
  manifest: SpaceManifest,
  indexes: Readonly<Record<string, PushedIndex>>,
  files: GenerationFiles,
): Promise<Space> {
  const open = async (table: string, metric: string) => {
    if (!isProductMetric(metric))
      throw new NighError('FORMAT', `${schema}.${table}: under an unknown metric, ${metric}.`);
    const { efSearch, efforts } = indexes[table] ?? {};
    return PgVectorIndex.open({ connection: database, table: `${schema}.${table}`, metric, efSearch, efforts });
  };
  const { name, similar, recommend, users } = manifest;
  const ofItems = await open(tableNames.similar(name), similar.metric);
  const ids = await database.read(`SELECT id FROM ${tableIn(schema, tableNames.similar(name))}`);
  const there = IdSet.allow(Uint32Array.from(ids, ([id]) => Number(id)));
  return Space.over(
    manifest,
    {
      similar: ofItems,
      recommend: recommend === undefined ? undefined : await open(tableNames.recommend(name), recommend.metric),
      users: users === 0 || recommend === undefined ? undefined : await open(tableNames.usersOf(name), 'ip'),
    },
    files,
    (item) => there.has(item),
  );
}

async function readUsers(database: Database, schema: string, { users }: Manifest): Promise<string[]> {
  const names: string[] = [];
  const table = tableIn(schema, tableNames.users);
  for (let begin = 0; begin < users; begin += rowsOfARead) {
    const rows = await database.read(
      `SELECT id FROM ${table} WHERE ordinal >= ${begin} AND ordinal < ${begin + rowsOfARead} ORDER BY ordinal`,
    );
    for (const [id] of rows) names.push(id!);
  }
  return required(names, users, `${schema}: users`);
}

async function readCatalogue(
  database: Database,
  schema: string,
  { items }: Manifest,
  columns: readonly PushedColumn[],
  popularity: Uint32Array,
): Promise<Catalogue> {
  const terms: string[] = [];
  const titles: string[] = [];
  const values = new Map<string, unknown[]>(columns.map(({ name }) => [name, []]));
  const table = tableIn(schema, tableNames.items);
  for (let begin = 0; begin < items; begin += rowsOfARead) {
    const rows = await database.read(
      `SELECT id, title, attributes FROM ${table} WHERE ordinal >= ${begin} AND ordinal < ${begin + rowsOfARead} ORDER BY ordinal`,
    );
    for (const [id, title, attributes] of rows) {
      terms.push(id!);
      titles.push(title!);
      const known: unknown = JSON.parse(attributes!);
      for (const [name, list] of values)
        list.push(isPlainObject(known) && Object.hasOwn(known, name) ? known[name] : undefined);
    }
  }
  required(terms, items, `${schema}: items`);
  const packed = await Catalogue.pack({
    items: { terms },
    titles,
    columns: new Map(columns.map(({ name, type }) => [name, columnOf(type, values.get(name)!)])),
  });
  return new Catalogue(packed, popularity);
}

function columnOf(type: PushedColumn['type'], values: readonly unknown[]): Column {
  if (type !== 'number') return { type, values } as Column;
  // Infinities were written as texts.
  return { type, values: values.map((value) => (value === undefined ? undefined : Number(value))) } as Column;
}

async function readSeen(database: Database, schema: string, manifest: Manifest): Promise<SeenLists> {
  const { items, users, interactions } = manifest;
  const offsets = new Uint32Array(users + 1);
  const columns = new Uint32Array(interactions);
  const values = new Float32Array(interactions);
  const timestamps = new Float64Array(interactions).fill(Number.NaN);
  const table = tableIn(schema, tableNames.interactions);
  let at = 0;
  for (let begin = 0; begin < users; begin += usersOfARead) {
    const rows = await database.read(
      `SELECT user_ordinal, item_ordinal, value, at FROM ${table} WHERE user_ordinal >= ${begin} AND user_ordinal < ${begin + usersOfARead} ORDER BY user_ordinal, item_ordinal`,
    );
    if (at + rows.length > interactions) break;
    for (const [user, item, value, time] of rows) {
      offsets[Number(user) + 1]!++;
      columns[at] = Number(item);
      values[at] = Number(value);
      if (time != null) timestamps[at] = Number(time);
      at++;
    }
  }
  if (at !== interactions)
    throw new NighError('FORMAT', `${schema}: expected ${interactions} interactions, got ${at}.`);
  for (let user = 0; user < users; user++) offsets[user + 1] = offsets[user + 1]! + offsets[user]!;
  const { entries } = new CsrMatrix(users, items, offsets, columns, values);
  const timed = entries > 0 && timestamps.some((time) => !Number.isNaN(time));
  return new SeenLists({ items, offsets, columns, values, ...(timed ? { timestamps } : {}) });
}

function required<T>(list: T[], expected: number, what: string): T[] {
  if (list.length === expected) return list;
  throw new NighError('FORMAT', `${what}: expected ${expected} rows, got ${list.length}.`);
}

/** The models, which were pushed in parts. */
class PushedFiles implements GenerationFiles {
  readonly #database: Database;
  readonly #schema: string;
  readonly #files: Manifest['files'];

  constructor(database: Database, schema: string, { files }: Manifest) {
    this.#database = database;
    this.#schema = schema;
    this.#files = files;
  }

  async readModel(name: string): Promise<Readonly<Record<string, unknown>>> {
    const place = `${this.#database.name}, ${this.#schema}: ${name}`;
    const stamp = this.#files[name];
    if (stamp === undefined) throw new NighError('FORMAT', `${place}: the manifest does not list it.`);
    const rows = await this.#database.read(
      `SELECT bytes FROM ${tableIn(this.#schema, tableNames.files)} WHERE name = ${quoteText(name)} ORDER BY part`,
    );
    const bytes = Buffer.concat(rows.map(([part]) => Buffer.from(part!.slice(2), 'hex')));
    if (createHash('sha256').update(bytes).digest('hex') !== stamp.sha256) {
      throw new NighError('CHECKSUM_MISMATCH', `${place}: the content is not what was written.`);
    }
    const model = unpackBytes(bytes, place);
    if (!isPlainObject(model)) throw new NighError('FORMAT', `${place}: expected an object.`);
    return model;
  }
}

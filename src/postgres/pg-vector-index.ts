/**
 * Vectors in a table of PostgreSQL, searched by pgvector.
 *
 *   table    id bigint primary key, embedding vector(dim) or sparsevec(dim); under cosine the rows are stored at unit length
 *   exact    every allowed row is compared: ORDER BY an expression that no index can serve, so that no setting decides it
 *   graph    ORDER BY … LIMIT over the table's HNSW index; the pool's size is set for the one transaction that the message is, and the scan goes
 *            on (hnsw.iterative_scan = strict_order) until k rows that the filter allows were met. Where it ends before, the exact scan answers:
 *            an answer always has min(k, matches) rows
 *   filters  ids in the WHERE clause, allowed or denied, whichever the set lists
 *
 * One search is one message and one round trip.
 */
import { throwIfAborted } from '../core/abort.js';
import { invalidArgument, NighError } from '../core/errors.js';
import { findNotFinite, type Matrix, requireMatrix, row } from '../core/matrix.js';
import { readParams } from '../core/params.js';
import { roomFor } from '../index/batch-answer.js';
import { requireIdPerRow } from '../index/build-options.js';
import { FlatIndex } from '../index/flat-index.js';
import { type Ids, isUint32, noId, toIds } from '../index/id-list.js';
import {
  checkBatchOptions,
  checkSearchOptions,
  requireDim,
  requireK,
  requirePath,
  requireQuery,
} from '../index/search-arguments.js';
import type {
  BatchOptions,
  BatchResult,
  ChangeOptions,
  IndexCapabilities,
  MutableVectorIndex,
  ProductMetricName,
  RemoveOptions,
  ReplaceOptions,
  SearchOptions,
  SearchPlan,
  SearchResult,
  VerifyOptions,
  VerifyReport,
} from '../index/vector-index.js';
import { Database, type Transaction } from './database.js';
import { type Listed, listOf, resultOf } from './filters-and-rows.js';
import {
  buildSchema,
  changeSchema,
  largestPool,
  type MeasuredEffort,
  openSchema,
  type PgBuildOptions,
  type PgOpenOptions,
  removeSchema,
  replaceSchema,
  verifySchema,
} from './pg-options.js';
import { PgTable, type TableShape } from './pg-table.js';
import { idsText, readVector } from './sql-text.js';

/** Indexes of fewer rows are compared whole: a walk would save nothing. */
const worthAGraph = 1000;
/** A filter that allows fewer than this, or this share of the rows, is answered by comparing what it allows. */
const fewAllowed = 1000;
const smallShare = 0.02;
const rowsAtOnce = 500;
const rowsOfARead = 2000;

/**
 * A table of vectors in PostgreSQL with pgvector 0.8 or later, as a vector index. `size` and `memoryBytes` (bytes in the database) are as of its
 * opening and its own changes; searches see whatever others have committed.
 *
 * ```ts
 * using index = await PgVectorIndex.open({ connection: 'postgres://app@db/shop', table: 'public.items', metric: 'cosine' });
 * const { ids, distances } = await index.search(query, 10, { filter: IdSet.deny(seen) });
 * ```
 */
export class PgVectorIndex implements MutableVectorIndex {
  readonly kind = 'pgvector';
  readonly metric: ProductMetricName;
  readonly dim: number;
  readonly efSearch: number;
  readonly capabilities: IndexCapabilities;
  readonly #database: Database;
  readonly #table: PgTable;
  readonly #ownsDatabase: boolean;
  readonly #efforts: readonly MeasuredEffort[];
  readonly #underWay = new Set<Promise<unknown>>();
  #changes: Promise<unknown> = Promise.resolve();
  #size: number;
  #bytes: number;
  #isClosed = false;

  private constructor(
    database: Database,
    table: PgTable,
    shape: TableShape,
    options: { readonly efSearch: number; readonly efforts: readonly MeasuredEffort[]; readonly owns: boolean },
  ) {
    this.#database = database;
    this.#table = table;
    this.metric = table.metric;
    this.dim = table.dim;
    this.efSearch = options.efSearch;
    this.#efforts = options.efforts;
    this.#ownsDatabase = options.owns;
    this.#size = shape.rows;
    this.#bytes = shape.bytes;
    const exact = !table.hasGraph;
    this.capabilities = { sync: false, nativeFilter: true, mapped: false, range: true, exact, mutable: true };
  }

  /**
   * A table that is there: `id bigint primary key, embedding vector(n)` (or `sparsevec(n)`), with or without an HNSW index for the metric.
   * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, OPTIONAL_PACKAGE, CONNECTION_LOST, NOT_FOUND for a table that is not there, UNSUPPORTED
   * without pgvector or where the table is of another form, DATABASE
   */
  static async open(options: PgOpenOptions): Promise<PgVectorIndex> {
    const { connection, table, metric, efSearch, connections, efforts = [] } = readParams(openSchema, options, '');
    return withDatabase(connection, connections, async (database, owns) => {
      const shape = await PgTable.inspect(database, table);
      return new PgVectorIndex(database, new PgTable(table, metric, shape), shape, { efSearch, efforts, owns });
    });
  }

  /**
   * A new table over the rows of `matrix` (rows × dim float32), loaded by COPY, and its HNSW index.
   * @throws NighError what `open` throws; DUPLICATE_ID for an id, DATABASE for a table, that is there; DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR,
   * ABORTED
   */
  static async build(matrix: Matrix, options: PgBuildOptions): Promise<PgVectorIndex> {
    const {
      connection,
      table,
      metric,
      efSearch,
      connections,
      efforts = [],
      ids,
      graph,
      m,
      efConstruction,
      signal,
    } = readParams(buildSchema, options, '');
    requireMatrix('matrix', matrix);
    // What every engine checks of rows, by the one that is exact; under cosine it gives them their unit length.
    using checkedRows = await FlatIndex.build(matrix, { metric, ids, signal, quantization: 'none' });
    const list = (ids && copied(ids)) ?? Uint32Array.from({ length: matrix.rows }, (_, r) => r);
    // Awaited here: the rows are needed until it is done.
    return await withDatabase(connection, connections, async (database, owns) => {
      await database.transact(async (transaction) => {
        await PgTable.create(transaction, table, matrix.dim, 'vector');
        await PgTable.load(transaction, table, list, (id) => checkedRows.vector(id)!);
        if (graph ?? (matrix.rows >= worthAGraph && matrix.dim <= PgTable.mostGraphDims)) {
          await PgTable.index(transaction, table, metric, 'vector', { m, efConstruction });
        }
      }, signal);
      const shape = await PgTable.inspect(database, table);
      return new PgVectorIndex(database, new PgTable(table, metric, shape), shape, { efSearch, efforts, owns });
    });
  }

  get size(): number {
    this.#requireOpen();
    return this.#size;
  }

  get memoryBytes(): number {
    this.#requireOpen();
    return this.#bytes;
  }

  /**
   * `efSearch` beyond pgvector's 1,000 counts as 1,000; where that gives fewer than k, the scan goes on. `recall` is answered by the least measured
   * effort that reaches it, exactly where none was measured. `refineFactor` means nothing here. `stats.visited` is what was compared in a scan, and
   * what came back of a graph: the database does not tell more.
   * @throws NighError DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, CLOSED, CONNECTION_LOST, DATABASE
   */
  async search(query: Float32Array, k: number, options: SearchOptions = {}): Promise<SearchResult> {
    requireQuery(this.metric, query);
    requireK(k);
    checkSearchOptions(options);
    const filter = options.filter === undefined ? undefined : listOf(options.filter);
    throwIfAborted(options.signal);
    this.#requireOpen();
    this.#requireValues('query', query, 1, query.length);
    return this.#tracked(this.#search(this.#asStored(query), k, options, filter));
  }

  async searchBatch(queries: Matrix, k: number, options: BatchOptions = {}): Promise<BatchResult> {
    requireMatrix('queries', queries);
    requireK(k);
    checkBatchOptions(options);
    const filter = options.filter === undefined ? undefined : listOf(options.filter);
    throwIfAborted(options.signal);
    this.#requireOpen();
    this.#requireValues('queries', queries.data, queries.rows, queries.dim);
    const answer = roomFor(queries.rows, k);
    answer.ids.fill(noId);
    answer.distances.fill(Number.POSITIVE_INFINITY);
    return this.#tracked(this.#searchRows(queries, k, options, filter, answer));
  }

  /** Refused: it would take a request. `vectors` makes one. @throws NighError UNSUPPORTED, INVALID_ARGUMENT, CLOSED */
  vector(id: number): Float32Array | undefined {
    if (!isUint32(id)) throw invalidArgument('id', 'an integer from 0 to 4294967295', id);
    this.#requireOpen();
    throw new NighError(
      'UNSUPPORTED',
      'vector: the vectors are in the database; use vectors(ids), which waits for them.',
    );
  }

  /** @throws NighError INVALID_ARGUMENT, ABORTED, CLOSED, CONNECTION_LOST, DATABASE */
  async vectors(ids: Uint32Array, signal?: AbortSignal): Promise<(Float32Array | undefined)[]> {
    const list = copied(toIds('ids', ids));
    this.#requireOpen();
    if (list.length === 0) return [];
    const found = new Map<number, Float32Array>();
    const sql = `SELECT id, embedding FROM ${this.#table.quoted} WHERE id = ANY(${idsText(list)})`;
    for (const [id, vector] of await this.#tracked(this.#database.read(sql, signal))) {
      found.set(Number(id), readVector(vector!, this.dim));
    }
    return Array.from(list, (id) => found.get(id)?.slice());
  }

  /** A copy of the rows as the file of an exact index (`FlatIndex`), which `openIndex` opens. */
  async save(path: string): Promise<void> {
    requirePath(path);
    this.#requireOpen();
    await this.#tracked(
      (async () => {
        const { matrix, ids } = await this.#stored();
        using flat = await FlatIndex.build(matrix, { metric: this.metric, ids });
        await flat.save(path);
      })(),
    );
  }

  /** @throws NighError as FlatIndex.add, and CONNECTION_LOST, DATABASE */
  async add(matrix: Matrix, ids: Ids, options: ChangeOptions = {}): Promise<void> {
    const { signal, onProgress } = readParams(changeSchema, options, '');
    await this.#put(matrix, ids, signal, onProgress, async (transaction, list, rows) => {
      await transaction.read(this.#table.insert(list, rows, ''));
      return list.length;
    });
  }

  /** @throws NighError as FlatIndex.replace, and CONNECTION_LOST, DATABASE */
  async replace(matrix: Matrix, ids: Ids, options: ReplaceOptions = {}): Promise<void> {
    const { signal, onProgress, addMissing } = readParams(replaceSchema, options, '');
    await this.#put(matrix, ids, signal, onProgress, async (transaction, list, rows) => {
      const known = await transaction.read(
        `SELECT id FROM ${this.#table.quoted} WHERE id = ANY(${idsText(list)}) ORDER BY id FOR UPDATE`,
      );
      if (!addMissing && known.length < list.length) throw unknownOf(list, new Set(known.map(([id]) => Number(id))));
      await transaction.read(
        this.#table.insert(list, rows, 'ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding'),
      );
      return list.length - known.length;
    });
  }

  /** @throws NighError as FlatIndex.remove, and CONNECTION_LOST, DATABASE */
  async remove(ids: Ids, options: RemoveOptions = {}): Promise<number> {
    const list = Uint32Array.from(new Set(copied(toIds('ids', ids))));
    const { signal, ignoreMissing } = readParams(removeSchema, options, '');
    throwIfAborted(signal);
    this.#requireOpen();
    if (list.length === 0) return 0;
    return this.#change(async () => {
      const removed = await this.#database.transact(async (transaction) => {
        const sql = `DELETE FROM ${this.#table.quoted} WHERE id = ANY(${idsText(list)}) RETURNING id`;
        const gone = await transaction.read(sql);
        if (!ignoreMissing && gone.length < list.length) throw unknownOf(list, new Set(gone.map(([id]) => Number(id))));
        return gone.length;
      }, signal);
      this.#size -= removed;
      return removed;
    });
  }

  /** VACUUM (ANALYZE) of the table. */
  async compact(options: ChangeOptions = {}): Promise<void> {
    const { signal } = readParams(changeSchema, options, '');
    throwIfAborted(signal);
    this.#requireOpen();
    await this.#change(async () => {
      await this.#database.alone(`VACUUM (ANALYZE) ${this.#table.quoted}`, signal);
    });
  }

  /**
   * Searches for every row by its own vector, in the database. `repair` builds the HNSW index anew if any was not found. What PostgreSQL keeps
   * of removed rows and links it does not tell: `removed`, `dangling` and `unreachable` are 0.
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    const { signal, onProgress, repair, efSearch = this.efSearch } = readParams(verifySchema, options, '');
    throwIfAborted(signal);
    this.#requireOpen();
    return this.#change(async () => {
      const lost = async () => {
        const [row] = await this.#database.read(this.#table.notFound(Math.min(efSearch, largestPool)), signal);
        return { live: Number(row?.[0]), notFound: Number(row?.[1]) };
      };
      let { live, notFound } = await lost();
      let repaired = 0;
      if (repair && notFound > 0 && this.#table.graph !== undefined) {
        await this.#database.alone(`REINDEX INDEX ${this.#table.graph}`, signal);
        repaired = notFound;
        ({ live, notFound } = await lost());
      }
      this.#size = live;
      onProgress?.(live, live);
      return { live, removed: 0, dangling: 0, unreachable: 0, notFound, repaired };
    });
  }

  /** Searches and changes under way finish; the connections end after them. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#ownsDatabase) return;
    void Promise.allSettled([...this.#underWay]).then(() => this.#database.close());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Every row, read in the order of the ids, some at a time. */
  async #stored(): Promise<{ readonly matrix: Matrix; readonly ids: Uint32Array }> {
    const ids: number[] = [];
    const vectors: Float32Array[] = [];
    for (let last = -1; ; last = ids.at(-1)!) {
      const sql = `SELECT id, embedding FROM ${this.#table.quoted} WHERE id > ${last} ORDER BY id LIMIT ${rowsOfARead}`;
      const rows = await this.#database.read(sql);
      for (const [id, vector] of rows) {
        ids.push(Number(id));
        vectors.push(readVector(vector!, this.dim));
      }
      if (rows.length < rowsOfARead) break;
    }
    const data = new Float32Array(vectors.length * this.dim);
    vectors.forEach((vector, r) => {
      data.set(vector, r * this.dim);
    });
    return { matrix: { data, rows: vectors.length, dim: this.dim }, ids: Uint32Array.from(ids) };
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new NighError('CLOSED', 'The index was closed.');
  }

  #tracked<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = () => this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }

  /** One change after another. */
  #change<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#changes.then(work);
    this.#changes = turn.catch(() => {});
    return this.#tracked(turn);
  }

  #requireValues(name: string, values: Float32Array, rows: number, dim: number): void {
    requireDim(name, dim, this.dim);
    const at = findNotFinite(values);
    if (at >= 0)
      throw new NighError('NOT_FINITE', `${name}: value ${at % dim} of row ${Math.floor(at / dim)} is not finite.`);
    if (this.metric !== 'cosine') return;
    for (let r = 0; r < rows; r++) {
      const own = values.subarray(r * dim, (r + 1) * dim);
      if (own.every((value) => value === 0)) throw new NighError('ZERO_VECTOR', `${name}: row ${r} has no direction.`);
    }
  }

  /** A copy; under cosine of unit length, since pgvector's float32 sums of squares overflow, or vanish, where the direction is clear. */
  #asStored(query: Float32Array): Float32Array {
    if (this.metric !== 'cosine') return query.slice();
    // Scaled by the largest value first, so that no square leaves the range of float64 either.
    const largest = query.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const length = largest * Math.sqrt(query.reduce((sum, value) => sum + (value / largest) ** 2, 0));
    return query.map((value) => value / length);
  }

  async #search(
    query: Float32Array,
    k: number,
    { exact, efSearch, recall, within, signal }: SearchOptions,
    filter: Listed | undefined,
  ): Promise<SearchResult> {
    const wanted = { query, k, within, where: filter?.where };
    const allowed = filter?.deny === false ? filter.count : undefined;
    if (allowed === 0) return resultOf([], 'allowed-scan', 0);
    const pool = this.#poolFor(k, efSearch, recall);
    const size = this.#size;
    const isFew = allowed !== undefined && allowed <= Math.max(fewAllowed, size * smallShare);
    if (exact === true || isFew || pool === undefined || size <= worthAGraph || !this.#table.hasGraph) {
      const rows = await this.#database.read(this.#table.scan(wanted), signal);
      const plan = allowed !== undefined && (isFew || exact === true) ? 'allowed-scan' : 'scan';
      return resultOf(rows, plan, Math.min(allowed ?? size, size));
    }
    const found = await this.#database.read(this.#table.walk(wanted, pool), signal);
    // Everything that there is was found, or so much as was asked for; else a filter has outlasted the scan, or a row cannot be reached.
    if (found.length >= Math.min(k, size, allowed ?? size) || within !== undefined) {
      return resultOf(found, filter === undefined ? 'graph' : 'filtered-graph', found.length);
    }
    return resultOf(await this.#database.read(this.#table.scan(wanted), signal), 'scan', size + found.length);
  }

  /** Undefined: compare everything. */
  #poolFor(k: number, efSearch: number | undefined, recall: number | undefined): number | undefined {
    if (recall === undefined) return Math.min(efSearch ?? Math.max(this.efSearch, k), largestPool);
    const reached = this.#efforts.find((effort) => effort.recall >= recall);
    return reached === undefined ? undefined : Math.min(Math.max(reached.efSearch, k), largestPool);
  }

  async #searchRows(
    queries: Matrix,
    k: number,
    options: BatchOptions,
    filter: Listed | undefined,
    answer: { readonly ids: Uint32Array; readonly distances: Float32Array },
  ): Promise<BatchResult> {
    const { threads = 0, onProgress } = options;
    const counts = new Uint32Array(queries.rows);
    let [next, done, visited, distances] = [0, 0, 0, 0];
    let plan: SearchPlan = 'scan';
    const lane = async () => {
      while (next < queries.rows) {
        const r = next++;
        const found = await this.#search(this.#asStored(row(queries, r)), k, options, filter);
        answer.ids.set(found.ids, r * k);
        answer.distances.set(found.distances, r * k);
        counts[r] = found.ids.length;
        visited += found.stats.visited;
        distances += found.stats.distances;
        plan = found.stats.plan;
        onProgress?.(++done, queries.rows);
      }
    };
    const lanes = Math.min(threads === 0 ? this.#database.connections : threads, this.#database.connections);
    await Promise.all(Array.from({ length: Math.max(1, lanes) }, lane));
    return { ...answer, counts, stats: { plan, visited, distances } };
  }

  /** Checks the rows, then hands them over in parts within one transaction; `write` gives how many ids were new. */
  async #put(
    matrix: Matrix,
    ids: Ids,
    signal: AbortSignal | undefined,
    onProgress: ((done: number, total: number) => void) | undefined,
    write: (transaction: Transaction, ids: Uint32Array, rows: readonly Float32Array[]) => Promise<number>,
  ): Promise<void> {
    requireMatrix('matrix', matrix);
    const list = copied(requireIdPerRow(matrix, toIds('ids', ids)));
    this.#requireOpen();
    requireDim('matrix', matrix.dim, this.dim);
    await this.#change(async () => {
      using checkedRows = await FlatIndex.build(matrix, {
        metric: this.metric,
        ids: list,
        signal,
        quantization: 'none',
      });
      const added = await this.#database.transact(async (transaction) => {
        let added = 0;
        for (let begin = 0; begin < list.length; begin += rowsAtOnce) {
          throwIfAborted(signal);
          const some = list.subarray(begin, begin + rowsAtOnce);
          added += await write(
            transaction,
            some,
            Array.from(some, (id) => checkedRows.vector(id)!),
          );
          onProgress?.(begin + some.length, list.length);
        }
        return added;
      }, signal);
      this.#size += added;
    });
  }
}

/** Ids as they are now; of an array that was transferred away none, as it has none. */
function copied(ids: Uint32Array): Uint32Array {
  return ids.length === 0 ? new Uint32Array() : ids.slice();
}

function unknownOf(list: Uint32Array, known: ReadonlySet<number>): NighError {
  const missing = list.find((id) => !known.has(id));
  return new NighError('UNKNOWN_ID', `ids: the index holds no vector under the id ${missing}.`);
}

async function withDatabase<T>(
  connection: string | Database,
  connections: number,
  use: (database: Database, owns: boolean) => Promise<T>,
): Promise<T> {
  if (connection instanceof Database) return use(connection, false);
  const database = await Database.open(connection, { connections });
  try {
    return await use(database, true);
  } catch (cause) {
    await database.close();
    throw cause;
  }
}

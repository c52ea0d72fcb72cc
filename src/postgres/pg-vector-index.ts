/**
 * Vectors in a table of PostgreSQL, as a vector index: `id bigint primary key, embedding vector(dim)` or `sparsevec(dim)`; under cosine the rows
 * are stored at unit length. What the arguments mean is checked here; pg-searches.ts and pg-changes.ts ask the database.
 */
import { throwIfAborted } from '../core/abort.js';
import { invalidArgument, NighError } from '../core/errors.js';
import { type Matrix, requireMatrix } from '../core/matrix.js';
import { readParams } from '../core/params.js';
import { requireIdPerRow } from '../index/build-options.js';
import { FlatIndex } from '../index/flat-index.js';
import { type Ids, isUint32, toIds } from '../index/id-list.js';
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
  SearchResult,
  VerifyOptions,
  VerifyReport,
} from '../index/vector-index.js';
import { Database } from './database.js';
import { listOf } from './filters-and-rows.js';
import { PgChanges } from './pg-changes.js';
import {
  buildSchema,
  changeSchema,
  type MeasuredEffort,
  openSchema,
  type PgBuildOptions,
  type PgOpenOptions,
  removeSchema,
  replaceSchema,
  verifySchema,
} from './pg-options.js';
import { PgSearches, worthAGraph } from './pg-searches.js';
import { PgTable, type TableShape } from './pg-table.js';
import { copied, readAllRows, readRows, requireQueries } from './stored-rows.js';

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
  readonly #searches: PgSearches;
  readonly #changes: PgChanges;
  readonly #underWay = new Set<Promise<unknown>>();
  #lastChange: Promise<unknown> = Promise.resolve();
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
    this.#searches = new PgSearches(database, table, options.efSearch, options.efforts);
    this.#changes = new PgChanges(database, table);
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
    requireQueries(this.#table, 'query', { data: query, rows: 1, dim: query.length });
    return this.#tracked(this.#searches.one(query, k, options, filter, this.#size));
  }

  async searchBatch(queries: Matrix, k: number, options: BatchOptions = {}): Promise<BatchResult> {
    requireMatrix('queries', queries);
    requireK(k);
    checkBatchOptions(options);
    const filter = options.filter === undefined ? undefined : listOf(options.filter);
    throwIfAborted(options.signal);
    this.#requireOpen();
    requireQueries(this.#table, 'queries', queries);
    return this.#tracked(this.#searches.many(queries, k, options, filter, this.#size));
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
    return this.#tracked(readRows(this.#database, this.#table, list, signal));
  }

  /** A copy of the rows as the file of an exact index (`FlatIndex`), which `openIndex` opens. */
  async save(path: string): Promise<void> {
    requirePath(path);
    this.#requireOpen();
    await this.#tracked(
      (async () => {
        const { matrix, ids } = await readAllRows(this.#database, this.#table);
        using flat = await FlatIndex.build(matrix, { metric: this.metric, ids });
        await flat.save(path);
      })(),
    );
  }

  /** @throws NighError as FlatIndex.add, and CONNECTION_LOST, DATABASE */
  async add(matrix: Matrix, ids: Ids, options: ChangeOptions = {}): Promise<void> {
    const { signal, onProgress } = readParams(changeSchema, options, '');
    const list = this.#idsOfRows(matrix, ids);
    await this.#change(async () => {
      const added = await this.#changes.add(matrix, list, { signal, onProgress });
      this.#size += added;
    });
  }

  /** @throws NighError as FlatIndex.replace, and CONNECTION_LOST, DATABASE */
  async replace(matrix: Matrix, ids: Ids, options: ReplaceOptions = {}): Promise<void> {
    const { signal, onProgress, addMissing } = readParams(replaceSchema, options, '');
    const list = this.#idsOfRows(matrix, ids);
    await this.#change(async () => {
      const added = await this.#changes.replace(matrix, list, addMissing, { signal, onProgress });
      this.#size += added;
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
      const removed = await this.#changes.remove(list, ignoreMissing, signal);
      this.#size -= removed;
      return removed;
    });
  }

  /** VACUUM (ANALYZE) of the table. */
  async compact(options: ChangeOptions = {}): Promise<void> {
    const { signal } = readParams(changeSchema, options, '');
    throwIfAborted(signal);
    this.#requireOpen();
    await this.#change(() => this.#changes.compact(signal));
  }

  /**
   * With an HNSW index, searches for every row by its own vector, in the database. `repair` builds the HNSW index anew if any was not found. What PostgreSQL keeps
   * of removed rows and links it does not tell: `removed`, `dangling` and `unreachable` are 0.
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    const { signal, onProgress, repair, efSearch = this.efSearch } = readParams(verifySchema, options, '');
    throwIfAborted(signal);
    this.#requireOpen();
    return this.#change(async () => {
      const report = await this.#changes.verify(efSearch, repair, signal);
      this.#size = report.live;
      onProgress?.(report.live, report.live);
      return report;
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
    const turn = this.#lastChange.then(work);
    this.#lastChange = turn.catch(() => {});
    return this.#tracked(turn);
  }

  #idsOfRows(matrix: Matrix, ids: Ids): Uint32Array {
    requireMatrix('matrix', matrix);
    const list = copied(requireIdPerRow(matrix, toIds('ids', ids)));
    this.#requireOpen();
    requireDim('matrix', matrix.dim, this.dim);
    return list;
  }
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

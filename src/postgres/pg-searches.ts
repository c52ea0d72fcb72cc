/**
 * Searches of one table: which plan answers a question, and many questions at once.
 *
 *   exact    every allowed row is compared: ORDER BY an expression that no index can serve, so that no setting decides it
 *   graph    ORDER BY … LIMIT over the table's HNSW index; the pool's size is set for the one transaction that the message is, and the scan goes
 *            on (hnsw.iterative_scan = strict_order) until k rows that the filter allows were met. Where it ends before, the exact scan answers:
 *            an answer always has min(k, matches) rows
 *   filters  ids in the WHERE clause, allowed or denied, whichever the set lists
 *
 * One search is one message and one round trip.
 */
import { type Matrix, row } from '../core/matrix.js';
import { roomFor } from '../index/batch-answer.js';
import { noId } from '../index/id-list.js';
import type { BatchOptions, BatchResult, SearchOptions, SearchPlan, SearchResult } from '../index/vector-index.js';
import type { Database } from './database.js';
import { type Listed, resultOf } from './filters-and-rows.js';
import { largestPool, type MeasuredEffort } from './pg-options.js';
import type { PgTable } from './pg-table.js';
import { asStored } from './stored-rows.js';

/** Indexes of fewer rows are compared whole: a walk would save nothing. */
export const worthAGraph = 1000;
/** A filter that allows fewer than this, or this share of the rows, is answered by comparing what it allows. */
const fewAllowed = 1000;
const smallShare = 0.02;

export class PgSearches {
  readonly #database: Database;
  readonly #table: PgTable;
  readonly #efSearch: number;
  readonly #efforts: readonly MeasuredEffort[];

  /** @param efSearch the pool of a search that names none @param efforts what a wanted recall is answered by */
  constructor(database: Database, table: PgTable, efSearch: number, efforts: readonly MeasuredEffort[]) {
    this.#database = database;
    this.#table = table;
    this.#efSearch = efSearch;
    this.#efforts = efforts;
  }

  /** @param size how many rows the table has, as far as is known */
  async one(
    given: Float32Array,
    k: number,
    { exact, efSearch, recall, within, signal }: SearchOptions,
    filter: Listed | undefined,
    size: number,
  ): Promise<SearchResult> {
    const query = asStored(this.#table.metric, given);
    const wanted = { query, k, within, where: filter?.where };
    const allowed = filter?.deny === false ? filter.count : undefined;
    if (allowed === 0) return resultOf([], 'allowed-scan', 0);
    const pool = this.#poolFor(k, efSearch, recall);
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

  /** Every row of `queries`, as many at once as there are connections. */
  async many(
    queries: Matrix,
    k: number,
    options: BatchOptions,
    filter: Listed | undefined,
    size: number,
  ): Promise<BatchResult> {
    const { threads = 0, onProgress } = options;
    const answer = roomFor(queries.rows, k);
    answer.ids.fill(noId);
    answer.distances.fill(Number.POSITIVE_INFINITY);
    const counts = new Uint32Array(queries.rows);
    let [next, done, visited, distances] = [0, 0, 0, 0];
    let plan: SearchPlan = 'scan';
    const lane = async () => {
      while (next < queries.rows) {
        const r = next++;
        const found = await this.one(row(queries, r), k, options, filter, size).catch((cause: unknown) => {
          next = queries.rows; // after a failure no more are begun
          throw cause;
        });
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

  /** Undefined: compare everything. */
  #poolFor(k: number, efSearch: number | undefined, recall: number | undefined): number | undefined {
    if (recall === undefined) return Math.min(efSearch ?? Math.max(this.#efSearch, k), largestPool);
    const reached = this.#efforts.find((effort) => effort.recall >= recall);
    return reached === undefined ? undefined : Math.min(Math.max(reached.efSearch, k), largestPool);
  }
}

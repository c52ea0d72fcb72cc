/** Changes of one table, each a transaction. What is wrong with the rows is known before the database hears of them. */
import { throwIfAborted } from '../core/abort.js';
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { FlatIndex } from '../index/flat-index.js';
import type { VerifyReport } from '../index/vector-index.js';
import type { Database, Transaction } from './database.js';
import { largestPool } from './pg-options.js';
import type { PgTable } from './pg-table.js';
import { idsText } from './sql-text.js';

const rowsAtOnce = 500;
/** Without a graph every row is compared, so that none can be lost. */
const sound = { removed: 0, dangling: 0, unreachable: 0, notFound: 0, repaired: 0 } as const;

/** What a change listens to and tells. */
export interface Change {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((done: number, total: number) => void) | undefined;
}

export class PgChanges {
  readonly #database: Database;
  readonly #table: PgTable;

  constructor(database: Database, table: PgTable) {
    this.#database = database;
    this.#table = table;
  }

  /** Gives how many ids are new: all. @throws NighError DUPLICATE_ID, and what FlatIndex.build throws of rows */
  add(matrix: Matrix, ids: Uint32Array, change: Change): Promise<number> {
    return this.#put(matrix, ids, change, async (transaction, some, rows) => {
      await transaction.read(this.#table.insert(some, rows, ''));
      return some.length;
    });
  }

  /** Gives how many ids were new. @throws NighError UNKNOWN_ID unless they may be */
  replace(matrix: Matrix, ids: Uint32Array, addMissing: boolean, change: Change): Promise<number> {
    return this.#put(matrix, ids, change, async (transaction, some, rows) => {
      const known = await transaction.read(
        `SELECT id FROM ${this.#table.quoted} WHERE id = ANY(${idsText(some)}) ORDER BY id FOR UPDATE`,
      );
      if (!addMissing) requireAll(some, known);
      await transaction.read(
        this.#table.insert(some, rows, 'ON CONFLICT (id) DO UPDATE SET embedding = EXCLUDED.embedding'),
      );
      return some.length - known.length;
    });
  }

  /** Gives how many were there. @throws NighError UNKNOWN_ID unless some may be missing */
  remove(ids: Uint32Array, ignoreMissing: boolean, signal: AbortSignal | undefined): Promise<number> {
    return this.#database.transact(async (transaction) => {
      const sql = `DELETE FROM ${this.#table.quoted} WHERE id = ANY(${idsText(ids)}) RETURNING id`;
      const gone = await transaction.read(sql);
      if (!ignoreMissing) requireAll(ids, gone);
      return gone.length;
    }, signal);
  }

  async compact(signal: AbortSignal | undefined): Promise<void> {
    await this.#database.alone(`VACUUM (ANALYZE) ${this.#table.quoted}`, signal);
  }

  async verify(efSearch: number, repair: boolean, signal: AbortSignal | undefined): Promise<VerifyReport> {
    if (!this.#table.hasGraph) return { ...sound, live: await this.#count(signal) };
    const lost = async () => {
      const [row] = await this.#database.read(this.#table.notFound(Math.min(efSearch, largestPool)), signal);
      return { live: Number(row?.[0]), notFound: Number(row?.[1]) };
    };
    let { live, notFound } = await lost();
    let repaired = 0;
    if (repair && notFound > 0) {
      await this.#database.alone(`REINDEX INDEX ${this.#table.graph}`, signal);
      repaired = notFound;
      ({ live, notFound } = await lost());
    }
    return { ...sound, live, notFound, repaired };
  }

  async #count(signal: AbortSignal | undefined): Promise<number> {
    const [row] = await this.#database.read(`SELECT count(*) FROM ${this.#table.quoted}`, signal);
    return Number(row?.[0]);
  }

  /** Checks the rows, then hands them over in parts within one transaction; `write` gives how many ids were new. */
  async #put(
    matrix: Matrix,
    ids: Uint32Array,
    { signal, onProgress }: Change,
    write: (transaction: Transaction, ids: Uint32Array, rows: readonly Float32Array[]) => Promise<number>,
  ): Promise<number> {
    const { metric } = this.#table;
    using checkedRows = await FlatIndex.build(matrix, { metric, ids, signal, quantization: 'none' });
    return await this.#database.transact(async (transaction) => {
      let added = 0;
      for (let begin = 0; begin < ids.length; begin += rowsAtOnce) {
        throwIfAborted(signal);
        const some = ids.subarray(begin, begin + rowsAtOnce);
        const rows = Array.from(some, (id) => checkedRows.vector(id)!);
        added += await write(transaction, some, rows);
        onProgress?.(begin + some.length, ids.length);
      }
      return added;
    }, signal);
  }
}

function requireAll(ids: Uint32Array, known: readonly (readonly (string | null)[])[]): void {
  if (known.length === ids.length) return;
  const there = new Set(known.map(([id]) => Number(id)));
  const missing = ids.find((id) => !there.has(id));
  throw new NighError('UNKNOWN_ID', `ids: the index holds no vector under the id ${missing}.`);
}

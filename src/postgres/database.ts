/**
 * One PostgreSQL database: a pool of connections, and statements that are sent as they are (the simple protocol), several in one message.
 *
 *   read       one message; where the connection is lost it is sent once more, over another connection
 *   transact   several messages on one connection, all or nothing; never sent twice, since nobody knows what became of the first
 *
 * A signal that fires rejects at once with ABORTED, and asks the server to stop what it does.
 */
import type { Pool, PoolClient, QueryArrayResult } from 'pg';
import { onAbort, throwIfAborted } from '../core/abort.js';
import { NighError } from '../core/errors.js';
import { databaseError, isLost } from './database-errors.js';
import { databaseName } from './database-url.js';
import { loadCopyFrom, loadPg } from './load-pg.js';

export interface DatabaseOptions {
  /** Connections at once. Default 4. */
  readonly connections?: number | undefined;
  /** Milliseconds that making a connection may take. Default 10,000. */
  readonly connectMs?: number | undefined;
}

/** A row, its values as the server wrote them. */
export type Row = readonly (string | null)[];

/** A connection inside of a transaction. */
export interface Transaction {
  /** The rows of the last statement of the message. */
  read(sql: string): Promise<Row[]>;
  /** Loads rows in COPY's text or binary form, as `sql` says. */
  copy(sql: string, chunks: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void>;
}

/** Values stay texts: what they mean is known to who asks. */
const asWritten = { getTypeParser: () => (value: string) => value } as unknown as import('pg').CustomTypesConfig;

export class Database {
  readonly #pool: Pool;
  /** For messages: without a password. */
  readonly name: string;
  readonly connections: number;
  readonly #url: string;
  #closing: Promise<void> | undefined;

  private constructor(pool: Pool, name: string, url: string, connections: number) {
    this.#pool = pool;
    this.name = name;
    this.#url = url;
    this.connections = connections;
  }

  /**
   * Connects to see that somebody answers. What the URL leaves out is taken from PGUSER, PGPASSWORD and so on, or from ~/.pgpass.
   * @param url postgres://user@host:5432/database
   * @throws NighError INVALID_ARGUMENT, OPTIONAL_PACKAGE, CONNECTION_LOST, DATABASE, NOT_FOUND
   */
  static async open(url: string, { connections = 4, connectMs = 10_000 }: DatabaseOptions = {}): Promise<Database> {
    const name = databaseName(url);
    const { Pool } = await loadPg();
    const pool = new Pool({
      connectionString: url,
      max: connections,
      connectionTimeoutMillis: connectMs,
      application_name: 'nigh',
      keepAlive: true,
    });
    // A connection that is lost while nobody uses it is replaced by the next who needs one.
    pool.on('error', () => {});
    const database = new Database(pool, name, url, connections);
    try {
      await database.read('SELECT 1');
      return database;
    } catch (cause) {
      await database.close();
      throw cause;
    }
  }

  /**
   * The rows of the last statement of the message.
   * @throws NighError CONNECTION_LOST after a second try, ABORTED, CLOSED, DATABASE, NOT_FOUND, UNSUPPORTED, DIMENSION_MISMATCH
   */
  async read(sql: string, signal?: AbortSignal): Promise<Row[]> {
    throwIfAborted(signal);
    try {
      return await this.#once(sql, signal);
    } catch (error) {
      if (!isLost(error) || this.#closing !== undefined) throw this.#told(error);
    }
    try {
      return await this.#once(sql, signal);
    } catch (error) {
      throw this.#told(error);
    }
  }

  /** One statement that cannot be part of a transaction. @throws NighError as `transact` */
  async alone(sql: string, signal?: AbortSignal): Promise<Row[]> {
    throwIfAborted(signal);
    try {
      return await this.#once(sql, signal);
    } catch (error) {
      throw this.#told(error);
    }
  }

  /**
   * All or nothing.
   * @throws NighError CONNECTION_LOST: then nothing was done unless it was lost while the end was being confirmed; ABORTED, CLOSED, DATABASE …
   */
  async transact<T>(work: (transaction: Transaction) => Promise<T>, signal?: AbortSignal): Promise<T> {
    throwIfAborted(signal);
    let client: PoolClient | undefined;
    try {
      client = await this.#connect();
      const held = client;
      const read = (sql: string) => this.#stoppable(held, sql, signal);
      await read('BEGIN');
      const done = await work({
        read: (sql) => read(sql),
        copy: (sql, chunks) => copyInto(held, sql, chunks, signal),
      });
      throwIfAborted(signal);
      await read('COMMIT');
      client.release();
      return done;
    } catch (error) {
      // What a lost or aborted connection had begun is rolled back by its end.
      if (client !== undefined) await rolledBack(client, isLost(error) || signal?.aborted === true);
      throw this.#told(error);
    }
  }

  /** Messages over one connection that is kept meanwhile, outside of a transaction. @throws NighError as `transact` */
  async held<T>(work: (read: (sql: string) => Promise<Row[]>) => Promise<T>): Promise<T> {
    const client = await this.#connect().catch((error: unknown) => {
      throw this.#told(error);
    });
    try {
      return await work(async (sql) => {
        try {
          return await this.#stoppable(client, sql, undefined);
        } catch (error) {
          throw this.#told(error);
        }
      });
    } finally {
      // Whatever its session holds, a lock for one, ends with it.
      client.release(true);
    }
  }

  /** Waits for what is under way. */
  close(): Promise<void> {
    this.#closing ??= this.#pool.end();
    return this.#closing;
  }

  async #connect(): Promise<PoolClient> {
    if (this.#closing !== undefined) throw new NighError('CLOSED', `${this.name}: the connection was closed.`);
    const client = await this.#pool.connect();
    // Lost between two messages: the next one says so.
    if (client.listenerCount('error') === 0) client.on('error', () => {});
    return client;
  }

  async #once(sql: string, signal: AbortSignal | undefined): Promise<Row[]> {
    const client = await this.#connect();
    try {
      const rows = await this.#stoppable(client, sql, signal);
      client.release();
      return rows;
    } catch (error) {
      client.release(isLost(error) || (error as NighError).code === 'ABORTED');
      throw error;
    }
  }

  /** Sends one message; when the signal fires first, asks the server to stop and does not wait for it. */
  async #stoppable(client: PoolClient, sql: string, signal: AbortSignal | undefined): Promise<Row[]> {
    throwIfAborted(signal);
    const answer = client.query<(string | null)[]>({ text: sql, rowMode: 'array', types: asWritten });
    if (signal === undefined) return lastRows(await answer);
    let forget = () => {};
    const aborted = new Promise<never>((_, reject) => {
      forget = onAbort(signal, () => {
        answer.catch(() => {}); // its end is what was asked for
        void this.#cancel((client as unknown as { processID?: number }).processID);
        reject(new NighError('ABORTED', 'The operation was aborted.', { cause: signal.reason }));
      });
    });
    try {
      return lastRows(await Promise.race([answer, aborted]));
    } finally {
      forget();
    }
  }

  /** Over a connection of its own: all of the pool may be busy with what is to be stopped. */
  async #cancel(process: number | undefined): Promise<void> {
    if (process === undefined || process === 0) return;
    const { Client } = await loadPg();
    const client = new Client({ connectionString: this.#url, connectionTimeoutMillis: 5000, application_name: 'nigh' });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(`SELECT pg_cancel_backend(${process})`);
    } catch {
      // The connection that is to be stopped was closed anyway; the server ends what it does for it when it next writes.
    } finally {
      await client.end().catch(() => {});
    }
  }

  #told(error: unknown): NighError {
    return databaseError(error, this.name);
  }
}

function lastRows(result: QueryArrayResult<(string | null)[]> | QueryArrayResult<(string | null)[]>[]): Row[] {
  return (Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows) as Row[];
}

async function rolledBack(client: PoolClient, isGone: boolean): Promise<void> {
  if (isGone) return client.release(true);
  try {
    await client.query('ROLLBACK');
    client.release();
  } catch {
    client.release(true);
  }
}

async function copyInto(
  client: PoolClient,
  sql: string,
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const copyFrom = await loadCopyFrom();
  const stream = client.query(copyFrom(sql));
  const settled = new Promise<void>((resolve, reject) => {
    stream.once('finish', resolve);
    stream.once('error', reject);
  });
  settled.catch(() => {}); // also told below
  let failed = false;
  stream.once('error', () => {
    failed = true;
  });
  try {
    for await (const chunk of chunks) {
      throwIfAborted(signal);
      if (failed) break;
      if (!stream.write(chunk))
        await Promise.race([settled, new Promise<void>((resolve) => stream.once('drain', resolve))]);
    }
    if (!failed) stream.end();
  } catch (cause) {
    stream.destroy(cause as Error);
    await settled.catch(() => {});
    throw cause;
  }
  await settled;
}

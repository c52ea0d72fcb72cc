/** The SQL of one table of vectors. */
import { NighError } from '../core/errors.js';
import type { ProductMetricName } from '../index/vector-index.js';
import { binaryRows } from './copy-rows.js';
import type { Database, Transaction } from './database.js';
import { idsText, quoteName, quoteText, sparseText, vectorText } from './sql-text.js';

export type ColumnType = 'vector' | 'sparsevec';

/** What a table is like. */
export interface TableShape {
  readonly dim: number;
  readonly type: ColumnType;
  readonly rows: number;
  readonly bytes: number;
  /** HNSW indexes by their operator class. */
  readonly graphs: ReadonlyMap<string, string>;
}

export interface Wanted {
  readonly query: Float32Array;
  readonly k: number;
  readonly within: number | undefined;
  /** A condition on the ids. */
  readonly where: string | undefined;
}

const operators = { l2: '<->', ip: '<#>', cosine: '<=>' } as const;
const classes = { l2: 'l2_ops', ip: 'ip_ops', cosine: 'cosine_ops' } as const;
const rowsOfACopy = 256;

export class PgTable {
  /** pgvector builds graphs of no more dimensions. */
  static readonly mostGraphDims = 2000;
  /** Nor holds more in a dense vector. */
  static readonly mostDims = 16_000;

  readonly quoted: string;
  readonly metric: ProductMetricName;
  readonly dim: number;
  readonly #type: ColumnType;
  /** The HNSW index for the metric, quoted. */
  readonly graph: string | undefined;

  /** @param name `schema.table` or `table` */
  constructor(name: string, metric: ProductMetricName, { dim, type, graphs }: TableShape) {
    this.quoted = quoteTable(name);
    this.metric = metric;
    this.dim = dim;
    this.#type = type;
    this.graph = graphs.get(`${type}_${classes[metric]}`);
  }

  get hasGraph(): boolean {
    return this.graph !== undefined;
  }

  /** @throws NighError UNSUPPORTED, NOT_FOUND, CONNECTION_LOST, DATABASE */
  static async inspect(database: Database, name: string): Promise<TableShape> {
    await requireVectorExtension(database);
    const table = quoteText(quoteTable(name));
    const [found] = await database.read(`
      SELECT to_regclass(${table}), format_type(atttypid, atttypmod),
        (SELECT format_type(atttypid, -1) FROM pg_attribute WHERE attrelid = to_regclass(${table}) AND attname = 'id')
      FROM (SELECT) AS one LEFT JOIN pg_attribute
        ON attrelid = to_regclass(${table}) AND attname = 'embedding' AND NOT attisdropped`);
    if (found?.[0] == null) throw new NighError('NOT_FOUND', `${database.name}: there is no table ${name}.`);
    const type = /^(vector|sparsevec)\((\d+)\)$/.exec(found[1] ?? '');
    if (type === null || found[2] !== 'bigint') {
      throw new NighError(
        'UNSUPPORTED',
        `${database.name}: the table ${name} needs the columns id bigint and embedding vector(n) or sparsevec(n); got id ${found[2] ?? '(none)'} and embedding ${found[1] ?? '(none)'}.`,
      );
    }
    const graphs = await database.read(`
      SELECT opcname, quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_am a ON a.oid = c.relam JOIN pg_opclass o ON o.oid = i.indclass[0]
      WHERE i.indrelid = to_regclass(${table}) AND amname = 'hnsw' AND i.indisvalid AND i.indpred IS NULL`);
    const [counted] = await database.read(
      `SELECT count(*), pg_total_relation_size(to_regclass(${table})) FROM ${quoteTable(name)}`,
    );
    return {
      dim: Number(type[2]),
      type: type[1] as ColumnType,
      rows: Number(counted?.[0]),
      bytes: Number(counted?.[1]),
      graphs: new Map(graphs.map(([opclass, index]) => [opclass!, index!])),
    };
  }

  static async create(transaction: Transaction, name: string, dim: number, type: ColumnType): Promise<void> {
    if (type === 'vector' && dim > PgTable.mostDims) {
      throw new NighError(
        'UNSUPPORTED',
        `dim: pgvector holds at most ${PgTable.mostDims} values in a vector, got ${dim}.`,
      );
    }
    await transaction.read(
      `CREATE TABLE ${quoteTable(name)} (id bigint PRIMARY KEY, embedding ${type}(${dim}) NOT NULL)`,
    );
  }

  /** Loads rows by COPY. */
  static async load(
    transaction: Transaction,
    name: string,
    ids: Uint32Array,
    vectorOf: (id: number) => Float32Array,
    onRows: (done: number) => void = () => {},
    type: ColumnType = 'vector',
  ): Promise<void> {
    if (type === 'sparsevec') {
      const lines = (function* () {
        for (let at = 0; at < ids.length; at += rowsOfACopy) {
          const some = Array.from(ids.subarray(at, at + rowsOfACopy));
          onRows(at);
          yield Buffer.from(some.map((id) => `${id}\t${sparseText(vectorOf(id))}\n`).join(''));
        }
      })();
      return transaction.copy(`COPY ${quoteTable(name)} (id, embedding) FROM STDIN`, lines);
    }
    const rows = binaryRows(ids, vectorOf, rowsOfACopy, onRows);
    await transaction.copy(`COPY ${quoteTable(name)} (id, embedding) FROM STDIN (FORMAT binary)`, rows);
  }

  static async index(
    transaction: Pick<Transaction, 'read'>,
    name: string,
    metric: ProductMetricName,
    type: ColumnType,
    { m, efConstruction }: { readonly m: number; readonly efConstruction: number },
  ): Promise<void> {
    await transaction.read(
      `CREATE INDEX ON ${quoteTable(name)} USING hnsw (embedding ${type}_${classes[metric]}) WITH (m = ${m}, ef_construction = ${Math.max(efConstruction, 2 * m)})`,
    );
  }

  /** Every allowed row, compared. No index serves the order: it is by a value that was rounded. */
  scan({ query, k, within, where }: Wanted): string {
    const allowed = where === undefined ? '' : ` WHERE ${where}`;
    return `SELECT id, d FROM (SELECT id, ${this.#distance(this.#literal(query))} AS d FROM ${this.quoted}${allowed}) AS compared${near(within)} ORDER BY d, id LIMIT ${k}`;
  }

  /** The HNSW index's first k, in the order of their distances. What is set is set for this message. */
  walk({ query, k, within, where }: Wanted, pool: number): string {
    const literal = this.#literal(query);
    const allowed = where === undefined ? '' : ` WHERE ${where}`;
    const walked = `SELECT id, embedding FROM ${this.quoted}${allowed} ORDER BY embedding ${operators[this.metric]} ${literal} LIMIT ${k}`;
    const compared = `SELECT id, ${this.#distance(literal)} AS d FROM (${walked}) AS walked`;
    return `${this.#settings(pool)} SELECT id, d FROM (${compared}) AS compared${near(within)} ORDER BY d, id`;
  }

  insert(ids: Uint32Array, vectors: readonly Float32Array[], otherwise: string): string {
    const texts = vectors.map((vector) => `"${this.#text(vector)}"`).join(',');
    return `INSERT INTO ${this.quoted} (id, embedding) SELECT i, v::${this.#type} FROM unnest(${idsText(ids)}, '{${texts}}'::text[]) AS given(i, v) ${otherwise}`;
  }

  /** How many rows there are, and how many a search by their own vector gives neither them nor one as near. */
  notFound(pool: number): string {
    const operator = operators[this.metric];
    return `${this.#settings(pool)}
      SELECT count(*), count(*) FILTER (WHERE nearest IS NULL OR nearest > own + 1e-5 * greatest(1, abs(own))) FROM (
        SELECT a.embedding ${operator} a.embedding AS own, (
          SELECT b.embedding ${operator} a.embedding FROM ${this.quoted} b ORDER BY b.embedding ${operator} a.embedding LIMIT 1
        ) AS nearest FROM ${this.quoted} a) AS asked`;
  }

  #settings(pool: number): string {
    return `SET LOCAL hnsw.ef_search = ${pool}; SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL enable_seqscan = off;`;
  }

  /** As float32, squared under l2. */
  #distance(literal: string): string {
    if (this.metric === 'l2') return `${this.#type}_l2_squared_distance(embedding, ${literal})::float4`;
    return `(embedding ${operators[this.metric]} ${literal})::float4`;
  }

  #literal(vector: Float32Array): string {
    return `'${this.#text(vector)}'::${this.#type}`;
  }

  #text(vector: Float32Array): string {
    return this.#type === 'vector' ? vectorText(vector) : sparseText(vector);
  }
}

function near(within: number | undefined): string {
  if (within === undefined || within === Number.POSITIVE_INFINITY) return '';
  return ` WHERE d <= '${within === Number.NEGATIVE_INFINITY ? '-infinity' : Math.fround(within)}'::float4`;
}

/** @throws NighError UNSUPPORTED */
export async function requireVectorExtension(database: Database): Promise<void> {
  const [found] = await database.read(`SELECT extversion FROM pg_extension WHERE extname = 'vector'`);
  const version = found?.[0];
  if (version == null) {
    throw new NighError(
      'UNSUPPORTED',
      `${database.name}: the extension "vector" is not there; run: CREATE EXTENSION vector`,
    );
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major === 0 && minor < 8) {
    throw new NighError(
      'UNSUPPORTED',
      `${database.name}: pgvector ${version} is older than 0.8, which continues a scan under a filter.`,
    );
  }
}

/** `schema.table`, quoted; names of our own hold no dot elsewhere. */
export function quoteTable(name: string): string {
  const at = name.lastIndexOf('.');
  return at < 0 ? quoteName(name) : `${quoteName(name.slice(0, at))}.${quoteName(name.slice(at + 1))}`;
}

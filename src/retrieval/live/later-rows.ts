/** Vectors that came after an index was built, by id; exact. Ids are new ones, and a row is never changed or taken away. */
import type { Matrix } from '../../core/matrix.js';
import { zeros } from '../../core/matrix.js';
import { FlatIndex } from '../../index/flat-index.js';
import type { IdSet } from '../../index/id-set.js';
import type { MetricName, SearchOptions, SearchResult, VectorIndex } from '../../index/vector-index.js';

export interface LaterRows {
  /** Adds rows; searches that begin after the promise has resolved know them. */
  add(rows: ReadonlyMap<number, Float32Array>): Promise<void>;
  search(query: Float32Array, k: number, options: SearchOptions): Promise<SearchResult>;
  searchSync(query: Float32Array, k: number, options: SearchOptions): SearchResult;
  /** As the index that it continues would give it. */
  vector(id: number): Float32Array | undefined;
  readonly memoryBytes: number;
  close(): void;
}

/** Rows of the kind that an index holds. */
export function laterRowsOf({ kind, metric, dim }: VectorIndex): LaterRows {
  return kind === 'sparse' ? new LaterSparseRows(metric) : new LaterDenseRows(metric, dim);
}

const none: SearchResult = {
  ids: new Uint32Array(0),
  distances: new Float32Array(0),
  stats: { plan: 'scan', visited: 0, distances: 0 },
};

class LaterDenseRows implements LaterRows {
  readonly #metric: MetricName;
  readonly #dim: number;
  #index: FlatIndex | undefined;

  constructor(metric: MetricName, dim: number) {
    this.#metric = metric;
    this.#dim = dim;
  }

  get memoryBytes(): number {
    return this.#index?.memoryBytes ?? 0;
  }

  async add(rows: ReadonlyMap<number, Float32Array>): Promise<void> {
    if (rows.size === 0) return;
    const ids = Uint32Array.from(rows.keys());
    const matrix: Matrix = zeros(rows.size, this.#dim);
    [...rows.values()].forEach((vector, r) => {
      matrix.data.set(vector, r * this.#dim);
    });
    if (this.#index === undefined) this.#index = await FlatIndex.build(matrix, { metric: this.#metric, ids });
    else await this.#index.add(matrix, ids);
  }

  async search(query: Float32Array, k: number, options: SearchOptions): Promise<SearchResult> {
    return this.#index === undefined ? none : this.#index.search(query, k, options);
  }

  searchSync(query: Float32Array, k: number, options: SearchOptions): SearchResult {
    return this.#index === undefined ? none : this.#index.searchSync(query, k, options);
  }

  vector(id: number): Float32Array | undefined {
    return this.#index?.vector(id);
  }

  close(): void {
    this.#index?.close();
  }
}

interface SparseRow {
  readonly columns: Uint32Array;
  readonly values: Float32Array;
  readonly length: number;
}

/** Some dozen entries in tens of thousands of columns: dense rows would take a thousand times the room. */
class LaterSparseRows implements LaterRows {
  readonly #metric: MetricName;
  readonly #rows = new Map<number, SparseRow>();
  #dim = 0;

  constructor(metric: MetricName) {
    this.#metric = metric;
  }

  get memoryBytes(): number {
    let bytes = 0;
    for (const { columns } of this.#rows.values()) bytes += columns.length * 8;
    return bytes;
  }

  async add(rows: ReadonlyMap<number, Float32Array>): Promise<void> {
    for (const [id, vector] of rows) {
      this.#dim = vector.length;
      const columns = Uint32Array.from(vector.keys()).filter((column) => vector[column] !== 0);
      const length = Math.hypot(...Array.from(columns, (column) => vector[column]!));
      const scale = this.#metric === 'cosine' ? 1 / length : 1;
      const values = Float32Array.from(columns, (column) => scale * vector[column]!);
      this.#rows.set(id, { columns, values, length: this.#metric === 'cosine' ? 1 : length });
    }
  }

  async search(query: Float32Array, k: number, options: SearchOptions): Promise<SearchResult> {
    return this.searchSync(query, k, options);
  }

  searchSync(
    query: Float32Array,
    k: number,
    { filter, within = Number.POSITIVE_INFINITY }: SearchOptions,
  ): SearchResult {
    const queryLength = Math.hypot(...query.filter((value) => value !== 0));
    const found: { id: number; distance: number }[] = [];
    for (const [id, { columns, values, length }] of this.#rows) {
      if (filter?.has(id) === false) continue;
      let product = 0;
      columns.forEach((column, e) => {
        product += query[column]! * values[e]!;
      });
      const distance = Math.fround(this.#distance(product, queryLength, length));
      if (distance <= within) found.push({ id, distance });
    }
    found.sort((a, b) => a.distance - b.distance || a.id - b.id);
    const first = found.slice(0, k);
    return {
      ids: Uint32Array.from(first, ({ id }) => id),
      distances: Float32Array.from(first, ({ distance }) => distance),
      stats: { plan: 'scan', visited: found.length, distances: found.length },
    };
  }

  #distance(product: number, queryLength: number, length: number): number {
    if (this.#metric === 'cosine') return 1 - product / queryLength;
    return this.#metric === 'ip' ? -product : queryLength ** 2 + length ** 2 - 2 * product;
  }

  vector(id: number): Float32Array | undefined {
    const stored = this.#rows.get(id);
    if (stored === undefined) return undefined;
    const vector = new Float32Array(this.#dim);
    stored.columns.forEach((column, e) => {
      vector[column] = stored.values[e]!;
    });
    return vector;
  }

  close(): void {
    this.#rows.clear();
  }
}

/** The ids of both; undefined stands for all. */
export function both(a: IdSet | undefined, b: IdSet | undefined): IdSet | undefined {
  return a === undefined ? b : b === undefined ? a : a.and(b);
}

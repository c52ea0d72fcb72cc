import { NighError } from '../../core/errors.js';
import type { Matrix } from '../../core/matrix.js';
import type { IdSet } from '../../index/id-set.js';
import type {
  BatchOptions,
  BatchResult,
  IndexCapabilities,
  IndexKind,
  MetricName,
  SearchOptions,
  SearchResult,
  SearchStats,
  SyncVectorIndex,
  VectorIndex,
} from '../../index/vector-index.js';
import { isSync } from '../../index/vector-index.js';
import { both, type LaterRows } from './later-rows.js';

/** Which rows of a stored index and of those that came later there were at a moment. */
export interface LiveRows {
  /** Of the stored index: all of them where undefined. */
  readonly stored: IdSet | undefined;
  /** Of the later rows: none where undefined. */
  readonly later: IdSet | undefined;
  /** How many in all. */
  readonly size: number;
}

/**
 * A stored index with changes on top, as they were at a moment: both are searched, each only for what was there, and the closest of both are
 * the answer. So it holds min(k, matching rows) as the stored index alone does.
 */
export class LayeredIndex implements SyncVectorIndex {
  readonly kind: IndexKind;
  readonly metric: MetricName;
  readonly dim: number;
  readonly size: number;
  readonly capabilities: IndexCapabilities;
  readonly #stored: VectorIndex;
  readonly #later: LaterRows;
  readonly #rows: LiveRows;

  constructor(stored: VectorIndex, later: LaterRows, rows: LiveRows) {
    this.#stored = stored;
    this.#later = later;
    this.#rows = rows;
    this.kind = stored.kind;
    this.metric = stored.metric;
    this.dim = stored.dim;
    this.size = rows.size;
    this.capabilities = { ...stored.capabilities, mutable: false };
  }

  get memoryBytes(): number {
    return this.#stored.memoryBytes + this.#later.memoryBytes;
  }

  async search(query: Float32Array, k: number, options: SearchOptions = {}): Promise<SearchResult> {
    const { ofStored, ofLater } = this.#optionsOf(options);
    const stored = this.#stored.search(query, k, ofStored);
    if (ofLater === undefined) return stored;
    const [found, later] = await Promise.all([stored, this.#later.search(query, k, ofLater)]);
    return merged(found, later, k);
  }

  searchSync(query: Float32Array, k: number, options: SearchOptions = {}): SearchResult {
    const stored = this.#stored;
    if (!isSync(stored)) throw new NighError('UNSUPPORTED', `An index of the kind ${this.kind} has no searchSync.`);
    const { ofStored, ofLater } = this.#optionsOf(options);
    const found = stored.searchSync(query, k, ofStored);
    return ofLater === undefined ? found : merged(found, this.#later.searchSync(query, k, ofLater), k);
  }

  async searchBatch(queries: Matrix, k: number, options: BatchOptions = {}): Promise<BatchResult> {
    const { ofStored, ofLater } = this.#optionsOf(options);
    const batch = await this.#stored.searchBatch(queries, k, { ...options, ...ofStored });
    if (ofLater === undefined) return batch;
    let { visited, distances: compared } = batch.stats;
    for (let r = 0; r < queries.rows; r++) {
      const query = queries.data.subarray(r * queries.dim, (r + 1) * queries.dim);
      const begin = r * k;
      const found = {
        ids: batch.ids.subarray(begin, begin + batch.counts[r]!),
        distances: batch.distances.subarray(begin, begin + batch.counts[r]!),
        stats: batch.stats,
      };
      const later = await this.#later.search(query, k, ofLater);
      const { ids, distances } = merged(found, later, k);
      batch.ids.set(ids, begin);
      batch.distances.set(distances, begin);
      batch.counts[r] = ids.length;
      visited += later.stats.visited;
      compared += later.stats.distances;
    }
    return { ...batch, stats: { ...batch.stats, visited, distances: compared } };
  }

  vector(id: number): Float32Array | undefined {
    const { stored, later } = this.#rows;
    if (stored === undefined || stored.has(id)) {
      const vector = this.#stored.vector(id);
      if (vector !== undefined) return vector;
    }
    return later?.has(id) === true ? this.#later.vector(id) : undefined;
  }

  /** @throws NighError UNSUPPORTED: compaction makes one index of both */
  async save(_path: string): Promise<void> {
    throw new NighError('UNSUPPORTED', 'An index with changes on top is not one file.');
  }

  /** What it stands on is closed by whoever opened it. */
  close(): void {}

  #optionsOf(options: SearchOptions): { ofStored: SearchOptions; ofLater: SearchOptions | undefined } {
    const { stored, later } = this.#rows;
    const { filter, within, signal } = options;
    return {
      ofStored: stored === undefined ? options : { ...options, filter: both(filter, stored) },
      ofLater: later === undefined ? undefined : { filter: both(filter, later), within, signal },
    };
  }
}

/** The first k of both, closest first, ties by id. */
function merged(a: SearchResult, b: SearchResult, k: number): SearchResult {
  const count = Math.min(k, a.ids.length + b.ids.length);
  const ids = new Uint32Array(count);
  const distances = new Float32Array(count);
  let i = 0;
  let j = 0;
  for (let at = 0; at < count; at++) {
    const ofA =
      j >= b.ids.length ||
      (i < a.ids.length &&
        (a.distances[i]! < b.distances[j]! || (a.distances[i] === b.distances[j] && a.ids[i]! < b.ids[j]!)));
    const [from, p] = ofA ? [a, i++] : [b, j++];
    ids[at] = from.ids[p]!;
    distances[at] = from.distances[p]!;
  }
  const stats: SearchStats = {
    plan: a.stats.plan,
    visited: a.stats.visited + b.stats.visited,
    distances: a.stats.distances + b.stats.distances,
  };
  return { ids, distances, stats };
}

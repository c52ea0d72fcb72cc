import { join } from 'node:path';
import { throwIfAborted } from '../core/abort.js';
import { invalidArgument, NighError } from '../core/errors.js';
import { type Matrix, requireMatrix } from '../core/matrix.js';
import { integer, readParams } from '../core/params.js';
import { roomFor, spread, usefulWidth } from './batch-answer.js';
import { type BuildOptions, idsFor, productFields } from './build-options.js';
import type { HnswlibParams } from './hnswlib-container.js';
import { HnswlibWorker } from './hnswlib-worker.js';
import { isUint32 } from './id-list.js';
import { nativeIdSet } from './id-set.js';
import {
  checkBatchOptions,
  checkSearchOptions,
  requireDim,
  requireK,
  requirePath,
  requireQuery,
} from './search-arguments.js';
import type {
  BatchOptions,
  BatchResult,
  IndexCapabilities,
  SearchOptions,
  SearchResult,
  VectorIndex,
} from './vector-index.js';

export interface HnswlibBuildOptions extends BuildOptions {
  /** Links of a node on the upper layers, 2 to 256; layer 0 has twice as many. Default 16. */
  readonly M?: number | undefined;
  /** Candidate pool while a node looks for its neighbours. Default 200. */
  readonly efConstruction?: number | undefined;
  /** Of the levels, 0 to 4294967295. Default 42. */
  readonly seed?: number | undefined;
  /** Candidate pool of a search that names none. Not stored in the file. Default 64. */
  readonly efSearch?: number | undefined;
}

export const defaultHnswlibEfSearch = 64;

const schema = {
  ...productFields,
  M: integer({ min: 2, max: 256, default: 16 }),
  efConstruction: integer({ min: 1, max: 100_000, default: 200 }),
  seed: integer({ min: 0, max: 0xffffffff, default: 42 }),
  efSearch: integer({ min: 1, default: defaultHnswlibEfSearch }),
};

/** What an index consists of on this side of its thread. */
interface Parts {
  readonly worker: HnswlibWorker;
  readonly params: HnswlibParams;
  /** count × dim, in shared memory; unit length under cosine. */
  readonly rows: Float32Array;
  /** By slot; null for 0 … count − 1. */
  readonly ids: Uint32Array | null;
  /** The slots by ascending id; null like ids. */
  readonly order: Uint32Array | null;
  readonly efSearch: number;
}

/** An index that was forgotten without close() must not keep its thread. */
const forgotten = new FinalizationRegistry<HnswlibWorker>((worker) => worker.close());

/**
 * Approximate search by the npm package hnswlib-node, behind the same interface: for comparison, and for whoever relies
 * on it.
 *
 * hnswlib-node is synchronous, fixed in capacity, takes plain arrays and filters by a callback for each visited node.
 * So every index has a thread of its own, on which its calls run one after another. The distances of an answer are
 * computed from the vectors, in this package's definitions, and ties are ordered by id. Where a filter allows fewer
 * vectors than the candidate pool holds, or the graph yields too few, the allowed ones are compared one by one and
 * `stats.plan` says so. hnswlib does not tell what its traversal met: `stats.visited` and `stats.distances` count the
 * vectors whose true distance was computed.
 *
 * The vectors are held twice, once by hnswlib and once here.
 */
export class HnswlibIndex implements VectorIndex {
  readonly kind = 'hnswlib';
  readonly capabilities: IndexCapabilities = {
    sync: false,
    nativeFilter: false,
    mapped: false,
    range: false,
    exact: false,
    mutable: false,
  };
  readonly metric: HnswlibParams['metric'];
  readonly dim: number;
  /** Size of the candidate pool of a search that names none. */
  readonly efSearch: number;
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.metric = parts.params.metric;
    this.dim = parts.params.dim;
    this.efSearch = parts.efSearch;
    forgotten.register(this, parts.worker, this);
  }

  /**
   * An index over the rows of `matrix` (rows × dim float32, copied before this returns), built on one thread.
   * `onProgress` counts inserted rows.
   * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, DUPLICATE_ID,
   * ABORTED, OPTIONAL_PACKAGE, OUT_OF_MEMORY
   */
  static async build(matrix: Matrix, options: HnswlibBuildOptions): Promise<HnswlibIndex> {
    requireMatrix('matrix', matrix);
    const { metric, ids, M, efConstruction, seed, efSearch, ...task } = readParams(schema, options, '');
    const given = idsFor(matrix, ids);
    const params = { metric, dim: matrix.dim, count: matrix.rows, M, efConstruction, seed };
    const rows = new Float32Array(sharedBytes(matrix.data.byteLength));
    rows.set(matrix.data);
    const shared = given === null ? null : new Uint32Array(new SharedArrayBuffer(given.byteLength));
    if (given !== null) shared?.set(given);
    const worker = new HnswlibWorker();
    try {
      const { order } = await worker.call('build', { ...params, values: rows, ids: shared }, task);
      throwIfAborted(task.signal);
      return new HnswlibIndex({ worker, params, rows, ids: shared, order, efSearch });
    } catch (error) {
      worker.close();
      throw error;
    }
  }

  /**
   * Reads a file that `save` wrote. Everything in it is checked before hnswlib, which checks next to nothing, is given
   * any of it.
   * @throws NighError NOT_FOUND, IO, FORMAT, TRUNCATED, CHECKSUM_MISMATCH, VERSION_UNSUPPORTED, OPTIONAL_PACKAGE
   */
  static async open(path: string, { efSearch }: { readonly efSearch: number }): Promise<HnswlibIndex> {
    const { extractGraph, readContainer, readIds, withTemporaryDirectory } = await files();
    const container = await readContainer(path);
    const { metric, dim, count, M, efConstruction, seed } = container;
    const ids = await readIds(path, container);
    const worker = new HnswlibWorker();
    try {
      const { values, order } = await withTemporaryDirectory(async (directory) => {
        const graph = join(directory, 'graph');
        if (count > 0) await extractGraph(path, container, graph);
        return worker.call('load', { path: graph, count, dim, ids, metric, M }, {});
      });
      return new HnswlibIndex({
        worker,
        params: { metric, dim, count, M, efConstruction, seed },
        rows: values,
        ids,
        order,
        efSearch,
      });
    } catch (error) {
      worker.close();
      throw error;
    }
  }

  /** Number of vectors; fixed. @throws NighError CLOSED */
  get size(): number {
    this.#parts.worker.requireOpen();
    return this.#parts.params.count;
  }

  /**
   * Bytes that the index holds: what is known exactly here, and hnswlib's part by its layout.
   * @throws NighError CLOSED
   */
  get memoryBytes(): number {
    this.#parts.worker.requireOpen();
    const { rows, ids, order, params } = this.#parts;
    const upperLists = (4 * params.M + 4) / (params.M - 1);
    const element = 4 * params.dim + 8 * params.M + 4 + 8 + upperLists + 8;
    return rows.byteLength + (ids?.byteLength ?? 0) + (order?.byteLength ?? 0) + Math.ceil(params.count * element);
  }

  /**
   * The k nearest neighbours of one vector (`dim` values), on the index's thread. The query is copied before this
   * returns.
   * @throws NighError DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, CLOSED
   */
  async search(query: Float32Array, k: number, options: SearchOptions = {}): Promise<SearchResult> {
    requireQuery(this.metric, query);
    requireK(k);
    checkSearchOptions(options);
    const { worker } = this.#parts;
    worker.requireOpen();
    requireDim('query', query.length, this.dim);
    this.#requireSearchable(query, 'query');
    const { ids, distances, plan, visited } = await worker.call(
      'search',
      { ...this.#message(k, options), query: query.slice() },
      { signal: options.signal },
    );
    throwIfAborted(options.signal);
    return { ids, distances, stats: { plan, visited, distances: visited } };
  }

  /**
   * One search per row of `queries` (rows × dim, copied before this returns), one after another on the index's thread:
   * `threads` above 1 is refused.
   * @throws NighError DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, UNSUPPORTED,
   * ABORTED, CLOSED, OUT_OF_MEMORY
   */
  async searchBatch(queries: Matrix, k: number, options: BatchOptions = {}): Promise<BatchResult> {
    requireMatrix('queries', queries);
    requireK(k);
    checkBatchOptions(options);
    if (options.threads !== undefined && options.threads > 1) {
      throw new NighError('UNSUPPORTED', 'threads: an index of kind "hnswlib" searches on one thread.');
    }
    const { worker } = this.#parts;
    worker.requireOpen();
    requireDim('queries', queries.dim, this.dim);
    this.#requireSearchable(queries.data, 'queries');
    const width = usefulWidth(k, this.size);
    const answer = roomFor(queries.rows, k);
    const { counts, plan, visited, ...narrow } = await worker.call(
      'searchBatch',
      { ...this.#message(k, options), queries: queries.data.slice(), count: queries.rows, width },
      options,
    );
    throwIfAborted(options.signal);
    if (width === k) return { ...narrow, counts, stats: { plan, visited, distances: visited } };
    spread(narrow, width, answer, k, queries.rows);
    return { ...answer, counts, stats: { plan, visited, distances: visited } };
  }

  /**
   * A copy of the stored vector (`dim` values, unit length under cosine), or undefined for an unknown id.
   * @throws NighError INVALID_ARGUMENT, CLOSED
   */
  vector(id: number): Float32Array | undefined {
    if (!isUint32(id)) throw invalidArgument('id', 'an integer from 0 to 4294967295', id);
    this.#parts.worker.requireOpen();
    const slot = this.#slotOf(id);
    if (slot === undefined) return undefined;
    return this.#parts.rows.slice(slot * this.dim, (slot + 1) * this.dim);
  }

  /**
   * Writes the index to one file, which appears whole or not at all. An existing file is replaced.
   * @throws NighError IO, NOT_FOUND, CLOSED, INVALID_ARGUMENT
   */
  async save(path: string): Promise<void> {
    requirePath(path);
    const { worker, params, ids } = this.#parts;
    await worker.hold(async () => {
      const { withTemporaryDirectory, writeContainer } = await files();
      await withTemporaryDirectory(async (directory) => {
        const graph = params.count === 0 ? null : join(directory, 'graph');
        if (graph !== null) await worker.call('write', { path: graph, M: params.M }, {});
        await writeContainer(path, params, ids, graph);
      });
    });
  }

  /** Ends the thread. Later calls throw CLOSED; calls under way finish. Closing twice is allowed. */
  close(): void {
    forgotten.unregister(this);
    this.#parts.worker.close();
  }

  /** `using index = …` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #message(k: number, { efSearch = this.efSearch, recall, within, exact = false, filter }: SearchOptions) {
    if (recall !== undefined)
      throw new NighError('UNSUPPORTED', 'recall: an index of kind "hnswlib" knows efSearch only.');
    if (within !== undefined)
      throw new NighError('UNSUPPORTED', 'within: an index of kind "hnswlib" cannot search a range.');
    const set = filter === undefined ? undefined : nativeIdSet('filter', filter);
    return {
      k,
      efSearch,
      exact,
      filter: set === undefined ? null : { listed: set.listedIds(), complement: set.complement },
    };
  }

  #slotOf(id: number): number | undefined {
    const { ids, order, params } = this.#parts;
    if (ids === null || order === null) return id < params.count ? id : undefined;
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ids[order[middle]!]! < id) low = middle + 1;
      else high = middle;
    }
    const slot = order[low];
    return slot !== undefined && ids[slot] === id ? slot : undefined;
  }

  #requireSearchable(queries: Float32Array, name: string): void {
    for (let begin = 0; begin < queries.length; begin += this.dim) {
      let zero = true;
      for (let at = begin; at < begin + this.dim; at++) {
        const value = queries[at]!;
        if (!Number.isFinite(value)) {
          throw new NighError('NOT_FINITE', `${name}: row ${begin / this.dim}, column ${at - begin} is ${value}.`);
        }
        if (value !== 0) zero = false;
      }
      if (zero && this.metric === 'cosine') {
        throw new NighError('ZERO_VECTOR', `${name}: row ${begin / this.dim} has length zero, so it has no direction.`);
      }
    }
  }
}

/** @throws NighError OUT_OF_MEMORY */
function sharedBytes(bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch (cause) {
    throw new NighError('OUT_OF_MEMORY', `${bytes} bytes of shared memory cannot be allocated.`, { cause });
  }
}

/** Loaded when a file is read or written. */
function files() {
  return import('./hnswlib-container.js');
}

import type { TaskOptions } from '../binding/task.js';
import type { MatrixOf, Vector } from '../core/matrix.js';
import type { Ids } from './id-list.js';
import type { IdSet } from './id-set.js';

/** Those of float32 vectors that are made of products; every engine has them. */
export const productMetricNames = ['l2', 'ip', 'cosine'] as const;
/** Those of bit vectors. */
export const bitMetricNames = ['hamming', 'jaccard'] as const;
export const metricNames = [...productMetricNames, 'l1', 'chebyshev', ...bitMetricNames] as const;

/**
 * What close means; smaller is closer in each. Of float32 vectors: `l2` is squared Euclidean, `ip` is −dot, `cosine` is
 * 1 − cos, `l1` is Σ |a − b|, `chebyshev` is max |a − b|. Of bit vectors: `hamming` is the number of bits that differ,
 * `jaccard` is 1 − |a ∧ b| / |a ∨ b|, and 0 between two vectors without a bit.
 */
export type MetricName = (typeof metricNames)[number];

/** Whether vectors under this metric are bits, in Uint8Arrays, rather than float32 values. */
export function isBitMetric(metric: MetricName): boolean {
  return bitMetricNames.some((name) => name === metric);
}

/** The metrics that every engine has. */
export type ProductMetricName = (typeof productMetricNames)[number];

export function isProductMetric(value: unknown): value is ProductMetricName {
  return productMetricNames.some((name) => name === value);
}

export function isMetricName(value: unknown): value is MetricName {
  return metricNames.some((name) => name === value);
}

/** Which engine holds the vectors. */
export type IndexKind = 'flat' | 'hnsw' | 'hnswlib' | 'sparse' | 'pgvector';

/**
 * How an answer was found: `scan` compared every row, `allowed-scan` every row that the filter allows. `graph` traversed the
 * graph; `filtered-graph` did and stepped over rows that the filter does not allow; `two-hop-graph` did and looked behind
 * them.
 */
export type SearchPlan = 'scan' | 'allowed-scan' | 'graph' | 'filtered-graph' | 'two-hop-graph';

export interface SearchOptions {
  /** Ids that may be returned. Default: all. */
  readonly filter?: IdSet | undefined;
  /**
   * Graph indexes: size of the candidate pool, 1 or more, all of which is expanded. Larger finds more of the true neighbours and takes
   * longer. Below k, which the pool must hold, so many of it are expanded: the fastest answers of the least recall. Default:
   * that of the index, but at least k.
   */
  readonly efSearch?: number | undefined;
  /**
   * Graph indexes, instead of `efSearch`: the share of the true k nearest that is wanted on average, above 0 and below 1. The
   * effort that takes was measured when the index was built. Exact where the index is too small to be worth a graph; where
   * the measured recalls end below what is wanted, the smallest effort that reaches the largest of them. It was measured by rows
   * unless the build was given `calibrationQueries`, and holds for queries like those. Under inner product, where queries lie
   * elsewhere than rows, half of those rows are turned to directions in which rows are short, and the worse of both counts: an
   * effort that is rather too large than too small.
   * `hnswlib` indexes refuse it (UNSUPPORTED).
   */
  readonly recall?: number | undefined;
  /**
   * Only rows at this distance or closer match. k is then the most that is wanted: with k = `size` a search gives all of them.
   * Default: any distance.
   */
  readonly within?: number | undefined;
  /**
   * Quantised indexes: refineFactor × k candidates of the pool get their true distance. An integer of 1 or more; larger finds
   * more of the true neighbours and costs a row read each. Default 2.
   */
  readonly refineFactor?: number | undefined;
  /** Compare every allowed row instead of traversing a graph. Default false. */
  readonly exact?: boolean | undefined;
  /** Stops the work and rejects with ABORTED. Not looked at by the Sync twins. */
  readonly signal?: AbortSignal | undefined;
}

export interface BatchOptions extends SearchOptions {
  /** Native threads to use; 0 = all, which is the default. */
  readonly threads?: number | undefined;
  /** Called with rows done and in total, at most some ten times a second. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface SearchStats {
  readonly plan: SearchPlan;
  /** Rows reached. */
  readonly visited: number;
  /** Distances computed. */
  readonly distances: number;
}

export interface SearchResult {
  /** min(k, matching rows) ids, closest first, ties by id. */
  readonly ids: Uint32Array;
  /** True float32 distances, one an id. */
  readonly distances: Float32Array;
  readonly stats: SearchStats;
}

export interface BatchResult {
  /** rows × k; past counts[row] an id is 0xFFFFFFFF. */
  readonly ids: Uint32Array;
  /** rows × k; past counts[row] a distance is +Infinity. */
  readonly distances: Float32Array;
  /** How many neighbours every row has: min(k, matching rows). */
  readonly counts: Uint32Array;
  /** Sums over the rows. */
  readonly stats: SearchStats;
}

/** What an engine can do beyond search: declared, so that one contract test fits all. */
export interface IndexCapabilities {
  /** Has `searchSync`. */
  readonly sync: boolean;
  /** Filters inside the traversal, without a fall-back to a scan. */
  readonly nativeFilter: boolean;
  /** Can be opened as a map of its file. */
  readonly mapped: boolean;
  /** Takes `recall` and `within`. */
  readonly range: boolean;
  /** Every answer is the true one. */
  readonly exact: boolean;
  /** Has `add`, `replace`, `remove`, `compact` and `verify`, and is not mapped. */
  readonly mutable: boolean;
}

/**
 * One vector index: uint32 ids and distances, nothing else. Safe to search from many callers at once. Vectors are
 * Float32Arrays of `dim` values, and Uint8Arrays of ceil(dim / 8) bytes under `hamming` and `jaccard`.
 */
export interface VectorIndex<V extends Vector = Float32Array> {
  readonly kind: IndexKind;
  readonly metric: MetricName;
  readonly dim: number;
  /** Number of vectors. */
  readonly size: number;
  /** Bytes of memory or map that the index holds. */
  readonly memoryBytes: number;
  readonly capabilities: IndexCapabilities;

  /**
   * The k nearest neighbours of one vector, off the event loop; k is 1 or more.
   * @throws NighError DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, UNSUPPORTED for what the engine lacks
   * (`capabilities`), ABORTED, CLOSED, OUT_OF_MEMORY
   */
  search(query: V, k: number, options?: SearchOptions): Promise<SearchResult>;

  /**
   * One search per row, on all cores, off the event loop. `queries` must not change before the promise settles.
   * @throws NighError as `search`
   */
  searchBatch(queries: MatrixOf<V>, k: number, options?: BatchOptions): Promise<BatchResult>;

  /**
   * A copy of the stored vector (unit length under cosine), or undefined for an unknown id.
   * @throws NighError UNSUPPORTED for an index outside of this process, which has `vectors`; INVALID_ARGUMENT, CLOSED
   */
  vector(id: number): V | undefined;

  /** `vector` of several at once, in their order: only where they have to be fetched. `vectorsOf` asks any index. */
  vectors?(ids: Uint32Array, signal?: AbortSignal): Promise<(V | undefined)[]>;

  /** Writes the index to one file, atomically. @throws NighError INVALID_ARGUMENT, IO, CLOSED, OUT_OF_MEMORY */
  save(path: string): Promise<void>;

  /** Frees the memory. Later calls throw CLOSED; calls under way finish. */
  close(): void;
}

/** An index that can also search on the calling thread: `capabilities.sync` is true. */
export interface SyncVectorIndex<V extends Vector = Float32Array> extends VectorIndex<V> {
  /**
   * What `search` gives, computed now: cheaper than a hop to another thread where a search takes microseconds. `signal`
   * is not looked at.
   * @throws NighError as `search`, but for ABORTED
   */
  searchSync(query: V, k: number, options?: SearchOptions): SearchResult;
}

export interface ChangeOptions extends TaskOptions {
  /** Native threads to use; 0 = all, which is the default. */
  readonly threads?: number | undefined;
}

export interface ReplaceOptions extends ChangeOptions {
  /** Add the rows whose ids are not there, instead of rejecting with UNKNOWN_ID. Default false. */
  readonly addMissing?: boolean | undefined;
}

export interface RemoveOptions extends ChangeOptions {
  /** Pass over ids that are not there, instead of rejecting with UNKNOWN_ID. Default false. */
  readonly ignoreMissing?: boolean | undefined;
}

export interface VerifyOptions extends ChangeOptions {
  /** Repair what is found; changes the index, so not on a mapped one. Default false. */
  readonly repair?: boolean | undefined;
  /** Candidate pool of the searches that every vector must be found by. Default: that of the index. */
  readonly efSearch?: number | undefined;
}

/** What `verify` found. In a sound index all but `live` and `removed` are 0. */
export interface VerifyReport {
  /** Vectors. */
  readonly live: number;
  /** Removed rows that still take place; `compact` frees them. */
  readonly removed: number;
  /** Links of the graph that lead nowhere. */
  readonly dangling: number;
  /** Vectors that no path of links leads to. */
  readonly unreachable: number;
  /** Vectors that a search for them gave neither themselves nor, in full, others as near. */
  readonly notFound: number;
  /** How many of these faults were repaired. */
  readonly repaired: number;
}

/**
 * An index that can change: `capabilities.mutable` is true. Every change is all or nothing: after an error the index is as it was.
 * Searches go on meanwhile, never wait, and see a change whole or not at all; the next one after the promise has resolved sees it.
 * Changes wait for each other, in the order of the calls or any other.
 */
export interface MutableVectorIndex<V extends Vector = Float32Array> extends VectorIndex<V> {
  /** Adds rows under new ids, one a row. No room has to be reserved. */
  add(matrix: MatrixOf<V>, ids: Ids, options?: ChangeOptions): Promise<void>;

  /** Puts rows in the place of the vectors under `ids`, in one step; with `addMissing` it is an upsert. */
  replace(matrix: MatrixOf<V>, ids: Ids, options?: ReplaceOptions): Promise<void>;

  /** Removes the vectors under `ids`; resolves with how many there were. */
  remove(ids: Ids, options?: RemoveOptions): Promise<number>;

  /** Frees what removed rows hold and the room that was made for rows to come. */
  compact(options?: ChangeOptions): Promise<void>;

  /** Proves that every vector is found, and with `repair` makes it so. */
  verify(options?: VerifyOptions): Promise<VerifyReport>;
}

/** Whether an index can change. */
export function isMutable(index: VectorIndex): index is MutableVectorIndex {
  return index.capabilities.mutable;
}

/** Whether an index has `searchSync`. */
export function isSync<V extends Vector>(index: VectorIndex<V>): index is SyncVectorIndex<V> {
  return index.capabilities.sync;
}

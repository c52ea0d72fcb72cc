/**
 * What FlatIndex, HnswIndex and SparseIndex share: they stand over one native class, which holds the vectors and does the searching.
 */
import {
  type AnswerBuffers,
  type NativeIndex,
  type NativeStats,
  native,
  type SearchSettings,
} from '../binding/native.js';
import { callNative, fromNative } from '../binding/native-error.js';
import { runTask } from '../binding/task.js';
import { throwIfAborted } from '../core/abort.js';
import { invalidArgument, NighError } from '../core/errors.js';
import { bitBytes, type MatrixOf, type Vector } from '../core/matrix.js';
import { allocated } from './allocated.js';
import { roomFor, spread, usefulWidth } from './batch-answer.js';
import { requireVectors } from './build-options.js';
import { isUint32 } from './id-list.js';
import { nativeIdSet } from './id-set.js';
import { checkBatchOptions, checkSearchOptions, requireK, requirePath, requireQuery } from './search-arguments.js';
import {
  type BatchOptions,
  type BatchResult,
  type IndexCapabilities,
  isBitMetric,
  isMetricName,
  type MetricName,
  type SearchOptions,
  type SearchPlan,
  type SearchResult,
  type SearchStats,
  type SyncVectorIndex,
} from './vector-index.js';

/** In the order of the native `Plan`. */
const plans: readonly SearchPlan[] = ['scan', 'allowed-scan', 'graph', 'filtered-graph', 'two-hop-graph'];

const defaultRefineFactor = 2;

/** Where the native side leaves the answer of a synchronous search; one a thread, like this module. */
let lastAnswer: AnswerBuffers | undefined;

/** One a thread too: native code copies it before it returns. */
const settings: SearchSettings = new Float64Array(6);

const noOptions: SearchOptions = {};

export abstract class NativeVectorIndex<V extends Vector = Float32Array> implements SyncVectorIndex<V> {
  abstract readonly kind: 'flat' | 'hnsw' | 'sparse';
  abstract readonly capabilities: IndexCapabilities;
  readonly metric: MetricName;
  readonly dim: number;
  /** Size of the candidate pool of a search that names none. */
  readonly efSearch: number;
  /** Recall that a search aims at which names neither `recall` nor `efSearch`; undefined where `efSearch` decides. */
  readonly recall: number | undefined;
  protected readonly native: NativeIndex;

  /** Not for users: an index comes from `build` or `openIndex`. */
  constructor(index: NativeIndex, efSearch: number, recall?: number) {
    this.native = index;
    const { metric } = index;
    if (!isMetricName(metric)) throw new NighError('INTERNAL', `The native core named an unknown metric, ${metric}.`);
    this.metric = metric;
    this.dim = index.dim;
    this.efSearch = efSearch;
    this.recall = recall;
  }

  /** Number of vectors. @throws NighError CLOSED */
  get size(): number {
    return callNative(() => this.native.size);
  }

  /** Bytes of memory or map that the index holds. @throws NighError CLOSED */
  get memoryBytes(): number {
    return callNative(() => this.native.memoryBytes);
  }

  /**
   * The k nearest neighbours of one vector (`dim` values), off the event loop. The query is copied before this returns.
   * @throws NighError DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, CLOSED,
   * OUT_OF_MEMORY
   */
  async search(query: V, k: number, options: SearchOptions = noOptions): Promise<SearchResult> {
    requireQuery(this.metric, query);
    requireK(k);
    checkSearchOptions(options);
    const filter = options.filter === undefined ? null : nativeIdSet('filter', options.filter);
    const packed = await runTask({ signal: options.signal }, (control) =>
      this.native.search(query, this.settings(k, options), filter, control),
    );
    throwIfAborted(options.signal);
    return unpack(packed);
  }

  /**
   * The k nearest neighbours of one vector (`dim` values), computed on the calling thread. `signal` is not looked at.
   * @throws NighError DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, CLOSED,
   * OUT_OF_MEMORY
   */
  searchSync(query: V, k: number, options: SearchOptions = noOptions): SearchResult {
    requireQuery(this.metric, query);
    requireK(k);
    checkSearchOptions(options);
    const settings = this.settings(k, options);
    const filter = options.filter === undefined ? null : nativeIdSet('filter', options.filter);
    try {
      let buffers = lastAnswer ?? growAnswer(k);
      let count = this.native.searchSync(query, settings, filter);
      // Again, and not once: the index may have grown since.
      while (count < 0) {
        buffers = growAnswer(-1 - count);
        count = this.native.searchSync(query, settings, filter);
      }
      return {
        ids: buffers.ids.slice(0, count),
        distances: buffers.distances.slice(0, count),
        stats: toStats(buffers.stats[0]!, buffers.stats[1]!, buffers.stats[2]!),
      };
    } catch (error) {
      throw fromNative(error);
    }
  }

  /**
   * One search per row of `queries` (rows × dim), on all cores, off the event loop. `queries` must neither change nor
   * be transferred to another thread before the promise settles.
   * @throws NighError DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, CLOSED,
   * OUT_OF_MEMORY
   */
  async searchBatch(queries: MatrixOf<V>, k: number, options: BatchOptions = noOptions): Promise<BatchResult> {
    requireVectors('queries', this.metric, queries);
    requireK(k);
    checkBatchOptions(options);
    const { threads = 0 } = options;
    const filter = options.filter === undefined ? null : nativeIdSet('filter', options.filter);
    const { rows } = queries;
    const width = usefulWidth(k, this.size);
    const answer = roomFor(rows, k);
    const narrow = width === k ? answer : roomFor(rows, width);
    const counts = new Uint32Array(rows);
    const stats: NativeStats = await runTask({ signal: options.signal, onProgress: options.onProgress }, (control) =>
      this.native.searchBatch(
        queries.data,
        rows,
        queries.dim,
        this.settings(width, options),
        filter,
        narrow.ids,
        narrow.distances,
        counts,
        threads,
        control,
      ),
    );
    throwIfAborted(options.signal);
    if (narrow !== answer) spread(narrow, width, answer, k, rows);
    return { ...answer, counts, stats: toStats(stats.plan, stats.visited, stats.distances) };
  }

  /** What a search is told natively; read before the next one is told. */
  protected settings(k: number, options: SearchOptions): SearchSettings {
    const { efSearch, refineFactor, exact, within } = options;
    const { recall = efSearch === undefined ? this.recall : undefined } = options;
    settings[0] = k;
    settings[1] = efSearch ?? Math.max(this.efSearch, k);
    settings[2] = refineFactor ?? defaultRefineFactor;
    settings[3] = exact === true ? 1 : 0;
    settings[4] = recall ?? 0;
    settings[5] = within ?? Number.POSITIVE_INFINITY;
    return settings;
  }

  /**
   * A copy of the stored vector (`dim` values, unit length under cosine; bytes of `dim` bits), or undefined for an unknown id.
   * @throws NighError INVALID_ARGUMENT, CLOSED, OUT_OF_MEMORY
   */
  vector(id: number): V | undefined {
    if (!isUint32(id)) throw invalidArgument('id', 'an integer from 0 to 4294967295', id);
    const bits = isBitMetric(this.metric);
    const out: Vector = allocated(`A vector of ${this.dim} values`, bits ? bitBytes(this.dim) : this.dim * 4, () =>
      bits ? new Uint8Array(bitBytes(this.dim)) : new Float32Array(this.dim),
    );
    // The metric decides what vectors are, and V says so: see the two forms of build.
    return callNative(() => this.native.vector(id, out)) ? (out as V) : undefined;
  }

  /**
   * Writes the index to one file, which appears whole or not at all. An existing file is replaced.
   * @throws NighError IO, NOT_FOUND, CLOSED, INVALID_ARGUMENT
   */
  async save(path: string): Promise<void> {
    requirePath(path);
    await runTask({}, () => this.native.save(path));
  }

  /** Frees the memory. Later calls throw CLOSED; calls under way finish. Closing twice is allowed. */
  close(): void {
    this.native.close();
  }

  /** `using index = …` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function growAnswer(k: number): AnswerBuffers {
  // The first search of a large k over a small index must not reserve for k.
  lastAnswer = native().NativeIndex.answerBuffers(lastAnswer === undefined ? Math.min(k, 1024) : k);
  return lastAnswer;
}

const statsBytes = 24;

function unpack(packed: ArrayBuffer): SearchResult {
  const count = (packed.byteLength - statsBytes) / 8;
  const stats = new Float64Array(packed, 0, 3);
  return {
    ids: new Uint32Array(packed, statsBytes, count).slice(),
    distances: new Float32Array(packed, statsBytes + count * 4, count).slice(),
    stats: toStats(stats[0]!, stats[1]!, stats[2]!),
  };
}

export function toStats(plan: number, visited: number, distances: number): SearchStats {
  const name = plans[plan];
  if (name === undefined) throw new NighError('INTERNAL', `The native core named an unknown plan, ${plan}.`);
  return { plan: name, visited, distances };
}

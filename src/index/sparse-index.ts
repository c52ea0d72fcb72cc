import { type NativeStats, native } from '../binding/native.js';
import { runTask } from '../binding/task.js';
import { csrArguments } from '../binding/train.js';
import { throwIfAborted } from '../core/abort.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import { invalidArgument, NighError } from '../core/errors.js';
import { readParams } from '../core/params.js';
import { roomFor, spread, usefulWidth } from './batch-answer.js';
import { type BuildOptions, productFields } from './build-options.js';
import { nativeIdSet } from './id-set.js';
import { NativeVectorIndex, toStats } from './native-vector-index.js';
import { checkBatchOptions, requireK } from './search-arguments.js';
import type { BatchOptions, BatchResult, IndexCapabilities } from './vector-index.js';

/**
 * Exact search over sparse rows, such as tf-idf rows: some dozen entries in some ten thousand columns. Every answer is the true one, and
 * rows that are equal tie exactly, by id. A query costs what the rows that share a column with it hold, and a look at every
 * row's sum: some 100 µs over 10,000 texts of 30 words.
 *
 * It is a VectorIndex like others: `search`, `searchBatch` and `vector` speak of dense vectors of `dim` values, which is fine for one
 * question and wasteful for many; `searchRows` takes sparse ones. `efSearch`, `refineFactor` and `exact` of a search mean nothing here.
 * Opening a file checks and reads all of it, mapped or not.
 */
export class SparseIndex extends NativeVectorIndex {
  override readonly kind = 'sparse';
  override readonly capabilities: IndexCapabilities = {
    sync: true,
    nativeFilter: true,
    mapped: true,
    range: true,
    exact: true,
    mutable: false,
  };

  /**
   * An index over the rows of `matrix` (copied), off the event loop. The matrix must neither change nor be transferred to another
   * thread before the promise settles. The metric is l2, ip or cosine; under cosine the rows are stored at unit length, and none may be empty.
   * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, NOT_FINITE, ZERO_VECTOR, DUPLICATE_ID, ABORTED, OUT_OF_MEMORY
   */
  static async build(matrix: CsrMatrix, options: BuildOptions): Promise<SparseIndex> {
    requireCsr('matrix', matrix);
    const { metric, ids, ...task } = readParams(productFields, options, '');
    if (ids !== undefined && ids.length !== matrix.rows) {
      throw new NighError('INVALID_ARGUMENT', `ids: expected ${matrix.rows}, one a row, got ${ids.length}.`);
    }
    const index = await runTask(task, (control) =>
      native().NativeIndex.buildSparse(...csrArguments(matrix), ids ?? null, metric, control),
    );
    throwIfAborted(task.signal);
    return new SparseIndex(index, 1);
  }

  /**
   * `searchBatch` for sparse queries: one search per row of `queries` (rows × dim), on all cores, off the event loop.
   * @throws NighError DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, CLOSED, OUT_OF_MEMORY
   */
  async searchRows(queries: CsrMatrix, k: number, options: BatchOptions = {}): Promise<BatchResult> {
    requireCsr('queries', queries);
    requireK(k);
    checkBatchOptions(options);
    const filter = options.filter === undefined ? null : nativeIdSet('filter', options.filter);
    const { rows } = queries;
    const width = usefulWidth(k, this.size);
    const answer = roomFor(rows, k);
    const narrow = width === k ? answer : roomFor(rows, width);
    const counts = new Uint32Array(rows);
    const stats: NativeStats = await runTask({ signal: options.signal, onProgress: options.onProgress }, (control) =>
      this.native.searchRows(
        ...csrArguments(queries),
        this.settings(width, options),
        filter,
        narrow.ids,
        narrow.distances,
        counts,
        options.threads ?? 0,
        control,
      ),
    );
    throwIfAborted(options.signal);
    if (narrow !== answer) spread(narrow, width, answer, k, rows);
    return { ...answer, counts, stats: toStats(stats.plan, stats.visited, stats.distances) };
  }
}

function requireCsr(name: string, value: unknown): void {
  if (!(value instanceof CsrMatrix)) throw invalidArgument(name, 'a CsrMatrix', value);
}

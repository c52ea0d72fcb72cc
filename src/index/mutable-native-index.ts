/** What FlatIndex and HnswIndex share besides searching: they change while they are searched. */
import { runTask } from '../binding/task.js';
import type { MatrixOf, Vector } from '../core/matrix.js';
import { flag, integer, optional, readParams } from '../core/params.js';
import { buildFields, requireIdPerRow, requireVectors } from './build-options.js';
import { type Ids, toIds } from './id-list.js';
import { NativeVectorIndex } from './native-vector-index.js';
import type {
  ChangeOptions,
  MutableVectorIndex,
  RemoveOptions,
  ReplaceOptions,
  VerifyOptions,
  VerifyReport,
} from './vector-index.js';

const changeSchema = {
  signal: buildFields.signal,
  onProgress: buildFields.onProgress,
  threads: integer({ min: 0, max: 1024, default: 0 }),
};
const replaceSchema = { ...changeSchema, addMissing: optional(flag()) };
const removeSchema = { ...changeSchema, ignoreMissing: optional(flag()) };
const verifySchema = { ...changeSchema, repair: optional(flag()), efSearch: optional(integer({ min: 1 })) };

export abstract class MutableNativeIndex<V extends Vector = Float32Array>
  extends NativeVectorIndex<V>
  implements MutableVectorIndex<V>
{
  abstract override readonly kind: 'flat' | 'hnsw';

  /**
   * Adds the rows of `matrix` (rows × dim float32, copied) under new `ids`, off the event loop on all cores. Searches go
   * on meanwhile and find none of the new rows until the promise resolves. All or nothing: after an error the index is
   * as it was. The matrix must neither change nor be transferred to another thread before the promise settles.
   * `onProgress` counts rows.
   * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, DUPLICATE_ID,
   * CAPACITY, READ_ONLY, ABORTED, CLOSED, OUT_OF_MEMORY
   */
  async add(matrix: MatrixOf<V>, ids: Ids, options: ChangeOptions = {}): Promise<void> {
    requireVectors('matrix', this.metric, matrix);
    const list = requireIdPerRow(matrix, toIds('ids', ids));
    const { threads, ...task } = readParams(changeSchema, options, '');
    await runTask(task, (control) => this.native.add(matrix.data, matrix.rows, matrix.dim, list, threads, control));
    this.native.hasChanged();
  }

  /**
   * Puts the rows of `matrix` (rows × dim float32, copied) in the place of the vectors under `ids`, in one step: a
   * search finds the old vector of an id or the new one, never both or none. With `addMissing` it is an upsert. Rows
   * that are stored already cost nothing. All or nothing.
   *
   * ```ts
   * await index.replace({ data: vector, rows: 1, dim: index.dim }, [42], { addMissing: true });
   * ```
   * @throws NighError what `add` throws, and UNKNOWN_ID; DUPLICATE_ID for an id that is listed twice
   */
  async replace(matrix: MatrixOf<V>, ids: Ids, options: ReplaceOptions = {}): Promise<void> {
    requireVectors('matrix', this.metric, matrix);
    const list = requireIdPerRow(matrix, toIds('ids', ids));
    const { threads, addMissing = false, ...task } = readParams(replaceSchema, options, '');
    await runTask(task, (control) =>
      this.native.replace(matrix.data, matrix.rows, matrix.dim, list, addMissing, threads, control),
    );
    this.native.hasChanged();
  }

  /**
   * Removes the vectors under `ids` and resolves with how many there were; an id that is listed twice counts once. No
   * search that begins afterwards gives one of them. What they held is freed when it is a third of the index, or by
   * `compact`. All or nothing; an abort is too late once the removal has begun.
   * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, UNKNOWN_ID, READ_ONLY, ABORTED, CLOSED, OUT_OF_MEMORY
   */
  async remove(ids: Ids, options: RemoveOptions = {}): Promise<number> {
    const list = toIds('ids', ids);
    const { threads, ignoreMissing = false, ...task } = readParams(removeSchema, options, '');
    const removed = await runTask(task, (control) => this.native.remove(list, ignoreMissing, threads, control));
    this.native.hasChanged();
    return removed;
  }

  /**
   * Frees what removed rows hold and the room that was made for rows to come. Takes memory for a second copy meanwhile.
   * @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT, READ_ONLY, ABORTED, CLOSED, OUT_OF_MEMORY
   */
  async compact(options: ChangeOptions = {}): Promise<void> {
    const { threads, ...task } = readParams(changeSchema, options, '');
    await runTask(task, (control) => this.native.compact(threads, control));
    this.native.hasChanged();
  }

  /**
   * Proves that every vector is found by a search for it and reached by links, and with `repair` makes it so. Searches
   * go on meanwhile, changes wait. `onProgress` counts vectors. After an abort some of the repairs may have been made.
   * @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT, READ_ONLY (only with `repair`), ABORTED, CLOSED, OUT_OF_MEMORY
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    const { threads, repair = false, efSearch = this.efSearch, ...task } = readParams(verifySchema, options, '');
    const report = await runTask(task, (control) => this.native.verify(repair, efSearch, threads, control));
    if (repair) this.native.hasChanged();
    return report;
  }
}

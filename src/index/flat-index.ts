import { native } from '../binding/native.js';
import { runTask } from '../binding/task.js';
import { throwIfAborted } from '../core/abort.js';
import type { BitMatrix, Matrix, Vector } from '../core/matrix.js';
import { choice, optional, readParams } from '../core/params.js';
import {
  type BuildOptions,
  buildFields,
  defaultQuantization,
  idsFor,
  type QuantizationName,
  requireVectors,
} from './build-options.js';
import { MutableNativeIndex } from './mutable-native-index.js';
import type { IndexCapabilities } from './vector-index.js';

export interface FlatBuildOptions extends BuildOptions {
  /**
   * `sq8` keeps int8 codes beside the vectors, with a bound of how far each is from its vector: a search reads the codes and
   * compares only what they cannot rule out. The answers are the same to the bit, several times as fast on catalogues
   * beyond the caches, for a quarter more memory. `none` compares every vector. Default `sq8` under l2, ip and cosine;
   * under the other metrics there is `none` only. There is no `f16` here.
   */
  readonly quantization?: QuantizationName | undefined;
}

const schema = { ...buildFields, quantization: optional(choice(['none', 'sq8'])) };

/**
 * Exact search: every allowed vector is compared, so every answer is the true one. The right index for some ten
 * thousand vectors, and the measure of every other. `efSearch` and `refineFactor` of a search mean nothing here,
 * because nothing is left out. A change costs as much as it changes; now and then one copies the vectors, to make room
 * or to free what removed ones held. Under l1, chebyshev, hamming and jaccard it is built once: `add`, `replace`,
 * `remove`, `compact` and `verify` throw UNSUPPORTED there.
 */
export class FlatIndex<V extends Vector = Float32Array> extends MutableNativeIndex<V> {
  override readonly kind = 'flat';
  override readonly capabilities: IndexCapabilities = {
    sync: true,
    nativeFilter: true,
    mapped: true,
    range: true,
    exact: true,
    mutable: !this.native.readOnly,
  };

  /**
   * An index over the rows of `matrix` (rows × dim float32, copied), off the event loop. The matrix must neither change
   * nor be transferred to another thread before the promise settles. Under cosine the rows are stored at unit length.
   *
   * ```ts
   * const index = await FlatIndex.build({ data, rows: 1000, dim: 64 }, { metric: 'l2' });
   * const { ids, distances } = await index.search(data.subarray(0, 64), 10);
   * ```
   * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, DUPLICATE_ID,
   * ABORTED, OUT_OF_MEMORY
   */
  static build(matrix: Matrix, options: FlatBuildOptions): Promise<FlatIndex>;
  /** The same of bits (rows × dim), under hamming and jaccard. */
  static build(matrix: BitMatrix, options: FlatBuildOptions): Promise<FlatIndex<Uint8Array>>;
  static async build(matrix: Matrix | BitMatrix, options: FlatBuildOptions): Promise<FlatIndex<Vector>> {
    const { metric, ids, quantization = defaultQuantization(metric), ...task } = readParams(schema, options, '');
    requireVectors('matrix', metric, matrix);
    const list = idsFor(matrix, ids);
    const index = await runTask(task, (control) =>
      native().NativeIndex.buildFlat(matrix.data, matrix.rows, matrix.dim, list, metric, quantization, control),
    );
    throwIfAborted(task.signal);
    return new FlatIndex(index, 1);
  }
}

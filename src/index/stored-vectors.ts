import { breathe } from '../core/abort.js';
import type { Matrix } from '../core/matrix.js';
import { zeros } from '../core/matrix.js';
import type { VectorIndex } from './vector-index.js';
import { vectorsOf } from './vectors-of.js';

const rowsAtOnce = 2000;

/**
 * Everything that an index holds: its ids, ascending, and a copy of the vector of each (unit length under cosine), row for row.
 * @throws NighError CLOSED, ABORTED, OUT_OF_MEMORY
 */
export async function storedVectors(
  index: VectorIndex,
  {
    signal,
    onProgress,
  }: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void } = {},
): Promise<{ readonly matrix: Matrix; readonly ids: Uint32Array }> {
  const { size, dim } = index;
  if (size === 0) return { matrix: zeros(0, dim), ids: new Uint32Array() };
  // An exact search for as many as there are gives every id of one moment of the index, whatever its kind.
  const anything = Float32Array.from({ length: dim }, (_, i) => (i === 0 ? 1 : 0));
  const ids = (await index.search(anything, size, { exact: true, signal })).ids.sort();
  const matrix = zeros(ids.length, dim);
  for (let begin = 0; begin < ids.length; begin += rowsAtOnce) {
    await breathe(signal);
    onProgress?.(begin, ids.length);
    const vectors = await vectorsOf(index, ids.subarray(begin, begin + rowsAtOnce), signal);
    vectors.forEach((vector, at) => {
      if (vector !== undefined) matrix.data.set(vector, (begin + at) * dim);
    });
  }
  onProgress?.(ids.length, ids.length);
  return { matrix, ids };
}

import type { Vector } from '../core/matrix.js';
import type { VectorIndex } from './vector-index.js';

/**
 * Copies of stored vectors (unit length under cosine), in the order of the ids; undefined for an id that the index does not hold. In one request
 * where the index is elsewhere.
 * @throws NighError INVALID_ARGUMENT, CLOSED, ABORTED, CONNECTION_LOST
 */
export async function vectorsOf<V extends Vector>(
  index: VectorIndex<V>,
  ids: Uint32Array,
  signal?: AbortSignal,
): Promise<(V | undefined)[]> {
  if (index.vectors !== undefined) return index.vectors(ids, signal);
  return Array.from(ids, (id) => index.vector(id));
}

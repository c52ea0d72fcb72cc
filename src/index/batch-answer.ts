import { allocated } from './allocated.js';
import { noId } from './id-list.js';

/** Ids and distances of a batch, rows × width. */
export interface BatchRows {
  readonly ids: Uint32Array;
  readonly distances: Float32Array;
}

/**
 * How wide the rows of a batch answer need to be while it is computed: no answer is longer than the index, so a k of a
 * billion does not need room for a billion.
 */
export function usefulWidth(k: number, size: number): number {
  return Math.min(k, Math.max(size, 1));
}

/**
 * Room for rows × k neighbours. Made before the work, so that what cannot be held is refused before it.
 * @throws NighError OUT_OF_MEMORY
 */
export function roomFor(rows: number, k: number): BatchRows {
  return allocated(`An answer of ${rows} × ${k} neighbours`, rows * k * 8, () => ({
    ids: new Uint32Array(rows * k),
    distances: new Float32Array(rows * k),
  }));
}

/** Copies rows of `width` into rows of k, the rest of which is empty. */
export function spread(from: BatchRows, width: number, to: BatchRows, k: number, rows: number): void {
  to.ids.fill(noId);
  to.distances.fill(Number.POSITIVE_INFINITY);
  for (let r = 0; r < rows; r++) {
    to.ids.set(from.ids.subarray(r * width, (r + 1) * width), r * k);
    to.distances.set(from.distances.subarray(r * width, (r + 1) * width), r * k);
  }
}

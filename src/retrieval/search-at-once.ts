/**
 * Where one search runs: on the calling thread where it takes microseconds, because the hop to a thread of the pool and back costs
 * about as much and makes two threads wait for each other; in the pool where it may take longer, or where the event loop has had
 * enough.
 *
 * Bounds, so that the event loop is never held up for a millisecond:
 *
 *   effort    pool size × dimensions of a graph search, or rows × dimensions of a scan, says what a search may cost at most
 *   measured  the mean of what the index's searches took at the caller's thread says what they do cost here
 *   turn      all searches of one turn of the event loop together have a budget; the rest of that turn goes to the pool
 */
import type { SearchOptions, SearchResult, SyncVectorIndex, VectorIndex } from '../index/vector-index.js';

/** Multiplications that take some 100 µs: neighbours that are looked at for each place of the pool, times its size and the dimensions. */
const mostGraphEffort = 64 * 1024;
/** Multiplications of a scan that take some 50 µs. */
const mostScanEffort = 512 * 1024;
/** Pool size that is assumed of a search that asks for a recall. */
const assumedPool = 128;
const longestMeanMs = 0.15;
const turnBudgetMs = 0.5;

/** What an index's searches took on the calling thread: a mean in which the latest counts an eighth. */
const means = new WeakMap<VectorIndex, number>();

let spentThisTurn = 0;

/**
 * What `index.search` gives, perhaps at once.
 * @throws NighError DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, INVALID_ARGUMENT, ABORTED, CLOSED
 */
export function searchAtOnce(
  index: VectorIndex,
  query: Float32Array,
  k: number,
  options: SearchOptions,
): SearchResult | Promise<SearchResult> {
  if (spentThisTurn >= turnBudgetMs || options.signal?.aborted || !isShort(index, k, options))
    return index.search(query, k, options);
  const mean = means.get(index) ?? 0;
  if (mean > longestMeanMs) {
    // Looked at again in a while: the machine may only have been busy.
    means.set(index, mean * 0.9);
    return index.search(query, k, options);
  }
  const began = performance.now();
  const found = index.searchSync(query, k, options);
  const took = performance.now() - began;
  // A pause of the machine is no property of the index: one that was long counts as twice too long.
  means.set(index, mean + (Math.min(took, 2 * longestMeanMs) - mean) / 8);
  if (spentThisTurn === 0) setImmediate(newTurn);
  spentThisTurn += took;
  return found;
}

function newTurn(): void {
  spentThisTurn = 0;
}

function isShort(index: VectorIndex, k: number, { exact, efSearch }: SearchOptions): index is SyncVectorIndex {
  if (!index.capabilities.sync) return false;
  if (exact === true || index.kind !== 'hnsw') return index.size * index.dim <= mostScanEffort;
  return Math.max(k, efSearch ?? assumedPool) * index.dim <= mostGraphEffort;
}

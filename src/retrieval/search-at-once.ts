/**
 * Where one search runs: on the calling thread where it takes microseconds, because the hop to a thread of the pool and back costs
 * this thread about as much and makes two threads wait for each other; in the pool where it may take longer.
 *
 * Bounds, so that the event loop is never held up for a millisecond:
 *
 *   effort    pool size × dimensions of a graph search, or rows × dimensions of a scan, says what a search may cost at most
 *   measured  the median of what the index's searches took at the caller's thread says what they do cost here
 *   turn      all searches of one turn of the event loop together have a budget. What is beyond it waits for the next turn where it takes
 *             less than a hop, and goes to the pool otherwise
 */
import type { SearchOptions, SearchResult, SyncVectorIndex, VectorIndex } from '../index/vector-index.js';

/** Multiplications that take some 100 µs: neighbours that are looked at for each place of the pool, times its size and the dimensions. */
const mostGraphEffort = 64 * 1024;
/** Multiplications of a scan that take some 50 µs. */
const mostScanEffort = 512 * 1024;
/** Pool size that is assumed of a search that asks for a recall. */
const assumedPool = 128;
const longestMedianMs = 0.15;
/** What the hop to another thread and back costs this one. */
const hopMs = 0.06;
const turnBudgetMs = 0.5;

/** What an index's searches took on the calling thread: a median, since a pause of the machine is no property of the index. */
const medians = new WeakMap<VectorIndex, number>();

let spentThisTurn = 0;
/** Settles when the next turn begins; undefined where nothing waits for it. */
let nextTurn: Promise<void> | undefined;

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
  if (options.signal?.aborted || !isShort(index, k, options)) return index.search(query, k, options);
  const median = medians.get(index) ?? 0;
  if (median > longestMedianMs) {
    // Looked at again in a while: the machine may only have been busy.
    medians.set(index, median * 0.9);
    return index.search(query, k, options);
  }
  if (spentThisTurn < turnBudgetMs) return searchHere(index, query, k, options);
  if (median > hopMs) return index.search(query, k, options);
  nextTurn ??= new Promise((resolve) => setImmediate(() => newTurn(resolve)));
  return nextTurn.then(() => searchAtOnce(index, query, k, options));
}

function searchHere(index: SyncVectorIndex, query: Float32Array, k: number, options: SearchOptions): SearchResult {
  const began = performance.now();
  const found = index.searchSync(query, k, options);
  const took = performance.now() - began;
  const median = medians.get(index);
  // Up by an eighth as often as down by an eighth: half of the searches take longer.
  medians.set(
    index,
    median === undefined ? Math.min(took, longestMedianMs) : median * (took > median ? 1.125 : 1 / 1.125),
  );
  if (spentThisTurn === 0 && nextTurn === undefined) setImmediate(() => newTurn());
  spentThisTurn += took;
  return found;
}

function newTurn(resolve?: () => void): void {
  spentThisTurn = 0;
  nextTurn = undefined;
  resolve?.();
}

function isShort(index: VectorIndex, k: number, { exact, efSearch }: SearchOptions): index is SyncVectorIndex {
  if (!index.capabilities.sync) return false;
  if (exact === true || index.kind !== 'hnsw') return index.size * index.dim <= mostScanEffort;
  return Math.max(k, efSearch ?? assumedPool) * index.dim <= mostGraphEffort;
}

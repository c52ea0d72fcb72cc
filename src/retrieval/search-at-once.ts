/**
 * Where one search runs: on the calling thread where it takes microseconds, because the hop to a thread of the pool and back costs
 * this thread about as much and makes two threads wait for each other; in the pool where it may take longer.
 *
 * Bounds, so that the event loop is never held up for a millisecond:
 *
 *   effort    pool size × dimensions of a graph search, or rows × dimensions of a scan, says what a search may cost at most
 *   measured  what the quicker quarter of the index's searches took at the caller's thread says what they do cost here
 *   turn      all searches of one turn of the event loop together have a budget; what is beyond it waits for the next turn
 */
import type { SearchOptions, SearchResult, SyncVectorIndex, VectorIndex } from '../index/vector-index.js';

/** Multiplications that take some 100 µs: neighbours that are looked at for each place of the pool, times its size and the dimensions. */
const mostGraphEffort = 64 * 1024;
/** Multiplications of a scan that take some 50 µs. */
const mostScanEffort = 512 * 1024;
/** Pool size that is assumed of a search that asks for a recall. */
const assumedPool = 128;
const longestMs = 0.15;
const turnBudgetMs = 0.5;

/**
 * What an index's searches take on the calling thread: their lower quartile, since what else the machine does only adds to it, on a busy one
 * to most of them.
 */
const quartiles = new WeakMap<VectorIndex, number>();

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
  const usual = quartiles.get(index) ?? 0;
  if (usual > longestMs) {
    // Looked at again in a while: the machine may only have been busy.
    quartiles.set(index, usual * 0.9);
    return index.search(query, k, options);
  }
  if (spentThisTurn < turnBudgetMs) return searchHere(index, query, k, options);
  nextTurn ??= new Promise((resolve) => setImmediate(() => newTurn(resolve)));
  return nextTurn.then(() => searchAtOnce(index, query, k, options));
}

function searchHere(index: SyncVectorIndex, query: Float32Array, k: number, options: SearchOptions): SearchResult {
  const began = performance.now();
  const found = index.searchSync(query, k, options);
  const took = performance.now() - began;
  const usual = quartiles.get(index);
  // Three steps up are one step down: three of four searches take longer.
  quartiles.set(index, usual === undefined ? Math.min(took, longestMs) : usual * (took > usual ? 1.05 : 1 / 1.16));
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

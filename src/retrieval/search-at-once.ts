/**
 * Where one search runs: on the calling thread where it takes microseconds, because the hop to a thread of the pool and back costs
 * this thread about as much and makes two threads wait for each other; in the pool where it may take longer, and where more are asked at once
 * than this thread gets done.
 *
 * Bounds, so that the event loop is never held up for a millisecond:
 *
 *   effort    pool size × dimensions of a graph search, or rows × dimensions of a scan, says what a search may cost at most
 *   measured  what the quicker quarter of the index's searches took at the caller's thread says what they do cost here
 *   turn      all searches of one turn of the event loop together have a budget; as many again wait for the next turn
 *   beside    what is beyond them goes to the pool, as much as the other cores do in a turn or two; where they have no time for it, it stays there
 *             and no more goes, but waits for a turn
 */
import { availableParallelism } from 'node:os';
import { throwIfAborted } from '../core/abort.js';
import type { SearchOptions, SearchResult, SyncVectorIndex, VectorIndex } from '../index/vector-index.js';

/** Multiplications that take some 100 µs: neighbours that are looked at for each place of the pool, times its size and the dimensions. */
const mostGraphEffort = 64 * 1024;
/** Multiplications of a scan that take some 50 µs. */
const mostScanEffort = 512 * 1024;
/** Pool size that is assumed of a search that asks for a recall. */
const assumedPool = 128;
const longestMs = 0.15;
const turnBudgetMs = 0.5;
/** A search must take so long that it is worth the hop, of which this thread does some 15 µs. */
const leastBesideMs = 0.03;
const mostBeside = 16 * (availableParallelism() - 1);

/**
 * What an index's searches take on the calling thread: their lower quartile, since what else the machine does only adds to it, on a busy one
 * to most of them.
 */
const quartiles = new WeakMap<VectorIndex, number>();

let spentThisTurn = 0;
/** Settles when the next turn begins; undefined where nothing waits for it. */
let nextTurn: Promise<void> | undefined;
/** What the searches that wait for the next turn will take. */
let waitingMs = 0;
/** Short searches that are in the pool. */
let beside = 0;

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
  if (waitingMs >= turnBudgetMs && usual >= leastBesideMs && beside < mostBeside) {
    return searchBeside(index, query, k, options);
  }
  waitingMs += usual;
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

/** Too short to be stopped on the way. */
async function searchBeside(
  index: SyncVectorIndex,
  query: Float32Array,
  k: number,
  { signal, ...options }: SearchOptions,
): Promise<SearchResult> {
  beside += 1;
  try {
    const found = await index.search(query, k, options);
    throwIfAborted(signal);
    return found;
  } finally {
    beside -= 1;
  }
}

function newTurn(resolve?: () => void): void {
  spentThisTurn = 0;
  waitingMs = 0;
  nextTurn = undefined;
  resolve?.();
}

function isShort(index: VectorIndex, k: number, { exact, efSearch }: SearchOptions): index is SyncVectorIndex {
  if (!index.capabilities.sync) return false;
  if (exact === true || index.kind !== 'hnsw') return index.size * index.dim <= mostScanEffort;
  return Math.max(k, efSearch ?? assumedPool) * index.dim <= mostGraphEffort;
}

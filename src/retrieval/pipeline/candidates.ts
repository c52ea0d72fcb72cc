/** Candidate generation: every source's best, with what must not come back left out inside the search. */
import type { SearchOptions, SearchStats, VectorIndex } from '../../index/vector-index.js';
import type { AnyQuery } from '../query-options.js';
import type { ListedSource, SearchSource } from '../questions/sources.js';
import { searchAtOnce } from '../search-at-once.js';
import type { Space } from '../space.js';
import type { Candidates, Request } from './stages.js';

/** @throws NighError ABORTED, CLOSED, INVALID_ARGUMENT, DIMENSION_MISMATCH, UNSUPPORTED */
export function searchCandidates(request: Request, count: number): Promise<readonly Candidates[]> {
  return Promise.all(
    request.sources.map((source) =>
      source.kind === 'search' ? search(request, source, count) : list(request, source, count),
    ),
  );
}

async function search({ query, filter }: Request, source: SearchSource, count: number): Promise<Candidates> {
  const { space, index, vector } = source;
  const { signal } = query;
  // What is dropped of the answer is asked for in addition, so that as many are left as were wanted.
  const asked = count + filter.dropped.length;
  const options: Writable<SearchOptions> = searchEffort(query, space, index, asked);
  if (filter.searchIds !== undefined) options.filter = filter.searchIds;
  if (signal !== undefined) options.signal = signal;
  const found = searchAtOnce(index, vector, asked, options);
  const { ids, distances, stats } = found instanceof Promise ? await found : found;
  const items = new Uint32Array(Math.min(count, ids.length));
  const scores = new Float64Array(items.length);
  let kept = 0;
  for (let at = 0; at < ids.length && kept < items.length; at++) {
    if (filter.dropped.includes(ids[at]!)) continue;
    items[kept] = ids[at]!;
    scores[kept++] = scoreOf(index, distances[at]!);
  }
  return {
    source,
    items: kept === items.length ? items : items.subarray(0, kept),
    scores: kept === items.length ? scores : scores.subarray(0, kept),
    complete: ids.length < asked,
    stats,
  };
}

/** How hard a search for `count` items of a space tries: as the question says, else as the recipe does. */
export function searchEffort(
  query: Pick<AnyQuery, 'exact' | 'efSearch' | 'recall'>,
  space: Pick<Space, 'efSearch' | 'recall'>,
  index: VectorIndex,
  count: number,
): Pick<SearchOptions, 'exact' | 'efSearch' | 'recall'> {
  const recall =
    query.efSearch === undefined
      ? (query.recall ?? (space.efSearch === undefined ? space.recall : undefined))
      : undefined;
  const efSearch = recall === undefined ? (query.efSearch ?? space.efSearch) : undefined;
  const effort: Writable<ReturnType<typeof searchEffort>> = {};
  // Below what is wanted it would mean less than the whole pool.
  if (efSearch !== undefined) effort.efSearch = Math.max(efSearch, count);
  if (recall !== undefined) effort.recall = recall;
  // Who wants everything is served faster by comparing everything than by a walk to it.
  if (query.exact || count >= index.size) effort.exact = true;
  return effort;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Smaller is closer, larger is better: cosine and inner product as such, squared Euclidean distance negated. */
export function scoreOf({ metric }: VectorIndex, distance: number): number {
  return metric === 'cosine' ? 1 - distance : 0 - distance;
}

async function list({ collection, filter }: Request, source: ListedSource, count: number): Promise<Candidates> {
  const { scores } = source;
  const { popularity } = collection.seen;
  const before = (a: number, b: number) => scores[b]! - scores[a]! || popularity[b]! - popularity[a]! || a - b;
  const allows = (item: number) => filter.allows(item);
  const { items, visited } =
    source.order === undefined
      ? { items: firstOf(scores.length, count, allows, before), visited: scores.length }
      : firstAllowed(source.order, count, allows);
  const stats: SearchStats = { plan: 'scan', visited, distances: 0 };
  return {
    source,
    items,
    scores: Float64Array.from(items, (item) => scores[item]!),
    complete: items.length < count,
    stats,
  };
}

function firstAllowed(
  order: Uint32Array,
  count: number,
  allows: (item: number) => boolean,
): { readonly items: Uint32Array; readonly visited: number } {
  const items = new Uint32Array(Math.min(count, order.length));
  let kept = 0;
  let visited = 0;
  while (visited < order.length && kept < items.length) {
    const item = order[visited++]!;
    if (allows(item)) items[kept++] = item;
  }
  return { items: items.subarray(0, kept), visited };
}

/** The first `count` allowed items of 0 … total − 1 in the given order, without sorting the others: these are few of a whole catalogue. */
function firstOf(
  total: number,
  count: number,
  allows: (item: number) => boolean,
  before: (a: number, b: number) => number,
): Uint32Array {
  // Of a large part each newcomer would move many: then all are sorted.
  if (count * 64 > total)
    return Uint32Array.from({ length: total }, (_, item) => item)
      .filter(allows)
      .sort(before)
      .slice(0, count);
  const first = new Uint32Array(count);
  let kept = 0;
  for (let item = 0; item < total; item++) {
    if (kept === first.length && (kept === 0 || before(first[kept - 1]!, item) <= 0)) continue;
    if (!allows(item)) continue;
    let low = 0;
    let high = kept;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(first[middle]!, item) <= 0) low = middle + 1;
      else high = middle;
    }
    if (kept < first.length) kept++;
    first.copyWithin(low + 1, low, kept - 1);
    first[low] = item;
  }
  return first.slice(0, kept);
}

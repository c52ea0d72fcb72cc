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
  const { ids, distances, stats } = await searchAtOnce(index, vector, count, {
    ...searchEffort(query, space, index, count),
    ...(filter.ids === undefined ? {} : { filter: filter.ids }),
    ...(signal === undefined ? {} : { signal }),
  });
  const scores = Float64Array.from(distances, (distance) => scoreOf(index, distance));
  return { source, items: ids, scores, complete: ids.length < count, stats };
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
  return {
    // Below what is wanted it would mean less than the whole pool.
    ...(efSearch === undefined ? {} : { efSearch: Math.max(efSearch, count) }),
    ...(recall === undefined ? {} : { recall }),
    // Who wants everything is served faster by comparing everything than by a walk to it.
    ...(query.exact || count >= index.size ? { exact: true } : {}),
  };
}

/** Smaller is closer, larger is better: cosine and inner product as such, squared Euclidean distance negated. */
export function scoreOf({ metric }: VectorIndex, distance: number): number {
  return metric === 'cosine' ? 1 - distance : 0 - distance;
}

async function list({ collection, filter }: Request, source: ListedSource, count: number): Promise<Candidates> {
  const { scores } = source;
  const { popularity } = collection.seen;
  const before = (a: number, b: number) => scores[b]! - scores[a]! || popularity[b]! - popularity[a]! || a - b;
  const items = firstOf(scores.length, count, (item) => filter.allows(item), before);
  const stats: SearchStats = { plan: 'scan', visited: scores.length, distances: 0 };
  return {
    source,
    items,
    scores: Float64Array.from(items, (item) => scores[item]!),
    complete: items.length < count,
    stats,
  };
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

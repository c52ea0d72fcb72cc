/** Candidate generation: one vector, searched in one space, with what must not come back left out inside the search. */
import { IdSet } from '../index/id-set.js';
import type { SearchResult, VectorIndex } from '../index/vector-index.js';
import type { Collection } from './collection.js';
import type { Query } from './query-options.js';
import type { Space } from './space.js';
import type { Answer, Result } from './types.js';

/** A question as vectors see it. */
export interface VectorQuestion {
  readonly space: Space;
  readonly index: VectorIndex;
  readonly vector: Float32Array;
  /** Item ordinals that must not be returned, in any order, repeats allowed. */
  readonly deny: readonly number[] | Uint32Array;
}

/** @throws NighError ABORTED, CLOSED, INVALID_ARGUMENT */
export async function answer(
  collection: Collection,
  { space, index, vector, deny }: VectorQuestion,
  query: Query,
  began: number,
): Promise<Answer> {
  const { k, exact, signal } = query;
  const denied = deniedItems(collection, query, deny);
  const efSearch = query.efSearch ?? space.efSearch;
  const found = await index.search(vector, k, {
    ...(denied.length === 0 ? {} : { filter: IdSet.deny(denied) }),
    ...(efSearch === undefined ? {} : { efSearch }),
    ...(efSearch !== undefined || space.recall === undefined ? {} : { recall: space.recall }),
    ...(exact ? { exact } : {}),
    ...(signal === undefined ? {} : { signal }),
  });
  const { plan, visited, distances } = found.stats;
  return {
    results: results(collection, index, found),
    stats: {
      plan,
      space: space.name,
      visited,
      distances,
      exact: plan === 'scan' || plan === 'allowed-scan',
      generation: collection.manifest.generation,
      tookMs: performance.now() - began,
    },
  };
}

/** Ids that the collection does not have cannot come back anyway. */
function deniedItems({ catalogue }: Collection, { deny }: Query, more: VectorQuestion['deny']): Uint32Array {
  const named = deny.flatMap((id) => catalogue.find(id) ?? []);
  return Uint32Array.from([...named, ...more]);
}

function results({ catalogue }: Collection, index: VectorIndex, { ids, distances }: SearchResult): Result[] {
  return Array.from(ids, (item, i) => ({
    id: catalogue.id(item),
    score: scoreOf(index, distances[i]!),
    title: catalogue.title(item),
    attributes: catalogue.attributes(item),
  }));
}

/** Smaller is closer, larger is better: cosine and inner product as such, squared Euclidean distance negated. */
function scoreOf({ metric }: VectorIndex, distance: number): number {
  return metric === 'cosine' ? 1 - distance : 0 - distance;
}

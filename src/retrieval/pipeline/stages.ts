/**
 * The four stages between a question and its answer, in their order. Each is a function that `Retriever.open` takes another one for; items are
 * ordinals throughout, which `request.collection.catalogue` turns into ids.
 */
import type { SearchStats } from '../../index/vector-index.js';
import type { Collection } from '../collection.js';
import type { RequestFilter } from '../filters/request-filter.js';
import type { AnyQuery } from '../query-options.js';
import type { Source } from '../questions/sources.js';

/** A question, ready to be answered. */
export interface Request {
  readonly collection: Collection;
  /** The question's options with every default filled in. */
  readonly query: AnyQuery;
  /** What is searched. */
  readonly sources: readonly Source[];
  /** What may be returned; searches keep to it. */
  readonly filter: RequestFilter;
}

/** What one source proposes, best first. */
export interface Candidates {
  readonly source: Source;
  readonly items: Uint32Array;
  readonly scores: Float64Array;
  /** Whether these are all that the source has. */
  readonly complete: boolean;
  /** Whether all of them compete for the places, rather than the first of them by score (reranking.ts). */
  readonly allCompete?: boolean;
  readonly stats: SearchStats;
}

/** The union of what was proposed, best first. */
export interface Scored {
  readonly items: Uint32Array;
  readonly scores: Float64Array;
  /** By source, in their order, and by item: its score there, NaN where it has none. */
  readonly bySource: readonly Float64Array[];
  /** By source, in their order, and by item: its place among what the source proposed, from 0; 0xFFFFFFFF where it did not. */
  readonly ranks: readonly Uint32Array[];
  /** Whether all of them compete for the places, rather than the first of them (reranking.ts). */
  readonly allCompete?: boolean;
}

/** An order of some of the scored items. */
export interface Ranked {
  /** Positions in `Scored`, the first to be returned first. */
  readonly order: Uint32Array;
  /** By position in `Scored`: what was added to the relevance of those that were looked at. Absent where nothing was. */
  readonly adjustments?: ReadonlyMap<number, Adjustments>;
  /** Positions that were drawn, not earned. */
  readonly explored?: ReadonlySet<number>;
  /** Positions among the first k that lost their place because their group has had its own. */
  readonly crowdedOut?: Uint32Array;
}

/** What re-ranking made of one item's score. */
export interface Adjustments {
  /** Its score within the pool, from 0 for the least to 1 for the best; below 0 for what was looked at beyond it. */
  readonly relevance: number;
  readonly popularity: number;
  readonly boosts: number;
  readonly recency: number;
}

export const notProposed = 0xffffffff;

export interface Stages {
  /** At least `count` candidates of every source that has so many; `complete` where these are all. */
  readonly candidates: (request: Request, count: number) => Promise<readonly Candidates[]>;
  /** One score an item, whatever sources proposed it. */
  readonly scoring: (request: Request, candidates: readonly Candidates[]) => Promise<Scored>;
  /** Another order than that of the scores, where one was asked for. */
  readonly reranking: (request: Request, scored: Scored) => Promise<Ranked>;
  /** The positions that are returned: none that is not allowed, whatever came before. */
  readonly filtering: (request: Request, scored: Scored, ranked: Ranked) => Promise<Uint32Array>;
}

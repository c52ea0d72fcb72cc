import type { Block } from '../embeddings/blocks.js';
import type { IndexKind, MetricName, SearchPlan } from '../index/vector-index.js';
import type { Taste } from './taste.js';

/** The value of one attribute of an item. */
export type AttributeValue = string | number | boolean | readonly string[];

/** One entry of an answer. */
export interface Result {
  readonly id: string;
  /** Larger is better: likeness (at most 1) for similar items, the model's own score for recommendations. */
  readonly score: number;
  readonly title: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

export interface AnswerStats {
  readonly plan: SearchPlan;
  /** The space that answered. */
  readonly space: string;
  readonly visited: number;
  readonly distances: number;
  /** Whether every row that may be returned was compared. */
  readonly exact: boolean;
  readonly generation: string;
  readonly tookMs: number;
}

/** A list answer: exactly min(k, number of matching items) results, best first, ties by item order. The same object everywhere: library, `--json`, HTTP. */
export interface Answer {
  readonly results: readonly Result[];
  readonly stats: AnswerStats;
}

export interface QueryOptions {
  /** How many results, 1 to 10,000. Default 10. */
  readonly k?: number;
  /** Which space answers. Default: the recipe's first that can answer the question. */
  readonly space?: string;
  /**
   * What the blocks of a space weigh in this question, by name: columns of `features`, spaces of `concat`. Only the ratios count, and what
   * is not named weighs nothing. Without `space` the first space answers that has all of them. Default: the recipe's weights.
   */
  readonly weights?: Readonly<Record<string, number>>;
  /** Compare every item instead of searching the graph. Default false. */
  readonly exact?: boolean;
  /** Pool size of the graph search. Default: the recipe's. */
  readonly efSearch?: number;
  /** Item ids that must not be returned. */
  readonly deny?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface RecommendOptions extends QueryOptions {
  /** Leave out what the user already has. Default true. */
  readonly excludeSeen?: boolean;
  /** How a past becomes a taste in spaces without user vectors. Default: what the recipe's `taste` says; its keys are replaced one by one. */
  readonly taste?: Taste;
}

/** One thing that somebody liked, or disliked. */
export interface HistoryEntry {
  /** Item id. */
  readonly item: string;
  /**
   * How strongly, relative to one plain interaction: below 0 if they disliked it, which spaces with user vectors pass over. Default 1;
   * not 0.
   */
  readonly weight?: number;
  /** When, in Unix seconds: what is older counts less where there is a half-life. Default: as late as the latest. */
  readonly timestamp?: number;
}

/** One item of the catalogue. */
export interface Item {
  readonly id: string;
  readonly title: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** How many users interacted with it. */
  readonly interactions: number;
  /** The spaces in which it has a vector. */
  readonly spaces: readonly string[];
}

/** One vector index of a space, as built and measured. */
export interface IndexInfo {
  readonly kind: IndexKind;
  readonly metric: MetricName;
  readonly dim: number;
  readonly count: number;
  readonly fileBytes: number;
  /** Mean recall@10 against exact search over `queries` sampled queries, at the recipe's efSearch. */
  readonly recallAt10: number;
  readonly queries: number;
}

export interface SpaceInfo {
  readonly name: string;
  /** The embedding: `als`, `tfidf`, … */
  readonly embedding: string;
  readonly dim: number;
  /** Items that have a vector here. */
  readonly items: number;
  /** Users that have a vector here. */
  readonly users: number;
  /** Answers "which items are like this one". */
  readonly similar: IndexInfo;
  /** Answers "which items suit this user"; absent in a space without user vectors. */
  readonly recommend?: IndexInfo;
  /** What the vectors are made of, with the recipe's weights as shares; absent where they are of one piece. */
  readonly blocks?: readonly Block[];
  /** What the embedding noted about its fit: explained variance, what damps popularity, … */
  readonly notes?: Readonly<Record<string, number | string>>;
}

/** What a served collection is: printed by `nigh inspect` and `GET /v1/collections/{collection}`. */
export interface CollectionInfo {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly generation: string;
  readonly createdAt: string;
  readonly dataset: { readonly name: string; readonly licence: string; readonly source: string };
  readonly items: number;
  readonly users: number;
  readonly interactions: number;
  readonly recallFloor: number;
  /** How a user's past becomes a taste in spaces without user vectors. */
  readonly taste?: Taste;
  readonly spaces: readonly SpaceInfo[];
  readonly bytesOnDisk: number;
  readonly buildSeconds: number;
}

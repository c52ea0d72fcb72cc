import type { Block } from '../embeddings/blocks.js';
import type { PopularityDimension } from '../embeddings/popularity.js';
import type { IndexKind, MetricName, SearchPlan } from '../index/vector-index.js';
import type { Where } from './filters/predicate.js';
import type { LeftOutSpace } from './left-out.js';
import type { Adjustments } from './pipeline/stages.js';
import type { PartKind } from './questions/part.js';
import type { Taste } from './taste.js';

export type { Where } from './filters/predicate.js';

/** The value of one attribute of an item. */
export type AttributeValue = string | number | boolean | readonly string[];

/** One entry of an answer. */
export interface Result {
  readonly id: string;
  /**
   * Larger is better. Likeness (at most 1) for similar items, the model's own score for recommendations; with weights of spaces the weighted sum of
   * these, or the fused ranks. Re-ranking changes the order, not this.
   */
  readonly score: number;
  /** The score from 0 to 1, for display: comparable from one question to the next, and between spaces (pipeline/likeness.ts). */
  readonly likeness: number;
  readonly title: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** The collection has a picture of it. */
  readonly picture?: true;
  /** Which sources proposed it; where there were several. */
  readonly sources?: readonly string[];
  /** It was drawn for an exploration slot. */
  readonly explored?: true;
  /** With `explain`. */
  readonly explanation?: ResultExplanation;
}

/** Why an item was returned. */
export interface ResultExplanation {
  /** Who proposed it, at which place, from 1. */
  readonly sources: readonly {
    readonly source: string;
    readonly part?: PartKind;
    readonly rank: number;
    readonly score: number;
  }[];
  /** Its score in every space that has a vector for the question and for it, whether or not that space was asked. */
  readonly scores: Readonly<Record<string, number>>;
  /** Which of the items that somebody liked it is most like, at most three. */
  readonly nearest: readonly NearestItem[];
  /** What re-ranking went by. */
  readonly adjustments?: Adjustments;
}

export interface NearestItem {
  readonly id: string;
  readonly title: string;
  readonly likeness: number;
}

/** What was left out of an answer, and why. */
export interface AnswerExplanation {
  /** What is not allowed and would have been among the first k of a source, or scored too low; at most 100. */
  readonly filtered: readonly FilteredItem[];
  /** How many candidates were scored. */
  readonly candidates: number;
}

export interface FilteredItem {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly score: number;
  /**
   * The first that applies: on a stoplist, in their past, denied, not among those allowed, not what `where` asks for, below `minScore`, crowded out
   * by others of its group.
   */
  readonly because: 'hidden' | 'seen' | 'deny' | 'allow' | 'where' | 'minScore' | 'perGroup';
}

/** Where another source answered than the one that was asked first, because that has no vector for the question. */
export interface Fallback {
  /**
   * `space`: the other spaces of the question or of the collection; `content`: attributes that items share; `weightedRating`: what is rated
   * highest, for somebody of whom nothing is known where values are ratings; `popularity`: what most people have.
   */
  readonly to: 'space' | 'content' | 'weightedRating' | 'popularity';
  /** The spaces that were asked and have no vector for it. */
  readonly passedOver: readonly string[];
}

/** What one source did. */
export interface SourceStats {
  /** A space, `content`, `weightedRating` or `popularity`. */
  readonly source: string;
  /** The part of the question. */
  readonly part?: PartKind;
  /** Its share of the score. */
  readonly weight: number;
  readonly plan: SearchPlan;
  readonly visited: number;
  readonly distances: number;
  readonly candidates: number;
}

/** What a request's time goes to: the question's vectors and filters, then the four stages. */
export type StageName = 'question' | 'candidates' | 'scoring' | 'reranking' | 'filtering';

export interface AnswerStats {
  /** How the first source was searched. */
  readonly plan: SearchPlan;
  /** The space that answered; several are joined by `+`, and a list without one is `content`, `weightedRating` or `popularity`. */
  readonly space: string;
  readonly visited: number;
  readonly distances: number;
  /** Whether every row that may be returned was compared. */
  readonly exact: boolean;
  /** Where there were several. */
  readonly sources?: readonly SourceStats[];
  /** Where the answer is not of what was asked first. */
  readonly fallback?: Fallback;
  readonly generation: string;
  /** Milliseconds. */
  readonly stages: Readonly<Record<StageName, number>>;
  readonly tookMs: number;
}

/** A list answer: exactly min(k, number of matching items) results, best first, ties by item order. The same object everywhere: library, `--json`, HTTP. */
export interface Answer {
  readonly results: readonly Result[];
  readonly stats: AnswerStats;
  /** With `explain`. */
  readonly explanation?: AnswerExplanation;
}

export interface QueryOptions {
  /** How many results, 1 to 10,000. Default 10. */
  readonly k?: number;
  /** Which space answers. Default: the recipe's first that can answer the question. */
  readonly space?: string;
  /**
   * Names of spaces: all of them answer, and the score is Σ weight · score, the weights taken as shares of their sum. Otherwise names of blocks
   * (columns of `features`, spaces of `concat`) of the space that was named, or of the first that has all of them: what is not named weighs
   * nothing. None below 0, one above. Default: one space, with the recipe's weights.
   */
  readonly weights?: Readonly<Record<string, number>>;
  /** How the scores of several sources become one: `sum`, or `rrf`, by ranks alone. Default `sum`. */
  readonly fusion?: 'sum' | 'rrf';
  /** What an item scores in a space that it lacks: nothing (`zero`), or what the others say (`renormalise`). Default `zero`. */
  readonly missing?: 'zero' | 'renormalise';
  /** The least share of the results, by space of `weights`, that come from its own first k: `{ image: 0.2 }`. They may weigh 0. */
  readonly quotas?: Readonly<Record<string, number>>;
  /** How many candidates each source proposes, 1 to 1,000,000. Default: k, and 4 · k where they are blended or re-ranked; fewer are not taken. */
  readonly candidates?: number;
  /** Compare every item instead of searching the graph. Default false. */
  readonly exact?: boolean;
  /** Pool size of the graph search, 1 to 10,000. Default: the recipe's. */
  readonly efSearch?: number;
  /** Instead of efSearch: the share of the true nearest that is wanted on average, above 0 and up to 0.9999; `exact` is for all of them. */
  readonly recall?: number;
  /** Which items may be returned, by their attributes: an object, or text such as `year >= 1990 and genres has "Comedy"`. Default: all. */
  readonly where?: Where | string;
  /** The only item ids that may be returned. */
  readonly allow?: readonly string[];
  /** Item ids that must not be returned. */
  readonly deny?: readonly string[];
  /** Only items that score so much or more. */
  readonly minScore?: number;
  /** From 0, the order of the scores, to 1: how much an item loses by its likeness to those before it. Default 0; k is at most 1,000 above. */
  readonly diversity?: number;
  /** At most so many results, 1 to 10,000, with the same value of an attribute, such as an author. */
  readonly perGroup?: { readonly attribute: string; readonly most: number };
  /**
   * From −1 to 1: what the most popular item gains (above 0) or loses, where the best and the least of the candidates are 1 apart. For users, in a
   * space that was built with `popularity`, over the whole catalogue; otherwise among the candidates. Default 0.
   */
  readonly popularity?: number;
  /** What some items gain, −1 to 1, on the same scale; at most 100 of them. */
  readonly boosts?: readonly { readonly where: Where | string; readonly by: number }[];
  /**
   * What the newest item of the catalogue gains, on the same scale (`weight`, 0 to 1, default 0.3); one older by `halfLife`, above 0 and in the
   * attribute's unit, half of it.
   */
  readonly recency?: { readonly attribute: string; readonly halfLife: number; readonly weight?: number };
  /** The last places, 1 to 10,000 of them, go to items drawn from the other candidates, the same ones for the same seed (default 0). */
  readonly explore?: { readonly slots: number; readonly seed?: number };
  /**
   * Whether another source answers where the space that was asked has no vector: the other spaces, then shared attributes, then what is rated
   * highest or what most people have; `stats.fallback` says so. Default: unless `space` was named. With true also for a user that the
   * collection does not know, who otherwise is UNKNOWN_USER.
   */
  readonly fallback?: boolean;
  /** Say of every result why it is there, and what was left out. Costs about as much as the answer. Default false. */
  readonly explain?: boolean;
  readonly signal?: AbortSignal;
}

export interface RecommendOptions extends QueryOptions {
  /** Leave out what the user already has. Default true. */
  readonly excludeSeen?: boolean;
  /** How a past becomes a taste in spaces without user vectors. Default: what the recipe's `taste` says; its keys are replaced one by one. */
  readonly taste?: Taste;
}

/** One question, by one thing or by several together: then each counts alike, and every one is asked of a space that can answer it. */
export interface Question extends RecommendOptions {
  /** Items like this one. */
  readonly item?: string;
  /** Items that suit this user. */
  readonly user?: string;
  /** Items that suit somebody who liked these, at most 10,000. */
  readonly history?: readonly HistoryEntry[];
  /** Items near to this vector of `space`. */
  readonly vector?: Float32Array | readonly number[];
  /** Items near to this text, in a space whose embedder reads text. */
  readonly text?: string;
  /** Items that look like this encoded picture (PNG, JPEG, WebP, SVG), in a space of pictures. */
  readonly image?: Uint8Array;
}

/** A user like another. */
export interface SimilarUser {
  readonly id: string;
  /** Cosine of the two users' vectors. */
  readonly score: number;
}

export interface SimilarUsersAnswer {
  /** min(k, other users with a vector), best first, ties by the order of users. */
  readonly results: readonly SimilarUser[];
  readonly stats: Pick<AnswerStats, 'plan' | 'space' | 'visited' | 'distances' | 'exact' | 'generation' | 'tookMs'>;
}

export interface SimilarUsersOptions {
  /** 1 to 10,000. Default 10. */
  readonly k?: number;
  /** Default: the recipe's first that has user vectors. */
  readonly space?: string;
  readonly signal?: AbortSignal;
}

/** One thing that somebody liked, or disliked. */
export interface HistoryEntry {
  /** Item id. */
  readonly item: string;
  /**
   * How strongly, relative to one plain interaction: below 0 if they disliked it, which spaces with user vectors pass over unless they are of
   * `als`. From −1,000,000 to 1,000,000 and not 0; default 1.
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
  /** The collection has a picture of it. */
  readonly picture?: true;
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
  /** Where the vectors that users are compared with say how popular an item is; absent where they do not. */
  readonly popularity?: PopularityDimension;
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
  /** How many items have a picture; absent where the recipe keeps none. */
  readonly pictures?: number;
  readonly spaces: readonly SpaceInfo[];
  /** The recipe's optional spaces that were not built, since something would have had to be downloaded; absent where there are none. */
  readonly leftOut?: readonly LeftOutSpace[];
  readonly bytesOnDisk: number;
  readonly buildSeconds: number;
}

/** What became of a new generation that was to be served. */
export interface Reload {
  readonly collection: string;
  /** The generation that was served before. */
  readonly from: string;
  /** The generation that is served now. */
  readonly to: string;
  /** False where the live generation was served already. */
  readonly swapped: boolean;
  /** Recall@10 of a sample of items, by space. */
  readonly recall: Readonly<Record<string, number>>;
  /** Share of the sample's answers that the two have in common. */
  readonly overlap: number;
  readonly tookMs: number;
}

/** Where an item lies on the map of a space. */
export interface MapPoint {
  readonly id: string;
  readonly title: string;
  readonly x: number;
  readonly y: number;
  /** Of a neighbour: its score. */
  readonly score?: number;
}

/** A space on a plane: a sample of its items, and perhaps one item with its neighbours. */
export interface SpaceMap {
  readonly space: string;
  /** The share of the sample's variance that the plane shows, 0 to 1. */
  readonly explained: number;
  /** Some 500 items, evenly spread over the catalogue. */
  readonly points: readonly MapPoint[];
  readonly item?: MapPoint;
  /** Nearest first. */
  readonly neighbours: readonly MapPoint[];
  /** Where it was asked for: pairs of places in `points`, then `item`, then `neighbours`, of those that are near to each other in the space. */
  readonly links?: readonly (readonly [number, number])[];
}

/** What one pool size gives. */
export interface Effort {
  readonly efSearch: number;
  /** Mean recall@k. */
  readonly recall: number;
  /** Rows reached by a search, on average. */
  readonly visited: number;
  /** Microseconds of a search, on one thread. */
  readonly micros: number;
}

/** Recall against time of a space's index, measured on a sample of its items. */
export interface Efforts {
  readonly space: string;
  readonly k: number;
  readonly queries: number;
  /** Microseconds of an exact search. */
  readonly exactMicros: number;
  /** The recipe's. */
  readonly efSearch?: number;
  /** By pool size, ascending. */
  readonly efforts: readonly Effort[];
}

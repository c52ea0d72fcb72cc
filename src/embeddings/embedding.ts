import type { CsrMatrix } from '../core/csr-matrix.js';
import type { Matrix } from '../core/matrix.js';
import type { Schema } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import type { Block } from './blocks.js';
import type { PopularityDimension } from './popularity.js';

/** Vectors for some of the rows of a vocabulary: row r of `matrix` belongs to ordinal `ordinals[r]`; ordinals ascend. */
export interface Vectors {
  readonly matrix: Matrix;
  readonly ordinals: Uint32Array;
}

/** What an embedding makes of a dataset: one space. */
export interface FittedSpace {
  /** Item vectors. Items that the embedding can say nothing about are left out. */
  readonly items: Vectors;
  /**
   * What items are compared with each other by, row for row with `items`, under inner product: directions whose length (at most
   * 1) says how far each is to be trusted. Absent where items are compared by `items` itself, under cosine, or by `sparse`.
   */
  readonly likeness?: Matrix;
  /** What items are compared with each other by, row for row with `items`, under cosine and exactly; then there is no `likeness`. */
  readonly sparse?: CsrMatrix;
  /** Where vectors are blocks side by side, in the order of their values: a question may then ask with other weights (blocks.ts). */
  readonly blocks?: readonly Block[];
  /** User vectors, whose inner product with an item's vector is the score; absent in a space of items only. */
  readonly users?: Vectors;
  /** Where the last value of `items` and `users` lets a question damp or raise what is popular (popularity.ts). */
  readonly popularity?: PopularityDimension;
  /** What query-time work (fold-in, embedding a new item) needs besides the vectors: plain data and typed arrays, stored with msgpackr. */
  readonly model: Readonly<Record<string, unknown>>;
  /** Figures worth keeping in the manifest. */
  readonly notes: Readonly<Record<string, number | string>>;
}

/** What somebody liked: items and their vectors, one a row, and confidence relative to one plain interaction. At least one row. */
export interface History {
  /** Ordinals in the dataset. */
  readonly items: Uint32Array;
  readonly vectors: Matrix;
  readonly weights: Float32Array;
}

/** A history → the vector that the fit would have given this user. */
export type HistoryFolder = (history: History) => Promise<Float32Array>;

/** Who chose an item: users' vectors, one a row, and confidence relative to one plain interaction. */
export interface Audience {
  /** Not read by embeddings that place items by `histories`. */
  readonly vectors: Matrix;
  readonly weights: Float32Array;
  /**
   * What else each of them has, a row for every weight: items of the training by ordinal, with confidence as in the training (1 for a plain
   * interaction). Items that came after it are passed over.
   */
  readonly histories?: CsrMatrix;
}

/**
 * An audience → the vector that the fit would have given this item, as in `items`. `content` is its vector in the space whose features
 * the embedding read, where it read any.
 */
export type AudienceFolder = (audience: Audience, content?: Float32Array) => Promise<Float32Array>;

/** Something to be placed in a fitted space: an item that came after the fit, or a question. What an embedding cannot read, it passes over. */
export interface Content {
  /** Free text, such as a question: it counts as one field. */
  readonly text?: string;
  readonly title?: string;
  /** Attributes by column name, of the types that the dataset's columns had. */
  readonly attributes?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  /** An encoded picture: PNG, JPEG, WebP or SVG. */
  readonly image?: Uint8Array;
  /** Finite numbers for a tower of questions (`onnx-tower`), in the order of its input. */
  readonly features?: ArrayLike<number>;
}

/**
 * Places content in a space, next to the items that were there at the fit. Made from a stored model by `Embedding.openEmbedder`; or
 * written by a user, for vectors of their own (`precomputed`), whose queries only their own encoder can embed.
 */
export interface Embedder {
  /** Length of the vectors: that of the index that compares the space's items. */
  readonly dim: number;
  /**
   * The vector of the content, as the fit would have placed an item of the same content; undefined where nothing of it is known.
   * Does not depend on what was embedded before.
   * @throws NighError INVALID_ARGUMENT for content of the wrong types, ABORTED
   */
  embed(content: Content, signal?: AbortSignal): Promise<Float32Array | undefined>;
  /**
   * The vector that users would find an item of this content by, as in the fit's `items`; absent where that is the one of `embed`, up to
   * its length.
   */
  embedForUsers?(content: Content, signal?: AbortSignal): Promise<Float32Array | undefined>;
  /** Ends the threads that the embedder holds, where it holds any. They do not keep a program alive. */
  close?(): Promise<void>;
}

export interface FitContext {
  readonly signal?: AbortSignal;
  /** Called with work done and in total (in the embedding's own unit), at most some ten times a second. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Native threads to use; 0 = all. */
  readonly threads?: number;
  /** The recipe's other spaces that the embedding uses, fitted before, by name. */
  readonly spaces?: ReadonlyMap<string, FittedSpace>;
  /** What relative paths among the parameters are relative to: the directory of the recipe. Default: the working directory. */
  readonly baseDirectory?: string;
  /** Where NIGH_DATA, NIGH_CACHE and XDG_CACHE_HOME are looked up. Default: `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What turns a dataset into a space. One implementation a file; all are listed in registry.ts. */
export interface Embedding<Params> {
  /** The name in a recipe's `embedding`. */
  readonly name: string;
  /** Every parameter's key, so that a typing error is told from the keys around it. */
  readonly keys: readonly string[];
  /** How the parameters are read, for the JSON Schema of recipes. Default: editors know no more than the keys. */
  readonly schema?: Schema;
  /**
   * Checks the recipe's parameters and fills in the defaults.
   * @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT with the path of the key
   */
  parse(params: Readonly<Record<string, unknown>>, path: string): Params;
  /** Whether spaces of these parameters are compared by sparse rows, which have an index of their own. Default: never. */
  isSparse?(params: Params): boolean;
  /** Names of the recipe's other spaces that a fit with these parameters reads; they are fitted before. Default: none. */
  uses?(params: Params): readonly string[];
  /**
   * What a fit with these parameters would have to download first, by the name that `nigh fetch` has for it; undefined where all is at
   * hand. A recipe's `optional` spaces are left out instead. Default: a fit downloads nothing.
   */
  fetches?(params: Params, surroundings: Pick<FitContext, 'environment'>): Promise<string | undefined>;
  /**
   * From a stored model, what places somebody new among the users of a space that has user vectors.
   * @throws NighError FORMAT if the model is not one of this embedding
   */
  openFolder?(model: Readonly<Record<string, unknown>>): HistoryFolder;
  /** Whether that reads weights below 0 as dislikes. Default: no, and they are left out of the histories it is given. */
  readonly foldsDislikes?: boolean;
  /**
   * From a stored model, what places a new item by who chose it; absent where the model has no such equation.
   * @throws NighError FORMAT if the model is not one of this embedding
   */
  openAudienceFolder?(model: Readonly<Record<string, unknown>>): AudienceFolder;
  /** Whether that reads the `histories` of an audience, and not their vectors. Default: no. */
  readonly placesByHistories?: boolean;
  /**
   * From a stored model, what places new items and questions among the items; absent where that takes more than content.
   * @param openSpace opens the embedder of another space of the collection, for embeddings that use others; it closes those it opened
   * @throws NighError FORMAT if the model is not one of this embedding, UNSUPPORTED if a space that it uses has no embedder
   */
  openEmbedder?(
    model: Readonly<Record<string, unknown>>,
    openSpace?: (name: string) => Promise<Embedder>,
  ): Promise<Embedder>;
  /**
   * Refuses a dataset that lacks what the parameters name, as the fit would: asked of every space before the long work of the first begins.
   * @throws NighError MISSING_COLUMN, INVALID_ARGUMENT for a column of another type
   */
  requireColumns?(dataset: Dataset, params: Params): void | Promise<void>;
  /** @throws NighError EMPTY_DATASET, MISSING_COLUMN, INVALID_ARGUMENT, ABORTED */
  fit(dataset: Dataset, params: Params, context: FitContext): Promise<FittedSpace>;
}

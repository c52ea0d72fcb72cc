/** What evaluation measures: models as a protocol sees them, by user and item ordinals of one training matrix. */
import type { CsrMatrix } from '../core/csr-matrix.js';
import type { Matrix } from '../core/matrix.js';

export interface FitContext {
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Native threads to use; 0 = all. */
  readonly threads?: number;
}

/** Pairs of ordinals, parallel. */
export interface Pairs {
  readonly users: Uint32Array;
  readonly items: Uint32Array;
}

/** Predicts the value that a user would give an item. */
export interface RatingModel {
  /**
   * One prediction a pair. Every pair gets one: where the model knows nothing of the user or the item, it falls back to what it
   * does know, at last to the mean of all values.
   */
  predict(pairs: Pairs): Promise<Float32Array>;
}

/** Who is to be ranked for. Row r of `histories` belongs to `users[r]`. */
export interface RankingQuestion {
  /** Ordinals in the training matrix; undefined under strong generalisation, where only the histories are known. */
  readonly users: Uint32Array | undefined;
  /** What the model may know of them: their rows of the training matrix, or the given part of a held-out user's. */
  readonly histories: CsrMatrix;
}

/** Ranks the catalogue for users. */
export interface RankingModel {
  /**
   * Scores of all items, one row a user (users × items), larger is better; an item that the model cannot place has −Infinity. What
   * a user has already is left in: the protocol takes it out.
   */
  scores(question: RankingQuestion): Promise<Matrix>;
}

/** A recipe for a model: a name for the table, and how it is trained. */
export interface Trainer<Model> {
  readonly name: string;
  /** `train` is users × items; values are ratings, or 1 where there are none. */
  fit(train: CsrMatrix, context: FitContext): Promise<Model>;
}

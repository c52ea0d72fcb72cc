import type { CsrMatrix } from '../core/csr-matrix.js';
import type { Vocabulary } from '../core/vocabulary.js';
import type { PictureSource } from './picture-source.js';

/** One attribute of the items, by item ordinal; undefined where an item lacks it. Numbers are float64, dates are Unix seconds. */
export type Column =
  | { readonly type: 'text'; readonly values: (string | undefined)[] }
  | { readonly type: 'number'; readonly values: (number | undefined)[] }
  | { readonly type: 'tags'; readonly values: (readonly string[] | undefined)[] };

/** The licence of a dataset that states none. */
export const notStated = 'not stated';

/** Where a dataset comes from, for manifests and for people. */
export interface DatasetOrigin {
  readonly name: string;
  /** Licence or terms, one line. */
  readonly licence: string;
  /** Public address or citation. */
  readonly source: string;
}

/** A catalogue and its interactions, in ordinals: what embeddings are fitted to. Built by DatasetBuilder; not changed afterwards. */
export interface Dataset {
  readonly origin: DatasetOrigin;
  readonly items: Vocabulary;
  readonly users: Vocabulary;
  /** Display title by item ordinal. */
  readonly titles: readonly string[];
  /** Item attributes by column name. */
  readonly columns: ReadonlyMap<string, Column>;
  /** users × items; the value is the rating, or 1, or a count: as the source says. Empty where there are only items. */
  readonly interactions: CsrMatrix;
  /** Unix seconds, parallel to the entries of `interactions`; undefined where the source has no times. */
  readonly timestamps?: Float64Array;
  /** Pictures of the items; undefined where the source has none. */
  readonly pictures?: PictureSource;
}

import type { Column } from '../../data/dataset.js';

/** What an item has in one column. */
export type FeatureValue = string | number | readonly string[];

/** Places the values of one column: unit vectors, so that the likeness of two values is the inner product of theirs. */
export interface FeatureEncoder {
  readonly dim: number;
  /** Undefined where nothing of the value is known. */
  encode(value: FeatureValue): Float32Array | undefined;
}

/** What is kept of a fit: plain data and typed arrays. */
export type FittedFeature = Readonly<Record<string, unknown>>;

/** One `type` of block. All are listed in feature-rules.ts. */
export interface FeatureKind<Rule> {
  /** Columns that it reads. */
  readonly columns: readonly Column['type'][];
  /** Checks the keys of a block. @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
  parse(value: Readonly<Record<string, unknown>>, path: string): Rule;
  /** @param values of the items that have one. @throws NighError INVALID_ARGUMENT */
  fit(values: readonly FeatureValue[], rule: Rule): FittedFeature;
  /** @throws NighError FORMAT */
  open(fitted: FittedFeature, rule: Rule): FeatureEncoder;
}

/** The blocks of a recipe: `{ "genres": { "type": "tags", "weight": 2 }, "year": { "type": "number", "bins": 10 } }`. */
import { invalidArgument } from '../../core/errors.js';
import { choice, type Field, isPlainObject, joinPath } from '../../core/params.js';
import type { FeatureEncoder, FeatureKind, FeatureValue, FittedFeature } from './feature-kind.js';
import { dateFeature, numberFeature } from './number-features.js';
import { category, tags } from './term-features.js';

/** Each is handed only what its own `parse` made. */
const kinds: Readonly<Record<string, FeatureKind<never>>> = {
  category: category as FeatureKind<never>,
  tags: tags as FeatureKind<never>,
  number: numberFeature as FeatureKind<never>,
  date: dateFeature as FeatureKind<never>,
};

/** One block, with its keys checked and completed. */
export interface FeatureRule {
  readonly column: string;
  readonly type: string;
  readonly weight: number;
  readonly columns: FeatureKind<never>['columns'];
  /** The keys as they were given, to be kept in the model. */
  readonly given: Readonly<Record<string, unknown>>;
  fit(values: readonly FeatureValue[]): FittedFeature;
  open(fitted: FittedFeature): FeatureEncoder;
}

const typeField = choice(Object.keys(kinds));

export const featureRules: Field<readonly FeatureRule[]> = { read: readFeatureRules, optional: false };

export function readFeatureRules(value: unknown, path: string): readonly FeatureRule[] {
  if (!isPlainObject(value) || Object.keys(value).length === 0) {
    throw invalidArgument(path, 'an object of columns, such as { "genres": { "type": "tags" } }', value);
  }
  return Object.entries(value).map(([column, given]) => {
    const at = joinPath(path, column);
    if (!isPlainObject(given)) throw invalidArgument(at, 'an object such as { "type": "number", "weight": 2 }', given);
    const type = typeField.read(given.type, joinPath(at, 'type'));
    const kind = kinds[type]!;
    const rule = kind.parse(given, at);
    const { weight } = rule as { readonly weight: number };
    return {
      column,
      type,
      weight,
      given,
      columns: kind.columns,
      fit: (values) => kind.fit(values, rule),
      open: (fitted) => kind.open(fitted, rule),
    };
  });
}

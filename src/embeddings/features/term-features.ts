/**
 * Blocks of terms: one dimension a term, and the likeness of two items is the cosine of what they have.
 *
 *   category   one-hot for a text or a number as a whole, multi-hot for a list: each name counts 1
 *   tags       as often as they are listed (`count`), by a relevance written behind them (`dark:0.7`, `relevance`), or 1 (`once`);
 *              with `idf` times 1 + ln((1 + N) / (1 + df)), so that what few items have says more
 *
 * Two terms are the same if they are in one case and one form of every letter.
 */
import { choice, flag, integer, number, type ParamsOf, readParams } from '../../core/params.js';
import { ModelReader } from '../model-reader.js';
import type { FeatureEncoder, FeatureKind, FeatureValue, FittedFeature } from './feature-kind.js';

const common = {
  /** What the block weighs beside the others. */
  weight: number({ above: 0, max: 1e6, default: 1 }),
  /** At most so many terms are kept, those of the most items: a vector has a dimension for each. */
  maxTerms: integer({ min: 1, max: 100_000, default: 1_000 }),
  /** Terms of fewer items are dropped. */
  minItems: integer({ min: 1, default: 1 }),
};

const categorySchema = { type: choice(['category']), ...common };

const tagsSchema = {
  type: choice(['tags']),
  ...common,
  /** What a tag of an item counts: see above. */
  count: choice(['once', 'count', 'relevance'], { default: 'once' }),
  idf: flag({ default: false }),
};

type CategoryRule = ParamsOf<typeof categorySchema>;
type TagsRule = ParamsOf<typeof tagsSchema>;
type Counting = TagsRule['count'];

export const category: FeatureKind<CategoryRule> = {
  columns: ['text', 'number', 'tags'],
  parse: (value, path) => readParams(categorySchema, value, path),
  fit: (values, rule) => fitTerms(values, rule, 'once', false),
  open: (fitted) => openTerms(fitted, 'once'),
};

export const tags: FeatureKind<TagsRule> = {
  columns: ['tags'],
  parse: (value, path) => readParams(tagsSchema, value, path),
  fit: (values, rule) => fitTerms(values, rule, rule.count, rule.idf),
  open: (fitted, rule) => openTerms(fitted, rule.count),
};

/** The terms of one value and what each counts. */
function termsOf(value: FeatureValue, counting: Counting): Map<string, number> {
  const counts = new Map<string, number>();
  for (const entry of typeof value === 'object' ? value : [String(value)]) {
    const [name, relevance] = counting === 'relevance' ? splitRelevance(entry) : [entry, 1];
    const term = name.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ').trim();
    if (term === '') continue;
    const old = counts.get(term) ?? 0;
    counts.set(term, counting === 'count' ? old + 1 : Math.max(old, relevance));
  }
  return counts;
}

/** `dark comedy:0.7` → its name and 0.7; what has no number at its end counts 1. */
function splitRelevance(entry: string): [name: string, relevance: number] {
  const parts = /^(.+):(\d*\.?\d+)$/su.exec(entry);
  return parts === null ? [entry, 1] : [parts[1]!, Number(parts[2])];
}

function fitTerms(
  values: readonly FeatureValue[],
  { maxTerms, minItems }: CategoryRule | TagsRule,
  counting: Counting,
  idf: boolean,
): FittedFeature {
  const frequencies = new Map<string, number>();
  for (const value of values) {
    for (const term of termsOf(value, counting).keys()) frequencies.set(term, (frequencies.get(term) ?? 0) + 1);
  }
  // Among terms of equally many items the first in the order of letters stays, whatever the order of the items.
  const kept = [...frequencies]
    .filter(([, items]) => items >= minItems)
    .sort(([a, itemsA], [b, itemsB]) => itemsB - itemsA || (a < b ? -1 : 1))
    .slice(0, maxTerms);
  return {
    terms: kept.map(([term]) => term),
    weights: Float32Array.from(kept, ([, items]) => (idf ? 1 + Math.log((1 + values.length) / (1 + items)) : 1)),
  };
}

function openTerms(fitted: FittedFeature, counting: Counting): FeatureEncoder {
  const reader = new ModelReader('features', fitted);
  const terms = reader.strings('terms');
  const weights = reader.floats('weights', terms.length);
  const ordinals = new Map(terms.map((term, ordinal) => [term, ordinal]));
  return {
    dim: terms.length,
    encode(value) {
      const vector = new Float32Array(terms.length);
      let squares = 0;
      for (const [term, count] of termsOf(value, counting)) {
        const ordinal = ordinals.get(term);
        if (ordinal === undefined) continue;
        vector[ordinal] = count * weights[ordinal]!;
        squares += vector[ordinal]! ** 2;
      }
      if (squares === 0) return undefined;
      const scale = 1 / Math.sqrt(squares);
      return vector.map((entry) => entry * scale);
    },
  };
}

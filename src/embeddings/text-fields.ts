/**
 * Which text of an item an embedding reads, and what it weighs: the "soup" of a title, some text columns and some lists of names.
 *
 *   "fields": { "overview": 1, "genres": { "weight": 2, "tokens": false }, "tagline": { "optional": true } }
 *
 * A number is short for its weight. A list counts each of its entries as its words and as the whole, because "science fiction" is more
 * than science and fiction; with `tokens: false` as the whole only, so that two actors of one first name have nothing in common.
 */
import { invalidArgument, NighError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import { type Field, flag, isPlainObject, joinPath, number, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import type { Content } from './embedding.js';
import type { Tokenizer } from './tokenize.js';

export interface FieldRule {
  /** What one occurrence in this field counts. */
  readonly weight: number;
  /** Whether texts are cut into words; otherwise each entry of a list, or the whole of a text, is one token. */
  readonly tokens: boolean;
  /** Whether the dataset may lack the column, for instance because a second file was not there: it is then empty for every item. */
  readonly optional: boolean;
}

export type FieldRules = Readonly<Record<string, FieldRule>>;

const ruleSchema = {
  weight: number({ above: 0, default: 1 }),
  tokens: flag({ default: true }),
  optional: flag({ default: false }),
};

/** Free text, and the columns of which nothing more is said. */
const plainRule: FieldRule = { weight: 1, tokens: true, optional: false };

/** The key `fields`: columns, and what is made of them; `title` is the items' titles. Default { "title": 1 }. */
export const fieldRules: Field<FieldRules> = {
  optional: true,
  fallback: { title: plainRule },
  read: (value, path) => {
    if (!isPlainObject(value) || Object.keys(value).length === 0) {
      throw invalidArgument(path, 'an object of column names and weights, such as { "title": 1, "tags": 2 }', value);
    }
    return Object.fromEntries(
      Object.entries(value).map(([name, given]) => {
        const at = joinPath(path, name);
        if (typeof given === 'number') return [name, { ...plainRule, weight: ruleSchema.weight.read(given, at) }];
        if (!isPlainObject(given)) throw invalidArgument(at, 'a weight, or an object such as { "weight": 2 }', given);
        return [name, readParams(ruleSchema, given, at)];
      }),
    );
  },
};

/** How words follow each other into terms: `new york` is a 2-gram. */
export interface Grams {
  readonly min: number;
  readonly max: number;
}

/** One field of one item: its tokens, and what each counts. */
export interface WeightedTokens {
  readonly weight: number;
  readonly tokens: readonly string[];
}

/** One field of a dataset. */
export interface TextField {
  readonly name: string;
  readonly weight: number;
  /** The tokens of one item. */
  readonly tokens: (item: number) => readonly string[];
}

/** Cuts what stands in a column into tokens. */
export type FieldReader = (value: string | readonly string[] | undefined, rule: FieldRule) => readonly string[];

export function createFieldReader(tokenize: Tokenizer, grams: Grams): FieldReader {
  return (value, { tokens }) => {
    if (value === undefined) return [];
    if (typeof value === 'string') return tokens ? wordGrams(tokenize(value), grams) : whole(value);
    if (!tokens) return value.flatMap(whole);
    return value.flatMap((entry) => {
      const words = tokenize(entry);
      const terms = wordGrams(words, grams);
      // As a whole too, unless one of the grams is the whole already.
      return words.length < grams.min || words.length > grams.max ? [...terms, ...joined(words)] : terms;
    });
  };
}

/**
 * The fields that rules name. A column that is absent and `optional` is left out.
 * @throws NighError MISSING_COLUMN, INVALID_ARGUMENT for a column of numbers
 */
export function datasetFields(dataset: Dataset, rules: FieldRules, read: FieldReader): TextField[] {
  return Object.entries(rules).flatMap(([name, rule]): TextField[] => {
    const { weight } = rule;
    if (name === 'title') return [{ name, weight, tokens: (item) => read(dataset.titles[item], rule) }];
    const column = dataset.columns.get(name);
    if (column === undefined) {
      if (rule.optional) return [];
      const known = ['title', ...dataset.columns.keys()];
      const hint = didYouMean(name, known) || ` It has: ${known.join(', ')}.`;
      throw new NighError(
        'MISSING_COLUMN',
        `fields.${name}: the dataset ${dataset.origin.name} has no such column.${hint}`,
      );
    }
    if (column.type === 'number') {
      throw new NighError('INVALID_ARGUMENT', `fields.${name}: expected a column of text or tags, got one of numbers.`);
    }
    return [{ name, weight, tokens: (item) => read(column.values[item], rule) }];
  });
}

/** Refuses rules that name what the dataset does not have. @throws NighError as datasetFields */
export function requireFields(dataset: Dataset, rules: FieldRules): void {
  datasetFields(dataset, rules, () => []);
}

/** The same fields of something that is not in the dataset; its free text is one more, of weight 1. */
export function contentFields(content: Content, rules: FieldRules, read: FieldReader): WeightedTokens[] {
  const fields: WeightedTokens[] = [];
  if (content.text !== undefined) {
    fields.push({ weight: 1, tokens: read(requireText('text', content.text), plainRule) });
  }
  for (const [name, rule] of Object.entries(rules)) {
    const value = name === 'title' ? content.title : content.attributes?.[name];
    if (value === undefined) continue;
    fields.push({ weight: rule.weight, tokens: read(requireText(name, value), rule) });
  }
  return fields;
}

/** How many items have something in each field, for the manifest: `overview 3537, tagline absent`. */
export function describeCoverage(rules: FieldRules, counts: ReadonlyMap<string, number>): string {
  return Object.keys(rules)
    .map((name) => `${name} ${counts.get(name) ?? 'absent'}`)
    .join(', ');
}

function requireText(name: string, value: unknown): string | readonly string[] {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw invalidArgument(name, 'a text or a list of texts', value);
}

/** Every run of min to max words, in the order of the text, the shorter first. */
export function wordGrams(words: readonly string[], { min, max }: Grams): readonly string[] {
  if (min === 1 && max === 1) return words;
  const grams: string[] = [];
  for (let size = min; size <= max; size++) {
    for (let begin = 0; begin + size <= words.length; begin++) grams.push(words.slice(begin, begin + size).join(' '));
  }
  return grams;
}

function joined(words: readonly string[]): readonly string[] {
  return words.length === 0 ? [] : [words.join(' ')];
}

/** One token of a whole text: in one case and one form of every letter, with single spaces. */
function whole(text: string): readonly string[] {
  const token = text.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ').trim();
  return token === '' ? [] : [token];
}

/**
 * The embedding `tfidf`: weighted text fields → tf-idf (term-matrix.ts) → LSA (lsa.ts) → unit vectors for the cosine metric.
 *
 * Items without a known term have no vector. The vocabulary, idf and LSA basis stay in the model, so that a text that came
 * later is embedded into the same space by `embedText`.
 */
import { invalidArgument, NighError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import { choice, type Field, flag, integer, isPlainObject, number, type ParamsOf, readParams } from '../core/params.js';
import type { Column, Dataset } from '../data/dataset.js';
import type { Embedding, FitContext, FittedSpace } from './embedding.js';
import { fitLsa, projectDocument } from './lsa.js';
import { ModelReader } from './model-reader.js';
import { fitTerms, type TextField, weighTokens } from './term-matrix.js';
import { createTokenizer, type Tokenizer, tokenizerSchema } from './tokenize.js';

/** `{ "title": 1, "tags": 2 }`: text or tags columns and what their words weigh. */
const fieldWeights: Field<Readonly<Record<string, number>>> = {
  optional: true,
  fallback: { title: 1 },
  read: (value, path) => {
    if (!isPlainObject(value) || Object.keys(value).length === 0) {
      throw invalidArgument(path, 'an object of column names and weights, such as { "title": 1, "tags": 2 }', value);
    }
    const weight = number({ above: 0 });
    return Object.fromEntries(
      Object.entries(value).map(([name, given]) => [name, weight.read(given, `${path}.${name}`)]),
    );
  },
};

const schema = {
  /** Columns and their weights; `title` is the items' titles. Default { "title": 1 }. */
  fields: fieldWeights,
  ...tokenizerSchema,
  /** Dimensions of the vectors, at most; fewer where there are fewer terms or items. More keep finer distinctions and cost memory and time. */
  dim: integer({ min: 1, max: 4096, default: 128 }),
  /** Terms of fewer items are dropped: a term of one item relates it to nothing. */
  minDocuments: integer({ min: 1, default: 2 }),
  /** Terms of a larger share of the items are dropped. */
  maxDocumentShare: number({ above: 0, max: 1, default: 0.5 }),
  /** At most so many terms are kept, those of the most items. */
  maxTerms: integer({ min: 1, max: 5_000_000, default: 100_000 }),
  /** 1 + ln(count) instead of the count of a term in a field. */
  sublinear: flag({ default: true }),
  /** `smooth`: 1 + ln((1 + N) / (1 + df)); `plain`: ln(N / df). */
  idf: choice(['smooth', 'plain'], { default: 'smooth' }),
  /** Extra random directions of the SVD: more is more exact, and slower. */
  oversampling: integer({ min: 0, max: 1024, default: 16 }),
  /** Power iterations of the SVD: more is more exact, and slower. */
  powerIterations: integer({ min: 0, max: 50, default: 3 }),
  seed: integer({ min: 0, default: 42 }),
};

export type TfidfParams = ParamsOf<typeof schema>;

export const tfidf: Embedding<TfidfParams> = {
  name: 'tfidf',
  keys: Object.keys(schema),
  parse: (params, path) => readParams(schema, params, path),
  fit: fitTfidf,
};

async function fitTfidf(dataset: Dataset, params: TfidfParams, context: FitContext): Promise<FittedSpace> {
  const fields = Object.entries(params.fields).map(([name, weight]) => textField(dataset, name, weight));
  const tokenize = await createTokenizer(params);
  const { matrix, ordinals, terms, idf, documents } = await fitTerms(dataset.items.size, fields, tokenize, params, {
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  if (matrix.rows === 0) {
    throw new NighError(
      'EMPTY_DATASET',
      `tfidf: none of ${dataset.items.size} items has a term that at least ${params.minDocuments} items share, in ${Object.keys(params.fields).join(', ')}.`,
    );
  }
  const lsa = await fitLsa(matrix, params, context);
  return {
    items: { matrix: lsa.vectors, ordinals: lsa.rows.map((r) => ordinals[r]!) },
    model: {
      terms,
      idf,
      basis: lsa.basis.data,
      dim: lsa.basis.dim,
      language: params.language,
      stopwords: params.stopwords,
      numbers: params.numbers,
      stem: params.stem,
      sublinear: params.sublinear,
    },
    notes: {
      terms: terms.length,
      documents,
      withoutVector: dataset.items.size - lsa.vectors.rows,
      explainedVariance: lsa.explainedVariance,
      idf: params.idf === 'smooth' ? '1 + ln((1 + N) / (1 + df))' : 'ln(N / df)',
    },
  };
}

/** Embeds texts that came after the fit into its space. */
export type TextEmbedder = (text: string) => Float32Array | undefined;

/**
 * The fitted space as a function of text: unit vectors of its dimensions, or undefined for a text without a known term.
 * The fields' weights do not matter here: a new text is one field.
 * @throws NighError FORMAT if the model is not one of tfidf
 */
export async function createTextEmbedder(model: Readonly<Record<string, unknown>>): Promise<TextEmbedder> {
  const reader = new ModelReader('tfidf', model);
  const terms = reader.strings('terms');
  const idf = reader.floats('idf', terms.length);
  const dim = reader.integer('dim');
  const basis = { data: reader.floats('basis', terms.length * dim), rows: terms.length, dim };
  const { language, stopwords, numbers, stem } = model;
  const tokenize = await createTokenizer(
    readParams(tokenizerSchema, { language, stopwords, numbers, stem }, 'tfidf model'),
  );
  const sublinear = reader.flag('sublinear');
  const ordinals = new Map(terms.map((term, ordinal) => [term, ordinal]));
  return (text) => projectDocument(weighTokens(tokenize(text), ordinals, idf, sublinear), basis);
}

/** @throws NighError MISSING_COLUMN, INVALID_ARGUMENT for a column of numbers */
function textField(dataset: Dataset, name: string, weight: number): TextField {
  if (name === 'title') {
    return { weight, tokens: (item, tokenize) => tokenize(dataset.titles[item] ?? '') };
  }
  const column = dataset.columns.get(name);
  if (column === undefined) {
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
  return { weight, tokens: (item, tokenize) => columnTokens(column, item, tokenize) };
}

/** A tag of several words counts as its words and as the whole: "science fiction" is more than science and fiction. */
function columnTokens(
  column: Exclude<Column, { type: 'number' }>,
  item: number,
  tokenize: Tokenizer,
): readonly string[] {
  if (column.type === 'text') return tokenize(column.values[item] ?? '');
  return (column.values[item] ?? []).flatMap((tag) => {
    const words = tokenize(tag);
    return words.length > 1 ? [...words, words.join(' ')] : words;
  });
}

/**
 * The embedding `glove`: the mean of the vectors of an item's words (glove-words.ts), for the cosine metric.
 *
 * Pennington, Socher and Manning, "GloVe: Global vectors for word representation", EMNLP 2014; word2vec's and fastText's vectors do as
 * well. Weights: none, idf, or smooth inverse frequency (Arora, Liang and Ma, "A simple but tough-to-beat baseline for sentence
 * embeddings", ICLR 2017, algorithm 1):
 *
 *   1. v_i = Σ_words w(word) · vector(word) / Σ_words w(word)    the paper divides by the number of words; the direction is the same
 *   2. sif only: u = first right singular vector of the rows v_i; v_i ← v_i − u uᵀ v_i
 *
 *   w = 1                                  `mean`
 *     = 1 + ln((1 + N) / (1 + df))         `idf`, over the items
 *     = a / (a + p)                        `sif`, p the word's share of the words of all items (the paper takes p from the corpus of
 *                                          the vectors, which a file of vectors does not hold)
 *
 * Words that the file lacks are passed over. An item without a known word has no vector in this space.
 */
import { breathe } from '../core/abort.js';
import { NighError } from '../core/errors.js';
import { gatherRows, type Matrix, row, zeros } from '../core/matrix.js';
import { choice, flag, integer, joinPath, number, optional, type ParamsOf, readParams, text } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import { readWordVectors } from '../data/word-vectors/word-vectors.js';
import type { Content, Embedder, Embedding, FitContext, FittedSpace } from './embedding.js';
import { candidateWords, knownWords, type WordSplitting } from './glove-words.js';
import { ModelReader } from './model-reader.js';
import { contentFields, datasetFields, describeCoverage, type FieldReader, fieldRules } from './text-fields.js';

const schema = {
  /** `glove-6b-100d` (English; 118 MB, downloaded once), or a file of word vectors, relative to the recipe: see word-vectors.ts. */
  vectors: text({ default: 'glove-6b-100d' }),
  /** Columns and their weights: see text-fields.ts; `tokens` is not for word vectors. Default { "title": 1 }. */
  fields: fieldRules,
  /** Whether the vocabulary is in lower case, as GloVe 6B's is. */
  lowerCase: flag({ default: true }),
  /** Count words of digits only: the year of a title says more about its time than about its kind. */
  numbers: flag({ default: true }),
  /** What a word counts: `mean` all the same; `idf` the rarer among the items the more; `sif` as above. */
  weighting: choice(['mean', 'idf', 'sif'], { default: 'mean' }),
  /** Only sif. Smaller damps frequent words more. Default 0.001. */
  a: optional(number({ above: 0, max: 1 })),
  /**
   * The first so many words of the file are kept in the model besides the items' own, so that questions in other words can be
   * embedded; 400 bytes each at 100 dimensions.
   */
  keepWords: integer({ min: 0, max: 10_000_000, default: 30_000 }),
};

export type GloveParams = ParamsOf<typeof schema>;

export const glove: Embedding<GloveParams> = {
  name: 'glove',
  keys: Object.keys(schema),
  parse: parseParams,
  fit: fitGlove,
  openEmbedder,
};

const defaultA = 1e-3;
/** A vector shorter than this is rounding noise: what is left of words that cancel out. */
const shortest = 1e-6;
/** Between two breaths of the event loop. */
const itemsAtOnce = 2_000;

function parseParams(given: Readonly<Record<string, unknown>>, path: string): GloveParams {
  const params = readParams(schema, given, path);
  if (params.a !== undefined && params.weighting !== 'sif') {
    throw new NighError(
      'INVALID_ARGUMENT',
      `${joinPath(path, 'a')}: means nothing to the weighting ${params.weighting}.`,
    );
  }
  for (const [name, rule] of Object.entries(params.fields)) {
    if (rule.tokens) continue;
    const at = joinPath(joinPath(joinPath(path, 'fields'), name), 'tokens');
    throw new NighError('INVALID_ARGUMENT', `${at}: expected none, since vectors are of words.`);
  }
  return params;
}

/** The words that a space knows: their vectors, and what each counts. */
interface WordModel {
  readonly ordinals: ReadonlyMap<string, number>;
  readonly vectors: Matrix;
  readonly weights: Float32Array;
}

/** Words of a document and what each occurrence counts beside its own weight. */
interface Document {
  readonly words: readonly number[];
  readonly weights: readonly number[];
}

/** Texts pass through as they are: which words they hold depends on the vocabulary. */
const texts: FieldReader = (value) => (value === undefined ? [] : typeof value === 'string' ? [value] : value);

async function fitGlove(dataset: Dataset, params: GloveParams, context: FitContext): Promise<FittedSpace> {
  const { signal } = context;
  const fields = datasetFields(dataset, params.fields, texts);

  // 1. The words that may be needed, and their vectors.
  const wanted = new Set<string>();
  for (let item = 0; item < dataset.items.size; item++) {
    if (item % itemsAtOnce === 0) await breathe(signal);
    for (const { tokens } of fields) {
      for (const value of tokens(item)) for (const word of candidateWords(value, params)) wanted.add(word);
    }
  }
  const { baseDirectory = '.', environment } = context;
  const { words, matrix } = await readWordVectors(
    params.vectors,
    (word, position) => position < params.keepWords || wanted.has(word),
    {
      baseDirectory,
      ...(environment === undefined ? {} : { environment }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: ({ done, total = 0 }) => context.onProgress?.(done, total),
    },
  );
  const ordinals = new Map(words.map((word, ordinal) => [word, ordinal]));

  // 2. The items' words, and how often each occurs.
  const documents: Document[] = [];
  const coverage = new Map(fields.map(({ name }) => [name, 0]));
  const counts = new Float64Array(words.length);
  const frequencies = new Uint32Array(words.length);
  let [withWords, known, unknown] = [0, 0, 0];
  for (let item = 0; item < dataset.items.size; item++) {
    if (item % itemsAtOnce === 0) await breathe(signal);
    const own: { words: number[]; weights: number[] } = { words: [], weights: [] };
    for (const { name, weight, tokens } of fields) {
      const values = tokens(item);
      if (values.length > 0) coverage.set(name, coverage.get(name)! + 1);
      unknown += addWords(own, weight, values, ordinals, params);
    }
    documents.push(own);
    known += own.words.length;
    if (own.words.length > 0) withWords++;
    for (const word of own.words) counts[word] = counts[word]! + 1;
    for (const word of new Set(own.words)) frequencies[word] = frequencies[word]! + 1;
  }
  if (withWords === 0) {
    throw new NighError(
      'EMPTY_DATASET',
      `glove: ${params.vectors} has no word of any of ${dataset.items.size} items, in ${Object.keys(params.fields).join(', ')}.`,
    );
  }
  const weights = Float32Array.from(words, (_, w) =>
    wordWeight(params, frequencies[w]!, withWords, counts[w]! / known),
  );
  const model: WordModel = { ordinals, vectors: matrix, weights };

  // 3. Means; under sif without the direction that all share.
  const means = zeros(documents.length, matrix.dim);
  for (let item = 0; item < documents.length; item++) {
    if (item % itemsAtOnce === 0) await breathe(signal);
    writeMean(model, documents[item]!, row(means, item));
  }
  const component = params.weighting === 'sif' ? await firstComponent(means, signal) : new Float32Array();
  if (component.length > 0) for (let item = 0; item < means.rows; item++) removeComponent(row(means, item), component);
  const kept = Uint32Array.from(documents.keys()).filter((item) => length(row(means, item)) > shortest);
  return {
    items: { matrix: gatherRows(means, kept), ordinals: kept },
    model: {
      words,
      vectors: matrix.data,
      weights,
      component,
      dim: matrix.dim,
      params: Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)),
    },
    notes: {
      vectors: params.vectors,
      weighting: params.weighting === 'sif' ? `sif, a ${params.a ?? defaultA}` : params.weighting,
      itemsWithText: describeCoverage(params.fields, coverage),
      withoutVector: documents.length - kept.length,
      withoutKnownWord: documents.length - withWords,
      knownWords: known,
      unknownWords: unknown,
    },
  };
}

/** Adds the known words of some texts; gives how many pieces of them had none. */
function addWords(
  document: { readonly words: number[]; readonly weights: number[] },
  weight: number,
  values: readonly string[],
  ordinals: ReadonlyMap<string, number>,
  splitting: WordSplitting,
): number {
  let missing = 0;
  for (const value of values) {
    const { words, unknown } = knownWords(value, splitting, (word) => ordinals.has(word));
    for (const word of words) {
      document.words.push(ordinals.get(word)!);
      document.weights.push(weight);
    }
    missing += unknown;
  }
  return missing;
}

function wordWeight({ weighting, a = defaultA }: GloveParams, frequency: number, items: number, share: number): number {
  if (weighting === 'mean') return 1;
  return weighting === 'sif' ? a / (a + share) : 1 + Math.log((1 + items) / (1 + frequency));
}

/** The weighted mean of the document's words; leaves `out` as it is for a document without words. */
function writeMean({ vectors, weights }: WordModel, document: Document, out: Float32Array): void {
  const sum = new Float64Array(vectors.dim);
  let total = 0;
  document.words.forEach((word, i) => {
    const weight = document.weights[i]! * weights[word]!;
    const vector = row(vectors, word);
    for (let d = 0; d < sum.length; d++) sum[d] = sum[d]! + weight * vector[d]!;
    total += weight;
  });
  if (total > 0) out.set(sum.map((value) => value / total));
}

/** Power iteration on XᵀX from the sum of the rows, in double; unit length. */
async function firstComponent({ data, rows, dim }: Matrix, signal: AbortSignal | undefined): Promise<Float32Array> {
  let direction = new Float64Array(dim);
  for (let at = 0; at < data.length; at++) direction[at % dim] = direction[at % dim]! + data[at]!;
  for (let step = 0; step < powerSteps; step++) {
    await breathe(signal);
    const size = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
    if (!(size > 0)) return Float32Array.of();
    const next = new Float64Array(dim);
    for (let r = 0; r < rows; r++) {
      const at = r * dim;
      let product = 0;
      for (let d = 0; d < dim; d++) product += data[at + d]! * direction[d]!;
      for (let d = 0; d < dim; d++) next[d] = next[d]! + product * data[at + d]!;
    }
    direction = next;
  }
  const size = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
  return Float32Array.from(direction, (value) => value / size);
}

/** The mean of many word vectors is close to the first component already. */
const powerSteps = 30;

function removeComponent(vector: Float32Array, component: Float32Array): void {
  let product = 0;
  for (let d = 0; d < vector.length; d++) product += vector[d]! * component[d]!;
  for (let d = 0; d < vector.length; d++) vector[d] = vector[d]! - product * component[d]!;
}

function length(vector: Float32Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}

/** Content → the mean of its words; undefined for content without a known word. */
async function openEmbedder(stored: Readonly<Record<string, unknown>>): Promise<Embedder> {
  const reader = new ModelReader('glove', stored);
  const params = reader.parsed('params', parseParams);
  const words = reader.strings('words');
  const dim = reader.integer('dim');
  const model: WordModel = {
    ordinals: new Map(words.map((word, ordinal) => [word, ordinal])),
    vectors: { data: reader.floats('vectors', words.length * dim), rows: words.length, dim },
    weights: reader.floats('weights', words.length),
  };
  const { component } = stored;
  const removed =
    component instanceof Float32Array && component.length === 0 ? undefined : reader.floats('component', dim);
  return {
    dim,
    embed: async (content: Content) => {
      const document: { words: number[]; weights: number[] } = { words: [], weights: [] };
      for (const { weight, tokens } of contentFields(content, params.fields, texts)) {
        addWords(document, weight, tokens, model.ordinals, params);
      }
      const vector = new Float32Array(dim);
      writeMean(model, document, vector);
      if (removed !== undefined) removeComponent(vector, removed);
      return length(vector) > shortest ? vector : undefined;
    },
  };
}

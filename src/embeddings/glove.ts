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
import { gatherRows, type Matrix, zeros } from '../core/matrix.js';
import { choice, flag, integer, joinPath, number, optional, type ParamsOf, readParams, text } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import { gloveName, hasGlove } from '../data/word-vectors/glove-package.js';
import { readWordVectors } from '../data/word-vectors/word-vectors.js';
import type { Content, Embedder, Embedding, FitContext, FittedSpace } from './embedding.js';
import { GloveTexts, type TextWords } from './glove-texts.js';
import { knownWords } from './glove-words.js';
import { ModelReader } from './model-reader.js';
import { firstComponent, removeComponent } from './shared-direction.js';
import {
  contentFields,
  datasetFields,
  describeCoverage,
  type FieldReader,
  fieldRules,
  requireFields,
} from './text-fields.js';

const schema = {
  /** `glove-6b-100d` (English; 118 MB, downloaded once), or a file of word vectors, relative to the recipe: see word-vectors.ts. */
  vectors: text({ default: gloveName }),
  /** A text file with one word a line, relative to the recipe, where the file of vectors holds no words (`.npy`). */
  words: optional(text()),
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
  schema,
  parse: parseParams,
  fetches: async ({ vectors }, context) => (vectors !== gloveName || (await hasGlove(context)) ? undefined : gloveName),
  requireColumns: (dataset, { fields }) => requireFields(dataset, fields),
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

/** Texts pass through as they are: which words they hold depends on the vocabulary. */
const texts: FieldReader = (value) => (value === undefined ? [] : typeof value === 'string' ? [value] : value);

async function fitGlove(dataset: Dataset, params: GloveParams, context: FitContext): Promise<FittedSpace> {
  const { signal } = context;
  const items = dataset.items.size;
  const fields = datasetFields(dataset, params.fields, texts);

  // 1. The texts, field by field of one item after another, and the vectors of the words that they may hold.
  const cut = new GloveTexts(params);
  const coverage = new Map(fields.map(({ name }) => [name, 0]));
  for (let item = 0; item < items; item++) {
    if (item % itemsAtOnce === 0) await breathe(signal);
    for (const { name, tokens } of fields) {
      const values = tokens(item);
      if (values.length > 0) coverage.set(name, coverage.get(name)! + 1);
      cut.add(values);
    }
  }
  const { baseDirectory = '.', environment } = context;
  const { words, matrix } = await readWordVectors(
    params.vectors,
    (word, position) => position < params.keepWords || cut.candidates.has(word),
    {
      baseDirectory,
      words: params.words,
      ...(environment === undefined ? {} : { environment }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: ({ done, total = 0 }) => context.onProgress?.(done, total),
    },
  );

  // 2. What each word counts.
  const known = cut.words(new Map(words.map((word, ordinal) => [word, ordinal])));
  const { counts, frequencies, withWords } = countWords(known, fields.length, words.length);
  if (withWords === 0) {
    throw new NighError(
      'EMPTY_DATASET',
      `glove: ${params.vectors} has no word of any of ${items} items, in ${Object.keys(params.fields).join(', ')}.`,
    );
  }
  const weights = Float32Array.from(words, (_, w) =>
    wordWeight(params, frequencies[w]!, withWords, counts[w]! / known.words.length),
  );

  // 3. Means; under sif without the direction that all share.
  const means = zeros(items, matrix.dim);
  const mean = new WeightedMean(matrix);
  for (let item = 0; item < items; item++) {
    if (item % itemsAtOnce === 0) await breathe(signal);
    for (const [f, { weight }] of fields.entries()) {
      const text = item * fields.length + f;
      for (let at = known.offsets[text]!; at < known.offsets[text + 1]!; at++) {
        const word = known.words[at]!;
        mean.add(word, weight * weights[word]!);
      }
    }
    mean.takeInto(means.data, item * means.dim);
  }
  const component = params.weighting === 'sif' ? await firstComponent(means, signal) : new Float32Array();
  if (component.length > 0) removeComponent(means, component);
  const kept = Uint32Array.from(dataset.titles.keys()).filter((item) => rowLength(means, item) > shortest);
  return {
    items: { matrix: kept.length === items ? means : gatherRows(means, kept), ordinals: kept },
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
      withoutVector: items - kept.length,
      withoutKnownWord: items - withWords,
      knownWords: known.words.length,
      unknownWords: known.unknown,
    },
  };
}

interface WordCounts {
  /** Occurrences in all items, by word. */
  readonly counts: Uint32Array;
  /** Items with the word, by word. */
  readonly frequencies: Uint32Array;
  /** Items with a known word. */
  readonly withWords: number;
}

function countWords({ offsets, words }: TextWords, textsOfItem: number, vocabulary: number): WordCounts {
  const counts = new Uint32Array(vocabulary);
  const frequencies = new Uint32Array(vocabulary);
  /** One more than the item that had the word last. */
  const last = new Uint32Array(vocabulary);
  let withWords = 0;
  for (let text = 0; text + textsOfItem < offsets.length; text += textsOfItem) {
    const mark = text / textsOfItem + 1;
    const end = offsets[text + textsOfItem]!;
    if (end > offsets[text]!) withWords++;
    for (let at = offsets[text]!; at < end; at++) {
      const word = words[at]!;
      counts[word]!++;
      if (last[word] === mark) continue;
      last[word] = mark;
      frequencies[word]!++;
    }
  }
  return { counts, frequencies, withWords };
}

function wordWeight({ weighting, a = defaultA }: GloveParams, frequency: number, items: number, share: number): number {
  if (weighting === 'mean') return 1;
  return weighting === 'sif' ? a / (a + share) : 1 + Math.log((1 + items) / (1 + frequency));
}

/** The weighted mean of some words' vectors, one document after another. */
class WeightedMean {
  readonly #vectors: Matrix;
  readonly #sum: Float64Array;
  #total = 0;

  constructor(vectors: Matrix) {
    this.#vectors = vectors;
    this.#sum = new Float64Array(vectors.dim);
  }

  add(word: number, weight: number): void {
    const { data, dim } = this.#vectors;
    const sum = this.#sum;
    for (let d = 0, at = word * dim; d < dim; d++, at++) sum[d] = sum[d]! + weight * data[at]!;
    this.#total += weight;
  }

  /** Writes the mean of what was added, or nothing where nothing was, and begins anew. */
  takeInto(out: Float32Array, at: number): void {
    if (!(this.#total > 0)) return;
    for (let d = 0; d < this.#sum.length; d++) out[at + d] = this.#sum[d]! / this.#total;
    this.#sum.fill(0);
    this.#total = 0;
  }
}

function rowLength({ data, dim }: Matrix, r: number): number {
  let squares = 0;
  for (let at = r * dim; at < (r + 1) * dim; at++) squares += data[at]! * data[at]!;
  return Math.sqrt(squares);
}

/** Content → the mean of its words; undefined for content without a known word. */
async function openEmbedder(stored: Readonly<Record<string, unknown>>): Promise<Embedder> {
  const reader = new ModelReader('glove', stored);
  const params = reader.parsed('params', parseParams);
  const words = reader.strings('words');
  const dim = reader.integer('dim');
  const ordinals = new Map(words.map((word, ordinal) => [word, ordinal]));
  const vectors = { data: reader.floats('vectors', words.length * dim), rows: words.length, dim };
  const weights = reader.floats('weights', words.length);
  const { component } = stored;
  const removed =
    component instanceof Float32Array && component.length === 0 ? undefined : reader.floats('component', dim);
  return {
    dim,
    embed: async (content: Content) => {
      const mean = new WeightedMean(vectors);
      for (const { weight, tokens } of contentFields(content, params.fields, texts)) {
        for (const text of tokens) {
          for (const word of knownWords(text, params, (candidate) => ordinals.has(candidate))) {
            const ordinal = ordinals.get(word)!;
            mean.add(ordinal, weight * weights[ordinal]!);
          }
        }
      }
      const vector = zeros(1, dim);
      mean.takeInto(vector.data, 0);
      if (removed !== undefined) removeComponent(vector, removed);
      return rowLength(vector, 0) > shortest ? vector.data : undefined;
    },
  };
}

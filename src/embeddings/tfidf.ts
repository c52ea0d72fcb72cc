/**
 * The embedding `tfidf`: weighted text fields (text-fields.ts) → sparse rows (term-matrix.ts) → LSA (lsa.ts) → unit vectors for the
 * cosine metric. Or the sparse rows themselves; what LSA loses of their neighbours is measured either way (neighbour-loss.ts).
 *
 * Items without a known term have no vector. The vocabulary, idf and LSA basis stay in the model, so that what came later, an item
 * or a question, is embedded into the same space by the embedder.
 */
import { NighError } from '../core/errors.js';
import { type Matrix, row, zeros } from '../core/matrix.js';
import { choice, flag, integer, joinPath, number, optional, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import type { Embedder, Embedding, FitContext, FittedSpace } from './embedding.js';
import { fitLsa, projectDocument } from './lsa.js';
import { ModelReader } from './model-reader.js';
import { measureNeighbourLoss } from './neighbour-loss.js';
import { type Entry, fitTerms, type Weighting, weighDocument } from './term-matrix.js';
import {
  contentFields,
  createFieldReader,
  datasetFields,
  describeCoverage,
  fieldRules,
  requireFields,
} from './text-fields.js';
import { createTokenizer, tokenizerSchema } from './tokenize.js';

const schema = {
  /** Columns, their weights, and whether they are cut into words: see text-fields.ts. Default { "title": 1 }. */
  fields: fieldRules,
  ...tokenizerSchema,
  /** Terms of at least so many words, and at most: 1 and 2 are words and pairs. More words say more and are shared by fewer. */
  minWords: integer({ min: 1, max: 8, default: 1 }),
  /** Terms of at most so many words. */
  maxWords: integer({ min: 1, max: 8, default: 1 }),
  /** Terms of fewer items are dropped: a term of one item relates it to nothing. */
  minDocuments: integer({ min: 1, default: 2 }),
  /** Terms of a larger share of the items are dropped. */
  maxDocumentShare: number({ above: 0, max: 1, default: 0.5 }),
  /** At most so many terms are kept, those of the most items. */
  maxTerms: integer({ min: 1, max: 5_000_000, default: 100_000 }),
  /** How terms are weighed, `tfidf` or `bm25`: see term-matrix.ts. */
  weighting: choice(['tfidf', 'bm25'], { default: 'tfidf' }),
  /** Only tfidf. 1 + ln(count) instead of the count of a term in a field. Default true. */
  sublinear: optional(flag()),
  /** Only tfidf. `smooth` (default): 1 + ln((1 + N) / (1 + df)); `plain`: ln(N / df). */
  idf: optional(choice(['smooth', 'plain'])),
  /** Only bm25. How soon further occurrences of a term stop to count: 0 at once. Default 1.2. */
  k1: optional(number({ min: 0, max: 1000 })),
  /** Only bm25. How much long documents are damped, 0 to 1. Default 0.75. */
  b: optional(number({ min: 0, max: 1 })),
  /**
   * `dense`: items are compared by their LSA vectors, in an index of the recipe's choice. `sparse`: by the sparse rows themselves,
   * exactly: nothing is lost, two items without a common term have nothing in common, and a search looks at every item (some 100 µs for
   * 10,000). The LSA is fitted either way, for its loss in the manifest and for those who need few dimensions.
   */
  output: choice(['dense', 'sparse'], { default: 'dense' }),
  /** Dimensions of the vectors, at most; fewer where there are fewer terms or items. More keep finer distinctions and cost memory and time. */
  dim: integer({ min: 1, max: 4096, default: 128 }),
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
  schema,
  parse: parseParams,
  isSparse: ({ output }) => output === 'sparse',
  requireColumns: (dataset, { fields }) => requireFields(dataset, fields),
  fit: fitTfidf,
  openEmbedder,
};

function parseParams(given: Readonly<Record<string, unknown>>, path: string): TfidfParams {
  const params = readParams(schema, given, path);
  const { weighting, minWords, maxWords } = params;
  for (const key of weighting === 'bm25' ? (['sublinear', 'idf'] as const) : (['k1', 'b'] as const)) {
    if (params[key] === undefined) continue;
    throw new NighError('INVALID_ARGUMENT', `${joinPath(path, key)}: means nothing to the weighting ${weighting}.`);
  }
  if (minWords > maxWords) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `${joinPath(path, 'minWords')}: expected at most maxWords, ${maxWords}, got ${minWords}.`,
    );
  }
  return params;
}

function weightingOf({ weighting, sublinear = true, idf = 'smooth', k1 = 1.2, b = 0.75 }: TfidfParams): Weighting {
  return weighting === 'bm25' ? { kind: 'bm25', k1, b } : { kind: 'tfidf', sublinear, idf };
}

async function createReader(params: TfidfParams) {
  return createFieldReader(await createTokenizer(params), { min: params.minWords, max: params.maxWords });
}

async function fitTfidf(dataset: Dataset, params: TfidfParams, context: FitContext): Promise<FittedSpace> {
  const weighting = weightingOf(params);
  const { signal } = context;
  const { model, matrix, ordinals, documents, coverage } = await fitTerms(
    dataset.items.size,
    datasetFields(dataset, params.fields, await createReader(params)),
    { ...params, weighting },
    signal === undefined ? {} : { signal },
  );
  if (matrix.rows === 0) {
    throw new NighError(
      'EMPTY_DATASET',
      `tfidf: none of ${dataset.items.size} items has a term that at least ${params.minDocuments} items share, in ${Object.keys(params.fields).join(', ')}.`,
    );
  }
  const lsa = await fitLsa(matrix, params, context);
  const loss = await measureNeighbourLoss(matrix, lsa.vectors, lsa.rows, lossSamples, { signal });
  const isSparse = params.output === 'sparse';
  const vectors = isSparse
    ? { items: { matrix: scatterRows(lsa.vectors, lsa.rows, matrix.rows), ordinals }, sparse: matrix }
    : { items: { matrix: lsa.vectors, ordinals: lsa.rows.map((r) => ordinals[r]!) } };
  return {
    ...vectors,
    model: {
      terms: model.terms,
      idf: model.idf,
      meanLength: model.meanLength,
      basis: lsa.basis.data,
      dim: lsa.basis.dim,
      params: Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)),
    },
    notes: {
      terms: model.terms.length,
      documents,
      itemsWithText: describeCoverage(params.fields, coverage),
      withoutVector: dataset.items.size - vectors.items.ordinals.length,
      explainedVariance: lsa.explainedVariance,
      // JSON has no NaN: without a true neighbour in the sample there is nothing to lose.
      ...(loss.documents === 0 ? {} : { lsaOverlapAt10: loss.overlap, lsaOverlapDocuments: loss.documents }),
      weighting: describeWeighting(weighting),
    },
  };
}

/** Documents whose neighbours are compared for the manifest. */
const lossSamples = 1_000;

/** Rows at their places among `count`; those that LSA keeps nothing of stay zero. */
function scatterRows(matrix: Matrix, rows: Uint32Array, count: number): Matrix {
  const scattered = zeros(count, matrix.dim);
  rows.forEach((r, at) => {
    scattered.data.set(row(matrix, at), r * matrix.dim);
  });
  return scattered;
}

function spreadEntries(entries: readonly Entry[], dim: number): Float32Array | undefined {
  if (entries.length === 0) return undefined;
  const vector = new Float32Array(dim);
  for (const { ordinal, value } of entries) vector[ordinal] = value;
  return vector;
}

function describeWeighting(weighting: Weighting): string {
  if (weighting.kind === 'bm25') return `bm25, k1 ${weighting.k1}, b ${weighting.b}`;
  const tf = weighting.sublinear ? '(1 + ln tf)' : 'tf';
  return weighting.idf === 'smooth' ? `${tf} · (1 + ln((1 + N) / (1 + df)))` : `${tf} · ln(N / df)`;
}

/** Content → its unit vector in the fitted space; undefined for content without a known term. */
async function openEmbedder(stored: Readonly<Record<string, unknown>>): Promise<Embedder> {
  const reader = new ModelReader('tfidf', stored);
  const params = reader.parsed('params', parseParams);
  const terms = reader.strings('terms');
  const model = {
    weighting: weightingOf(params),
    terms,
    idf: reader.floats('idf', terms.length),
    meanLength: reader.number('meanLength'),
  };
  const isSparse = params.output === 'sparse';
  const dim = reader.integer('dim');
  const basis = { data: reader.floats('basis', terms.length * dim), rows: terms.length, dim };
  const read = await createReader(params);
  const ordinals = new Map(terms.map((term, ordinal) => [term, ordinal]));
  return {
    dim: isSparse ? terms.length : dim,
    embed: async (content) => {
      const entries = weighDocument(contentFields(content, params.fields, read), ordinals, model);
      return isSparse ? spreadEntries(entries, terms.length) : projectDocument(entries, basis);
    },
  };
}

/**
 * Weighted text fields → sparse rows of unit length, whose inner product is the likeness of two documents.
 *
 * Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, chapter 6 (weights) and section 6.4 (variants);
 * Robertson and Zaragoza, "The probabilistic relevance framework: BM25 and beyond", 2009, eq. 3.15, and section 3.6 (fields).
 *
 *   n(t, d)   = Σ_fields weight_f · count(t, d, f)
 *   tfidf     row(d)_t = tf · idf
 *     tf      = n(t, d)                                  or, sublinear, Σ_fields weight_f · (1 + ln count)         (eq. 6.13)
 *     idf     = ln(N / df)                               "plain", eq. 6.7
 *             = 1 + ln((1 + N) / (1 + df))               "smooth", the default: a term of every document still counts, and a
 *                                                        corpus of few documents does not vanish
 *   bm25      row(d)_t = n · (k1 + 1) / (n + k1 · (1 − b + b · |d| / mean |d|)) · ln(1 + (N − df + ½) / (df + ½))
 *     |d|     = Σ_t n(t, d) over every token, also of dropped terms
 *
 * N counts the documents with at least one token. Deviations: the fields' counts are weighted before idf, as one document ("soup")
 * rather than as zones scored apart; bm25 weighs both documents and is scaled to unit length, because items are compared with
 * each other here, not with short queries; its idf is the one that cannot fall below zero.
 */
import { breathe } from '../core/abort.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import { GrowableArray } from '../data/growable-array.js';
import type { TextField, WeightedTokens } from './text-fields.js';

export type Weighting =
  | { readonly kind: 'tfidf'; readonly sublinear: boolean; readonly idf: 'smooth' | 'plain' }
  | { readonly kind: 'bm25'; readonly k1: number; readonly b: number };

export interface TermParams {
  readonly weighting: Weighting;
  /** A term must occur in at least so many documents. */
  readonly minDocuments: number;
  /** A term must occur in at most this share of the documents. */
  readonly maxDocumentShare: number;
  /** Of the remaining terms, at most so many are kept: those of the most documents, ties by the alphabet. */
  readonly maxTerms: number;
}

/** The fitted vocabulary: what a new document is weighed with. */
export interface TermModel {
  readonly weighting: Weighting;
  /** By term ordinal, ascending by code unit. */
  readonly terms: readonly string[];
  /** By term ordinal. */
  readonly idf: Float32Array;
  /** mean |d| of the documents with at least one token. */
  readonly meanLength: number;
}

export interface TermMatrix {
  readonly model: TermModel;
  /** documents × terms, unit rows. */
  readonly matrix: CsrMatrix;
  /** The item of every row, ascending. */
  readonly ordinals: Uint32Array;
  /** N: items with at least one token, known or dropped. */
  readonly documents: number;
  /** How many items have a token in each field, by its name. */
  readonly coverage: ReadonlyMap<string, number>;
}

export interface Entry {
  readonly ordinal: number;
  value: number;
}

/** Between two breaths of the event loop. */
const itemsAtOnce = 500;

/** Counts, chooses the terms, weighs. Items without a chosen term have no row. Memory: 8 bytes for every term of every item. */
export async function fitTerms(
  items: number,
  fields: readonly TextField[],
  params: TermParams,
  context: { readonly signal?: AbortSignal },
): Promise<TermMatrix> {
  const { weighting } = params;
  // 1. Count, with terms numbered as they come.
  const found = new Map<string, number>();
  const frequencies: number[] = [];
  const coverage = new Map(fields.map(({ name }) => [name, 0]));
  const offsets = new Uint32Array(items + 1);
  const lengths = new Float64Array(items);
  const columns = GrowableArray.uint32();
  const counts = GrowableArray.float32();
  let documents = 0;
  let totalLength = 0;
  for (let item = 0; item < items; item++) {
    if (item % itemsAtOnce === 0) await breathe(context.signal);
    const document = fields.map(({ name, weight, tokens }) => {
      const own = tokens(item);
      if (own.length > 0) coverage.set(name, coverage.get(name)! + 1);
      return { weight, tokens: own };
    });
    const { weights, length } = countTerms(document, weighting);
    for (const [term, weight] of weights) {
      let column = found.get(term);
      if (column === undefined) {
        column = found.size;
        found.set(term, column);
        frequencies.push(0);
      }
      frequencies[column]!++;
      columns.push(column);
      counts.push(weight);
    }
    if (weights.size > 0) documents++;
    lengths[item] = length;
    totalLength += length;
    offsets[item + 1] = columns.length;
  }
  const meanLength = documents === 0 ? 0 : totalLength / documents;

  // 2. Choose and order the terms.
  const terms = chooseTerms(found, frequencies, documents, params);
  const ordinalOf = new Int32Array(found.size).fill(-1);
  const idf = new Float32Array(terms.length);
  terms.forEach((term, ordinal) => {
    const column = found.get(term)!;
    ordinalOf[column] = ordinal;
    idf[ordinal] = inverseDocumentFrequency(documents, frequencies[column]!, weighting);
  });
  const model = { weighting, terms, idf, meanLength };

  // 3. Weigh, sort and normalise the rows; leave out the empty ones.
  const foundColumns = columns.view();
  const foundCounts = counts.view();
  const rows: number[] = [];
  const rowOffsets: number[] = [0];
  const rowColumns = new Uint32Array(columns.length);
  const rowValues = new Float32Array(columns.length);
  let size = 0;
  for (let item = 0; item < items; item++) {
    if (item % itemsAtOnce === 0) await breathe(context.signal);
    const entries: Entry[] = [];
    const damping = lengthDamping(model, lengths[item]!);
    for (let e = offsets[item]!; e < offsets[item + 1]!; e++) {
      const ordinal = ordinalOf[foundColumns[e]!]!;
      if (ordinal >= 0) weigh(entries, model, ordinal, foundCounts[e]!, damping);
    }
    if (!normalize(entries)) continue;
    for (const { ordinal, value } of entries) {
      rowColumns[size] = ordinal;
      rowValues[size] = value;
      size++;
    }
    rows.push(item);
    rowOffsets.push(size);
  }
  const matrix = new CsrMatrix(
    rows.length,
    terms.length,
    Uint32Array.from(rowOffsets),
    rowColumns.slice(0, size),
    rowValues.slice(0, size),
  );
  return { model, matrix, ordinals: Uint32Array.from(rows), documents, coverage };
}

/** One new document, weighed as the fitted ones: term ordinals ascending, values at unit length; empty if no term is known. */
export function weighDocument(
  document: readonly WeightedTokens[],
  ordinals: ReadonlyMap<string, number>,
  model: TermModel,
): readonly Entry[] {
  const entries: Entry[] = [];
  const { weights, length } = countTerms(document, model.weighting);
  const damping = lengthDamping(model, length);
  for (const [term, weight] of weights) {
    const ordinal = ordinals.get(term);
    if (ordinal !== undefined) weigh(entries, model, ordinal, weight, damping);
  }
  return normalize(entries) ? entries : [];
}

/** Term → its weighted count over the fields, and the weighted count of all. */
function countTerms(
  document: readonly WeightedTokens[],
  weighting: Weighting,
): { weights: Map<string, number>; length: number } {
  const weights = new Map<string, number>();
  const sublinear = weighting.kind === 'tfidf' && weighting.sublinear;
  let length = 0;
  for (const { weight, tokens } of document) {
    length += weight * tokens.length;
    if (!sublinear) {
      for (const term of tokens) weights.set(term, (weights.get(term) ?? 0) + weight);
      continue;
    }
    const counts = new Map<string, number>();
    for (const term of tokens) counts.set(term, (counts.get(term) ?? 0) + 1);
    for (const [term, n] of counts) weights.set(term, (weights.get(term) ?? 0) + weight * (1 + Math.log(n)));
  }
  return { weights, length };
}

/** k1 · (1 − b + b · |d| / mean |d|); means nothing to tfidf. */
function lengthDamping({ weighting, meanLength }: TermModel, length: number): number {
  if (weighting.kind === 'tfidf') return 0;
  const relative = meanLength > 0 ? length / meanLength : 1;
  return weighting.k1 * (1 - weighting.b + weighting.b * relative);
}

function weigh(entries: Entry[], { weighting, idf }: TermModel, ordinal: number, n: number, damping: number): void {
  const tf = weighting.kind === 'tfidf' ? n : (n * (weighting.k1 + 1)) / (n + damping);
  const value = tf * idf[ordinal]!;
  if (value > 0) entries.push({ ordinal, value });
}

function chooseTerms(
  found: ReadonlyMap<string, number>,
  frequencies: readonly number[],
  documents: number,
  { minDocuments, maxDocumentShare, maxTerms }: TermParams,
): string[] {
  const terms: { term: string; frequency: number }[] = [];
  const most = maxDocumentShare * documents;
  for (const [term, column] of found) {
    const frequency = frequencies[column]!;
    if (frequency >= minDocuments && frequency <= most) terms.push({ term, frequency });
  }
  terms.sort((a, b) => b.frequency - a.frequency || compareCodeUnits(a.term, b.term));
  return terms
    .slice(0, maxTerms)
    .map(({ term }) => term)
    .sort(compareCodeUnits);
}

/** Ties of any locale break the same way everywhere. */
function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function inverseDocumentFrequency(documents: number, frequency: number, weighting: Weighting): number {
  if (weighting.kind === 'bm25') return Math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5));
  if (weighting.idf === 'plain') return Math.log(documents / frequency);
  return 1 + Math.log((1 + documents) / (1 + frequency));
}

/** Sorts by ordinal and scales to unit length; false where there is no length to scale. */
function normalize(entries: Entry[]): boolean {
  let squares = 0;
  for (const { value } of entries) squares += value * value;
  if (!(squares > 0)) return false;
  const scale = 1 / Math.sqrt(squares);
  for (const entry of entries) entry.value *= scale;
  entries.sort((a, b) => a.ordinal - b.ordinal);
  return true;
}

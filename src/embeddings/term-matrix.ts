/**
 * Weighted text fields → tf-idf rows.
 *
 * Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, chapter 6 (weights) and section 6.4 (variants).
 *
 *   tf(t, d)  = Σ_fields weight_f · n(t, d, f)           or, sublinear, Σ_fields weight_f · (1 + ln n(t, d, f))   (eq. 6.13)
 *   idf(t)    = ln(N / df(t))                            "plain", eq. 6.7
 *             = 1 + ln((1 + N) / (1 + df(t)))            "smooth", the default: a term of every document still counts, and a
 *                                                        corpus of few documents does not vanish
 *   row(d)    = tf · idf, at unit length
 *
 * N counts the documents with at least one token. Deviation from the book: the fields' counts are weighted before idf, as one
 * document ("soup") rather than as zones scored apart.
 */
import { breathe } from '../core/abort.js';
import { CsrMatrix } from '../core/csr-matrix.js';
import type { Tokenizer } from './tokenize.js';

/** What is read of one item: each field's tokens are counted apart. */
export interface TextField {
  readonly weight: number;
  /** The tokens of one item. */
  readonly tokens: (item: number, tokenize: Tokenizer) => readonly string[];
}

export interface TermParams {
  readonly sublinear: boolean;
  readonly idf: 'smooth' | 'plain';
  /** A term must occur in at least so many documents. */
  readonly minDocuments: number;
  /** A term must occur in at most this share of the documents. */
  readonly maxDocumentShare: number;
  /** Of the remaining terms, at most so many are kept: those of the most documents, ties by the alphabet. */
  readonly maxTerms: number;
}

/** The fitted vocabulary: what a new text is weighed with. */
export interface TermModel {
  /** By term ordinal, ascending by code unit. */
  readonly terms: readonly string[];
  /** By term ordinal. */
  readonly idf: Float32Array;
}

export interface TermMatrix extends TermModel {
  /** documents × terms, unit rows. */
  readonly matrix: CsrMatrix;
  /** The item of every row. */
  readonly ordinals: Uint32Array;
  /** N: items with at least one token, known or dropped. */
  readonly documents: number;
}

/** Between two breaths of the event loop. */
const itemsAtOnce = 2_000;

/** Counts, chooses the terms, weighs. Items without a chosen term have no row. */
export async function fitTerms(
  items: number,
  fields: readonly TextField[],
  tokenize: Tokenizer,
  params: TermParams,
  context: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void },
): Promise<TermMatrix> {
  // 1. Count, with terms numbered as they come.
  const found = new Map<string, number>();
  const frequencies: number[] = [];
  const offsets = new Uint32Array(items + 1);
  const columns: number[] = [];
  const weights: number[] = [];
  let documents = 0;
  for (let item = 0; item < items; item++) {
    if (item % itemsAtOnce === 0) {
      await breathe(context.signal);
      context.onProgress?.(item, items);
    }
    const counts = countTerms(fields, (field) => field.tokens(item, tokenize), params.sublinear);
    for (const [term, weight] of counts) {
      let column = found.get(term);
      if (column === undefined) {
        column = found.size;
        found.set(term, column);
        frequencies.push(0);
      }
      frequencies[column]!++;
      columns.push(column);
      weights.push(weight);
    }
    if (counts.size > 0) documents++;
    offsets[item + 1] = columns.length;
  }

  // 2. Choose and order the terms.
  const terms = chooseTerms(found, frequencies, documents, params);
  const ordinalOf = new Int32Array(found.size).fill(-1);
  const idf = new Float32Array(terms.length);
  terms.forEach((term, ordinal) => {
    const column = found.get(term)!;
    ordinalOf[column] = ordinal;
    idf[ordinal] = inverseDocumentFrequency(documents, frequencies[column]!, params.idf);
  });

  // 3. Weigh, sort and normalise the rows; leave out the empty ones.
  const rows: number[] = [];
  const rowOffsets: number[] = [0];
  const rowColumns = new Uint32Array(columns.length);
  const rowValues = new Float32Array(columns.length);
  let size = 0;
  for (let item = 0; item < items; item++) {
    if (item % itemsAtOnce === 0) await breathe(context.signal);
    const entries: Entry[] = [];
    for (let e = offsets[item]!; e < offsets[item + 1]!; e++) {
      const ordinal = ordinalOf[columns[e]!]!;
      if (ordinal >= 0 && idf[ordinal]! > 0) entries.push({ ordinal, value: weights[e]! * idf[ordinal]! });
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
  context.onProgress?.(items, items);
  const matrix = new CsrMatrix(
    rows.length,
    terms.length,
    Uint32Array.from(rowOffsets),
    rowColumns.slice(0, size),
    rowValues.slice(0, size),
  );
  return { matrix, ordinals: Uint32Array.from(rows), terms, idf, documents };
}

/** One new document, weighed as the fitted ones: term ordinals ascending, values at unit length; empty if no term is known. */
export function weighTokens(
  tokens: readonly string[],
  ordinals: ReadonlyMap<string, number>,
  idf: Float32Array,
  sublinear: boolean,
): readonly Entry[] {
  const entries: Entry[] = [];
  for (const [term, weight] of countTerms([{ weight: 1 }], () => tokens, sublinear)) {
    const ordinal = ordinals.get(term);
    if (ordinal !== undefined && idf[ordinal]! > 0) entries.push({ ordinal, value: weight * idf[ordinal]! });
  }
  return normalize(entries) ? entries : [];
}

export interface Entry {
  readonly ordinal: number;
  value: number;
}

/** Term → tf over the fields. */
function countTerms<Field extends { readonly weight: number }>(
  fields: readonly Field[],
  tokensOf: (field: Field) => readonly string[],
  sublinear: boolean,
): Map<string, number> {
  const total = new Map<string, number>();
  for (const field of fields) {
    const counts = new Map<string, number>();
    for (const token of tokensOf(field)) counts.set(token, (counts.get(token) ?? 0) + 1);
    for (const [term, n] of counts) {
      total.set(term, (total.get(term) ?? 0) + field.weight * (sublinear ? 1 + Math.log(n) : n));
    }
  }
  return total;
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

function inverseDocumentFrequency(documents: number, frequency: number, kind: 'smooth' | 'plain'): number {
  return kind === 'smooth' ? 1 + Math.log((1 + documents) / (1 + frequency)) : Math.log(documents / frequency);
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

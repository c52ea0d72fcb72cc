/// <reference path="../../src/embeddings/stopword.d.ts" />
/** What one would write without nigh, in plain JavaScript: short, sensible, and without its checks. */
import { readFile } from 'node:fs/promises';
import { eng } from 'stopword';

type Row = readonly (readonly [term: number, weight: number])[];

/** TF-IDF of words without stopwords, then LSA by power iteration with Gram–Schmidt: unit vectors. */
export function lsaByHand(texts: readonly string[], dim: number): Float64Array {
  const stopwords = new Set(eng);
  const documents = texts.map((text) => {
    const counts = new Map<string, number>();
    for (const word of text.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? []) {
      if (!stopwords.has(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    return counts;
  });
  const frequencies = new Map<string, number>();
  for (const document of documents) {
    for (const word of document.keys()) frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
  }
  const kept = [...frequencies].filter(([, count]) => count >= 2 && count <= texts.length / 2);
  const terms = new Map(kept.map(([word], term) => [word, term]));
  const rows = documents.map((document): Row => {
    const weighed = [...document].flatMap(([word, count]) => {
      const term = terms.get(word);
      if (term === undefined) return [];
      const idf = 1 + Math.log((1 + texts.length) / (1 + frequencies.get(word)!));
      return [[term, (1 + Math.log(count)) * idf] as const];
    });
    const length = Math.sqrt(weighed.reduce((sum, [, weight]) => sum + weight * weight, 0)) || 1;
    return weighed.map(([term, weight]) => [term, weight / length]);
  });
  let basis = orthonormal(
    Float64Array.from({ length: terms.size * dim }, () => Math.random() - 0.5),
    terms.size,
    dim,
  );
  for (let step = 0; step < 3; step++) {
    basis = orthonormal(
      transposed(rows, orthonormal(times(rows, basis, dim), rows.length, dim), terms.size, dim),
      terms.size,
      dim,
    );
  }
  const vectors = times(rows, basis, dim);
  for (let r = 0; r < rows.length; r++) {
    const vector = vectors.subarray(r * dim, (r + 1) * dim);
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let d = 0; d < dim; d++) vector[d]! /= length;
  }
  return vectors;
}

function times(rows: readonly Row[], matrix: Float64Array, dim: number): Float64Array {
  const product = new Float64Array(rows.length * dim);
  rows.forEach((row, r) => {
    for (const [term, weight] of row) {
      for (let d = 0; d < dim; d++) product[r * dim + d]! += weight * matrix[term * dim + d]!;
    }
  });
  return product;
}

function transposed(rows: readonly Row[], matrix: Float64Array, terms: number, dim: number): Float64Array {
  const product = new Float64Array(terms * dim);
  rows.forEach((row, r) => {
    for (const [term, weight] of row) {
      for (let d = 0; d < dim; d++) product[term * dim + d]! += weight * matrix[r * dim + d]!;
    }
  });
  return product;
}

/** Columns made orthonormal, in place. */
function orthonormal(matrix: Float64Array, rows: number, dim: number): Float64Array {
  for (let d = 0; d < dim; d++) {
    for (let before = 0; before < d; before++) {
      let dot = 0;
      for (let r = 0; r < rows; r++) dot += matrix[r * dim + before]! * matrix[r * dim + d]!;
      for (let r = 0; r < rows; r++) matrix[r * dim + d]! -= dot * matrix[r * dim + before]!;
    }
    let squares = 0;
    for (let r = 0; r < rows; r++) squares += matrix[r * dim + d]! ** 2;
    const length = Math.sqrt(squares) || 1;
    for (let r = 0; r < rows; r++) matrix[r * dim + d]! /= length;
  }
  return matrix;
}

/** The means of the vectors of the words of texts, undefined for a text without a known one. From the files that nigh keeps. */
export async function meansByHand(
  texts: readonly string[],
  files: { readonly words: string; readonly vectors: string },
  dim: number,
): Promise<(Float32Array | undefined)[]> {
  const bytes = await readFile(files.vectors);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const words = (await readFile(files.words, 'utf8')).trimEnd().split('\n');
  const vectors = new Map(words.map((word, w) => [word, values.subarray(w * dim, (w + 1) * dim)]));
  return texts.map((text) => {
    const mean = new Float32Array(dim);
    let count = 0;
    for (const word of text.toLowerCase().split(/[^\p{L}\p{N}]+/u)) {
      const vector = vectors.get(word);
      if (vector === undefined) continue;
      for (let d = 0; d < dim; d++) mean[d]! += vector[d]!;
      count++;
    }
    if (count === 0) return undefined;
    for (let d = 0; d < dim; d++) mean[d]! /= count;
    return mean;
  });
}

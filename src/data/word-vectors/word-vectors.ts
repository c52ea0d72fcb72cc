import { resolve } from 'node:path';
import { describe, NighError } from '../../core/errors.js';
import { type Matrix, row } from '../../core/matrix.js';
import { namedDatasets } from '../fetch/named-datasets.js';
import type { LoadContext } from '../load-context.js';
import { isVectorFile, readVectors } from '../vector-files/registry.js';
import { readBinaryWordVectors } from './binary-format.js';
import { gloveName, readGlove } from './glove-package.js';
import { readTextWordVectors } from './text-format.js';
import { WordCollector } from './word-collector.js';

/** Some words and their vectors, in the order of the file: usually the most frequent first. */
export interface WordVectors {
  readonly words: readonly string[];
  /** words × dim. */
  readonly matrix: Matrix;
}

/** Whether a word is to be kept; `position` counts the words of the file from 0. */
export type WordFilter = (word: string, position: number) => boolean;

export interface WordVectorOptions extends LoadContext {
  /**
   * A text file with one word a line, relative to the context's directory, for a file of vectors that holds no words itself (`.npy`,
   * `.fvecs`, `.fbin`). Default: the ids in the file, where it holds any (`.jsonl`, `.parquet`).
   */
  readonly words?: string | undefined;
}

/**
 * Reads those vectors of a file that are wanted; memory is what they take. The files: `glove-6b-100d`, which is downloaded where
 * it is not in the cache; word2vec's binary format (`.bin`); text, one word a line and its numbers after it, with or without a first
 * line of count and dimensions: GloVe, word2vec and fastText (`.vec`), also compressed (`.gz`); and every file that `readVectors` reads
 * (`.npy` and others), which is in memory as a whole meanwhile. A word that occurs twice counts by its first vector.
 * @param source `glove-6b-100d`, or a path relative to the context's directory
 * @throws NighError NOT_FOUND, IO, FORMAT, INVALID_RECORD with file and line, TRUNCATED, NOT_FINITE, INVALID_ARGUMENT for words that are
 * missing or not wanted, DUPLICATE_ID, ABORTED, and as fetchDataset
 */
export async function readWordVectors(
  source: string,
  keep: WordFilter,
  options: WordVectorOptions,
): Promise<WordVectors> {
  const { words, ...context } = options;
  const isNamed = source === gloveName || namedDatasets.has(source);
  const path = resolve(context.baseDirectory, source);
  if (!isNamed && isVectorFile(path)) return readVectorFile(path, keep, options);
  if (words !== undefined) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `words: expected none, since ${source} holds its words, got ${describe(words)}.`,
    );
  }
  if (isNamed) return readGlove(source, keep, context);
  return path.endsWith('.bin') ? readBinaryWordVectors(path, keep, context) : readTextWordVectors(path, keep, context);
}

/** Vectors by row, words as their ids. */
async function readVectorFile(path: string, keep: WordFilter, options: WordVectorOptions): Promise<WordVectors> {
  const { baseDirectory, words, signal, onProgress } = options;
  const list = words === undefined ? undefined : resolve(baseDirectory, words);
  const { matrix, ids } = await readVectors(path, { ids: list, signal, onProgress });
  if (ids === undefined) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `words: expected a text file with one word a line, since ${path} holds none, got undefined.`,
    );
  }
  const collector = new WordCollector(path, matrix.dim, keep);
  ids.forEach((id: string | number, r: number) => {
    const word = String(id);
    if (collector.wants(word)) collector.add(word, (values) => values.set(row(matrix, r)));
  });
  return collector.collected();
}

import { resolve } from 'node:path';
import type { Matrix } from '../../core/matrix.js';
import { namedDatasets } from '../fetch/named-datasets.js';
import type { LoadContext } from '../load-context.js';
import { readBinaryWordVectors } from './binary-format.js';
import { gloveName, readGlove } from './glove-package.js';
import { readTextWordVectors } from './text-format.js';

/** Some words and their vectors, in the order of the file: usually the most frequent first. */
export interface WordVectors {
  readonly words: readonly string[];
  /** words × dim. */
  readonly matrix: Matrix;
}

/** Whether a word is to be kept; `position` counts the words of the file from 0. */
export type WordFilter = (word: string, position: number) => boolean;

/**
 * Reads those vectors of a file that are wanted; memory is what they take. The files: `glove-6b-100d`, which is downloaded where
 * it is not in the cache; word2vec's binary format (`.bin`); and text, one word a line and its numbers after it, with or without a first
 * line of count and dimensions: GloVe, word2vec and fastText (`.vec`), also compressed (`.gz`). A word that occurs twice counts by
 * its first vector.
 * @param source `glove-6b-100d`, or a path relative to the context's directory
 * @throws NighError NOT_FOUND, IO, FORMAT, INVALID_RECORD with file and line, TRUNCATED, NOT_FINITE, ABORTED, and as fetchDataset
 */
export async function readWordVectors(source: string, keep: WordFilter, context: LoadContext): Promise<WordVectors> {
  if (source === gloveName || namedDatasets.has(source)) return readGlove(source, keep, context);
  const path = resolve(context.baseDirectory, source);
  return path.endsWith('.bin') ? readBinaryWordVectors(path, keep, context) : readTextWordVectors(path, keep, context);
}

/** Vectors from a file of any format that readVectors knows, matched to the items or users of a dataset by id. */
import { resolve } from 'node:path';
import { describe, invalidArgument, NighError } from '../core/errors.js';
import { gatherRows, row } from '../core/matrix.js';
import { type Field, isPlainObject, joinPath, optional, type ParamsOf, readParams, text } from '../core/params.js';
import type { Vocabulary } from '../core/vocabulary.js';
import { placeFields, readVectors } from '../data/vector-files/registry.js';
import type { FitContext, Vectors } from './embedding.js';

export const vectorFileFields = {
  /** The file with the vectors, relative to the recipe. */
  file: text(),
  /** A text file with one id a line, relative to the recipe. Default: the ids in the file itself. */
  ids: optional(text()),
  /** Of the file. Default: by the ending of its name. */
  format: optional(text()),
  ...placeFields,
};

export type VectorFileParams = ParamsOf<typeof vectorFileFields>;

/** `"users.npy"`, or an object with `file`, `ids` and so on. */
export const vectorFile: Field<VectorFileParams> = {
  optional: false,
  read: (value, path) => {
    if (typeof value === 'string') return readParams(vectorFileFields, { file: value }, path);
    if (!isPlainObject(value)) throw invalidArgument(path, 'a file, or an object with "file"', value);
    return readParams(vectorFileFields, value, path);
  },
};

export interface MatchedVectors {
  readonly path: string;
  readonly vectors: Vectors;
  readonly notes: {
    /** Of the dataset. */
    readonly withoutVector: number;
    /** Vectors of ids that the dataset does not have. */
    readonly unknown: number;
    /** Vectors of length zero, which are left out under cosine. */
    readonly zero: number;
  };
}

/**
 * @param at the path of the file's keys in the recipe, for messages
 * @param directionsOnly leave out vectors of length zero
 * @throws NighError INVALID_ARGUMENT, EMPTY_DATASET, and what readVectors throws
 */
export async function readVectorsById(
  what: 'item' | 'user',
  vocabulary: Vocabulary,
  { file, ids: idFile, format, vectorColumn, idColumn, dataset }: VectorFileParams,
  at: string,
  directionsOnly: boolean,
  { baseDirectory = '.', signal, onProgress }: FitContext,
): Promise<MatchedVectors> {
  const path = resolve(baseDirectory, file);
  const { matrix, ids } = await readVectors(path, {
    format,
    vectorColumn,
    idColumn,
    dataset,
    signal,
    ids: idFile === undefined ? undefined : resolve(baseDirectory, idFile),
    onProgress: ({ done, total = 0 }) => onProgress?.(done, total),
  });
  if (ids === undefined) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `${joinPath(at, 'ids')}: expected a text file with one ${what} id a line, since ${file} holds none, got ${describe(idFile)}.`,
    );
  }
  const rowOf = new Map<number, number>();
  let unknown = 0;
  let zero = 0;
  ids.forEach((id: string | number, r: number) => {
    const ordinal = vocabulary.ordinal(String(id));
    if (ordinal === undefined) unknown++;
    else if (directionsOnly && row(matrix, r).every((value) => value === 0)) zero++;
    else rowOf.set(ordinal, r);
  });
  if (rowOf.size === 0) {
    throw new NighError(
      'EMPTY_DATASET',
      `${path}: none of its ${matrix.rows} vectors is of a known ${what}; its first id is ${describe(ids[0])}, the dataset's ${describe(vocabulary.terms[0])}.`,
    );
  }
  const ordinals = Uint32Array.from(rowOf.keys()).sort();
  const vectors = {
    matrix: gatherRows(
      matrix,
      ordinals.map((ordinal) => rowOf.get(ordinal)!),
    ),
    ordinals,
  };
  return { path, vectors, notes: { withoutVector: vocabulary.size - ordinals.length, unknown, zero } };
}

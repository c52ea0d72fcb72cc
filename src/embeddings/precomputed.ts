/**
 * The embedding `precomputed`: vectors that somebody else has made, from a file of any format that readVectors knows, matched to
 * the dataset's items by id. With `users` there are user vectors too, whose inner product with an item's vector is the score.
 *
 * Items without a vector are left out of the space; vectors of ids that the dataset does not have are passed over. Both are counted
 * in the notes.
 */
import { resolve } from 'node:path';
import { describe, invalidArgument, NighError } from '../core/errors.js';
import { gatherRows, row } from '../core/matrix.js';
import {
  choice,
  type Field,
  isPlainObject,
  joinPath,
  optional,
  type ParamsOf,
  readParams,
  text,
} from '../core/params.js';
import type { Vocabulary } from '../core/vocabulary.js';
import type { Dataset } from '../data/dataset.js';
import { placeFields, readVectors } from '../data/vector-files/registry.js';
import type { Embedding, FitContext, FittedSpace, Vectors } from './embedding.js';

const fileFields = {
  /** The file with the vectors, relative to the recipe. */
  file: text(),
  /** A text file with one id a line, relative to the recipe. Default: the ids in the file itself. */
  ids: optional(text()),
  /** Of the file. Default: by the ending of its name. */
  format: optional(text()),
  ...placeFields,
};

type VectorSource = ParamsOf<typeof fileFields>;

/** `"users.npy"`, or an object of the same keys as for the items. */
const userFile: Field<VectorSource | undefined> = {
  optional: true,
  read: (value, path) => {
    if (typeof value === 'string') return readParams(fileFields, { file: value }, path);
    if (!isPlainObject(value)) throw invalidArgument(path, 'a file, or an object with "file"', value);
    return readParams(fileFields, value, path);
  },
};

const schema = {
  ...fileFields,
  /** What items are compared with each other by: the cosine of their vectors, or the inner product. Default `cosine`. */
  metric: choice(['cosine', 'ip'], { default: 'cosine' }),
  /** Vectors of users in the same space: a file, or an object with `file`, `ids` and so on. Default: the space is one of items only. */
  users: userFile,
};

export type PrecomputedParams = ParamsOf<typeof schema>;

export const precomputed: Embedding<PrecomputedParams> = {
  name: 'precomputed',
  keys: Object.keys(schema),
  parse: (params, path) => readParams(schema, params, path),
  fit,
};

async function fit(dataset: Dataset, params: PrecomputedParams, context: FitContext): Promise<FittedSpace> {
  const items = await readFor('item', dataset.items, params, '', params.metric === 'cosine', context);
  const users =
    params.users === undefined
      ? undefined
      : await readFor('user', dataset.users, params.users, 'users', false, context);
  if (users !== undefined && users.vectors.matrix.dim !== items.vectors.matrix.dim) {
    throw new NighError(
      'DIMENSION_MISMATCH',
      `${users.path}: expected user vectors of ${items.vectors.matrix.dim} values like those of ${items.path}, got ${users.vectors.matrix.dim}.`,
    );
  }
  return {
    items: items.vectors,
    ...(params.metric === 'ip' ? { likeness: items.vectors.matrix } : {}),
    ...(users === undefined ? {} : { users: users.vectors }),
    model: {},
    notes: {
      file: params.file,
      withoutVector: items.notes.withoutVector,
      unknownItems: items.notes.unknown,
      zeroVectors: items.notes.zero,
      ...(users === undefined
        ? {}
        : { usersWithoutVector: users.notes.withoutVector, unknownUsers: users.notes.unknown }),
    },
  };
}

interface Matched {
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

/** @throws NighError INVALID_ARGUMENT, EMPTY_DATASET, and what readVectors throws */
async function readFor(
  what: 'item' | 'user',
  vocabulary: Vocabulary,
  { file, ids: idFile, format, vectorColumn, idColumn, dataset }: VectorSource,
  at: string,
  directionsOnly: boolean,
  { baseDirectory = '.', signal, onProgress }: FitContext,
): Promise<Matched> {
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

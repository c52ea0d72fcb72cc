/**
 * The embedding `precomputed`: vectors that somebody else has made, from a file of any format that readVectors knows, matched to
 * the dataset's items by id. With `users` there are user vectors too, whose inner product with an item's vector is the score.
 *
 * Items without a vector are left out of the space; vectors of ids that the dataset does not have are passed over. Both are counted
 * in the notes.
 */
import { NighError } from '../core/errors.js';
import { choice, optional, type ParamsOf, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import type { Embedding, FitContext, FittedSpace } from './embedding.js';
import { readVectorsById, vectorFile, vectorFileFields } from './vectors-by-id.js';

const schema = {
  ...vectorFileFields,
  /** What items are compared with each other by: the cosine of their vectors, or the inner product. Default `cosine`. */
  metric: choice(['cosine', 'ip'], { default: 'cosine' }),
  /** Vectors of users in the same space: a file, or an object with `file`, `ids` and so on. Default: the space is one of items only. */
  users: optional(vectorFile),
};

export type PrecomputedParams = ParamsOf<typeof schema>;

export const precomputed: Embedding<PrecomputedParams> = {
  name: 'precomputed',
  keys: Object.keys(schema),
  schema,
  parse: (params, path) => readParams(schema, params, path),
  fit,
};

async function fit(dataset: Dataset, params: PrecomputedParams, context: FitContext): Promise<FittedSpace> {
  const items = await readVectorsById('item', dataset.items, params, '', params.metric === 'cosine', context);
  const users =
    params.users === undefined
      ? undefined
      : await readVectorsById('user', dataset.users, params.users, 'users', false, context);
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

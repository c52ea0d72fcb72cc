import { breathe } from '../core/abort.js';
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { vectorsOf } from '../index/vectors-of.js';
import type { Collection } from './collection.js';
import { userVector } from './similar-users.js';
import type { Space } from './space.js';

const rowsAtOnce = 2000;

/** Vectors of a space with the ids that people know. */
export interface SpaceVectors {
  readonly matrix: Matrix;
  readonly ids: readonly string[];
}

/**
 * A copy of the vectors of a space's items, or users, in the order of the catalogue; those that have none are left out. In a space
 * with user vectors an item's vector is the one whose inner product with a user's is the score; otherwise the one that items are
 * compared with each other by.
 * @throws NighError NO_VECTOR for users in a space of items only, ABORTED
 */
export async function spaceVectors(
  collection: Collection,
  space: Space,
  of: 'items' | 'users',
  signal?: AbortSignal,
): Promise<SpaceVectors> {
  const { catalogue, users } = collection;
  const total = of === 'items' ? catalogue.size : users.size;
  const vectorOf = async (ordinal: number) =>
    of === 'items'
      ? (await vectorsOf(space.forUsers, Uint32Array.of(ordinal)))[0]
      : userVector(collection, space, ordinal);
  const ordinals: number[] = [];
  const vectors: Float32Array[] = [];
  for (let ordinal = 0; ordinal < total; ordinal++) {
    if (ordinal % rowsAtOnce === 0) await breathe(signal);
    const vector = await vectorOf(ordinal);
    if (vector === undefined) continue;
    ordinals.push(ordinal);
    vectors.push(vector);
  }
  if (vectors.length === 0) {
    throw new NighError('NO_VECTOR', `${collection.manifest.name}: the space ${space.name} has no vectors of ${of}.`);
  }
  const dim = vectors[0]!.length;
  const data = new Float32Array(vectors.length * dim);
  vectors.forEach((vector, r) => {
    data.set(vector, r * dim);
  });
  const ids = ordinals.map((ordinal) => (of === 'items' ? catalogue.id(ordinal) : users.at(ordinal)));
  return { matrix: { data, rows: vectors.length, dim }, ids };
}

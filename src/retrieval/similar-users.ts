/** Which users are like this one: by the directions of the vectors that were fitted for them, compared with all. */
import { NighError } from '../core/errors.js';
import { FlatIndex } from '../index/flat-index.js';
import { IdSet } from '../index/id-set.js';
import type { Collection } from './collection.js';
import type { Space } from './space.js';
import type { SimilarUsersAnswer } from './types.js';

/** Users by direction, made when the first question needs it: their stored index is under inner product, which who did much wins. */
const byDirection = new WeakMap<Space, Promise<FlatIndex>>();

export async function similarUsers(
  collection: Collection,
  user: number,
  {
    k,
    space: wanted,
    signal,
  }: { readonly k: number; readonly space: string | undefined; readonly signal: AbortSignal | undefined },
): Promise<SimilarUsersAnswer> {
  const began = performance.now();
  const space = spaceOfUsers(collection, wanted);
  const vector = space.userVector(user);
  if (vector === undefined || isZero(vector)) {
    throw new NighError(
      'NO_VECTOR',
      `The user ${JSON.stringify(collection.users.at(user))} has no vector in the space ${space.name}.`,
    );
  }
  const index = await indexOf(collection, space);
  const { ids, distances, stats } = await index.search(vector, k, {
    filter: IdSet.deny([user]),
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    results: Array.from(ids, (other, i) => ({ id: collection.users.at(other), score: 1 - distances[i]! })),
    stats: {
      ...stats,
      space: space.name,
      exact: true,
      generation: collection.manifest.generation,
      tookMs: performance.now() - began,
    },
  };
}

function spaceOfUsers(collection: Collection, wanted: string | undefined): Space {
  const space =
    wanted === undefined ? collection.spaces.find(({ hasUsers }) => hasUsers) : collection.requireSpace(wanted);
  if (space?.hasUsers === true) return space;
  const where = space === undefined ? `No space of ${collection.manifest.name}` : `The space ${space.name}`;
  throw new NighError('NO_VECTOR', `${where} has ${space === undefined ? '' : 'no '}vectors of users.`);
}

function indexOf(collection: Collection, space: Space): Promise<FlatIndex> {
  const known = byDirection.get(space);
  if (known !== undefined) return known;
  const building = build(collection, space);
  byDirection.set(space, building);
  building.catch(() => byDirection.delete(space));
  return building;
}

async function build({ users }: Collection, space: Space): Promise<FlatIndex> {
  const ids: number[] = [];
  const vectors: Float32Array[] = [];
  for (let user = 0; user < users.size; user++) {
    const vector = space.userVector(user);
    // Who did nothing has no direction.
    if (vector === undefined || isZero(vector)) continue;
    ids.push(user);
    vectors.push(vector);
  }
  const dim = vectors[0]?.length ?? 1;
  const data = new Float32Array(vectors.length * dim);
  vectors.forEach((vector, r) => {
    data.set(vector, r * dim);
  });
  return FlatIndex.build({ data, rows: vectors.length, dim }, { metric: 'cosine', ids: Uint32Array.from(ids) });
}

function isZero(vector: Float32Array): boolean {
  return vector.every((value) => value === 0);
}

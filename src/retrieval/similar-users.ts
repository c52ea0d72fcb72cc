/** Which users are like this one: by the directions of the vectors that were fitted for them, compared with all. */
import { NighError } from '../core/errors.js';
import { gatherRows, row } from '../core/matrix.js';
import { FlatIndex } from '../index/flat-index.js';
import { IdSet } from '../index/id-set.js';
import { storedVectors } from '../index/stored-vectors.js';
import type { VectorIndex } from '../index/vector-index.js';
import type { Collection } from './collection.js';
import type { Space } from './space.js';
import { tasteOf } from './taste.js';
import type { SimilarUsersAnswer } from './types.js';

/** Users by direction, made when the first question needs it: their stored index is under inner product, which who did much wins. */
const byDirection = new WeakMap<VectorIndex, Promise<FlatIndex>>();

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
  const { space, fitted } = spaceOfUsers(collection, wanted);
  const vector = await userVector(collection, space, user);
  if (vector === undefined || isZero(vector)) {
    throw new NighError(
      'NO_VECTOR',
      `The user ${JSON.stringify(collection.users.at(user))} has no vector in the space ${space.name}.`,
    );
  }
  const { seen, users } = collection;
  const changed = space.folds ? seen.changed : [];
  const index = await indexOf(fitted);
  const { ids, distances, stats } = await index.search(vector, k, {
    filter: IdSet.deny([user, ...changed, ...seen.gone]),
    ...(signal === undefined ? {} : { signal }),
  });
  const likenesses = Array.from(ids, (other, i) => ({ other, score: 1 - distances[i]! }));
  for (const other of changed) {
    if (other === user) continue;
    const theirs = await userVector(collection, space, other);
    if (theirs !== undefined && !isZero(theirs)) likenesses.push({ other, score: cosine(vector, theirs) });
  }
  if (likenesses.length > ids.length) likenesses.sort((a, b) => b.score - a.score || a.other - b.other);
  return {
    results: likenesses.slice(0, k).map(({ other, score }) => ({ id: users.at(other), score })),
    stats: {
      ...stats,
      space: space.name,
      exact: true,
      generation: collection.manifest.generation,
      tookMs: performance.now() - began,
    },
  };
}

/** The vector that was fitted for a user, or the one that their past has since earned them. */
export async function userVector(
  { seen, manifest }: Collection,
  space: Space,
  user: number,
): Promise<Float32Array | undefined> {
  if (!space.folds || !seen.hasChanged(user)) return space.userVector(user);
  return space.historyVector(tasteOf(seen.pastOf(user), manifest.taste ?? {}));
}

function spaceOfUsers(
  collection: Collection,
  wanted: string | undefined,
): { readonly space: Space; readonly fitted: VectorIndex } {
  const space =
    wanted === undefined ? collection.spaces.find(({ hasUsers }) => hasUsers) : collection.requireSpace(wanted);
  if (space?.fittedUsers !== undefined) return { space, fitted: space.fittedUsers };
  const where = space === undefined ? `No space of ${collection.manifest.name}` : `The space ${space.name}`;
  throw new NighError('NO_VECTOR', `${where} has ${space === undefined ? '' : 'no '}vectors of users.`);
}

function indexOf(fitted: VectorIndex): Promise<FlatIndex> {
  const known = byDirection.get(fitted);
  if (known !== undefined) return known;
  const building = build(fitted);
  byDirection.set(fitted, building);
  building.catch(() => byDirection.delete(fitted));
  return building;
}

async function build(fitted: VectorIndex): Promise<FlatIndex> {
  const { matrix, ids } = await storedVectors(fitted);
  // Who did nothing has no direction.
  const rows = Uint32Array.from(ids.keys()).filter((r) => !isZero(row(matrix, r)));
  const directed = gatherRows(matrix, rows);
  return FlatIndex.build(directed, { metric: 'cosine', ids: Uint32Array.from(rows, (r) => ids[r]!) });
}

function isZero(vector: Float32Array): boolean {
  return vector.every((value) => value === 0);
}

function cosine(a: Float32Array, b: Float32Array): number {
  let product = 0;
  for (let d = 0; d < a.length; d++) product += a[d]! * b[d]!;
  return product / (Math.hypot(...a) * Math.hypot(...b));
}

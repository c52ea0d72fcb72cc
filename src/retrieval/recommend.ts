import { NighError } from '../core/errors.js';
import type { VectorQuestion } from './candidates.js';
import type { Collection } from './collection.js';
import type { Query, RecommendQuery } from './query-options.js';
import type { Space } from './space.js';
import { type Pick, type Taste, tasteOf, tasteOfPicks } from './taste.js';

/**
 * Which items suit this user: by the vector that was fitted for them, or, in a space without one, by their taste.
 * @throws NighError UNKNOWN_SPACE, INVALID_ARGUMENT, NO_VECTOR
 */
export async function userQuestion(
  collection: Collection,
  user: number,
  query: RecommendQuery,
): Promise<VectorQuestion> {
  const seen = collection.seen.itemsOf(user);
  const history = tasteOf(collection.seen.pastOf(user), tasteFor(collection, query));
  const found = await firstVector(
    collection,
    query,
    async (space) => space.userVector(user) ?? space.historyVector(history),
  );
  if (found === undefined) {
    throw noVector(
      `The user ${JSON.stringify(collection.users.at(user))} has no vector, and liked nothing that has one,`,
      query,
    );
  }
  return { ...found, index: found.space.forUsers, deny: query.excludeSeen ? seen : [] };
}

/**
 * Which items suit somebody who likes these.
 * @throws NighError UNKNOWN_SPACE, INVALID_ARGUMENT, NO_VECTOR
 */
export async function historyQuestion(
  collection: Collection,
  picks: readonly Pick[],
  query: RecommendQuery,
): Promise<VectorQuestion> {
  const history = tasteOfPicks(picks, tasteFor(collection, query));
  const found = await firstVector(collection, query, (space) => space.historyVector(history));
  if (found === undefined) throw noVector('Nothing that was liked has a vector', query);
  return { ...found, index: found.space.forUsers, deny: query.excludeSeen ? history.items : [] };
}

/** The recipe's, with what the query says instead. */
function tasteFor({ manifest }: Collection, { taste }: RecommendQuery): Taste {
  return { ...manifest.taste, ...taste };
}

/** In the space that was asked for, or else in the first that has one. */
async function firstVector(
  collection: Collection,
  query: Query,
  vectorIn: (space: Space) => Promise<Float32Array | undefined>,
): Promise<{ space: Space; vector: Float32Array } | undefined> {
  for (const space of collection.spacesFor(query)) {
    const vector = space.weigh(await vectorIn(space), query.weights);
    if (vector !== undefined) return { space, vector };
  }
  return undefined;
}

function noVector(reason: string, { space }: Query): NighError {
  return new NighError('NO_VECTOR', `${reason} in ${space === undefined ? 'any space' : `the space ${space}`}.`);
}

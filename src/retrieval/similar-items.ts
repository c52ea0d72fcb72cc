import { NighError } from '../core/errors.js';
import type { VectorQuestion } from './candidates.js';
import type { Collection } from './collection.js';
import type { Query } from './query-options.js';

/**
 * Which items are like this one: its own vector, by direction, in the space that was asked for, or else in the first that has it.
 * @throws NighError UNKNOWN_SPACE, INVALID_ARGUMENT, NO_VECTOR
 */
export function similarItemsQuestion(collection: Collection, item: number, query: Query): VectorQuestion {
  for (const space of collection.spacesFor(query)) {
    const vector = space.weigh(space.itemVector(item), query.weights);
    if (vector !== undefined) return { space, index: space.similar, vector, deny: [item] };
  }
  const id = JSON.stringify(collection.catalogue.id(item));
  const where = query.space === undefined ? 'any space' : `the space ${query.space}`;
  throw new NighError('NO_VECTOR', `The item ${id} has no vector in ${where}.`);
}

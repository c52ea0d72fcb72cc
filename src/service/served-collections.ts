import { NighError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import type { Retriever } from '../retrieval/retriever.js';

/** The part of a Retriever that the routes use. */
export type ServedCollection = Pick<
  Retriever,
  'info' | 'revision' | 'similarItems' | 'recommend' | 'query' | 'similarUsers' | 'item' | 'findItems'
>;

/** The collections behind the routes, by name. */
export class ServedCollections {
  readonly #byName = new Map<string, ServedCollection>();

  /** @throws NighError INVALID_ARGUMENT when there is none, DUPLICATE_ID when two have one name */
  constructor(collections: readonly ServedCollection[]) {
    if (collections.length === 0) {
      throw new NighError('INVALID_ARGUMENT', 'collections: expected at least one open collection, got none.');
    }
    for (const collection of collections) {
      const { name } = collection.info;
      if (this.#byName.has(name)) {
        throw new NighError('DUPLICATE_ID', `collections: two of them are called ${JSON.stringify(name)}.`);
      }
      this.#byName.set(name, collection);
    }
  }

  /** In the order given. */
  all(): ServedCollection[] {
    return [...this.#byName.values()];
  }

  /** @throws NighError UNKNOWN_COLLECTION, naming the nearest one */
  get(name: string): ServedCollection {
    const collection = this.#byName.get(name);
    if (collection === undefined) {
      throw new NighError(
        'UNKNOWN_COLLECTION',
        `No collection ${JSON.stringify(name)} is served here.${didYouMean(name, this.#byName.keys())}`,
      );
    }
    return collection;
  }
}

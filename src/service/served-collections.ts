import { NighError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import type { Retriever } from '../retrieval/retriever.js';
import type { Answer } from '../retrieval/types.js';
import type { Changeable } from './changes/change.js';

/**
 * The part of a Retriever that the routes use; what is optional is for its map and its pictures, for reloading and changing it and for watching
 * over its recall.
 */
export type ServedCollection = Pick<
  Retriever,
  'info' | 'revision' | 'similarItems' | 'recommend' | 'query' | 'similarUsers' | 'item' | 'findItems'
> &
  Partial<
    Pick<
      Retriever,
      | 'mapSpace'
      | 'measureEfforts'
      | 'picture'
      | 'hide'
      | 'hidden'
      | 'reopen'
      | 'liveGeneration'
      | 'sampleItems'
      | 'close'
    >
  > &
  Partial<Changeable>;

/** A collection, and how many questions it is answering. */
interface Lease {
  readonly collection: ServedCollection;
  questions: number;
  /** Set once another has taken its place: the last question closes it. */
  retired: boolean;
  /** Whether it took the place of another, and so is closed here and not by whoever opened the first. */
  readonly replacement: boolean;
}

/** The collections behind the routes, by name. One may be replaced while it is asked: questions stay with the one they began with. */
export class ServedCollections {
  readonly #byName = new Map<string, Lease>();
  /** Told of every answer, as soon as it is there. */
  onAnswer: ((collection: string, answer: Answer) => void) | undefined;

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
      this.#byName.set(name, { collection, questions: 0, retired: false, replacement: false });
    }
  }

  /** In the order given. */
  all(): ServedCollection[] {
    return Array.from(this.#byName.values(), ({ collection }) => collection);
  }

  /**
   * For what is answered at once; questions that take their time go through `ask` or `use`.
   * @throws NighError UNKNOWN_COLLECTION, naming the nearest one
   */
  get(name: string): ServedCollection {
    return this.#require(name).collection;
  }

  /** A question to a collection, which stays open until it is answered. @throws NighError UNKNOWN_COLLECTION, and what the question throws */
  async ask(name: string, question: (collection: ServedCollection) => Promise<Answer>): Promise<Answer> {
    const answer = await this.use(name, question);
    this.onAnswer?.(name, answer);
    return answer;
  }

  /** Any work on a collection, which stays open until it is done. @throws NighError UNKNOWN_COLLECTION, and what the work throws */
  async use<T>(name: string, work: (collection: ServedCollection) => Promise<T>): Promise<T> {
    const lease = this.#require(name);
    lease.questions += 1;
    try {
      return await work(lease.collection);
    } finally {
      lease.questions -= 1;
      if (lease.retired && lease.questions === 0) await lease.collection.close?.();
    }
  }

  /** Puts a collection in the place of the one of its name, which is closed once its last question is answered. */
  async replace(next: ServedCollection): Promise<void> {
    const { name } = next.info;
    const old = this.#require(name);
    // Those that were set while the next one was opened and checked are not on it yet.
    if (old.collection.hidden !== undefined) {
      for (const list of next.hidden?.keys() ?? []) if (!old.collection.hidden.has(list)) next.hide?.(list, []);
      for (const [list, ids] of old.collection.hidden) next.hide?.(list, ids);
    }
    this.#byName.set(name, { collection: next, questions: 0, retired: false, replacement: true });
    old.retired = true;
    if (old.questions === 0) await old.collection.close?.();
  }

  /** Closes what took the place of the collections that were given. */
  async closeReplacements(): Promise<void> {
    for (const { collection, replacement } of this.#byName.values()) if (replacement) await collection.close?.();
  }

  #require(name: string): Lease {
    const lease = this.#byName.get(name);
    if (lease === undefined) {
      throw new NighError(
        'UNKNOWN_COLLECTION',
        `No collection ${JSON.stringify(name)} is served here.${didYouMean(name, this.#byName.keys())}`,
      );
    }
    return lease;
  }
}

import { invalidArgument, NighError } from '../core/errors.js';
import { choice, readParams } from '../core/params.js';
import { answer } from './candidates.js';
import { Collection } from './collection.js';
import { toInfo } from './generation.js';
import { readFindOptions, readHistory, readQueryOptions, readRecommendOptions } from './query-options.js';
import { historyQuestion, userQuestion } from './recommend.js';
import { similarItemsQuestion } from './similar-items.js';
import type { Answer, CollectionInfo, HistoryEntry, Item, QueryOptions, RecommendOptions } from './types.js';

const openSchema = { mode: choice(['memory', 'mmap'], { default: 'mmap' }) };

/**
 * Answers from one generation of a collection: which items are like this one, and which suit this user.
 *
 * A Retriever stays on the generation it was opened at, whatever is built meanwhile; open another to see a new one. Any number
 * of questions may be under way at once; the searches run off the event loop.
 *
 * ```ts
 * await using movies = await Retriever.open('indexes/movies');
 * const { results } = await movies.similarItems(movies.resolveItem('Toy Story'), { k: 5 });
 * ```
 */
export class Retriever implements AsyncDisposable {
  readonly info: CollectionInfo;
  #collection: Collection | undefined;

  private constructor(collection: Collection) {
    this.#collection = collection;
    this.info = toInfo(collection.manifest);
  }

  /**
   * Opens a collection directory (`indexes/movies`) at its live generation. Every file is checked against its checksum, so this
   * reads all of them once.
   * @param options.mode `mmap` (default) maps the vector indexes: processes that open the same generation share the memory.
   * `memory` reads them into memory of this process.
   * @throws NighError UNKNOWN_COLLECTION where nothing was built, NOT_FOUND, IO, FORMAT, TRUNCATED, CHECKSUM_MISMATCH,
   * VERSION_UNSUPPORTED, UNKNOWN_OPTION, INVALID_ARGUMENT
   */
  static async open(directory: string, options: { readonly mode?: 'memory' | 'mmap' } = {}): Promise<Retriever> {
    const { mode } = readParams(openSchema, options, '');
    return new Retriever(await Collection.open(directory, mode));
  }

  /**
   * Items like this one: exactly min(k, items with a vector that are not left out), best first. The item itself never comes back.
   * `score` is their likeness, at most 1: the cosine of their vectors, in a space of interactions times how much of both is explained.
   * @param item an item id; `resolveItem` makes one of a title
   * @throws NighError UNKNOWN_ITEM, UNKNOWN_SPACE, NO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, CLOSED
   */
  async similarItems(item: string, options: QueryOptions = {}): Promise<Answer> {
    const began = performance.now();
    const collection = this.#open();
    requireText('item', item);
    const query = readQueryOptions(options);
    const question = similarItemsQuestion(collection, collection.catalogue.require(item), query);
    return answer(collection, question, query, began);
  }

  /**
   * Items for a user of the collection, without what they already interacted with. `score` is the model's own (an inner
   * product) in a space with user vectors, otherwise the likeness to their taste: the mean of what they liked less what they
   * disliked, as the recipe's `taste` or that of the options has it.
   * @throws NighError UNKNOWN_USER, UNKNOWN_SPACE, NO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, CLOSED
   */
  async recommend(user: string, options: RecommendOptions = {}): Promise<Answer> {
    const began = performance.now();
    const collection = this.#open();
    requireText('user', user);
    const query = readRecommendOptions(options);
    const question = await userQuestion(collection, collection.requireUser(user), query);
    return answer(collection, question, query, began);
  }

  /**
   * Items for somebody never seen before, from a few picks: in a space with user vectors exactly as training would place such a
   * user, elsewhere near to the mean of what they liked less what they disliked (taste.ts). Picks without a vector in the space are passed over; none of the picks comes back unless `excludeSeen` is false.
   * @throws NighError UNKNOWN_ITEM, UNKNOWN_SPACE, NO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, CLOSED
   */
  async recommendFor(history: readonly HistoryEntry[], options: RecommendOptions = {}): Promise<Answer> {
    const began = performance.now();
    const collection = this.#open();
    const query = readRecommendOptions(options);
    const picks = readHistory(history).map((pick) => ({ ...pick, item: collection.catalogue.require(pick.item) }));
    return answer(collection, await historyQuestion(collection, picks, query), query, began);
  }

  /** @throws NighError UNKNOWN_ITEM, CLOSED */
  item(id: string): Item {
    const collection = this.#open();
    requireText('id', id);
    return this.#describe(collection, collection.catalogue.require(id));
  }

  /**
   * Items whose title begins with the query, then those that have every word of it (as a word or as the beginning of one); each
   * most interacted first, but a title that is exactly the query comes before all. Case, accents and punctuation do not matter.
   * @param options.limit 1 to 10,000, default 10
   * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, CLOSED
   */
  findItems(query: string, options: { readonly limit?: number } = {}): Item[] {
    const collection = this.#open();
    const { limit } = readFindOptions(options);
    requireText('query', query);
    return collection.catalogue.findByTitle(query, limit).map((item) => this.#describe(collection, item));
  }

  /**
   * The id of an item given by its id, else by its exact title (case, accents and punctuation apart), else by words of its
   * title, where one title has all of them and fewer others than the rest.
   * @throws NighError UNKNOWN_ITEM with suggestions where none or several fit, CLOSED
   */
  resolveItem(idOrTitle: string): string {
    const { catalogue } = this.#open();
    requireText('item', idOrTitle);
    return catalogue.id(catalogue.resolve(idOrTitle));
  }

  /** Frees the indexes. Questions under way are answered; later ones throw CLOSED. */
  async close(): Promise<void> {
    this.#collection?.close();
    this.#collection = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): Collection {
    if (this.#collection === undefined) throw new NighError('CLOSED', `The collection ${this.info.name} was closed.`);
    return this.#collection;
  }

  #describe({ catalogue, seen, spaces }: Collection, item: number): Item {
    return {
      id: catalogue.id(item),
      title: catalogue.title(item),
      attributes: catalogue.attributes(item),
      interactions: seen.popularity[item]!,
      spaces: spaces.filter((space) => space.itemVector(item) !== undefined).map(({ name }) => name),
    };
  }
}

function requireText(name: string, value: string): void {
  if (typeof value !== 'string') throw invalidArgument(name, 'a string', value);
}

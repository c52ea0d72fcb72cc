import { invalidArgument, NighError } from '../core/errors.js';
import { checked, choice, isPlainObject, optional, readParams } from '../core/params.js';
import { ask, requireText } from './ask.js';
import { Collection } from './collection.js';
import { describeItem } from './describe-item.js';
import { liveGeneration, toInfo } from './generation.js';
import { measureEfforts } from './measure-efforts.js';
import { Neighbors } from './neighbors/neighbors.js';
import { type NeighborsOptions, readNeighborsOptions } from './neighbors/options.js';
import { planNeighbors } from './neighbors/plan.js';
import type { Picture } from './pictures.js';
import { defaultStages } from './pipeline/answer.js';
import type { Stages } from './pipeline/stages.js';
import { readFindOptions, readQueryOptions, readRecommendOptions, readSimilarUsersOptions } from './query-options.js';
import { similarUsers } from './similar-users.js';
import { mapSpace } from './space-map.js';
import type {
  Answer,
  CollectionInfo,
  Efforts,
  HistoryEntry,
  Item,
  QueryOptions,
  Question,
  RecommendOptions,
  SimilarUsersAnswer,
  SimilarUsersOptions,
  SpaceMap,
} from './types.js';

const stageFunction = optional(
  checked('a function', (value): value is (...given: never[]) => unknown => typeof value === 'function'),
);
const stagesSchema = {
  candidates: stageFunction,
  scoring: stageFunction,
  reranking: stageFunction,
  filtering: stageFunction,
};
const openSchema = {
  mode: choice(['memory', 'mmap'], { default: 'mmap' }),
  stages: optional(checked('an object of stages', (value): value is Partial<Stages> => isPlainObject(value))),
};
/** So many questions of one call are under way at a time. */
const questionsAtOnce = 64;

export interface RetrieverOptions {
  /**
   * `mmap` (default) maps the vector indexes: processes that open the same generation share the memory. `memory` reads them into memory of this
   * process.
   */
  readonly mode?: 'memory' | 'mmap';
  /** Other functions in the place of those that answer (pipeline/stages.ts). Filtering holds whatever the others do. Default: `defaultStages`. */
  readonly stages?: Partial<Stages>;
}

/**
 * Answers from one generation of a collection: which items are like this one, and which suit this user.
 *
 * A Retriever stays on the generation it was opened at, whatever is built meanwhile; open another to see a new one. Any number
 * of questions may be under way at once; searches run off the event loop, but for those that take microseconds.
 *
 * ```ts
 * await using movies = await Retriever.open('indexes/movies');
 * const { results } = await movies.similarItems(movies.resolveItem('Toy Story'), { k: 5 });
 * ```
 */
export class Retriever implements AsyncDisposable {
  readonly info: CollectionInfo;
  readonly #directory: string;
  readonly #mode: 'memory' | 'mmap';
  readonly #stages: Stages;
  readonly #underWay = new Set<Promise<unknown>>();
  #collection: Collection | undefined;
  #revision = 0;

  private constructor(collection: Collection, directory: string, mode: 'memory' | 'mmap', stages: Stages) {
    this.#collection = collection;
    this.#directory = directory;
    this.#mode = mode;
    this.#stages = stages;
    this.info = toInfo(collection.manifest);
  }

  /**
   * Opens a collection directory (`indexes/movies`) at its live generation. Every file is checked against its checksum, so this
   * reads all of them once.
   * @throws NighError UNKNOWN_COLLECTION where nothing was built, NOT_FOUND, IO, FORMAT, TRUNCATED, CHECKSUM_MISMATCH,
   * VERSION_UNSUPPORTED, UNKNOWN_OPTION, INVALID_ARGUMENT
   */
  static async open(directory: string, options: RetrieverOptions = {}): Promise<Retriever> {
    const { mode, stages = {} } = readParams(openSchema, options, '');
    readParams(stagesSchema, stages, 'stages');
    const given = Object.fromEntries(Object.entries(stages).filter(([, stage]) => stage !== undefined));
    return new Retriever(await Collection.open(directory, mode), directory, mode, { ...defaultStages, ...given });
  }

  /**
   * The collection's live generation, opened as this one was and beside it, with its stoplists: this one stays as it is.
   * @throws NighError CLOSED, and what `open` throws
   */
  async reopen(): Promise<Retriever> {
    const next = await Retriever.open(this.#directory, { mode: this.#mode, stages: this.#stages });
    for (const [list, ids] of this.hidden) next.hide(list, ids);
    return next;
  }

  /**
   * The generation that CURRENT names now, which builds may have changed since this one was opened; undefined where it is gone.
   * @throws NighError IO, FORMAT
   */
  liveGeneration(): Promise<string | undefined> {
    return liveGeneration(this.#directory);
  }

  /**
   * A space on a plane, for people to look at: a sample of its items, and `item` with its 12 nearest.
   * @param options.links also which of them are near to each other in the space. Default false.
   * @throws NighError UNKNOWN_SPACE, UNKNOWN_ITEM, NO_VECTOR, EMPTY_DATASET where the space is too small, CLOSED
   */
  async mapSpace(space: string, item?: string, options: { readonly links?: boolean } = {}): Promise<SpaceMap> {
    const collection = this.#open();
    const found = collection.requireSpace(space);
    const ordinal = item === undefined ? undefined : collection.catalogue.require(item);
    const near = item === undefined ? [] : (await this.similarItems(item, { space, k: 12 })).results;
    const neighbours = near.map(({ id, score }) => ({ item: collection.catalogue.require(id), score }));
    return this.#tracked(mapSpace(collection, found, ordinal, neighbours, options.links === true));
  }

  /**
   * Recall against time of a space's index at several pool sizes: measured once, on 100 of its items, which takes up to some seconds of one
   * thread.
   * @throws NighError UNKNOWN_SPACE, UNSUPPORTED for an index that is no graph, EMPTY_DATASET, CLOSED
   */
  async measureEfforts(space: string): Promise<Efforts> {
    const collection = this.#open();
    return this.#tracked(measureEfforts(collection, collection.requireSpace(space)));
  }

  /** Up to `count` item ids, evenly spread over the catalogue: the same ones every time. @throws NighError CLOSED */
  sampleItems(count: number): string[] {
    const { catalogue } = this.#open();
    const size = Math.min(count, catalogue.size);
    return Array.from({ length: size }, (_, i) => catalogue.id(Math.floor((i * catalogue.size) / size)));
  }

  /**
   * Items like this one: exactly min(k, items with a vector that are not left out), best first. The item itself never comes back.
   * `score` is their likeness, at most 1: the cosine of their vectors, in a space of interactions times how much of both is explained.
   * @param item an item id; `resolveItem` makes one of a title
   * @throws NighError UNKNOWN_ITEM, UNKNOWN_SPACE, NO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, CLOSED
   */
  async similarItems(item: string, options: QueryOptions = {}): Promise<Answer> {
    const collection = this.#open();
    requireText('item', item);
    return this.#tracked(ask(collection, this.#stages, { item }, readQueryOptions(options)));
  }

  /**
   * Items for a user of the collection, without what they already interacted with. `score` is the model's own (an inner
   * product) in a space with user vectors, otherwise the likeness to their taste: the mean of what they liked less what they
   * disliked, as the recipe's `taste` or that of the options has it. With `fallback: true` a user that the collection does not know gets what
   * `recommendFor` gives without a pick.
   * @throws NighError UNKNOWN_USER, UNKNOWN_SPACE, NO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, CLOSED
   */
  async recommend(user: string, options: RecommendOptions = {}): Promise<Answer> {
    const collection = this.#open();
    requireText('user', user);
    return this.#tracked(ask(collection, this.#stages, { user }, readRecommendOptions(options)));
  }

  /**
   * Items for somebody never seen before, from a few picks: in a space with user vectors exactly as training would place such a
   * user, elsewhere near to the mean of what they liked less what they disliked (taste.ts). Picks without a vector in the space are passed over; none of the picks comes back unless `excludeSeen` is false.
   * Without any pick it is the list for everybody: by the weighted rating where the recipe's `taste.neutral` says that values are ratings, else
   * by how many people have an item. `stats.fallback` says which; `score` is then the rating, or the share of the most that any has.
   * @throws NighError UNKNOWN_ITEM, UNKNOWN_SPACE, NO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, CLOSED
   */
  async recommendFor(history: readonly HistoryEntry[], options: RecommendOptions = {}): Promise<Answer> {
    const collection = this.#open();
    // One that was forgotten is not one that is empty.
    if (history === undefined) throw invalidArgument('history', 'an array of entries { item, weight }', history);
    return this.#tracked(ask(collection, this.#stages, { history }, readRecommendOptions(options)));
  }

  /**
   * One question by an item, a user, a history, a vector, a text or a picture, or by several of them together, with the options of
   * `recommend`. Of several each counts alike, and each is asked of its own space unless `space` or `weights` say otherwise.
   *
   * ```ts
   * await movies.query({ user: '42', text: 'a heist in space', where: 'year >= 1990' });
   * ```
   * @throws NighError UNKNOWN_ITEM, UNKNOWN_USER, UNKNOWN_SPACE, NO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, DIMENSION_MISMATCH,
   * NOT_FINITE, ZERO_VECTOR, OPTIONAL_PACKAGE, ABORTED, CLOSED
   */
  async query(question: Question): Promise<Answer> {
    const collection = this.#open();
    if (!isPlainObject(question)) throw invalidArgument('question', 'an object', question);
    const { item, user, history, vector, text, image, ...options } = question;
    // What an item has no use for is refused beside it alone, as similarItems does.
    const others = [user, history, vector, text, image].some((part) => part !== undefined);
    const query = item !== undefined && !others ? readQueryOptions(options) : readRecommendOptions(options);
    return this.#tracked(
      ask(collection, this.#stages, { item, user, history, vector, text, image } as Question, query),
    );
  }

  /**
   * Many questions in one call, answered in their order.
   * @throws NighError what `query` throws, for the first that fails, which the message names
   */
  async queryAll(questions: readonly Question[]): Promise<Answer[]> {
    this.#open();
    if (!Array.isArray(questions)) throw invalidArgument('questions', 'an array of questions', questions);
    const answers: Answer[] = [];
    for (let begin = 0; begin < questions.length; begin += questionsAtOnce) {
      const some = questions.slice(begin, begin + questionsAtOnce);
      const settled = await Promise.allSettled(some.map((question) => this.query(question)));
      for (const [at, result] of settled.entries()) {
        if (result.status === 'fulfilled') answers.push(result.value);
        else throw placed(result.reason, `questions[${begin + at}]`);
      }
    }
    return answers;
  }

  /**
   * Users like this one, by the cosine of the vectors that were fitted for them, compared with all.
   * @throws NighError UNKNOWN_USER, UNKNOWN_SPACE, NO_VECTOR, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED, CLOSED
   */
  async similarUsers(user: string, options: SimilarUsersOptions = {}): Promise<SimilarUsersAnswer> {
    const collection = this.#open();
    requireText('user', user);
    return this.#tracked(similarUsers(collection, collection.requireUser(user), readSimilarUsersOptions(options)));
  }

  /**
   * The top k of every item, or every user: the rows that `similarItems` and `recommend` would give, in the order of the ids, searched in batches on
   * all cores while who iterates works on the rows before. An item is not among its own, and what a user has is left out, as there. Without `exact`
   * the batches look at slightly other candidates than single questions do, at the same effort. Live changes made during a pass may or may not be
   * in its later rows.
   *
   * ```ts
   * for await (const block of movies.neighbors({ of: 'users', k: 20, where: 'year >= 1990' })) {
   *   for (const { id, neighbors, scores } of block) await store.put(id, neighbors, scores);
   * }
   * ```
   * @throws NighError UNKNOWN_SPACE, INVALID_ARGUMENT, UNKNOWN_OPTION, CLOSED at once; ABORTED, CLOSED, OUT_OF_MEMORY while it is iterated
   */
  neighbors(options: NeighborsOptions = {}): Neighbors {
    const plan = planNeighbors(this.#open(), this.#stages, readNeighborsOptions(options));
    return new Neighbors(plan, (work) => this.#tracked(work));
  }

  /**
   * Puts a stoplist in the place of the one of this name: no answer holds any of its items from the next question on, and `findItems` does not
   * find them. An empty list lifts it. Lists are of this Retriever and are not stored.
   * @throws NighError INVALID_ARGUMENT, CLOSED
   */
  hide(list: string, ids: readonly string[]): void {
    const { stoplists } = this.#open();
    requireText('list', list);
    if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
      throw invalidArgument('ids', 'an array of item ids', ids);
    }
    stoplists.set(list, ids);
    this.#revision++;
  }

  /** The stoplists by name. @throws NighError CLOSED */
  get hidden(): ReadonlyMap<string, readonly string[]> {
    return this.#open().stoplists.lists;
  }

  /** Goes up when a stoplist changes: answers of one revision of one generation are the same. */
  get revision(): number {
    return this.#revision;
  }

  /** @throws NighError UNKNOWN_ITEM, CLOSED */
  item(id: string): Item {
    const collection = this.#open();
    requireText('id', id);
    return describeItem(collection, collection.catalogue.require(id));
  }

  /**
   * The picture of an item as it came with the dataset, undefined where the collection has none.
   * @throws NighError UNKNOWN_ITEM, IO, CLOSED
   */
  async picture(id: string): Promise<Picture | undefined> {
    const { catalogue, pictures } = this.#open();
    requireText('id', id);
    catalogue.require(id);
    return pictures === undefined ? undefined : this.#tracked(pictures.of(id));
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
    const { hidden } = collection.stoplists;
    const found = collection.catalogue.findByTitle(query, limit + (hidden?.size ?? 0));
    const shown = hidden === undefined ? found : found.filter((item) => !hidden.has(item)).slice(0, limit);
    return shown.map((item) => describeItem(collection, item));
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
    const collection = this.#collection;
    this.#collection = undefined;
    await Promise.allSettled(this.#underWay);
    await collection?.closeAll();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): Collection {
    if (this.#collection === undefined) throw new NighError('CLOSED', `The collection ${this.info.name} was closed.`);
    return this.#collection;
  }

  /** Closing waits for it. */
  #tracked<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = () => this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }
}

/** The same error, of one question of several. */
function placed(error: unknown, place: string): unknown {
  return error instanceof NighError ? new NighError(error.code, `${place}: ${error.message}`, { cause: error }) : error;
}

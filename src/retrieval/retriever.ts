import { invalidArgument, NighError } from '../core/errors.js';
import { checked, choice, flag, integer, isPlainObject, optional, readParams } from '../core/params.js';
import { ask, requireText } from './ask.js';
import type { Collection } from './collection.js';
import type { CollectionSource } from './collection-source.js';
import { describeItem } from './describe-item.js';
import { toInfo } from './generation.js';
import type { Acknowledgement } from './journal/store.js';
import type { CompactOptions } from './live/compact.js';
import {
  type ChangeOptions,
  type InteractionInput,
  type ItemFields,
  readEvents,
  readFields,
  readRequestId,
  requireId,
} from './live/item-fields.js';
import { type Compaction, type JournalInfo, OpenCollection } from './live/open-collection.js';
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
  write: flag({ default: false }),
  compactAfter: integer({ min: 0, max: 1e9, default: 10_000 }),
  onCompaction: optional(
    checked(
      'a function',
      (value): value is NonNullable<RetrieverOptions['onCompaction']> => typeof value === 'function',
    ),
  ),
};
const compactSchema = {
  signal: optional(checked('an AbortSignal', (value): value is AbortSignal => value instanceof AbortSignal)),
  onProgress: optional(
    checked('a function', (value): value is NonNullable<CompactOptions['onProgress']> => typeof value === 'function'),
  ),
  threads: integer({ min: 0, max: 1024, default: 0 }),
  keep: integer({ min: 1, max: 1000, default: 2 }),
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
  /** Take changes too: one process at a time may. Default false. */
  readonly write?: boolean;
  /**
   * With `write`: how many changes the journal holds when they are folded into a new generation in the background. 0 leaves that to `compact`.
   * Default 10,000.
   */
  readonly compactAfter?: number;
  /** With `write`: told how every compaction in the background ended. */
  readonly onCompaction?: (outcome: Compaction | Error) => void;
}

/**
 * Answers from a collection: which items are like this one, and which suit this user.
 *
 * A Retriever stays on the generation it was opened at, whatever is built meanwhile; open another to see a new one (`catchUp` tells the exception). Changes of the journal
 * come on top: its own are seen by the next question after each was answered, those of another process after `catchUp`. Any number
 * of questions may be under way at once, each answered from one state; searches run off the event loop, but for those that take microseconds.
 *
 * ```ts
 * await using movies = await Retriever.open('indexes/movies');
 * const { results } = await movies.similarItems(movies.resolveItem('Toy Story'), { k: 5 });
 * ```
 */
export class Retriever implements AsyncDisposable {
  readonly #opened: CollectionSource;
  readonly #stages: Stages;
  /** Changes of stoplists. */
  #revision = 0;
  #info: { readonly of: Collection; readonly info: CollectionInfo };

  private constructor(opened: CollectionSource, stages: Stages) {
    this.#opened = opened;
    this.#stages = stages;
    this.#info = { of: opened.state, info: infoOf(opened.state) };
  }

  /**
   * Opens a collection directory (`indexes/movies`) at its live generation, with the changes of its journal. Every file is checked against
   * its checksum, so this reads all of them once.
   * @throws NighError UNKNOWN_COLLECTION where nothing was built, LOCKED where another process writes, NOT_FOUND, IO, FORMAT, TRUNCATED,
   * CHECKSUM_MISMATCH, VERSION_UNSUPPORTED, UNKNOWN_OPTION, INVALID_ARGUMENT
   */
  static async open(directory: string, options: RetrieverOptions = {}): Promise<Retriever> {
    const { stages, write, ...read } = readParams(openSchema, options, '');
    const chosen = readStages(stages);
    return new Retriever(await OpenCollection.open(directory, read, write), chosen);
  }

  /**
   * Over a collection that is open, wherever it is: what stands behind `open`, and behind `openPushed` of nigh/postgres. Closes it when it is closed.
   * @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT
   */
  static over(source: CollectionSource, options: Pick<RetrieverOptions, 'stages'> = {}): Retriever {
    return new Retriever(source, readStages(readParams({ stages: openSchema.stages }, options, '').stages));
  }

  /** What the collection is, as it is now; once closed, as it was last told. */
  get info(): CollectionInfo {
    if (this.#opened.isClosed) return this.#info.info;
    const { state } = this.#opened;
    if (state !== this.#info.of) this.#info = { of: state, info: infoOf(state) };
    return this.#info.info;
  }

  /**
   * The collection's live generation, opened as this one was and beside it, with its stoplists: this one stays as it is. Both take changes, and
   * see each other's.
   * @throws NighError CLOSED, and what `open` throws
   */
  async reopen(): Promise<Retriever> {
    return new Retriever(await this.#opened.reopen(), this.#stages);
  }

  /**
   * Adds an item, or changes the one of this id. Its place in every space is by the vectors that are given, else as docs/live-updates.md says.
   * Resolves once the change is durable; the next question sees it.
   *
   * ```ts
   * await using shop = await Retriever.open('indexes/shop', { write: true });
   * await shop.upsertItem('4711', { title: 'A red kettle', attributes: { price: 29 } });
   * ```
   * @throws NighError READ_ONLY where it was opened without `write`, INVALID_ARGUMENT, UNKNOWN_OPTION, UNKNOWN_SPACE, DIMENSION_MISMATCH,
   * NOT_FINITE, ZERO_VECTOR, OPTIONAL_PACKAGE, and it was not made; IO where the disk failed: it may be made or not, and sent again with the
   * same `requestId` it is made once; CLOSED
   */
  async upsertItem(
    id: string,
    fields: ItemFields,
    options: ChangeOptions = {},
  ): Promise<{ readonly sequence: number }> {
    requireId('id', id);
    const request = { type: 'upsert', id, fields: readFields(fields) } as const;
    return this.#opened.submit(request, readRequestId(options));
  }

  /**
   * Removes an item, and what people did with it, from every answer. `existed` says whether there was one.
   * @throws NighError READ_ONLY, INVALID_ARGUMENT, UNKNOWN_OPTION, IO, CLOSED
   */
  async deleteItem(
    id: string,
    options: ChangeOptions = {},
  ): Promise<{ readonly sequence: number; readonly existed: boolean }> {
    requireId('id', id);
    return existing(await this.#opened.submit({ type: 'delete', id }, readRequestId(options)));
  }

  /**
   * Adds what people did, who may be new; of the same person and item the latest counts. The next recommendation reflects it: in a space that can
   * place newcomers, the user's vector is solved anew from their whole past. All or none.
   * @throws NighError READ_ONLY, UNKNOWN_ITEM, INVALID_ARGUMENT, NOT_FINITE, UNKNOWN_OPTION, IO, CLOSED
   */
  async addInteractions(
    interactions: readonly InteractionInput[],
    options: ChangeOptions = {},
  ): Promise<{ readonly sequence: number }> {
    const request = { type: 'interactions', events: readEvents(interactions) } as const;
    return this.#opened.submit(request, readRequestId(options));
  }

  /**
   * Forgets a user: what they did, their vectors, and what the journal holds of their interactions. Generations before the next compaction still
   * hold what was built into them.
   * @throws NighError READ_ONLY, INVALID_ARGUMENT, UNKNOWN_OPTION, IO, CLOSED
   */
  async forgetUser(
    user: string,
    options: ChangeOptions = {},
  ): Promise<{ readonly sequence: number; readonly existed: boolean }> {
    requireId('user', user);
    return existing(await this.#opened.submit({ type: 'forget', user }, readRequestId(options)));
  }

  /**
   * Applies the changes that another process has made durable, up to this one at least if it has; cheap where there is nothing new. Where the
   * generation is kept no more and compactions have trimmed changes that it lacks, it goes on from the live one, which has them.
   * @returns the number of the last change that questions are answered by
   * @throws NighError CHECKSUM_MISMATCH, FORMAT, IO, CLOSED
   */
  async catchUp(sequence?: number): Promise<number> {
    this.#open();
    return this.#opened.catchUp(sequence);
  }

  /** How far the journal goes; undefined where the collection never had a change. */
  get journal(): JournalInfo | undefined {
    return this.#opened.journal;
  }

  /**
   * Folds the changes of the journal into a new generation, without fitting anything anew, and goes on from there. Questions and changes go on
   * meanwhile: changes that come after it began stay in the journal. A crash at any moment leaves what was.
   * @throws NighError READ_ONLY, LOCKED while a build runs, RECALL_FLOOR, ABORTED, IO, INVALID_ARGUMENT, UNKNOWN_OPTION, CLOSED
   */
  async compact(options: Partial<CompactOptions> = {}): Promise<Compaction> {
    return this.#opened.compact(readParams(compactSchema, options, ''));
  }

  /**
   * The generation that CURRENT names now, which builds may have changed since this one was opened; undefined where it is gone.
   * @throws NighError IO, FORMAT
   */
  liveGeneration(): Promise<string | undefined> {
    return this.#opened.liveGeneration();
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
    return this.#opened.tracked(mapSpace(collection, found, ordinal, neighbours, options.links === true));
  }

  /**
   * Recall against time of a space's index at several pool sizes: measured once, on 100 of its items, which takes up to some seconds of one
   * thread.
   * @throws NighError UNKNOWN_SPACE, UNSUPPORTED for an index that is no graph, EMPTY_DATASET, CLOSED
   */
  async measureEfforts(space: string): Promise<Efforts> {
    const collection = this.#open();
    return this.#opened.tracked(measureEfforts(collection, collection.requireSpace(space)));
  }

  /** Up to `count` item ids, evenly spread over the catalogue: the same ones every time. @throws NighError CLOSED */
  sampleItems(count: number): string[] {
    const { catalogue } = this.#open();
    const size = Math.min(count, catalogue.size);
    const ordinals = Array.from({ length: size }, (_, i) => Math.floor((i * catalogue.size) / size));
    return ordinals.filter((item) => catalogue.isLive(item)).map((item) => catalogue.id(item));
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
    return this.#opened.tracked(ask(collection, this.#stages, { item }, readQueryOptions(options)));
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
    return this.#opened.tracked(ask(collection, this.#stages, { user }, readRecommendOptions(options)));
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
    return this.#opened.tracked(ask(collection, this.#stages, { history }, readRecommendOptions(options)));
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
    return this.#opened.tracked(
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
    return this.#opened.tracked(
      similarUsers(collection, collection.requireUser(user), readSimilarUsersOptions(options)),
    );
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
    return new Neighbors(plan, (work) => this.#opened.tracked(work));
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

  /** Goes up when a stoplist or the collection changes: answers of one revision of one generation are the same. */
  get revision(): number {
    return this.#revision + this.#opened.revision;
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
    return pictures === undefined ? undefined : this.#opened.tracked(pictures.of(id));
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

  /** Frees the indexes, and lets another process write. Questions and changes under way are answered; later ones throw CLOSED. */
  async close(): Promise<void> {
    this.#info = { ...this.#info, info: this.info };
    await this.#opened.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): Collection {
    return this.#opened.state;
  }
}

/** Those that were given in the place of the default ones. @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
function readStages(stages: Partial<Stages> = {}): Stages {
  readParams(stagesSchema, stages, 'stages');
  const given = Object.fromEntries(Object.entries(stages).filter(([, stage]) => stage !== undefined));
  return { ...defaultStages, ...given };
}

/** The manifest's, with what changes made of its counts. */
function infoOf({ manifest, catalogue, userCount, seen }: Collection): CollectionInfo {
  const info = { ...toInfo(manifest), items: catalogue.count, users: userCount };
  // Counting them takes a pass over the catalogue, which few ask for.
  return Object.defineProperty(info, 'interactions', { get: () => seen.interactions, enumerable: true });
}

function existing({ sequence, existed = false }: Acknowledgement): { sequence: number; existed: boolean } {
  return { sequence, existed };
}

/** The same error, of one question of several. */
function placed(error: unknown, place: string): unknown {
  return error instanceof NighError ? new NighError(error.code, `${place}: ${error.message}`, { cause: error }) : error;
}

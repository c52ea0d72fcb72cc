import type { InteractionInput, ItemFields } from '../retrieval/live/item-fields.js';
import type {
  Answer,
  CollectionInfo,
  Efforts,
  HistoryEntry,
  Item,
  QueryOptions,
  Question,
  RecommendOptions,
  Reload,
  SpaceMap,
} from '../retrieval/types.js';
import type { NighClient } from './client.js';

/** One answer of `queryMany`, or why there is none. */
export type AnswerOrProblem = Answer | { readonly problem: { readonly code: string; readonly detail: string } };

export interface ChangeOptions {
  /** Under what the change is known: sent again under it, it is not made again. Default: a random one, for the tries of one call. */
  readonly requestId?: string;
  readonly signal?: AbortSignal;
}

/** What a removal did. */
export interface Removed {
  /** The place of the change in the collection's journal. */
  readonly sequence: number;
  /** Whether it was there. */
  readonly existed: boolean;
}

/** The longest that a compaction or the check of a new generation may take. */
const longestWorkMs = 3_600_000;

/** As a body holds it: a picture in base64. */
function wire(said: { readonly image?: Uint8Array }): object {
  const { image } = said;
  return image === undefined ? said : { ...said, image: base64(image) };
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** The questions to one collection. */
export class CollectionClient {
  readonly #client: NighClient;
  readonly name: string;

  /** Not for users: `NighClient.collection` makes it. */
  constructor(client: NighClient, name: string) {
    this.#client = client;
    this.name = name;
  }

  /** Counts, spaces, generation, measured recall. */
  info(options: { readonly signal?: AbortSignal } = {}): Promise<CollectionInfo> {
    return this.#get('', {}, options.signal);
  }

  /** One item by its id. */
  item(id: string, options: { readonly signal?: AbortSignal } = {}): Promise<Item> {
    return this.#get(`/items/${encodeURIComponent(id)}`, {}, options.signal);
  }

  /** Items by the start or the words of their title. */
  async findItems(
    query: string,
    options: { readonly limit?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Item[]> {
    const { limit, signal } = options;
    const { items } = await this.#get<{ items: Item[] }>('/items', { query, limit }, signal);
    return items;
  }

  /** Items like this one. */
  similarItems(item: string, { signal, ...options }: QueryOptions = {}): Promise<Answer> {
    return this.#post('/query', { item, ...options }, signal);
  }

  /** Items for a user of the collection. */
  recommend(user: string, { signal, ...options }: RecommendOptions = {}): Promise<Answer> {
    return this.#post('/query', { user, ...options }, signal);
  }

  /** Items for somebody never seen before, from a few picks. */
  recommendFor(history: readonly HistoryEntry[], { signal, ...options }: RecommendOptions = {}): Promise<Answer> {
    return this.#post('/query', { history, ...options }, signal);
  }

  /** Items by any parts of a question together: an item, a user, picks, a vector, a text, a picture. */
  query({ signal, ...question }: Question): Promise<Answer> {
    return this.#post('/query', wire(question), signal);
  }

  /** Many questions in one call, 1 to 256; answers in their order, each its own problem where it failed. */
  async queryMany(
    queries: readonly Question[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<AnswerOrProblem[]> {
    const body = { queries: queries.map(({ signal: _, ...question }) => wire(question)) };
    const { answers } = await this.#post<{ answers: AnswerOrProblem[] }>('/query', body, options.signal);
    return answers;
  }

  /** A space on a plane: a sample of its items, and `item` with its nearest. */
  mapSpace(
    space: string,
    item?: string,
    { links, signal }: { readonly links?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<SpaceMap> {
    return this.#get(`/spaces/${encodeURIComponent(space)}/map`, { item, links: links ? 'true' : undefined }, signal);
  }

  /** Recall against time of a space's index, measured by the service when it is first asked for. */
  measureEfforts(space: string, options: { readonly signal?: AbortSignal } = {}): Promise<Efforts> {
    return this.#get(`/spaces/${encodeURIComponent(space)}/efforts`, {}, options.signal);
  }

  /** Adds an item, or changes the one of this id: what is left out stays as it was. Resolves once it is durable. Needs the write token, as all changes do. */
  upsertItem(item: string, fields: ItemFields, options: ChangeOptions = {}): Promise<{ readonly sequence: number }> {
    return this.#change('PUT', `/items/${encodeURIComponent(item)}`, wire(fields), options);
  }

  /** Removes an item from all answers. */
  deleteItem(item: string, options: ChangeOptions = {}): Promise<Removed> {
    return this.#change('DELETE', `/items/${encodeURIComponent(item)}`, undefined, options);
  }

  /** What users did, 1 to 10,000 at a time: all are taken or none. */
  addInteractions(
    interactions: readonly InteractionInput[],
    options: ChangeOptions = {},
  ): Promise<{ readonly sequence: number }> {
    return this.#change('POST', '/interactions', { interactions }, options);
  }

  /** Forgets a user: their interactions and what was learnt of them. */
  forgetUser(user: string, options: ChangeOptions = {}): Promise<Removed> {
    return this.#change('DELETE', `/users/${encodeURIComponent(user)}`, undefined, options);
  }

  /** Folds what was changed into a new generation, and serves that. May take minutes. */
  compact(options: { readonly signal?: AbortSignal } = {}): Promise<{ readonly generation: string }> {
    const path = this.#path('/compact');
    return this.#client.call({ method: 'POST', path, read: false, timeoutMs: longestWorkMs, signal: options.signal });
  }

  /** Serves the live generation. */
  reload(options: { readonly signal?: AbortSignal } = {}): Promise<Reload> {
    const path = this.#path('/reload');
    return this.#client.call({ method: 'POST', path, read: false, timeoutMs: longestWorkMs, signal: options.signal });
  }

  #get<T>(
    path: string,
    parameters: Readonly<Record<string, string | number | undefined>>,
    signal?: AbortSignal,
  ): Promise<T> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
    const text = query.size === 0 ? '' : `?${query}`;
    return this.#client.call({ method: 'GET', path: this.#path(path) + text, read: true, signal });
  }

  /** A question by POST changes nothing, so it may be asked again. */
  #post<T>(path: string, body: object, signal: AbortSignal | undefined): Promise<T> {
    return this.#client.call({ method: 'POST', path: this.#path(path), body, read: true, signal });
  }

  #change<T>(
    method: 'PUT' | 'POST' | 'DELETE',
    path: string,
    body: object | undefined,
    { requestId = crypto.randomUUID(), signal }: ChangeOptions,
  ): Promise<T> {
    const sent = body === undefined ? {} : { body };
    return this.#client.call({ method, path: this.#path(path), ...sent, read: false, key: requestId, signal });
  }

  #path(rest: string): string {
    return `v1/collections/${encodeURIComponent(this.name)}${rest}`;
  }
}

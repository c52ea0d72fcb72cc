import { choice, integer, number, optional, readParams, text } from '../core/params.js';
import type {
  Answer,
  CollectionInfo,
  HistoryEntry,
  Item,
  QueryOptions,
  Question,
  RecommendOptions,
} from '../retrieval/types.js';
import { type BodyCodec, jsonCodec, messagePackCodec } from './body-codec.js';
import { errorOf, ServiceError } from './problem.js';
import { RetryLater, withRetries } from './retry.js';

export interface ClientOptions {
  /** What reads or changes need: the service's NIGH_TOKEN or NIGH_WRITE_TOKEN. Default: none. */
  readonly token?: string;
  /** How answers travel. `msgpack` needs the package msgpackr. Default `json`. */
  readonly format?: 'json' | 'msgpack';
  /** Further tries of a read whose failure may pass (no connection, 429, 502, 503), 0 to 20. Changes are tried once. Default 3. */
  readonly retries?: number;
  /** The longest first pause between two tries, in milliseconds; the next ones double. Default 100. */
  readonly backOffMs?: number;
  /** Time for one try, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

/** One answer of `queryMany`, or why there is none. */
export type AnswerOrProblem = Answer | { readonly problem: { readonly code: string; readonly detail: string } };

/** What `reload` did. */
export interface Reload {
  readonly collection: string;
  readonly from: string;
  readonly to: string;
  readonly swapped: boolean;
  readonly recall: Readonly<Record<string, number>>;
  readonly overlap: number;
  readonly tookMs: number;
}

const clientSchema = {
  token: optional(text()),
  format: choice(['json', 'msgpack'], { default: 'json' }),
  retries: integer({ min: 0, max: 20, default: 3 }),
  backOffMs: number({ min: 0, default: 100 }),
  timeoutMs: number({ min: 1, default: 10_000 }),
};

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** Whether another try does no harm. */
  readonly read: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a running service (`nigh serve`): the same questions and answers as a Retriever's, over HTTP with `fetch`. Reads are tried again with
 * growing pauses where the failure may pass.
 *
 * ```ts
 * const nigh = new NighClient('http://127.0.0.1:8080');
 * const { results } = await nigh.collection('npm-packages').similarItems('express', { k: 5 });
 * ```
 *
 * Every method throws ServiceError, a NighError with the code of the service's problem document: UNKNOWN_ITEM, UNAUTHORIZED, …; NOT_READY
 * where nobody answers, DEADLINE after `timeoutMs`, ABORTED.
 */
export class NighClient {
  readonly #base: URL;
  readonly #options: ReturnType<typeof readParams<typeof clientSchema>>;
  #codec: Promise<BodyCodec> | undefined;

  /** @param url of the service, with the path under which a proxy has it, if any @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
  constructor(url: string | URL, options: ClientOptions = {}) {
    this.#base = new URL(String(url).replace(/\/*$/, '/'));
    this.#options = readParams(clientSchema, options, '');
  }

  /** Every collection that is served. */
  async collections(options: { readonly signal?: AbortSignal } = {}): Promise<CollectionInfo[]> {
    const { collections } = await this.call<{ collections: CollectionInfo[] }>({
      method: 'GET',
      path: 'v1/collections',
      read: true,
      ...options,
    });
    return collections;
  }

  /** One collection, to be asked; whether there is one is told by its first answer. */
  collection(name: string): CollectionClient {
    return new CollectionClient(this, name);
  }

  /** Not for users: one call of a route. */
  async call<T>(call: Call): Promise<T> {
    this.#codec ??= this.#options.format === 'msgpack' ? messagePackCodec() : Promise.resolve(jsonCodec);
    const codec = await this.#codec;
    const { retries, backOffMs } = this.#options;
    return withRetries({ retries: call.read ? retries : 0, backOffMs }, call.signal, () => this.#try<T>(call, codec));
  }

  async #try<T>({ method, path, body, signal }: Call, codec: BodyCodec): Promise<T> {
    const { token, timeoutMs } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const headers: Record<string, string> = { accept: codec.type };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] = codec.type;
    let response: Response;
    let bytes: Uint8Array;
    try {
      response = await fetch(new URL(path, this.#base), {
        method,
        headers,
        ...(body === undefined ? {} : { body: codec.encode(body) }),
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      bytes = new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      if (signal?.aborted) throw new ServiceError('ABORTED', 'The request was aborted.', { httpStatus: 0, cause });
      if (timeout.aborted)
        throw new ServiceError('DEADLINE', `No answer within ${timeoutMs} ms.`, { httpStatus: 0, cause });
      const message = `${this.#base.origin} does not answer.`;
      throw new RetryLater(new ServiceError('NOT_READY', message, { httpStatus: 0, cause }), undefined);
    }
    const type = response.headers.get('content-type') ?? '';
    // What is in between may answer too, in HTML.
    const readable = type.includes('json') ? jsonCodec : type.includes('msgpack') ? codec : undefined;
    const value = readable === undefined ? undefined : decoded(readable, bytes);
    if (response.ok && readable !== undefined) return value as T;
    const error = errorOf(response.status, response.headers.get('x-request-id') ?? undefined, value);
    const after = Number(response.headers.get('retry-after') ?? Number.NaN);
    throw new RetryLater(error, Number.isFinite(after) ? after * 1000 : undefined);
  }
}

function decoded(codec: BodyCodec, bytes: Uint8Array): unknown {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    throw new ServiceError('INTERNAL', `The service's answer is not valid ${codec.type}.`, { httpStatus: 0, cause });
  }
}

/** A question as a body holds it: a picture in base64. */
function wire(question: Omit<Question, 'signal'>): object {
  const { image } = question;
  return image === undefined ? question : { ...question, image: base64(image) };
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

  /** Serves the live generation; needs the write token. */
  reload(options: { readonly signal?: AbortSignal } = {}): Promise<Reload> {
    return this.#client.call({ method: 'POST', path: this.#path('/reload'), read: false, signal: options.signal });
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

  #path(rest: string): string {
    return `v1/collections/${encodeURIComponent(this.name)}${rest}`;
  }
}

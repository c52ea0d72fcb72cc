import { invalidArgument } from '../core/errors.js';
import { choice, integer, number, optional, readParams, text } from '../core/params.js';
import type { CollectionInfo } from '../retrieval/types.js';
import { type BodyCodec, jsonCodec, messagePackCodec } from './body-codec.js';
import { CollectionClient } from './collection-client.js';
import { errorOf, ServiceError } from './problem.js';
import { RetryLater, withRetries } from './retry.js';

export interface ClientOptions {
  /** What reads or changes need: the service's NIGH_TOKEN or NIGH_WRITE_TOKEN. Default: none. */
  readonly token?: string;
  /** How answers travel. `msgpack` needs the package msgpackr. Default `json`. */
  readonly format?: 'json' | 'msgpack';
  /**
   * Further tries of what failed for a reason that may pass (no connection, 429, 502, 503), 0 to 20. Changes go under a key by which they are
   * made once, however often they are sent; reloads and compactions are tried once. Default 3.
   */
  readonly retries?: number;
  /** The longest first pause between two tries, in milliseconds; the next ones double. Default 100. */
  readonly backOffMs?: number;
  /** Time for one try, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

const clientSchema = {
  token: optional(text()),
  format: choice(['json', 'msgpack'], { default: 'json' }),
  retries: integer({ min: 0, max: 20, default: 3 }),
  backOffMs: number({ min: 0, default: 100 }),
  timeoutMs: number({ min: 1, default: 10_000 }),
};

/** One call of a route. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Whether another try does no harm. */
  readonly read: boolean;
  /** Under what a change is known: it may be tried again, since it is made once. */
  readonly key?: string;
  /** Time for one try, where it is not the client's. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a running service (`nigh serve`): the same questions, answers and changes as a Retriever's, over HTTP with `fetch`. What failed for a
 * reason that may pass is tried again with growing pauses.
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
    const address = String(url).replace(/\/*$/, '/');
    if (!/^https?:/i.test(address) || !URL.canParse(address))
      throw invalidArgument('url', 'an address such as http://127.0.0.1:8080', url);
    this.#base = new URL(address);
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
    const isRepeatable = call.read || call.key !== undefined;
    return withRetries({ retries: isRepeatable ? retries : 0, backOffMs }, call.signal, () =>
      this.#try<T>(call, codec),
    );
  }

  async #try<T>(
    { method, path, body, key, signal, timeoutMs = this.#options.timeoutMs }: Call,
    codec: BodyCodec,
  ): Promise<T> {
    const { token } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const headers: Record<string, string> = { accept: codec.type };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] = codec.type;
    if (key !== undefined) headers['idempotency-key'] = key;
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

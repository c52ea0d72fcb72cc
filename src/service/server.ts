import { isIP } from 'node:net';
import { describe, NighError } from '../core/errors.js';
import { integer, number, readParams, text } from '../core/params.js';
import { type AppLimits, type AppOptions, appLimits, assemble, type BuiltApp } from './app.js';
import { addressOf, isLoopback } from './loopback.js';
import type { ServiceApp } from './type-provider.js';
import { isWorker, openMessages } from './workers/worker.js';

export interface ServeOptions extends AppOptions {
  /** Name or address to listen on. Default 127.0.0.1: this machine only. */
  readonly host?: string;
  /** 0 takes a free port. Default 8080. */
  readonly port?: number;
  /**
   * What reads need. Default: the environment variable NIGH_TOKEN when others than this machine can connect, which must then be
   * set; nothing on loopback.
   */
  readonly token?: string;
  /** What changes need. Default: the environment variable NIGH_WRITE_TOKEN; without it nobody may change anything. */
  readonly writeToken?: string;
  /** How often `CURRENT` is read to serve a new generation once it is live, in milliseconds; 0: never. Default 2,000. */
  readonly watchMs?: number;
  /** How often the recall of what is served is measured on a sample, in milliseconds; 0: never. Default 60,000. */
  readonly canaryMs?: number;
  /** How long requests under way may take once the service stops, in milliseconds; then their connections are cut. Default 10,000. */
  readonly drainMs?: number;
  /** Stops the service when it aborts. */
  readonly signal?: AbortSignal;
}

/** A service that listens. */
export interface RunningService extends AsyncDisposable {
  /** For instance `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Every collection whose live generation is another one than is served; what is refused is logged, and the old one goes on. */
  reloadChanged(): Promise<void>;
  /**
   * As Retriever.hide, of the collection that is served now: a Retriever that a reload has replaced is closed. Of this process alone.
   * @throws NighError UNKNOWN_COLLECTION, UNSUPPORTED for a collection without stoplists, INVALID_ARGUMENT
   */
  hide(collection: string, list: string, ids: readonly string[]): void;
  /** Readiness off, no new connections, requests under way answered. The same promise every time. */
  close(): Promise<void>;
  /** Settles when the service has stopped, for whatever reason. */
  readonly closed: Promise<void>;
}

const listening = {
  host: text({ default: '127.0.0.1' }),
  port: integer({ min: 0, max: 65_535, default: 8080 }),
  drainMs: number({ min: 0, default: 10_000 }),
  ...appLimits,
  watchMs: number({ min: 0, default: 2000 }),
  canaryMs: number({ min: 0, default: 60_000 }),
};

/**
 * Listens, and answers until it is closed or `signal` aborts. The process's signals are the caller's:
 *
 * ```ts
 * const stop = new AbortController();
 * process.once('SIGTERM', () => stop.abort());
 * const service = await serve({ collections: [movies], signal: stop.signal });
 * await service.closed;
 * ```
 *
 * @throws NighError INVALID_ARGUMENT for a port in use, a host that does not resolve, or an address that others can reach
 * without a token; what `buildApp` throws; IO; ABORTED
 */
export async function serve(options: ServeOptions): Promise<RunningService> {
  const { collections, logger = false, signal, ...rest } = options;
  const {
    host,
    port,
    drainMs,
    token: givenToken,
    writeToken: givenWriteToken,
    ...limits
  } = readParams(listening, rest, '');
  const address = await addressOf(host);
  const token = givenToken ?? (isLoopback(address) ? undefined : process.env.NIGH_TOKEN);
  const writeToken = givenWriteToken ?? process.env.NIGH_WRITE_TOKEN;
  requireText('token', 'NIGH_TOKEN', token);
  requireText('writeToken', 'NIGH_WRITE_TOKEN', writeToken);
  if (token === undefined && !isLoopback(address)) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `host: others can connect to ${JSON.stringify(host)}, so reads need a token: set NIGH_TOKEN, or listen on 127.0.0.1.`,
    );
  }
  if (signal?.aborted) throw new NighError('ABORTED', 'serve: aborted before it listened.', { cause: signal.reason });
  const messages = isWorker() ? openMessages() : undefined;
  const built = await assemble({ collections, logger, ...given({ ...limits, token, writeToken }) }, messages?.hooks);
  messages?.attach(built);
  const bound = await listen(built.app, address, port);
  return running(built, { host: address, port: bound, drainMs, ...(signal === undefined ? {} : { signal }) });
}

function requireText(name: string, variable: string, token: string | undefined): void {
  if (token !== '') return;
  throw new NighError('INVALID_ARGUMENT', `${name}: ${variable} is empty; an empty token is no token.`);
}

/** Without the keys that are undefined. */
function given(limits: { readonly [Key in keyof AppLimits]?: AppLimits[Key] | undefined }): AppLimits {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

async function listen(app: ServiceApp, host: string, port: number): Promise<number> {
  try {
    await app.listen({ host, port, listenTextResolver: () => '' });
  } catch (cause) {
    await app.close();
    throw listenError(cause, host, port);
  }
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function listenError(cause: unknown, host: string, port: number): NighError {
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  const reason = {
    EADDRINUSE: `port: ${port} is already in use on ${host}; stop what listens there or take another port (0 takes a free one).`,
    EACCES: `port: ${port} may not be opened by this user; take one above 1023.`,
    EADDRNOTAVAIL: `host: ${host} is not an address of this machine.`,
  }[code ?? ''];
  if (reason !== undefined) return new NighError('INVALID_ARGUMENT', reason, { cause });
  return new NighError('IO', `Listening on ${host}:${port} failed: ${describe(cause)}.`, { cause });
}

function running(
  { app, reloader, collections }: BuiltApp,
  { host, port, drainMs, signal }: { host: string; port: number; drainMs: number; signal?: AbortSignal },
): RunningService {
  let closing: Promise<void> | undefined;
  const closed = new Promise<void>((resolve) => app.server.once('close', () => resolve()));
  const close = () => {
    closing ??= drain(app, drainMs).then(() => signal?.removeEventListener('abort', onAbort));
    return closing;
  };
  const onAbort = () => void close();
  signal?.addEventListener('abort', onAbort, { once: true });
  const url = `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  return {
    url,
    host,
    port,
    reloadChanged: () => reloader.reloadChanged(),
    hide: (name, list, ids) => {
      const collection = collections.get(name);
      if (collection.hide === undefined) throw new NighError('UNSUPPORTED', `${name} has no stoplists.`);
      collection.hide(list, ids);
    },
    close,
    closed,
    [Symbol.asyncDispose]: close,
  };
}

/** Closes the app; connections that are still busy after `drainMs` are cut, which aborts their searches. */
async function drain(app: ServiceApp, drainMs: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), drainMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}

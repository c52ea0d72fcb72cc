import { isIP } from 'node:net';
import { describe, NighError } from '../core/errors.js';
import { integer, number, readParams, text } from '../core/params.js';
import { type AppOptions, buildApp } from './app.js';
import { addressOf, isLoopback } from './loopback.js';
import type { ServiceApp } from './type-provider.js';

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
  /** Readiness off, no new connections, requests under way answered. The same promise every time. */
  close(): Promise<void>;
  /** Settles when the service has stopped, for whatever reason. */
  readonly closed: Promise<void>;
}

const listening = {
  host: text({ default: '127.0.0.1' }),
  port: integer({ min: 0, max: 65_535, default: 8080 }),
  drainMs: number({ min: 0, default: 10_000 }),
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
 * without a token; UNKNOWN_OPTION; ABORTED
 */
export async function serve(options: ServeOptions): Promise<RunningService> {
  const { collections, logger = false, signal, token: givenToken, ...rest } = options;
  const { host, port, drainMs } = readParams(listening, rest, '');
  const address = await addressOf(host);
  const token = givenToken ?? (isLoopback(address) ? undefined : process.env.NIGH_TOKEN);
  if (token === '') throw new NighError('INVALID_ARGUMENT', 'token: NIGH_TOKEN is empty; an empty token is no token.');
  if (token === undefined && !isLoopback(address)) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `host: others can connect to ${JSON.stringify(host)}, so reads need a token: set NIGH_TOKEN, or listen on 127.0.0.1.`,
    );
  }
  if (signal?.aborted) throw new NighError('ABORTED', 'serve: aborted before it listened.', { cause: signal.reason });
  const app = await buildApp({ collections, logger, ...(token === undefined ? {} : { token }) });
  const bound = await listen(app, address, port);
  return running(app, { host: address, port: bound, drainMs, ...(signal === undefined ? {} : { signal }) });
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
  app: ServiceApp,
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
  return { url, host, port, close, closed, [Symbol.asyncDispose]: close };
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

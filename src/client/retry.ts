/** Which failures are worth another try, and when. */
import { ServiceError } from './problem.js';

/** Nobody answered, or the service says that it could soon: overloaded, stopping, too many requests of ours, a gateway without it. */
const passing = new Set([0, 429, 502, 503]);

export interface RetryOptions {
  /** Further tries after the first, 0 or more. */
  readonly retries: number;
  /** The first pause, in milliseconds; each is up to twice as long as the one before. */
  readonly backOffMs: number;
}

/**
 * Tries until one succeeds, fails for good, or there have been enough. Pauses are random up to a bound that doubles ("full jitter"), so
 * that callers who failed together do not return together; a pause that the service asks for is kept.
 * @param attempt fails with the pause that the service asked for, in milliseconds, beside the error
 */
export async function withRetries<T>(
  { retries, backOffMs }: RetryOptions,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tried = 0; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      const again = error instanceof RetryLater ? error : undefined;
      if (again === undefined) throw error;
      if (tried >= retries || signal?.aborted || !passing.has(again.error.httpStatus)) throw again.error;
      const pause = Math.max(again.afterMs ?? 0, Math.random() * backOffMs * 2 ** tried);
      await sleep(pause, signal);
    }
  }
}

/** A failure, and how long the service asks to wait. Never leaves this folder. */
export class RetryLater extends Error {
  constructor(
    readonly error: ServiceError,
    readonly afterMs: number | undefined,
  ) {
    super(error.message);
  }
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(new ServiceError('ABORTED', 'The request was aborted.', { httpStatus: 0, cause: signal?.reason }));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

import { setMaxListeners } from 'node:events';
import { NighError } from './errors.js';

/** @throws NighError ABORTED once the signal has fired; its reason is the cause */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new NighError('ABORTED', 'The operation was aborted.', { cause: signal.reason });
}

/**
 * Calls back once if the signal fires; the function that it gives takes that back. One signal may stop any number of tasks at once,
 * which Node would call a leak from the eleventh on, so its limit of listeners is lifted.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined) return () => {};
  setMaxListeners(0, signal);
  signal.addEventListener('abort', callback, { once: true });
  return () => signal.removeEventListener('abort', callback);
}

/** Lets the event loop run, then checks the signal: for long loops in JavaScript, every few milliseconds. @throws NighError ABORTED */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  throwIfAborted(signal);
}

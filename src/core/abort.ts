import { NighError } from './errors.js';

/** @throws NighError ABORTED once the signal has fired; its reason is the cause */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new NighError('ABORTED', 'The operation was aborted.', { cause: signal.reason });
}

/** Lets the event loop run, then checks the signal: for long loops in JavaScript, every few milliseconds. */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  throwIfAborted(signal);
}

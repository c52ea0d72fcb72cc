import { isErrorCode, NighError } from '../core/errors.js';

/**
 * A native failure as a NighError of the same code. Made where the call was made, so its stack is that of the caller;
 * the native error is its cause. What already is a NighError passes; what has no known code is INTERNAL.
 */
export function fromNative(error: unknown): NighError {
  if (error instanceof NighError) return error;
  if (!(error instanceof Error)) return new NighError('INTERNAL', 'The native core threw no error.', { cause: error });
  const code = 'code' in error ? error.code : undefined;
  return new NighError(isErrorCode(code) ? code : 'INTERNAL', error.message, { cause: error });
}

/** Calls the addon; what it throws comes out as a NighError. */
export function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}

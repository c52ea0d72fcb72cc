import { expect } from 'vitest';
import type { ErrorCode } from '../../../src/core/errors.js';

/** Matches a NighError of a code whose message has all of these texts in it. */
export function nighError(code: ErrorCode, ...texts: string[]): unknown {
  return expect.toSatisfy(
    (error: { name?: unknown; code?: unknown; message?: unknown }) =>
      error.name === 'NighError' && error.code === code && texts.every((text) => String(error.message).includes(text)),
    `a NighError ${code} with ${texts.map((text) => JSON.stringify(text)).join(', ')}`,
  );
}

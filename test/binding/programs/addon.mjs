// The addon and a small matrix, for the programs that the tests of this folder run in processes of their own.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export const addon = createRequire(import.meta.url)('node-gyp-build')(root);

/**
 * Small whole numbers: the same distances on every instruction set.
 * @param {number} rows
 * @param {number} dim
 */
export function wholeNumbers(rows, dim) {
  let state = 12345;
  return Float32Array.from({ length: rows * dim }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return ((state >>> 16) % 15) - 7;
  });
}

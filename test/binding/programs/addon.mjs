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

/**
 * @param {Float32Array} data
 * @param {number} dim
 * @param {string} metric
 */
export function buildFlat(data, dim, metric) {
  return addon.NativeIndex.buildFlat(data, data.length / dim, dim, null, metric, 'sq8', null);
}

/**
 * @param {Float32Array} data
 * @param {number} dim
 * @param {string} metric
 * @param {number} threads
 */
export function buildHnsw(data, dim, metric, threads) {
  const questions = new Float32Array();
  const rows = data.length / dim;
  return addon.NativeIndex.buildHnsw(
    data,
    rows,
    dim,
    null,
    metric,
    16,
    100,
    1.1,
    7,
    'none',
    questions,
    0,
    threads,
    null,
  );
}

/**
 * What a search is told: see SearchSettings in src/binding/native.ts.
 * @param {number} k
 * @param {number} efSearch
 */
export function settings(k, efSearch) {
  return Float64Array.of(k, efSearch, 2, 0, 0, Number.POSITIVE_INFINITY);
}

/** What every engine checks of a search before it begins. Read at each search, so it allocates little. */
import { invalidArgument, NighError } from '../core/errors.js';
import { isFloat32Array, isUint8Array, type Vector } from '../core/matrix.js';
import { refuseUnknownKeys } from '../core/params.js';
import { type BatchOptions, isBitMetric, type MetricName, type SearchOptions } from './vector-index.js';

const searchKeys = ['filter', 'efSearch', 'recall', 'refineFactor', 'exact', 'within', 'signal'];
const batchKeys = [...searchKeys, 'threads', 'onProgress'];

/** @throws NighError INVALID_ARGUMENT */
export function requireK(k: number): void {
  if (!Number.isSafeInteger(k) || k < 1) throw invalidArgument('k', 'an integer of at least 1', k);
}

/** @throws NighError INVALID_ARGUMENT */
export function requireQuery(metric: MetricName, query: Vector): void {
  if (isBitMetric(metric)) {
    if (!isUint8Array(query)) throw invalidArgument('query', `a Uint8Array under ${metric}`, query);
  } else if (!isFloat32Array(query)) {
    throw invalidArgument('query', 'a Float32Array', query);
  }
}

/** @throws NighError DIMENSION_MISMATCH */
export function requireDim(name: string, dim: number, expected: number): void {
  if (dim !== expected) {
    throw new NighError('DIMENSION_MISMATCH', `${name}: expected vectors of ${expected} values, got ${dim}.`);
  }
}

/** @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function checkSearchOptions(options: SearchOptions): void {
  requireObject(options);
  for (const key in options) {
    if (!searchKeys.includes(key)) refuseUnknownKeys({ ...options }, searchKeys, '');
  }
  check(options);
}

/** @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT */
export function checkBatchOptions(options: BatchOptions): void {
  requireObject(options);
  for (const key in options) {
    if (!batchKeys.includes(key)) refuseUnknownKeys({ ...options }, batchKeys, '');
  }
  check(options);
  const { threads, onProgress } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 0 && threads <= 1024)) {
    throw invalidArgument('threads', 'an integer from 0 to 1024', threads);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalidArgument('onProgress', 'a function', onProgress);
  }
}

function requireObject(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
}

function check(options: SearchOptions): void {
  const { efSearch, recall, refineFactor, exact, within, signal } = options;
  if (efSearch !== undefined && !(Number.isSafeInteger(efSearch) && efSearch >= 1)) {
    throw invalidArgument('efSearch', 'an integer of at least 1', efSearch);
  }
  if (recall !== undefined) {
    if (!(typeof recall === 'number' && recall > 0 && recall < 1)) {
      throw invalidArgument('recall', 'a number above 0 and below 1', recall);
    }
    if (efSearch !== undefined) {
      throw new NighError('INVALID_ARGUMENT', 'recall: expected only one of efSearch and recall, got both.');
    }
  }
  if (within !== undefined && !(typeof within === 'number' && !Number.isNaN(within))) {
    throw invalidArgument('within', 'a distance', within);
  }
  if (refineFactor !== undefined && !(Number.isSafeInteger(refineFactor) && refineFactor >= 1)) {
    throw invalidArgument('refineFactor', 'an integer of at least 1', refineFactor);
  }
  if (exact !== undefined && typeof exact !== 'boolean') throw invalidArgument('exact', 'true or false', exact);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidArgument('signal', 'an AbortSignal', signal);
}

/** @throws NighError INVALID_ARGUMENT */
export function requirePath(path: unknown): asserts path is string {
  if (typeof path !== 'string' || path === '' || path.includes('\0'))
    throw invalidArgument('path', 'a file path', path);
}

import { invalidArgument, NighError } from '../core/errors.js';

/** Marks an empty place in a batch answer, so no vector can have it as its id. */
export const noId = 0xffffffff;

/** Ids as a Uint32Array, or anything that yields them as numbers. */
export type Ids = Uint32Array | Iterable<number>;

/**
 * Ids as a Uint32Array: the array itself, or a new one from an iterable of integers.
 * @throws NighError INVALID_ARGUMENT
 */
export function toIds(name: string, ids: unknown): Uint32Array {
  if (ArrayBuffer.isView(ids) && ids instanceof Uint32Array) return ids;
  if (!isIterable(ids)) throw invalidArgument(name, 'a Uint32Array or an iterable of integers', ids);
  const list = listed(name, ids);
  const out = new Uint32Array(list.length);
  for (let i = 0; i < list.length; i++) {
    const id = list[i];
    if (!isUint32(id)) throw invalidArgument(`${name}[${i}]`, 'an integer from 0 to 4294967295', id);
    out[i] = id;
  }
  return out;
}

function listed(name: string, ids: Iterable<unknown>): unknown[] {
  try {
    return Array.from(ids);
  } catch (cause) {
    throw new NighError('INVALID_ARGUMENT', `${name}: expected ids, got an iterable that fails.`, { cause });
  }
}

/** Whether a value is an integer from 0 to 2^32 − 1. */
export function isUint32(value: unknown): value is number {
  return typeof value === 'number' && value >>> 0 === value;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

/** Tables of parameters that are each given every hostile value: what is fine goes through, and all else is the caller's mistake by name. */
import { expect } from 'vitest';
import { NighError } from '../../src/core/errors.js';
import { hostileValues } from './hostile-values.js';

/** What a caller's mistake may be called. */
export const mistakes = ['INVALID_ARGUMENT', 'DIMENSION_MISMATCH', 'UNKNOWN_OPTION', 'NOT_FINITE', 'OUT_OF_MEMORY'];

/** A place for a value in a call of something on `Target`. */
export interface Parameter<Target> {
  readonly call: (target: Target, value: unknown) => unknown;
  /** Names of hostile values that are as good as any here. */
  readonly fine?: readonly string[];
  /** Names of those that may be as good. */
  readonly perhaps?: readonly string[];
  /** What a mistake may be called here besides. */
  readonly codes?: readonly string[];
}

const anyNumber = ['zero', 'minus zero', 'one', 'minus one', 'one and a half', 'ten million', '2 ** 32', '2 ** 53'];
export const numbers = [...anyNumber, '1e308', 'the smallest number', 'infinity', 'minus infinity'];
export const left = ['undefined'];
export const anyObject = ['an object', 'an object without a prototype'];
/** Objects without a key of their own. */
export const bareObjects = ['an empty array', 'a date', 'a map', 'a promise', 'an ArrayBuffer', 'a DataView'];
export const emptyArrays = [
  'an empty Float32Array',
  'a detached Float32Array',
  'a detached Uint32Array',
  'an object with the prototype of Float32Array',
];
export const lists = ['an array', 'a Buffer', 'a Float64Array', 'an Int32Array', 'a Float32Array of another length'];
export const natural = ['one', 'ten million', '2 ** 32'];

/** Gives a parameter every hostile value. */
export async function expectOnlyMistakes<Target>(parameter: Parameter<Target>, target: Target): Promise<void> {
  const { call, fine = [], perhaps = [], codes = [] } = parameter;
  const outcomes: Record<string, string> = {};
  for (const [name, value] of Object.entries(hostileValues))
    outcomes[name] = await outcomeOf(() => call(target, value()));
  const good = new Set([...fine, ...perhaps]);
  const wrong = Object.entries(outcomes).filter(
    ([name, outcome]) =>
      !(mistakes.includes(outcome) || codes.includes(outcome) || (outcome === 'fine' && good.has(name))),
  );
  expect(wrong).toEqual([]);
  const missing = fine.filter((name) => outcomes[name] !== 'fine' && outcomes[name] !== 'OUT_OF_MEMORY');
  expect(missing).toEqual([]);
}

/** 'fine', the code of a NighError, or what else came. */
export async function outcomeOf(call: () => unknown): Promise<string> {
  try {
    await call();
    return 'fine';
  } catch (error) {
    return error instanceof NighError ? error.code : `not ours: ${String(error)}`;
  }
}

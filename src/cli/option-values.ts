/** Option values: checked while the command line is read, because a wrong one is wrong usage whatever the data. */
import { describe } from '../core/errors.js';
import { UsageError } from './errors.js';

/** A reader of whole numbers for commander. */
export function wholeNumber(option: string, min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^[+-]?\d+$/.test(value.trim()) || number < min || number > max) {
      throw new UsageError(
        'INVALID_ARGUMENT',
        `${option}: expected an integer from ${min} to ${max}, got ${describe(value)}.`,
      );
    }
    return number;
  };
}

/** A reader of numbers for commander; their range is checked where they are used. */
export function anyNumber(option: string): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (value.trim() === '' || !Number.isFinite(number)) {
      throw new UsageError('INVALID_ARGUMENT', `${option}: expected a number, got ${describe(value)}.`);
    }
    return number;
  };
}

/** Collects an option that may be given several times. */
export function repeated(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** Collects `name=number` options into an object; the numbers are checked where they are used. */
export function named(option: string): (value: string, previous?: Numbers) => Numbers {
  return (value, previous = {}) => {
    const parts = /^([^=]+)=(.+)$/.exec(value);
    const number = Number(parts?.[2]);
    if (parts === null || !Number.isFinite(number)) {
      throw new UsageError(
        'INVALID_ARGUMENT',
        `${option}: expected name=number, such as text=0.5, got ${describe(value)}.`,
      );
    }
    return { ...previous, [parts[1]!]: number };
  };
}

type Numbers = Readonly<Record<string, number>>;

/** The largest k of a query. */
export const largestK = 10_000;

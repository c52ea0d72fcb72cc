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

/** Collects an option that may be given several times. */
export function repeated(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** The largest k of a query. */
export const largestK = 10_000;

/**
 * Bootstrap intervals (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13: the percentile method): the statistic of many
 * samples drawn from the sample with replacement, and between which values the middle share of them lies.
 */
import { invalidArgument } from '../core/errors.js';
import { mulberry32 } from '../core/random.js';

export interface Interval {
  /** Of the sample itself. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** Samples drawn. Default 2,000. */
  readonly resamples?: number;
  /** Share of them between the bounds. Default .95. */
  readonly level?: number;
  /** Default 42. */
  readonly seed?: number;
}

/**
 * The mean difference of pairs, a[i] − b[i]: what one user's list gains or loses is compared with that user's other list, so that how different
 * users are does not blur it.
 * @throws NighError INVALID_ARGUMENT where the two differ in length or are empty
 */
export function pairedDifference(a: ArrayLike<number>, b: ArrayLike<number>, options: BootstrapOptions = {}): Interval {
  if (a.length !== b.length || a.length === 0) throw invalidArgument('b', `${a.length} values, at least one`, b.length);
  const differences = Float64Array.from(a, (value, i) => value - b[i]!);
  const mean = (draw: () => number) => {
    let sum = 0;
    for (let i = 0; i < differences.length; i++) sum += differences[draw()]!;
    return sum / differences.length;
  };
  return interval(inOrder(mean), (next) => mean(drawer(differences.length, next)), options);
}

/**
 * The ratio of two medians, of `after` to `before`, whose values have nothing to do with each other.
 * @throws NighError INVALID_ARGUMENT where one is empty
 */
export function medianRatio(
  before: ArrayLike<number>,
  after: ArrayLike<number>,
  options: BootstrapOptions = {},
): Interval {
  if (before.length === 0 || after.length === 0) throw invalidArgument('before', 'at least one value each', 0);
  const middle = (values: ArrayLike<number>, draw: () => number) => {
    const drawn = Float64Array.from({ length: values.length }, () => values[draw()]!).sort();
    return (drawn[(drawn.length - 1) >> 1]! + drawn[drawn.length >> 1]!) / 2;
  };
  const value = inOrder((draw) => middle(after, draw)) / inOrder((draw) => middle(before, draw));
  return interval(
    value,
    (next) => middle(after, drawer(after.length, next)) / middle(before, drawer(before.length, next)),
    options,
  );
}

/** A statistic of the sample itself: every value drawn once. */
function inOrder(statistic: (draw: () => number) => number): number {
  let at = 0;
  return statistic(() => at++);
}

function drawer(length: number, next: () => number): () => number {
  return () => Math.floor(next() * length);
}

function interval(
  value: number,
  resample: (next: () => number) => number,
  { resamples = 2000, level = 0.95, seed = 42 }: BootstrapOptions,
): Interval {
  const next = mulberry32(seed);
  const drawn = Float64Array.from({ length: resamples }, () => resample(next)).sort();
  const tail = (1 - level) / 2;
  return {
    value,
    low: drawn[Math.floor(tail * (resamples - 1))]!,
    high: drawn[Math.ceil((1 - tail) * (resamples - 1))]!,
  };
}

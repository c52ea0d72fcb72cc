/** How far predicted values are from the given ones. */
import { invalidArgument } from '../core/errors.js';

/** √(Σ (p − t)² / n), summed in double. NaN without a pair. @throws NighError INVALID_ARGUMENT when the lengths differ */
export function rmse(predicted: ArrayLike<number>, truth: ArrayLike<number>): number {
  return Math.sqrt(meanOver(predicted, truth, (difference) => difference * difference));
}

/** Σ |p − t| / n, summed in double. NaN without a pair. @throws NighError INVALID_ARGUMENT when the lengths differ */
export function mae(predicted: ArrayLike<number>, truth: ArrayLike<number>): number {
  return meanOver(predicted, truth, Math.abs);
}

function meanOver(
  predicted: ArrayLike<number>,
  truth: ArrayLike<number>,
  loss: (difference: number) => number,
): number {
  if (predicted.length !== truth.length) {
    throw invalidArgument('predicted', `${truth.length} values, one for every true one`, predicted);
  }
  let sum = 0;
  for (let i = 0; i < truth.length; i++) sum += loss(predicted[i]! - truth[i]!);
  return sum / truth.length;
}

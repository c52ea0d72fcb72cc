/** Speed and ratio at a wanted recall, from what the rounds measured. */
import { type MeasuredPoint, median, roundsAtRecall } from 'nigh/evaluation';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Null where a round does not reach the recall. */
export function speedAt(curve: readonly MeasuredPoint[], recall: number): Spread | null {
  return spread(roundsAtRecall(curve, recall));
}

/** Of one engine to another, round by round: both were measured within the same minutes. Null where one does not reach the recall. */
export function ratioAt(
  curve: readonly MeasuredPoint[],
  baseline: readonly MeasuredPoint[],
  recall: number,
): Spread | null {
  const other = roundsAtRecall(baseline, recall);
  return spread(roundsAtRecall(curve, recall).map((qps, round) => qps / other[round]!));
}

function spread(values: readonly number[]): Spread | null {
  if (values.length === 0 || values.some((value) => Number.isNaN(value))) return null;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

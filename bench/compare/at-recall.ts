/** Speed and ratio at a wanted recall, from what the rounds measured. */
import { median, qpsAtRecall } from '../measures.js';
import type { Point } from './contender.js';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** NaN in all three where a round does not reach the recall. */
export function speedAt(curve: readonly Point[], recall: number, queries: number): Spread {
  return spread(everyRound(curve, recall, queries));
}

/** Of one engine to another, round by round: both were measured within the same minutes. */
export function ratioAt(curve: readonly Point[], baseline: readonly Point[], recall: number): Spread {
  const other = everyRound(baseline, recall, 1);
  return spread(everyRound(curve, recall, 1).map((qps, round) => qps / other[round]!));
}

function everyRound(curve: readonly Point[], recall: number, queries: number): number[] {
  const rounds = curve[0]?.seconds.length ?? 0;
  return Array.from({ length: rounds }, (_, round) =>
    qpsAtRecall(
      curve.map((point) => ({ recall: point.recall, qps: queries / point.seconds[round]! })),
      recall,
    ),
  );
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Figures of what was measured in rounds. */

/** The middle of some values, the mean of the middle two of an even number; NaN of none. */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** The value below which a share of the values lies, linear between the two around it; NaN of none. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return Number.NaN;
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

/**
 * Queries a second at a wanted recall: between the two efforts around it, log-linear in the time; NaN where the curve does not
 * reach it. Below the smallest effort, that effort's speed.
 * @param curve ascending by effort
 */
export function qpsAtRecall(
  curve: readonly { readonly recall: number; readonly qps: number }[],
  wanted: number,
): number {
  const after = curve.findIndex((point) => point.recall >= wanted);
  if (after === -1) return Number.NaN;
  const right = curve[after]!;
  const left = curve[after - 1];
  if (left === undefined) return right.qps;
  const share = (wanted - left.recall) / (right.recall - left.recall);
  return Math.exp(Math.log(left.qps) * (1 - share) + Math.log(right.qps) * share);
}

/** A curve of which every point was measured in the same rounds. */
export interface MeasuredPoint {
  readonly recall: number;
  /** Queries a second, one a round. */
  readonly rounds: readonly number[];
}

/** Queries a second at a wanted recall, read off the curve of every round by itself. */
export function roundsAtRecall(curve: readonly MeasuredPoint[], recall: number): number[] {
  const rounds = curve[0]?.rounds.length ?? 0;
  return Array.from({ length: rounds }, (_, round) =>
    qpsAtRecall(
      curve.map((point) => ({ recall: point.recall, qps: point.rounds[round]! })),
      recall,
    ),
  );
}

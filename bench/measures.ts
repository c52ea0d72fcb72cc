import type { Matrix, MetricName } from 'nigh/index';

/** The true neighbours of every query: rows × k distances in ascending order, of which the first counts[row] mean something. */
export interface Truth {
  readonly distances: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
}

/**
 * Mean share of the k true neighbours that was found, by distance: an id counts when its distance, computed here in double
 * precision, is no larger than that of the true k-th (with room for float32 rounding), so ties are no loss.
 */
export function recallByDistance(
  answers: readonly ArrayLike<number | bigint>[],
  truth: Truth,
  { base, queries, metric }: { readonly base: Matrix; readonly queries: Matrix; readonly metric: MetricName },
  k: number,
): number {
  let found = 0;
  let wanted = 0;
  answers.forEach((ids, q) => {
    const count = truth.counts[q]!;
    if (count === 0) return;
    const bound = truth.distances[q * k + count - 1]!;
    const room = 1e-5 * Math.max(1, Math.abs(bound));
    wanted += count;
    const distinct = new Set(Array.from(ids).slice(0, k));
    for (const id of distinct) {
      if (distanceOf(base, Number(id), queries, q, metric) <= bound + room) found++;
    }
  });
  return found / wanted;
}

/** Distance of base row `id` and query row `q`, in double precision, by the definitions of `MetricName`. */
export function distanceOf(base: Matrix, id: number, queries: Matrix, q: number, metric: MetricName): number {
  let dot = 0;
  let squares = 0;
  let baseSquares = 0;
  let querySquares = 0;
  for (let d = 0; d < base.dim; d++) {
    const x = base.data[id * base.dim + d]!;
    const y = queries.data[q * base.dim + d]!;
    dot += x * y;
    squares += (x - y) ** 2;
    baseSquares += x * x;
    querySquares += y * y;
  }
  if (metric === 'l2') return squares;
  return metric === 'ip' ? -dot : 1 - dot / Math.sqrt(baseSquares * querySquares);
}

/**
 * Queries a second at a wanted recall: between the two efforts around it, log-linear in the time; NaN where the curve does not
 * reach it. Below the smallest effort, that effort's speed.
 */
export function qpsAtRecall(curve: readonly { recall: number; qps: number }[], wanted: number): number {
  const after = curve.findIndex((point) => point.recall >= wanted);
  if (after === -1) return Number.NaN;
  const right = curve[after]!;
  const left = curve[after - 1];
  if (left === undefined) return right.qps;
  const share = (wanted - left.recall) / (right.recall - left.recall);
  return Math.exp(Math.log(left.qps) * (1 - share) + Math.log(right.qps) * share);
}

/** The middle of some values, the mean of the middle two of an even number; NaN of none. */
export function median(values: readonly number[]): number {
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

/** The point of a curve whose recall is nearest to the wanted one, the smaller effort of two alike; undefined of an empty curve. */
export function nearestPoint<Point extends { readonly recall: number }>(curve: readonly Point[], wanted: number) {
  let best: Point | undefined;
  for (const point of curve) {
    if (best === undefined || Math.abs(point.recall - wanted) < Math.abs(best.recall - wanted)) best = point;
  }
  return best;
}

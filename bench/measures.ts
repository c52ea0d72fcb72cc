import type { Matrix, MetricName } from 'nigh/index';

/** The true neighbours of every query: rows × width distances in ascending order, of which the first counts[row] mean something. */
export interface Truth {
  readonly distances: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
  readonly width: number;
}

/**
 * Mean share of the k true neighbours that was found, by distance, as ann-benchmarks.com defines it: an id among the first k counts when its
 * distance, computed here in double precision, is no larger than that of the true k-th (with room for float32 rounding), so ties
 * are no loss. An id that is given twice counts once.
 * @param k at most the width of the truth
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
    const count = Math.min(k, truth.counts[q]!);
    if (count === 0) return;
    const bound = truth.distances[q * truth.width + count - 1]!;
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

/** The point of a curve whose recall is nearest to the wanted one, the smaller effort of two alike; undefined of an empty curve. */
export function nearestPoint<Point extends { readonly recall: number }>(curve: readonly Point[], wanted: number) {
  let best: Point | undefined;
  for (const point of curve) {
    if (best === undefined || Math.abs(point.recall - wanted) < Math.abs(best.recall - wanted)) best = point;
  }
  return best;
}

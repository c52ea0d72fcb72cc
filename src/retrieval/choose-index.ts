import type { MetricName } from '../index/vector-index.js';

/**
 * Values (rows × dimensions) up to which an exact question takes no longer than twice one to a graph that finds .99 of the true neighbours, one at a
 * time on one thread: measured by `npm run bench -- crossover` (docs/decisions/0021-flat-or-graph.md). Under inner product a graph needs
 * more effort for that, and exact search holds out longer.
 */
export const mostScannedValues = { ip: 1_000_000, others: 500_000 } as const;
/** A row of fewer dimensions takes as long to compare as one of so many. */
const leastDim = 32;

/**
 * The kind of index that `kind: "auto"` of a recipe becomes: `flat`, which compares everything, up to `mostScannedValues`, and `hnsw` beyond. A
 * question to a graph takes hardly longer the more rows there are, one to all rows does, so that there is one crossing. The limit lies above it:
 * answers that are exact and no graph to build are worth some microseconds.
 * @param rows vectors
 * @param dim of each
 */
export function chooseIndexKind(rows: number, dim: number, metric: MetricName): 'flat' | 'hnsw' {
  const most = metric === 'ip' ? mostScannedValues.ip : mostScannedValues.others;
  return rows * Math.max(dim, leastDim) <= most ? 'flat' : 'hnsw';
}

import { median, quantile } from 'nigh/evaluation';
import type { BenchDataset } from '../datasets/dataset.js';
import { queryVectors } from '../datasets/dataset.js';
import { nearestPoint } from '../measures.js';
import type { Contender, Point } from './contender.js';
import { timed } from './curves.js';

/** What is measured at one effort only: that whose recall is nearest to the wanted one. */
export interface Nearest {
  readonly effort: number;
  readonly recall: number;
  /** What a promise costs: median of the asynchronous search, one in flight, less that of the synchronous one. */
  readonly asyncOverheadMicros: number | null;
  /** Queries a second of all queries in one call, a round. */
  readonly batch: { readonly threads: number; readonly rounds: number[] }[];
}

const asyncQueries = 500;

/** Of every contender in turn, the whole round repeated. */
export async function measureBatches(
  contenders: readonly Contender[],
  dataset: BenchDataset,
  k: number,
  wanted: number,
  repeats: number,
  threads: readonly number[],
): Promise<Map<string, Nearest>> {
  const vectors = queryVectors(dataset).slice(0, asyncQueries);
  const taken = contenders.map(({ spec, opened, curve }) => ({
    key: spec.key,
    opened,
    point: nearestPoint<Point>(curve, wanted)!,
    overheads: [] as number[],
    batch: opened.queryBatch === undefined ? [] : threads.map((count) => ({ threads: count, rounds: [] as number[] })),
  }));
  for (let round = 0; round < repeats; round++) {
    for (const { opened, point, overheads, batch } of taken) {
      opened.setEffort(point.effort);
      const { query, queryAsync, queryBatch } = opened;
      const asked = vectors.slice(0, point.queries);
      if (query !== undefined && queryAsync !== undefined) {
        const sync = await timed({ query }, asked, k);
        const later = await timed({ queryAsync }, asked, k);
        overheads.push(quantile(later.micros, 0.5) - quantile(sync.micros, 0.5));
      }
      for (const { threads: count, rounds } of batch) {
        const began = performance.now();
        await queryBatch!(dataset.queries, k, count);
        rounds.push(dataset.queries.rows / ((performance.now() - began) / 1000));
      }
    }
  }
  return new Map(
    taken.map(({ key, point, overheads, batch }) => [
      key,
      {
        effort: point.effort,
        recall: point.recall,
        asyncOverheadMicros: overheads.length === 0 ? null : median(overheads),
        batch,
      },
    ]),
  );
}

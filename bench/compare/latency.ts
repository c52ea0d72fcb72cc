import type { BenchDataset } from '../datasets/dataset.js';
import { median, nearestPoint, quantile } from '../measures.js';
import type { Contender } from './contender.js';
import { queryVectors } from './curves.js';

/** Microseconds of one query at a time, at the effort whose recall is nearest to the wanted one. */
export interface Latency {
  readonly effort: number;
  readonly recall: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** What a promise costs: median of the asynchronous search, one in flight, less that of the synchronous one. */
  readonly asyncOverhead: number | undefined;
  /** Queries a second in one call, by number of threads. */
  readonly batchQps: ReadonlyMap<number, number>;
}

/** Of every contender in turn, the whole round repeated; quantiles are over all queries of all rounds. */
export async function measureLatency(
  contenders: readonly Contender[],
  dataset: BenchDataset,
  k: number,
  wanted: number,
  repeats: number,
  batchThreads: readonly number[],
): Promise<Map<string, Latency>> {
  const vectors = queryVectors(dataset);
  const taken = contenders.map((contender) => ({
    contender,
    point: nearestPoint(contender.curve, wanted)!,
    sync: [] as number[],
    async: [] as number[],
    overheads: [] as number[],
    batch: new Map(batchThreads.map((threads) => [threads, [] as number[]])),
  }));
  for (let round = 0; round < repeats; round++) {
    for (const { contender, point, sync, async, overheads, batch } of taken) {
      const { opened } = contender;
      opened.setEffort(point.effort);
      const from = sync.length;
      for (const vector of vectors) {
        const began = performance.now();
        opened.query(vector, k);
        sync.push((performance.now() - began) * 1000);
      }
      if (opened.queryAsync !== undefined) {
        const asyncFrom = async.length;
        for (const vector of vectors) {
          const began = performance.now();
          await opened.queryAsync(vector, k);
          async.push((performance.now() - began) * 1000);
        }
        overheads.push(quantile(async.slice(asyncFrom), 0.5) - quantile(sync.slice(from), 0.5));
      }
      if (opened.queryBatch !== undefined) {
        for (const [threads, speeds] of batch) {
          const began = performance.now();
          await opened.queryBatch(dataset.queries, k, threads);
          speeds.push(dataset.queries.rows / ((performance.now() - began) / 1000));
        }
      }
    }
  }
  return new Map(
    taken.map(({ contender, point, sync, overheads, batch }) => [
      contender.key,
      {
        effort: point.effort,
        recall: point.recall,
        p50: quantile(sync, 0.5),
        p95: quantile(sync, 0.95),
        p99: quantile(sync, 0.99),
        asyncOverhead: overheads.length === 0 ? undefined : median(overheads),
        batchQps: new Map(
          [...batch].filter(([, speeds]) => speeds.length > 0).map(([threads, speeds]) => [threads, median(speeds)]),
        ),
      },
    ]),
  );
}

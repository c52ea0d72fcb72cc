import hnswlib from 'hnswlib-node';
import { median } from 'nigh/evaluation';
import { FlatIndex, type Matrix } from 'nigh/index';
import { type BenchDataset, firstRows, type PeerMetric, queryVectors, rowOf } from '../datasets/dataset.js';
import { readBandwidth } from '../machine.js';
import { say } from '../report/say.js';
import { exactNames } from './exact-names.js';

const hnswlibSpaces = { l2: 'l2', ip: 'ip', cosine: 'cosine' } as const;

/** Rows that the plain loop compares; its speed is scaled to all. */
const loopRows = 20_000;

export interface ExactSpeeds {
  /** Bytes a second of one thread reading memory in sequence. */
  readonly readBandwidth: number;
  /** Queries a second that this allows to a scan of float32 rows. */
  readonly limit: number;
  /** Queries a second by what was measured. */
  readonly speeds: { readonly what: string; readonly qps: number }[];
}

/** Exact search: ours one query at a time and batched, hnswlib-node's brute force, and a loop in JavaScript; rounds are interleaved. */
export async function measureExact(
  dataset: BenchDataset,
  k: number,
  repeats: number,
  threads: readonly number[],
): Promise<ExactSpeeds> {
  const { base, metric } = dataset;
  say('exact search');
  const bandwidth = readBandwidth();
  const limit = bandwidth / (base.rows * base.dim * 4);
  // About a tenth of a second a measurement at the limit: few queries on a large base.
  const single = queryVectors(dataset).slice(0, Math.max(3, Math.min(200, Math.ceil(limit / 10))));
  const batch = firstRows(dataset.queries, 1000);
  const flat = await FlatIndex.build(base, { metric });
  const brute = bruteForce(base, metric);
  const part = firstRows(base, loopRows);
  const runs: { what: string; queries: number; share: number; run: () => unknown; qps: number[] }[] = [
    {
      what: exactNames.single,
      queries: single.length,
      share: 1,
      run: () => single.map((query) => flat.searchSync(query, k)),
      qps: [],
    },
    ...threads.map((count) => ({
      what: exactNames.batch(count),
      queries: batch.rows,
      share: 1,
      run: () => flat.searchBatch(batch, k, { threads: count }),
      qps: [],
    })),
    {
      what: exactNames.peer,
      queries: single.length,
      share: 1,
      run: () => single.map((query) => brute.searchKnn(Array.from(query), k)),
      qps: [],
    },
    {
      what: `plain JavaScript loop (on ${part.rows.toLocaleString('en')} rows, scaled)`,
      queries: 3,
      share: part.rows / base.rows,
      run: () => single.slice(0, 3).map((query) => plainLoop(part, metric, query, k)),
      qps: [],
    },
  ];
  for (let round = 0; round <= repeats; round++) {
    for (const { queries, share, run, qps } of runs) {
      const began = performance.now();
      await run();
      // Round 0 is the warm-up.
      if (round > 0) qps.push((queries / ((performance.now() - began) / 1000)) * share);
    }
  }
  flat.close();
  return { readBandwidth: bandwidth, limit, speeds: runs.map(({ what, qps }) => ({ what, qps: median(qps) })) };
}

function bruteForce(base: Matrix, metric: PeerMetric) {
  const index = new hnswlib.BruteforceSearch(hnswlibSpaces[metric], base.dim);
  index.initIndex(base.rows);
  for (let r = 0; r < base.rows; r++) index.addPoint(Array.from(rowOf(base, r)), r);
  return index;
}

/** What one writes without a library: every distance, a sorted list of the best. */
function plainLoop({ data, rows, dim }: Matrix, metric: PeerMetric, query: Float32Array, k: number): number[] {
  const best: { id: number; distance: number }[] = [];
  let worst = Number.POSITIVE_INFINITY;
  for (let r = 0; r < rows; r++) {
    const at = r * dim;
    let sum = 0;
    if (metric === 'l2') {
      for (let d = 0; d < dim; d++) {
        const difference = data[at + d]! - query[d]!;
        sum += difference * difference;
      }
    } else {
      // Under cosine as for rows of unit length, which a user would have prepared.
      for (let d = 0; d < dim; d++) sum -= data[at + d]! * query[d]!;
    }
    if (sum >= worst && best.length === k) continue;
    best.push({ id: r, distance: sum });
    best.sort((a, b) => a.distance - b.distance);
    if (best.length > k) best.pop();
    worst = best.at(-1)!.distance;
  }
  return best.map(({ id }) => id);
}

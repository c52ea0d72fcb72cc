/**
 *     npm run bench -- shards [dataset] [--rows n] [--repeats 3]
 *
 * What a catalogue divided over machines would answer like: rows are dealt to shards, each with a graph of its own, every question is asked of
 * each, one at a time on one thread, and the answers are merged. Recall and the times of every search are measured; machines, replicas
 * and their queues are simulated from those times (simulate.ts). Shards larger than any that is measured are extrapolated: by so much a doubling
 * as the measured sizes differ.
 */
import { HnswIndex, type Matrix } from 'nigh/index';
import { queryVectors } from '../datasets/dataset.js';
import { recallByDistance } from '../measures.js';
import type { BenchOptions } from '../options.js';
import { say } from '../report/say.js';
import { decimal, textTable, whole } from '../report/text-table.js';
import { k, loadOne } from '../stress/subject.js';
import { groundTruth } from '../truth.js';
import { simulate } from './simulate.js';

const wantedRecall = 0.95;
const efforts = [10, 16, 24, 32, 48, 64, 96, 128];
const shardCounts = [1, 2, 4, 8];
/** What a machine of 64 GB can give to an index. */
const machineBytes = 48e9;
const cores = 8;
const plans = [10e6, 100e6, 1e9];

interface Measured {
  readonly shards: number;
  readonly rows: number;
  readonly efSearch: number;
  readonly recall: number;
  /** Milliseconds of every search of every shard. */
  readonly times: Float64Array;
  readonly bytesPerRow: number;
}

export async function shards(options: BenchOptions): Promise<void> {
  const dataset = await loadOne(options);
  const truth = await groundTruth(dataset, k);
  const vectors = queryVectors(dataset);
  const measured: Measured[] = [];
  for (const count of shardCounts) {
    const dealt = Array.from({ length: count }, (_, shard) => everyNth(dataset.base, count, shard));
    const indexes: HnswIndex[] = [];
    for (const { matrix, ids } of dealt) indexes.push(await HnswIndex.build(matrix, { metric: dataset.metric, ids }));
    const times = new Float64Array(vectors.length * count);
    let efSearch = 0;
    let recall = 0;
    for (efSearch of efforts) {
      const answers = vectors.map((vector, q) => {
        const found = indexes.map((index, shard) => {
          const from = performance.now();
          const { ids, distances } = index.searchSync(vector, k, { efSearch });
          times[q * count + shard] = performance.now() - from;
          return Array.from(ids, (id, n) => ({ id, distance: distances[n]! }));
        });
        const merged = found.flat().sort((a, b) => a.distance - b.distance || a.id - b.id);
        return merged.slice(0, k).map(({ id }) => id);
      });
      recall = recallByDistance(answers, truth, dataset, k);
      if (recall >= wantedRecall) break;
    }
    const rows = indexes[0]!.size;
    const bytesPerRow = indexes[0]!.memoryBytes / rows;
    for (const index of indexes) index.close();
    measured.push({ shards: count, rows, efSearch, recall, times, bytesPerRow });
    say(`${count} shards of ${rows} rows: recall ${recall.toFixed(3)} at efSearch ${efSearch}`);
  }
  process.stdout.write(
    `\n${dataset.name}, ${dataset.base.rows} × ${dataset.base.dim}, recall@${k} of the merged answer at least ${wantedRecall}; ms of one search of one shard\n${textTable(
      [
        'shards',
        'rows each',
        'efSearch',
        'recall',
        'p50',
        'p99',
        'slowest of a question, p50',
        'p99',
        'all of a question',
      ],
      measured.map(rowOfMeasured),
    )}`,
  );
  const largest = measured[0]!;
  const smallest = measured.at(-1)!;
  const perDoubling = (mean(largest.times) - mean(smallest.times)) / Math.log2(largest.rows / smallest.rows);
  const most = Math.floor(machineBytes / largest.bytesPerRow);
  const rows = plans.flatMap((items) => {
    const count = Math.ceil(items / most);
    const perShard = items / count;
    const grown = mean(largest.times) + perDoubling * Math.log2(perShard / largest.rows);
    const times = largest.times.map((time) => (time * grown) / mean(largest.times));
    return [1, 2, 3].flatMap((replicas) =>
      [0.3, 0.6].map((load) => {
        const { p50, p99, questionsPerSecond } = simulate({ shards: count, replicas, cores, load }, times, 1);
        return [
          ...[whole(items), whole(count), whole(perShard), whole(replicas), whole(count * replicas), `${load * 100} %`],
          ...[whole(questionsPerSecond), decimal(p50, 2), decimal(p99, 2)],
        ];
      }),
    );
  });
  process.stdout.write(
    `\nSimulated: machines of 64 GB and ${cores} cores, ${Math.round(largest.bytesPerRow)} bytes an item, ${perDoubling.toFixed(3)} ms a doubling; ms without the network\n${textTable(
      ['items', 'shards', 'rows each', 'replicas', 'machines', 'load', 'questions/s', 'p50', 'p99'],
      rows,
    )}`,
  );
}

function rowOfMeasured({ shards: count, rows, efSearch, recall, times }: Measured): string[] {
  const questions = times.length / count;
  const slowest = new Float64Array(questions);
  for (let q = 0; q < questions; q++) slowest[q] = Math.max(...times.subarray(q * count, (q + 1) * count));
  return [
    ...[whole(count), whole(rows), whole(efSearch), recall.toFixed(3)],
    ...[quantile(times, 0.5), quantile(times, 0.99), quantile(slowest, 0.5), quantile(slowest, 0.99)].map((ms) =>
      decimal(ms, 3),
    ),
    decimal(mean(times) * count, 3),
  ];
}

/** Rows shard, shard + count, … with their numbers as ids. */
function everyNth({ data, rows, dim }: Matrix, count: number, shard: number): { matrix: Matrix; ids: Uint32Array } {
  const ids = Uint32Array.from({ length: Math.ceil((rows - shard) / count) }, (_, n) => shard + n * count);
  const own = new Float32Array(ids.length * dim);
  for (const [n, id] of ids.entries()) own.set(data.subarray(id * dim, (id + 1) * dim), n * dim);
  return { matrix: { data: own, rows: ids.length, dim }, ids };
}

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

function quantile(values: Float64Array, share: number): number {
  return values.slice().sort()[Math.floor(share * (values.length - 1))]!;
}

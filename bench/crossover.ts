/**
 *     npm run bench -- crossover [--rows 200000] [--json file] [--repeats 5]
 *
 * Where a graph begins to pay: time of one question of exact search and of a graph at recall .95 and .99, for catalogues of 1,000 rows up and
 * several dimensions, both in turns. `kind: "auto"` of a recipe follows the rule that comes of it (src/retrieval/choose-index.ts), which the run prints
 * as measured beside the one that stands.
 */
import { median } from 'nigh/evaluation';
import { FlatIndex, HnswIndex } from 'nigh/index';
import { ruleText } from './crossover-rule.js';
import type { PeerMetric } from './datasets/dataset.js';
import { queryVectors } from './datasets/dataset.js';
import { Random } from './datasets/random.js';
import { type Machine, thisMachine } from './machine.js';
import { recallByDistance } from './measures.js';
import type { BenchOptions } from './options.js';
import { writeJson } from './report/json-file.js';
import { say } from './report/say.js';
import { decimal, textTable, whole } from './report/text-table.js';
import { groundTruth } from './truth.js';

const dims = [32, 128, 384];
const sizes = [1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000];
/** Rows × dimensions beyond which a metric is not measured: cosine is l2 of rows of length 1, and inner product crosses later than both. */
const mostValues: Record<PeerMetric, number> = { l2: Number.POSITIVE_INFINITY, cosine: 4e6, ip: 8e6 };
const metrics: readonly PeerMetric[] = ['l2', 'cosine', 'ip'];
const efforts = [4, 8, 10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512];
const wantedRecalls = [0.95, 0.99];
const k = 10;
const asked = 200;
const rowsACluster = 100;
const intrinsic = 16;
const noise = 0.2;
/** Milliseconds that a measured pass takes at least: shorter ones measure the clock and the garbage. */
const leastMs = 20;

export interface CrossoverPoint {
  readonly rows: number;
  readonly dim: number;
  readonly metric: string;
  /** Microseconds of one question of exact search. */
  readonly exactMicros: number;
  readonly buildSeconds: number;
  /** Of the graph, at the least effort that reaches the recall; null where none does. */
  readonly graph: readonly {
    readonly wanted: number;
    readonly effort: number;
    readonly micros: number;
    readonly ratio: number;
  }[];
}

export interface CrossoverResult {
  readonly format: 'nigh-bench-crossover';
  readonly version: 1;
  readonly createdAt: string;
  readonly machine: Machine;
  readonly points: readonly CrossoverPoint[];
}

export async function crossover({ rows: most = 200_000, repeats, json }: BenchOptions): Promise<void> {
  const points: CrossoverPoint[] = [];
  for (const metric of metrics) {
    for (const dim of dims) {
      const measured = sizes.filter((rows) => rows <= most && rows * dim <= mostValues[metric]);
      for (const rows of measured) {
        points.push(await measure(rows, dim, metric, repeats));
        say(`${metric}, ${dim} dimensions, ${rows} rows: ${decimal(points.at(-1)!.exactMicros)} µs exact`);
      }
      // Each time: a run that is ended early has written what it had.
      if (json !== undefined) await write(json, points);
    }
  }
  const heading = [
    'metric, dim',
    'rows',
    'exact µs',
    ...wantedRecalls.flatMap((wanted) => [`graph µs at ${wanted}`, '×']),
    'build s',
  ];
  const cells = points.map(({ metric, dim, rows, exactMicros, graph, buildSeconds }) => [
    ...[`${metric}, ${dim}`, whole(rows), decimal(exactMicros)],
    ...wantedRecalls.flatMap((wanted) => {
      const found = graph.find((each) => each.wanted === wanted);
      return [decimal(found?.micros), decimal(found?.ratio, 2)];
    }),
    decimal(buildSeconds, 2),
  ]);
  process.stdout.write(`\nOne question at a time on one thread; × is exact / graph\n${textTable(heading, cells)}`);
  process.stdout.write(`\n${await ruleText(points)}`);
}

function write(json: string, points: readonly CrossoverPoint[]): Promise<void> {
  return writeJson(json, {
    ...{ format: 'nigh-bench-crossover', version: 1, createdAt: new Date().toISOString(), machine: thisMachine() },
    points,
  } satisfies CrossoverResult);
}

async function measure(rows: number, dim: number, metric: PeerMetric, repeats: number): Promise<CrossoverPoint> {
  const { base, queries } = drawn(rows, dim);
  const dataset = {
    name: 'crossover',
    about: '',
    metric,
    base,
    queries,
    sha256: '',
    baseDigest: `${rows}-${dim}-${metric}-1`,
  };
  const truth = await groundTruth(dataset, k);
  const vectors = queryVectors(dataset);
  const flat = await FlatIndex.build(base, { metric });
  const began = performance.now();
  const index = await HnswIndex.build(base, { metric });
  const buildSeconds = (performance.now() - began) / 1000;
  const chosen = wantedRecalls.flatMap((wanted) => {
    const effort = efforts.find((efSearch) => {
      const answers = vectors.map((vector) => index.searchSync(vector, k, { efSearch }).ids);
      return recallByDistance(answers, truth, dataset, k) >= wanted;
    });
    return effort === undefined ? [] : [{ wanted, effort, times: [] as number[], ratios: [] as number[] }];
  });
  const exact: number[] = [];
  // Of a large catalogue a few questions take long enough.
  const scanned = vectors.slice(0, Math.max(20, Math.min(asked, Math.floor(2e8 / (rows * dim)))));
  const micros = (search: (vector: Float32Array) => unknown, over: readonly Float32Array[]) => {
    const from = performance.now();
    let count = 0;
    do {
      for (const vector of over) search(vector);
      count += over.length;
    } while (performance.now() - from < leastMs);
    return ((performance.now() - from) * 1000) / count;
  };
  for (let round = 0; round <= repeats; round++) {
    const scan = micros((vector) => flat.searchSync(vector, k), scanned);
    if (round > 0) exact.push(scan); // round 0 is the warm-up
    for (const { effort, times, ratios } of chosen) {
      const time = micros((vector) => index.searchSync(vector, k, { efSearch: effort }), vectors);
      if (round === 0) continue;
      times.push(time);
      ratios.push(scan / time);
    }
  }
  flat.close();
  index.close();
  return {
    ...{ rows, dim, metric, exactMicros: median(exact), buildSeconds },
    graph: chosen.map(({ wanted, effort, times, ratios }) => ({
      wanted,
      effort,
      micros: median(times),
      ratio: median(ratios),
    })),
  };
}

/** Thin clusters, a hundred rows each: centre + 16 directions, the same for all, + a little noise; queries follow the same law. */
function drawn(rows: number, dim: number) {
  const random = new Random(rows + dim);
  const clusters = Math.max(10, Math.round(rows / rowsACluster));
  const centres = Float32Array.from({ length: clusters * dim }, () => random.normal());
  const directions = Float32Array.from({ length: intrinsic * dim }, () => random.normal() / 4);
  const draw = (count: number) => {
    const data = new Float32Array(count * dim);
    for (let r = 0; r < count; r++) {
      const centre = random.below(clusters) * dim;
      const shares = Array.from({ length: intrinsic }, () => random.normal());
      for (let d = 0; d < dim; d++) {
        let value = centres[centre + d]! + noise * random.normal();
        for (let i = 0; i < intrinsic; i++) value += shares[i]! * directions[i * dim + d]!;
        data[r * dim + d] = value;
      }
    }
    return { data, rows: count, dim };
  };
  return { base: draw(rows), queries: draw(asked) };
}

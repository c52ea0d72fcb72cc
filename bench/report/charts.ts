/** The charts of a result, as Vega-Lite specifications. */
import { type BenchmarkResult, type DatasetResult, type EngineResult, median } from 'nigh/evaluation';
import type { CrossoverResult } from '../crossover.js';

type Result = DatasetResult;

const width = 560;
const height = 340;
const colour = { field: 'engine', type: 'nominal', sort: null, title: null };

/** Median time of one query against recall, one line an engine: only points that no other effort of the engine beats in both. */
export function latencyChart({ dataset, engines }: Result, k: number): object {
  const values = engines.flatMap(({ name, curve }) =>
    paretoFront(curve).map(({ recall, p50, effort }) => ({ engine: name, recall, p50, effort })),
  );
  return {
    title: `${dataset.name}: time of a query (p50) against recall@${k}`,
    ...{ width, height },
    data: { values: values.filter(({ recall }) => recall >= leastRecall(engines)) },
    mark: { type: 'line', point: { size: 40 } },
    encoding: {
      x: { field: 'recall', type: 'quantitative', scale: { zero: false }, title: `recall@${k} →` },
      y: { field: 'p50', type: 'quantitative', scale: { type: 'log' }, title: 'µs, one thread (log), ← faster' },
      color: colour,
      order: { field: 'recall', type: 'quantitative' },
    },
  };
}

/** Queries a second against recall. */
export function speedChart({ dataset, engines }: Result, k: number): object {
  const values = engines.flatMap(({ name, curve }) =>
    curve.map(({ recall, rounds, effort }) => ({ engine: name, recall, qps: median(rounds), effort })),
  );
  return {
    title: `${dataset.name}: ${dataset.rows.toLocaleString('en')} × ${dataset.dim}, ${dataset.metric}`,
    ...{ width, height },
    data: { values: values.filter(({ recall }) => recall >= leastRecall(engines)) },
    mark: { type: 'line', point: { size: 40 } },
    encoding: {
      x: { field: 'recall', type: 'quantitative', scale: { zero: false }, title: `recall@${k}` },
      y: { field: 'qps', type: 'quantitative', scale: { type: 'log' }, title: 'queries a second, one thread' },
      color: colour,
      order: { field: 'effort', type: 'quantitative' },
    },
  };
}

export function buildChart({ dataset, engines }: Result): object {
  const values = engines.flatMap(({ name, builds }) =>
    builds.map(({ seconds, threads }) => ({
      engine: name,
      seconds,
      threads: `${threads} thread${threads === 1 ? '' : 's'}`,
    })),
  );
  return {
    title: `${dataset.name}: build`,
    ...{ width: width / 2, height: { step: 14 } },
    data: { values },
    mark: 'bar',
    encoding: {
      y: { field: 'engine', type: 'nominal', sort: null, title: null },
      yOffset: { field: 'threads', type: 'nominal' },
      x: { field: 'seconds', type: 'quantitative', title: 'seconds' },
      color: { field: 'threads', type: 'nominal', title: null },
    },
  };
}

export function memoryChart({ dataset, engines }: Result): object {
  const values = engines.flatMap(({ name, bytesPerVector, memoryPerVector, builds }) => [
    { engine: name, what: 'file', bytes: bytesPerVector },
    ...(memoryPerVector === null ? [] : [{ engine: name, what: 'in memory', bytes: memoryPerVector }]),
    { engine: name, what: 'most while building', bytes: builds[0]!.peakBytes / dataset.rows },
  ]);
  return {
    title: `${dataset.name}: bytes a vector (its float32 values are ${dataset.dim * 4})`,
    ...{ width: width / 2, height: { step: 14 } },
    data: { values },
    mark: 'bar',
    encoding: {
      y: { field: 'engine', type: 'nominal', sort: null, title: null },
      yOffset: { field: 'what', type: 'nominal', sort: null },
      x: { field: 'bytes', type: 'quantitative', title: 'bytes a vector' },
      color: { field: 'what', type: 'nominal', sort: null, title: null },
    },
  };
}

/** Undefined where no filters were asked. */
export function filterChart({ dataset, engines }: Result): object | undefined {
  const values = engines.flatMap(({ name, filtered }) =>
    filtered.map(({ share, recall, p50 }) => ({ engine: name, share, recall, p50 })),
  );
  if (values.length === 0) return undefined;
  const x = {
    field: 'share',
    type: 'quantitative',
    scale: { type: 'log', reverse: true },
    title: 'share of rows that are allowed',
  };
  const line = { type: 'line', point: true };
  return {
    title: `${dataset.name}: under a filter`,
    data: { values },
    hconcat: [
      {
        ...{ width: width / 2, height: height / 2, mark: line },
        encoding: {
          x,
          color: colour,
          y: { field: 'p50', type: 'quantitative', scale: { type: 'log' }, title: 'µs, p50' },
        },
      },
      {
        ...{ width: width / 2, height: height / 2, mark: line },
        encoding: {
          x,
          color: colour,
          y: { field: 'recall', type: 'quantitative', scale: { domain: [0, 1] }, title: 'recall' },
        },
      },
    ],
  };
}

/** Undefined where changes were not measured. */
export function churnChart({ dataset, changes }: Result): object | undefined {
  if (changes === null) return undefined;
  const values = changes.refilled.flatMap(({ effort, fresh, refilled }) => [
    { effort, recall: fresh, index: 'fresh' },
    { effort, recall: refilled, index: 'half deleted and put in again' },
  ]);
  return {
    title: `${dataset.name}, ${changes.rows.toLocaleString('en')} rows: recall after changes`,
    ...{ width: width / 2, height: height / 2 },
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'effort', type: 'quantitative', scale: { type: 'log', base: 2 }, title: 'efSearch' },
      y: { field: 'recall', type: 'quantitative', scale: { zero: false }, title: 'recall@10' },
      color: { field: 'index', type: 'nominal', sort: null, title: null },
    },
  };
}

/** Of every dataset how many times as fast as the baseline at recall .95: what one looks at first. */
export function ratioChart({ datasets }: BenchmarkResult): object {
  const values = datasets.flatMap(({ dataset, engines, baseline }) =>
    engines.flatMap(({ key, name, atRecall }) => {
      const ratio = atRecall.find(({ recall }) => recall === 0.95)?.ratio;
      return key === baseline || ratio === null || ratio === undefined
        ? []
        : [{ dataset: dataset.name, engine: name, ratio: ratio.median }];
    }),
  );
  const baseline = datasets[0]?.engines.find(({ key }) => key === datasets[0]!.baseline)?.name ?? '';
  return {
    title: `Speed at recall .95, in multiples of ${baseline} in the same rounds`,
    ...{ width, height: { step: 12 } },
    data: { values },
    layer: [
      { mark: 'bar', encoding: { color: colour } },
      { data: { values: [{ one: 1 }] }, mark: { type: 'rule', strokeDash: [4, 4] }, encoding: { x: { datum: 1 } } },
    ],
    encoding: {
      y: { field: 'dataset', type: 'nominal', sort: null, title: null },
      yOffset: { field: 'engine', type: 'nominal', sort: null },
      x: { field: 'ratio', type: 'quantitative', title: '×' },
    },
  };
}

/** Exact search against a graph at recall .95, by the values that a scan reads. */
export function crossoverChart({ points }: CrossoverResult): object {
  const values = points
    .filter(({ metric }) => metric === 'l2')
    .flatMap(({ rows, dim, exactMicros, graph }) => {
      const found = graph.find(({ wanted }) => wanted === 0.95);
      const each = { rows, dimensions: `${dim} dimensions` };
      return [
        { ...each, micros: exactMicros, search: 'exact' },
        ...(found === undefined ? [] : [{ ...each, micros: found.micros, search: 'graph at recall .95' }]),
      ];
    });
  return {
    title: 'Time of a question: exact search and a graph',
    ...{ width, height },
    data: { values },
    mark: { type: 'line', point: { size: 40 } },
    encoding: {
      x: { field: 'rows', type: 'quantitative', scale: { type: 'log' }, title: 'rows (log)' },
      y: { field: 'micros', type: 'quantitative', scale: { type: 'log' }, title: 'µs, one thread (log)' },
      color: { field: 'dimensions', type: 'nominal', sort: null, title: null },
      strokeDash: { field: 'search', type: 'nominal', sort: null, title: null },
    },
  };
}

/** Points that no other point of the curve beats in recall and in time. */
export function paretoFront<Point extends { readonly recall: number; readonly p50: number }>(
  curve: readonly Point[],
): Point[] {
  return curve.filter(({ recall, p50 }) =>
    curve.every((other) => !(other.recall >= recall && other.p50 <= p50 && (other.recall > recall || other.p50 < p50))),
  );
}

/** What lies below tells nothing of a choice and squeezes the rest. */
function leastRecall(engines: readonly EngineResult[]): number {
  const best = Math.max(...engines.flatMap(({ curve }) => curve.map(({ recall }) => recall)));
  return Math.min(0.6, best - 0.2);
}

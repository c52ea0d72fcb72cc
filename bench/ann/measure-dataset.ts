import { cpus } from 'node:os';
import { type DatasetResult, type EngineResult, quantile } from 'nigh/evaluation';
import { algorithm } from '../algorithms/registry.js';
import { builtIndexes } from '../builds.js';
import { type BenchDataset, digestOfRows, firstRows, loadDataset } from '../datasets/dataset.js';
import { findDataset } from '../datasets/registry.js';
import { watchOthers } from '../machine.js';
import { say } from '../report/say.js';
import { measureRefilled } from '../stress/churn.js';
import { measureWriting } from '../stress/insert.js';
import { groundTruth } from '../truth.js';
import { ratioAt, speedAt } from './at-recall.js';
import { measureBatches } from './batches.js';
import type { Contender } from './contender.js';
import { measureCurves, wantedRecalls } from './curves.js';
import { measureExact } from './exact.js';
import { measureFiltered } from './filtered.js';
import type { Grid, GridDataset } from './grid.js';
import { measureOpenings } from './openings.js';

export const k = 10;
const nearestRecall = 0.95;
/** Of searching an idle index beside one that is written to, in all turns together. */
const idleSeconds = 5;

export interface BuildChoice {
  /** Keys of algorithms that are built though they are in the cache. */
  readonly rebuild: readonly string[];
  readonly buildsOnly: boolean;
}

/** Everything that a grid asks of one dataset; undefined where only what is missing is to be built. */
export async function measureDataset(
  wanted: GridDataset,
  grid: Grid,
  choice: BuildChoice,
): Promise<DatasetResult | undefined> {
  const { name, metric, rows } = wanted;
  const dataset = await loadDataset(await findDataset(wanted), { queries: grid.queries, rows });
  const { base, about, sha256, queries } = dataset;
  say(`${dataset.name}: ${base.rows} × ${base.dim}, ${dataset.metric}, ${queries.rows} queries. ${about}`);
  const contenders: Contender[] = [];
  const stillOpen = new Set<Contender['opened']>();
  const closeAll = () => {
    for (const opened of stillOpen) opened.close();
    stillOpen.clear();
  };
  try {
    for (const spec of wanted.algorithms) {
      const engine = await algorithm(spec);
      const built = await builtIndexes(
        spec,
        engine,
        dataset,
        { dataset: { name, metric }, rows },
        {
          threads: wanted.threads.filter((count) => count <= cpus().length),
          rebuild: choice.rebuild.includes(spec.key),
        },
      );
      for (const { seconds, threads, earlier, at } of built.builds) {
        say(`${engine.name}: ${seconds.toFixed(1)} s on ${threads}${earlier ? `, at ${at}` : ''}`);
      }
      if (choice.buildsOnly) continue;
      const opened = await engine.open(dataset, built.path, engine.openModes[0]);
      stillOpen.add(opened);
      contenders.push({ spec, algorithm: engine, built, opened, efforts: spec.efforts, curve: [], asked: [] });
    }
    if (choice.buildsOnly) return undefined;
    const measured = await measureOpen(contenders, dataset, wanted, grid);
    // The files of engines that are open cannot be forgotten by the system.
    closeAll();
    const opened = (cold: boolean) =>
      measureOpenings(contenders, measured.nearest, { name, metric }, { cold, times: grid.openings });
    const openings = { warm: await opened(false), cold: await opened(true) };
    const baseline = contenders.find(({ spec }) => spec.key === grid.baseline);
    return {
      dataset: {
        ...{ name: dataset.name, about, metric: dataset.metric, rows: base.rows, dim: base.dim },
        ...{ queries: queries.rows, sha256 },
      },
      othersCores: measured.othersCores,
      repeats: grid.repeats,
      baseline: baseline?.spec.key ?? null,
      engines: contenders.map((contender): EngineResult => {
        const { key } = contender.spec;
        const opening = openings.warm.get(key)!;
        return {
          ...figuresOf(contender, baseline, base.rows),
          opening,
          coldOpening: openings.cold.get(key)!,
          memoryPerVector: opening.memory === undefined ? null : opening.memory.searchedBytes / base.rows,
          nearest: measured.nearest.get(key)!,
          filtered: measured.filtered.get(key)!,
        };
      }),
      exact: measured.exact,
      changes: wanted.changes === 0 ? null : await measureChanges(dataset, wanted.changes),
    };
  } finally {
    closeAll();
  }
}

async function measureOpen(contenders: readonly Contender[], dataset: BenchDataset, wanted: GridDataset, grid: Grid) {
  const threads = [1, 2].filter((count) => count <= cpus().length);
  const truth = await groundTruth(dataset, Math.min(100, dataset.base.rows));
  const others = watchOthers();
  await measureCurves(contenders, dataset, truth, { k, ...grid });
  const nearest = await measureBatches(contenders, dataset, k, nearestRecall, grid.repeats, threads);
  const filtered = await measureFiltered(contenders, dataset, wanted.filters, nearest, k);
  const exact = wanted.exact ? await measureExact(dataset, k, grid.repeats, threads) : null;
  return { nearest, filtered, exact, othersCores: others() };
}

function figuresOf(
  { spec, algorithm: engine, built, curve, asked }: Contender,
  baseline: Contender | undefined,
  rows: number,
) {
  return {
    key: spec.key,
    name: engine.name,
    engine: spec.engine,
    version: engine.version(),
    parameters: engine.parameters,
    ours: engine.ours,
    effort: engine.effort ?? null,
    builds: [...built.builds],
    bytesPerVector: built.builds[0]!.fileBytes / rows,
    curve: curve.map(({ micros, queries: _, ...point }) => ({
      ...point,
      p50: quantile(micros, 0.5),
      p95: quantile(micros, 0.95),
      p99: quantile(micros, 0.99),
      p999: quantile(micros, 0.999),
    })),
    asked,
    atRecall: wantedRecalls.map((recall) => ({
      recall,
      qps: speedAt(curve, recall),
      ratio: baseline === undefined ? null : ratioAt(curve, baseline.curve, recall),
    })),
  };
}

/** On the first rows only: what is built here is thrown away, and a smaller index shows the same. */
async function measureChanges(dataset: BenchDataset, rows: number) {
  const base = firstRows(dataset.base, rows);
  const part = { ...dataset, base, baseDigest: digestOfRows(dataset.metric, base) };
  return {
    rows: base.rows,
    writing: await measureWriting(part, idleSeconds),
    refilled: await measureRefilled(part),
  };
}

import { cpus } from 'node:os';
import { type DatasetResult, type EngineResult, quantile } from 'nigh/evaluation';
import { algorithm } from '../algorithms/registry.js';
import { builtIndexes } from '../builds.js';
import { runChild } from '../children/child.js';
import { type BenchDataset, digestOfRows, firstRows, loadDataset } from '../datasets/dataset.js';
import { findDataset } from '../datasets/registry.js';
import { watchOthers } from '../machine.js';
import { say } from '../report/say.js';
import { measureRefilled } from '../stress/churn.js';
import { measureWriting } from '../stress/insert.js';
import { groundTruth } from '../truth.js';
import { ratioAt, speedAt } from './at-recall.js';
import { measureBatches } from './batches.js';
import { commit } from './commit.js';
import type { Contender } from './contender.js';
import { measureCurves, wantedRecalls, warmUp } from './curves.js';
import { measureExact } from './exact.js';
import { measureFiltered } from './filtered.js';
import type { GridAlgorithm, GridDataset, GridMeasures } from './grid.js';
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

/** An algorithm that could not take part on a dataset. */
interface LeftOut {
  readonly key: string;
  readonly why: string;
}

/**
 * Everything that a grid asks of one dataset; undefined where only what is missing is to be built. An engine that cannot be built, opened or asked
 * is left out, and the others are measured without it.
 */
export async function measureDataset(
  wanted: GridDataset,
  grid: GridMeasures,
  choice: BuildChoice,
): Promise<DatasetResult | undefined> {
  const at = new Date().toISOString();
  const { name, metric, rows } = wanted;
  const dataset = await loadDataset(await findDataset(wanted), { queries: grid.queries, rows });
  const { base, about, sha256, queries } = dataset;
  say(`${dataset.name}: ${base.rows} × ${base.dim}, ${dataset.metric}, ${queries.rows} queries. ${about}`);
  const stillOpen = new Set<Contender['opened']>();
  const closeAll = () => {
    for (const opened of stillOpen) opened.close();
    stillOpen.clear();
  };
  const leftOut: LeftOut[] = [];
  const contenders: Contender[] = [];
  try {
    for (const spec of wanted.algorithms) {
      const contender = await unlessItFails(spec.key, leftOut, () => enter(spec, dataset, wanted, choice));
      if (contender === undefined) continue;
      stillOpen.add(contender.opened);
      contenders.push(contender);
    }
    if (choice.buildsOnly) return undefined;
    const measured = await measureOpen(contenders, leftOut, dataset, wanted, grid);
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
      ...{ at, commit: commit(), leftOut },
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

/** Undefined of what fails, which is put down with the reason. */
async function unlessItFails<Result>(
  key: string,
  leftOut: LeftOut[],
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    say(`${key} is left out here: ${why}`);
    leftOut.push({ key, why });
    return undefined;
  }
}

/** Builds an engine's indexes or finds them, tries the searched one out in another process, and opens it. */
async function enter(
  spec: GridAlgorithm,
  dataset: BenchDataset,
  { name, metric, rows, threads }: GridDataset,
  choice: BuildChoice,
): Promise<Contender | undefined> {
  const engine = await algorithm(spec);
  const built = await builtIndexes(
    spec,
    engine,
    dataset,
    { dataset: { name, metric }, rows },
    {
      threads: (spec.threads ?? threads).filter((count) => count <= cpus().length),
      rebuild: choice.rebuild.includes(spec.key),
    },
  );
  for (const { seconds, cpuSeconds, threads: used, earlier, at } of built.builds) {
    const processor = cpuSeconds === null ? '' : `, ${cpuSeconds.toFixed(1)} of the processor`;
    say(`${engine.name}: ${seconds.toFixed(1)} s on ${used}${processor}${earlier ? `, at ${at}` : ''}`);
  }
  if (choice.buildsOnly) return undefined;
  // What ends a process here would end this one, and everybody's figures with it.
  const [mode] = engine.openModes;
  const effort = engine.leastEffort(k);
  await runChild({
    ...{ task: 'open', dataset: { name, metric }, algorithm: spec, path: built.path },
    ...{ mode: mode!, cold: false, effort, queries: 10 },
  });
  const opened = await engine.open(dataset, built.path, mode);
  return { spec, algorithm: engine, built, opened, efforts: spec.efforts, curve: [], asked: [] };
}

/** Takes those out of `contenders` that fail at the first queries. */
async function measureOpen(
  contenders: Contender[],
  leftOut: LeftOut[],
  dataset: BenchDataset,
  wanted: GridDataset,
  grid: GridMeasures,
) {
  const threads = [1, 2].filter((count) => count <= cpus().length);
  const truth = await groundTruth(dataset, Math.min(100, dataset.base.rows));
  const others = watchOthers();
  for (const contender of [...contenders]) {
    const isWarm = await unlessItFails(contender.spec.key, leftOut, async () => {
      await warmUp(contender, dataset, truth, { k, ...grid });
      return true;
    });
    if (!isWarm) contenders.splice(contenders.indexOf(contender), 1);
  }
  if (contenders.length === 0) throw new Error('there is no engine that can be measured');
  await measureCurves(contenders, dataset, { k, ...grid });
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

/**
 *     npm run bench -- <dataset> [options]
 *
 * Recall against speed of the engines on one dataset, in one run: builds in processes of their own, then all indexes open in this one
 * and asked in turn. bench/README.md says what is measured and what is not claimed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { simd } from 'nigh/index';
import type { OpenMode } from '../algorithms/algorithm.js';
import { algorithm, baselineKey, ourKeys } from '../algorithms/registry.js';
import { builtIndex } from '../builds.js';
import { writeWhole } from '../cache.js';
import { type OpenAnswer, runChild } from '../children/child.js';
import { type BenchDataset, loadDataset } from '../datasets/dataset.js';
import { watchOthers } from '../machine.js';
import { type BenchOptions, UsageError } from '../options.js';
import { recallChart } from '../report/chart.js';
import { resultOf } from '../report/result.js';
import { say } from '../report/say.js';
import { printTables } from '../report/tables.js';
import { groundTruth } from '../truth.js';
import type { Contender } from './contender.js';
import { measureCurves } from './curves.js';
import { measureExact } from './exact.js';
import { type Latency, measureLatency } from './latency.js';

const k = 10;
const latencyRecall = 0.95;
const queriesAfterOpening = 200;

export async function compare(options: BenchOptions): Promise<void> {
  const [source, ...others] = options.datasets;
  if (source === undefined || others.length > 0) throw new UsageError('a comparison takes one dataset');
  const { queries, rows, repeats } = options;
  const dataset = await loadDataset(source, { queries, rows });
  const { base, metric } = dataset;
  say(`${dataset.name}: ${base.rows} × ${base.dim}, ${metric}, ${dataset.queries.rows} queries. ${dataset.about}`);
  const truth = await groundTruth(dataset, k);
  const scratch = await mkdtemp(join(tmpdir(), 'nigh-bench-'));
  const contenders: Contender[] = [];
  try {
    for (const key of [...ourKeys, ...options.peers]) contenders.push(await contender(key, dataset, options, scratch));
    const othersCores = watchOthers();
    measureCurves(contenders, dataset, truth, k, repeats);
    const threads = [1, 2].filter((count) => count <= cpus().length);
    const latencies = await measureLatency(contenders, dataset, k, latencyRecall, repeats, threads);
    const busyCores = othersCores();
    const openings = await measureOpenings(contenders, latencies, source.name);
    const exact = await measureExact(dataset, k, repeats, threads);
    const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, simd: simd().level, node: process.version };
    const result = resultOf({
      dataset,
      k,
      repeats,
      machine,
      contenders,
      latencies,
      openings,
      exact,
      busyCores,
      baseline: baselineKey,
    });
    printTables(result);
    if (options.json !== undefined) await writeWhole(options.json, `${JSON.stringify(result, null, 2)}\n`);
    if (options.chart !== undefined) await writeWhole(options.chart, await recallChart(result));
  } finally {
    for (const { opened } of contenders) opened.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function contender(
  key: string,
  dataset: BenchDataset,
  options: BenchOptions,
  scratch: string,
): Promise<Contender> {
  const engine = await algorithm(key);
  const limits = { dataset: dataset.name, rows: options.rows };
  const build = (threads: number) =>
    builtIndex(key, engine, dataset, limits, { threads, rebuild: options.rebuild, scratch });
  const [first, ...rest] = options.buildThreads;
  say(`${engine.name}: building, or looking for an earlier build`);
  const built = await build(first!);
  say(`${engine.name}: ${built.earlier ? 'built earlier' : 'built'} in ${built.seconds.toFixed(1)} s`);
  const otherBuilds = [];
  if (engine.ours) for (const threads of rest) otherBuilds.push(await build(threads));
  const opened = await engine.open(dataset, built.path, engine.openModes[0]);
  return { key, algorithm: engine, built, otherBuilds, opened, curve: [], asked: [] };
}

/** Each opening in a process of its own, by contender and mode. */
async function measureOpenings(
  contenders: readonly Contender[],
  latencies: ReadonlyMap<string, Latency>,
  dataset: string,
): Promise<Map<string, Map<OpenMode, OpenAnswer>>> {
  const openings = new Map<string, Map<OpenMode, OpenAnswer>>();
  for (const { key, algorithm: engine, built } of contenders) {
    const modes = new Map<OpenMode, OpenAnswer>();
    for (const mode of engine.openModes) {
      const { effort } = latencies.get(key)!;
      const { path } = built;
      modes.set(
        mode,
        await runChild({ task: 'open', dataset, algorithm: key, path, mode, effort, queries: queriesAfterOpening }),
      );
    }
    openings.set(key, modes);
  }
  return openings;
}

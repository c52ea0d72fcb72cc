/**
 *     npm run bench -- [ann] [dataset or file …] [--grid name] [--full] [--algorithms key,…] [--json file [--merge]] [--html file]
 *
 * Recall against latency of every algorithm of a grid, on every dataset of it. bench/README.md says what is measured and how. Every dataset has
 * a process of its own: what ends that one leaves the others' figures as they are.
 */
import { existsSync } from 'node:fs';
import { type BenchmarkResult, readBenchmarkResult } from 'nigh/evaluation';
import { installedVersion } from '../algorithms/installed.js';
import { absence } from '../algorithms/registry.js';
import { writeWhole } from '../cache.js';
import { runChild } from '../children/child.js';
import { thisMachine } from '../machine.js';
import { type BenchOptions, UsageError } from '../options.js';
import { writeJson } from '../report/json-file.js';
import { say } from '../report/say.js';
import { tables } from '../report/tables.js';
import { targetsTable } from '../report/targets-table.js';
import { commit } from './commit.js';
import { changedGrid, type Grid, readGrid } from './grid.js';
import { k } from './measure-dataset.js';
import { mergedResult } from './merged-result.js';

export async function ann({ datasets, rows, json, ann: options }: BenchOptions): Promise<void> {
  const { queries, repeats, threads, algorithms, rebuild, buildsOnly } = options;
  const whole = wantedGrid(options.grid, { datasets, rows, queries, repeats, threads, algorithms });
  const { grid, skipped } = whatIsHere(whole);
  const measured: BenchmarkResult = {
    format: 'nigh-bench-ann',
    version: 1,
    createdAt: new Date().toISOString(),
    grid: grid.name,
    k,
    machine: thisMachine(),
    nigh: { version: installedVersion('nigh'), commit: commit() },
    skipped,
    failed: [],
    datasets: [],
  };
  const order = readGrid(options.grid).datasets.map(({ name }) => name);
  // Before anything is measured: a file that cannot be added to is to be known now.
  const before = options.merge ? await earlierResult(json) : undefined;
  let result = mergedResult(before, measured, order);
  for (const { key, why } of skipped) say(`${key} is left out: ${why}.`);
  for (const dataset of grid.datasets) {
    try {
      const task = { task: 'measure', dataset, grid: { ...grid, datasets: [] }, rebuild, buildsOnly } as const;
      const { result: found } = await runChild(task);
      if (found === null) continue;
      measured.datasets.push(found);
      process.stdout.write(`\n${tables(measured, found)}`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      say(`${dataset.name} failed: ${why}`);
      measured.failed!.push({ dataset: dataset.name, why });
    }
    result = mergedResult(before, measured, order);
    // After every dataset: a run that is ended early has written what it had.
    if (json !== undefined && !buildsOnly) await writeJson(json, result);
  }
  if (measured.failed!.length > 0) process.exitCode = 1;
  if (buildsOnly || result.datasets.length === 0) return;
  const reached = targetsTable(result);
  if (reached !== '') process.stdout.write(`\n${reached}`);
  if (options.html !== undefined) {
    const { htmlReport } = await import('../report/html.js');
    await writeWhole(options.html, await htmlReport(result));
  }
}

async function earlierResult(json: string | undefined): Promise<BenchmarkResult | undefined> {
  if (json === undefined) throw new UsageError('--merge adds to the file of --json, which is not given');
  return existsSync(json) ? readBenchmarkResult(json) : undefined;
}

function wantedGrid(name: string, changes: Parameters<typeof changedGrid>[1]): Grid {
  try {
    return changedGrid(readGrid(name), changes);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** The grid without what is not installed. */
function whatIsHere(grid: Grid): { readonly grid: Grid; readonly skipped: BenchmarkResult['skipped'] } {
  const why = new Map(
    grid.datasets.flatMap(({ algorithms }) => algorithms.map((spec) => [spec.key, absence(spec)] as const)),
  );
  const datasets = grid.datasets.map((dataset) => ({
    ...dataset,
    algorithms: dataset.algorithms.filter(({ key }) => why.get(key) === undefined),
  }));
  const skipped = [...why].flatMap(([key, reason]) => (reason === undefined ? [] : [{ key, why: reason }]));
  return { grid: { ...grid, datasets }, skipped };
}

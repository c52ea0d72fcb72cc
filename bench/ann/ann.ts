/**
 *     npm run bench -- [ann] [dataset or file …] [--grid name] [--full] [--algorithms key,…]
 *
 * Recall against latency of every algorithm of a grid, on every dataset of it. bench/README.md says what is measured and how.
 */
import { execFileSync } from 'node:child_process';
import type { BenchmarkResult } from 'nigh/evaluation';
import { installedVersion, repositoryFolder } from '../algorithms/installed.js';
import { absence } from '../algorithms/registry.js';
import { writeWhole } from '../cache.js';
import { thisMachine } from '../machine.js';
import { type BenchOptions, UsageError } from '../options.js';
import { say } from '../report/say.js';
import { tables } from '../report/tables.js';
import { changedGrid, type Grid, readGrid } from './grid.js';
import { k, measureDataset } from './measure-dataset.js';

export async function ann({ datasets, rows, json, ann: options }: BenchOptions): Promise<void> {
  const { queries, repeats, threads, algorithms } = options;
  const whole = wantedGrid(options.grid, { datasets, rows, queries, repeats, threads, algorithms });
  const { grid, skipped } = whatIsHere(whole);
  const result: BenchmarkResult = {
    format: 'nigh-bench-ann',
    version: 1,
    createdAt: new Date().toISOString(),
    grid: grid.name,
    k,
    machine: thisMachine(),
    nigh: { version: installedVersion('nigh'), commit: commit() },
    skipped,
    datasets: [],
  };
  for (const { key, why } of skipped) say(`${key} is left out: ${why}.`);
  for (const dataset of grid.datasets) {
    const measured = await measureDataset(dataset, grid, options);
    if (measured === undefined) continue;
    result.datasets.push(measured);
    process.stdout.write(`\n${tables(result, measured)}`);
    // After every dataset: a run that is ended early has written what it had.
    if (json !== undefined) await writeWhole(json, `${JSON.stringify(result, null, 1)}\n`);
  }
  if (options.html !== undefined && result.datasets.length > 0) {
    const { htmlReport } = await import('../report/html.js');
    await writeWhole(options.html, await htmlReport(result));
  }
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

/** Of the repository; null where git or its folder is not there. */
function commit(): string | null {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, {
        cwd: repositoryFolder(),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? '-dirty' : ''}`;
  } catch {
    return null;
  }
}

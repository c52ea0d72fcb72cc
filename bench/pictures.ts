/**
 *     npm run bench -- pictures [result.json …]
 *
 * What is made of results: the charts of the README, as docs/pictures/*.svg (of `ann` the speeds on the first dataset and the multiples of the
 * baseline on all, of `crossover` where a graph begins to pay), and beside the result of `ann` its report as HTML and the targets filled in, which are
 * printed too. Without files those of bench/results.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BenchmarkResult } from 'nigh/evaluation';
import { repositoryFolder } from './algorithms/installed.js';
import { writeWhole } from './cache.js';
import type { CrossoverResult } from './crossover.js';
import { type BenchOptions, UsageError } from './options.js';
import { crossoverChart, ratioChart, speedChart } from './report/charts.js';
import { htmlReport } from './report/html.js';
import { say } from './report/say.js';
import { svgOf } from './report/svg.js';
import { targetsMarkdown, targetsTable } from './report/targets-table.js';

export async function pictures({ results }: BenchOptions): Promise<void> {
  const kept = ['ann', 'crossover'].map((name) => join(repositoryFolder(), 'bench', 'results', `${name}.json`));
  const paths = results.length > 0 ? results : kept.filter((path) => existsSync(path));
  if (paths.length === 0) throw new UsageError('there is no result to make pictures of');
  for (const path of paths) {
    const result = JSON.parse(await readFile(path, 'utf8')) as BenchmarkResult | CrossoverResult;
    if (result.format === 'nigh-bench-crossover') {
      await write(picture('crossover'), `${await svgOf(crossoverChart(result))}\n`);
      continue;
    }
    const [first] = result.datasets;
    if (result.format !== 'nigh-bench-ann' || first === undefined) throw new UsageError(`${path} is no result`);
    await write(picture('recall-and-speed'), `${await svgOf(speedChart(first, result.k))}\n`);
    await write(picture('multiples'), `${await svgOf(ratioChart(result))}\n`);
    await write(`${path.replace(/\.json$/, '')}.html`, await htmlReport(result));
    await write(join(dirname(path), 'targets.md'), targetsMarkdown(result));
    process.stdout.write(targetsTable(result));
  }
}

function picture(name: string): string {
  return join(repositoryFolder(), 'docs', 'pictures', `${name}.svg`);
}

async function write(path: string, content: string): Promise<void> {
  await writeWhole(path, content);
  say(`wrote ${path}`);
}

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { NighError } from '../../core/errors.js';
import type { BenchmarkChange } from '../../evaluation/benchmark/compare.js';
import type { CollectionTuning, IndexTrial } from '../../evaluation/index.js';
import { collectionDirectory } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { anyNumber, largestK, wholeNumber } from '../option-values.js';
import { printJson, printLine, printTable, say } from '../output.js';
import { Progress } from '../progress.js';
import { bytes, count, duration } from '../quantities.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** `nigh bench`: parameters for a wanted recall, two results compared, and the suite itself where it is. */
export function addBenchCommand(nigh: Command, context: CommandContext): void {
  const bench = nigh
    .command('bench')
    .description(
      'recall against latency: find index parameters for your own vectors, compare two results, run the suite',
    )
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ nigh bench tune movies --recall 0.95\n  $ nigh bench compare before.json after.json --json',
    );
  addTune(bench, context);
  addCompare(bench);
  for (const [suite, what] of [
    ['ann', 'measure engines on datasets; only in the repository, where the suite is'],
    ['recsys', 'what approximate search costs recommendations; only in the repository'],
  ] as const) {
    bench
      .command(suite)
      .description(what)
      .argument('[arguments...]', 'as of npm run bench')
      .allowUnknownOption()
      .action((rest: string[]) => runSuite(suite, rest));
  }
}

interface TuneCommandOptions {
  readonly recall: number;
  readonly k: number;
  readonly space?: string;
  readonly by: 'items' | 'users';
  readonly threads?: number;
  readonly json: boolean;
}

function addTune(bench: Command, context: CommandContext): void {
  bench
    .command('tune')
    .description(
      "search index parameters for a wanted recall on a collection's own vectors, and print the recipe lines",
    )
    .argument('<collection>', 'name of a built collection, or its directory')
    .requiredOption(
      '--recall <share>',
      'wanted share of the true neighbours, above 0 and below 1',
      anyNumber('--recall'),
    )
    .option('-k, --k <number>', 'neighbours asked for', wholeNumber('-k', 1, largestK), 10)
    .option('--space <name>', 'the space (default: the first that has vectors)')
    .addOption(new Option('--by <whom>', 'whose questions are asked').choices(['items', 'users']).default('items'))
    .option('--threads <number>', 'native threads of builds, 0 = all (default: 0)', wholeNumber('--threads', 0, 1024))
    .option('--json', 'one JSON document', false)
    .addHelpText(
      'after',
      `
Some ten indexes are built and thrown away; the collection is not changed. Times are those of one question at a time on one thread, of a candidate and
the best one so far in turns; the recall is that of questions that the effort was not chosen by.

Examples:
  $ nigh bench tune movies --recall 0.95
  $ nigh bench tune movies --space cf --by users --recall 0.99 --json`,
    )
    .action((name: string, options: TuneCommandOptions) => tune(name, options, context));
}

async function tune(name: string, { json, ...options }: TuneCommandOptions, { signal }: CommandContext): Promise<void> {
  const directory = collectionDirectory(name);
  const { tuneCollection } = await import('../../evaluation/benchmark/tune-collection.js');
  const progress = new Progress();
  await progress.prepare();
  let found: CollectionTuning;
  try {
    progress.begin('reading the vectors');
    const onProgress = (candidate: string) => progress.begin(candidate);
    found = await tuneCollection(directory, { ...options, signal, onProgress });
  } catch (error) {
    progress.abandon();
    throw error;
  }
  progress.end();
  if (json) printJson(found);
  else printTuning(found, options.recall);
}

function printTuning(found: CollectionTuning, recall: number): void {
  const { collection, space, by, rows, dim, metric, questions, trials, recipe } = found;
  const [best] = trials as [IndexTrial];
  say(
    `${collection}: ${space}, ${count(rows)} vectors of ${dim} dimensions, ${metric}; ${questions} ${by} as questions`,
  );
  const numbers = ['M', 'efConstruction', 'efSearch', 'recall', 'µs', 'build', 'a vector'];
  printTable(
    [{ header: 'index' }, ...numbers.map((header) => ({ header, align: 'right' as const }))],
    trials.map((trial) => [
      trial.kind === 'flat' ? 'flat' : `hnsw, ${trial.quantization}`,
      ...[trial.M, trial.efConstruction].map((value) => (value === undefined ? '' : String(value))),
      trial.kind === 'flat' ? '' : String(trial.efSearch ?? 'too little'),
      trial.recall.toFixed(4),
      trial.micros.toFixed(1),
      duration(trial.buildSeconds),
      bytes(Math.round(trial.bytesPerVector)),
    ]),
  );
  printLine('');
  printLine(
    best.kind === 'flat'
      ? 'Comparing everything is fastest here, and exact. In the recipe, in the space:'
      : `Fastest at recall ${recall}. In the recipe, in the space:`,
  );
  printLine(`  "index": ${JSON.stringify(recipe, undefined, 1).replace(/\n\s*/g, ' ')}`);
}

function addCompare(bench: Command): void {
  bench
    .command('compare')
    .description('what got better or worse between two results of the suite, in ratios with 95 % intervals')
    .argument('<before>', 'JSON of the earlier run')
    .argument('<after>', 'JSON of the later run')
    .option('--all', 'what stayed the same, too', false)
    .option('--json', 'one JSON document', false)
    .addHelpText(
      'after',
      `
Speeds are compared as multiples of the baseline of their run where both have the same, so that another machine or hour does not count as a change.

Example:
  $ nigh bench compare before.json after.json`,
    )
    .action(compare);
}

async function compare(
  before: string,
  after: string,
  { all, json }: { readonly all: boolean; readonly json: boolean },
): Promise<void> {
  const { compareBenchmarks, readBenchmarkResult } = await import('../../evaluation/benchmark/compare.js');
  const found = compareBenchmarks(await readBenchmarkResult(before), await readBenchmarkResult(after));
  if (json) {
    printJson(found);
    return;
  }
  for (const note of found.notes) say(note);
  const { changes } = found;
  const shown = all ? changes : changes.filter(({ verdict }) => verdict !== 'same');
  if (shown.length > 0) {
    printTable(
      [
        { header: 'dataset' },
        { header: 'engine' },
        { header: 'figure' },
        ...['before', 'after', 'ratio', '95 %'].map((header) => ({ header, align: 'right' as const })),
        { header: '' },
      ],
      shown.map(row),
    );
    printLine('');
  }
  const number = (verdict: string) => changes.filter((change) => change.verdict === verdict).length;
  printLine(`${number('better')} better, ${number('worse')} worse, ${number('same')} the same`);
}

function row({ dataset, engine, figure, before, after, ratio, interval, verdict }: BenchmarkChange): string[] {
  return [
    ...[dataset, engine, figure, significant(before), significant(after), ratio.toFixed(3)],
    interval === undefined ? '' : `${interval.low.toFixed(3)}–${interval.high.toFixed(3)}`,
    verdict,
  ];
}

function significant(value: number): string {
  return value >= 1000 ? count(Math.round(value)) : Number(value.toPrecision(4)).toString();
}

async function runSuite(suite: string, rest: readonly string[]): Promise<void> {
  const script = join(root, 'src', 'setup', 'bench.mjs');
  if (!existsSync(join(root, 'bench', 'package.json')) || !existsSync(script)) {
    throw new NighError(
      'UNSUPPORTED',
      'The suite and its rivals are not part of the package: clone the repository and run npm run bench there. Here are: nigh bench tune, nigh bench compare.',
    );
  }
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, [script, suite, ...rest], { stdio: 'inherit' });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

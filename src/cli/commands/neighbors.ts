import { once } from 'node:events';
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { describe, NighError } from '../../core/errors.js';
import type { Neighbors, NeighborsOptions, Shard, WrittenNeighbors } from '../../retrieval/index.js';
import { collectionDirectory } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../errors.js';
import { wholeNumber } from '../option-values.js';
import { printJson, printLine, say } from '../output.js';
import { Progress } from '../progress.js';
import { bytes, count, counted, duration } from '../quantities.js';
import { addFilterOptions, type QuestionFlags, questionOptions } from '../question-options.js';

interface NeighborsFlags extends Omit<QuestionFlags, 'explain'> {
  readonly of: 'items' | 'users';
  readonly out?: string;
  readonly as?: string;
  readonly shard?: Shard;
  readonly efSearch?: number;
  readonly includeSeen: boolean;
  readonly threads?: number;
  readonly restart: boolean;
}

/** `nigh neighbors`: the top k of every item or user, for a pipeline. */
export function addNeighborsCommand(nigh: Command, context: CommandContext): void {
  const command = nigh
    .command('neighbors')
    .description('the top k of every item, or of every user, into a file or a pipe')
    .argument('<collection>', 'name of a built collection, or its directory')
    .addOption(new Option('--of <what>', 'who is asked for').choices(['items', 'users']).default('items'))
    .option('--out <file>', 'Parquet, JSONL, CSV or NPY (default: JSONL on stdout)')
    .option('--as <format>', 'parquet, jsonl, csv or npy (default: by the ending of the name)')
    .option('--shard <i/n>', 'only the i-th of n equal parts, such as 2/8, for an array of jobs', shardOf)
    .option('--include-seen', 'of users: also return what they already have', false)
    .option('--ef-search <n>', 'pool size of the graph search', wholeNumber('--ef-search', 1, 10_000))
    .option('--threads <n>', 'native threads (default: all cores)', wholeNumber('--threads', 1, 1024))
    .option('--restart', 'begin anew where part of the same pass is there', false)
    .option('--json', 'what was written, as one JSON document', false);
  addFilterOptions(command, "the recipe's first that can answer", 50)
    .addHelpText(
      'after',
      `
Rows are sorted by id. Each is what nigh similar or nigh recommend answers: an item is not among its own neighbours, and what a user has
is left out. A command that was stopped or killed leaves <file>.partial and <file>.progress; the same command goes on behind them, and the
file comes out as if nothing had happened. For npy there are files beside it: .scores.npy, .ids.txt (the rows), .items.txt (the numbers).

Examples:
  $ nigh neighbors npm-packages -k 50 --out similar.parquet
  $ nigh neighbors movies --of users -k 20 --where 'year >= 1990' --out for-users.jsonl
  $ nigh neighbors movies --exact --shard 2/8 --out similar-2.csv
  $ nigh neighbors movies | head -1`,
    )
    .action((collection: string, flags: NeighborsFlags) => neighbors(collection, flags, context));
}

async function neighbors(collection: string, flags: NeighborsFlags, { signal }: CommandContext): Promise<void> {
  const { out, of, includeSeen, json } = flags;
  if (includeSeen && of === 'items') {
    throw new UsageError('INVALID_ARGUMENT', '--include-seen: expected --of users beside it.', 'neighbors');
  }
  if (out === undefined && json) {
    throw new UsageError('INVALID_ARGUMENT', '--json: expected --out beside it; the rows are on stdout.', 'neighbors');
  }
  const format = await requireFormat(out, flags.as);
  const options = passOptions(flags, signal);
  const directory = collectionDirectory(collection);
  const { Retriever } = await import('../../retrieval/index.js');
  await using retriever = await Retriever.open(directory);
  const pass = retriever.neighbors(options);
  const { number, of: shards } = flags.shard ?? { number: 1, of: 1 };
  const part = shards === 1 ? '' : `, part ${number} of ${shards}`;
  say(`${retriever.info.name}: ${of}${part}, ${counted(pass.rows, 'row')}, k ${pass.k}`);
  if (out === undefined) await toStdout(pass, format);
  else await toFile(pass, out, flags);
}

function passOptions(flags: NeighborsFlags, signal: AbortSignal): NeighborsOptions {
  const { of, shard, efSearch, threads, includeSeen } = flags;
  const { explain: _, ...question } = questionOptions({ ...flags, explain: false }, 'neighbors');
  return {
    ...question,
    of,
    signal,
    ...(of === 'users' ? { excludeSeen: !includeSeen } : {}),
    ...(shard === undefined ? {} : { shard }),
    ...(efSearch === undefined ? {} : { efSearch }),
    ...(threads === undefined ? {} : { threads }),
  };
}

/** A format that does not exist, or cannot go where it is to go, is known before anything is opened. */
async function requireFormat(out: string | undefined, as: string | undefined): Promise<string> {
  const { neighborFormatOf } = await import('../../retrieval/neighbors/files/registry.js');
  try {
    const format = neighborFormatOf(out ?? '', out === undefined ? (as ?? 'jsonl') : as);
    if (out !== undefined || format.streams) return format.name;
    throw new NighError('INVALID_ARGUMENT', `--as: ${format.name} cannot go to a pipe; expected --out beside it.`);
  } catch (error) {
    if (error instanceof NighError) throw new UsageError(error.code, error.message, 'neighbors');
    throw error;
  }
}

async function toFile(pass: Neighbors, out: string, { as, restart, json }: NeighborsFlags): Promise<void> {
  const { writeNeighbors } = await import('../../retrieval/index.js');
  const progress = new Progress();
  await progress.prepare();
  let written: WrittenNeighbors;
  let began = performance.now();
  let there: number | undefined;
  try {
    progress.begin(`writing ${basename(out)}`);
    written = await writeNeighbors(pass, out, {
      restart,
      ...(as === undefined ? {} : { format: as }),
      onProgress: (done, total) => {
        if (there === undefined) {
          there = done;
          began = performance.now();
          if (done > 0) say(`  going on behind the ${counted(done, 'row')} that are there`);
        }
        // What was there before says nothing about the time that is left.
        progress.update(done - there, total - there, 'rows');
      },
    });
    progress.end();
  } catch (error) {
    progress.abandon();
    if (there !== undefined)
      say(`nigh: what is written so far is kept in ${out}.partial; the same command goes on from there.`);
    throw error;
  }
  const seconds = (performance.now() - began) / 1000;
  if (written.discarded) say(`nigh: part of another pass was there, which was discarded.`);
  const rowsPerSecond = Math.round((written.rows - written.resumedAt) / Math.max(seconds, 1e-3));
  if (json) {
    printJson({ ...written, seconds: Number(seconds.toFixed(3)), rowsPerSecond });
    return;
  }
  const [path, ...beside] = written.paths;
  const amounts = `${counted(written.rows, 'row')}, ${counted(written.neighbors, 'neighbour')}, ${bytes(written.fileBytes)}`;
  printLine(`${path}: ${written.format}, ${amounts}`);
  for (const other of beside) printLine(`${other}: beside it`);
  say(`${count(rowsPerSecond)} rows/s, ${duration(seconds)}; ${written.generation}`);
}

async function toStdout(pass: Neighbors, format: string): Promise<void> {
  const { streamNeighbors } = await import('../../retrieval/index.js');
  const progress = new Progress();
  await progress.prepare();
  try {
    progress.begin(`writing ${format}`);
    await streamNeighbors(
      pass,
      format,
      async (chunk) => {
        // The reader sets the pace.
        if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
      },
      (done, total) => progress.update(done, total, 'rows'),
    );
    progress.end();
  } catch (error) {
    progress.abandon();
    throw error;
  }
}

function shardOf(value: string): Shard {
  const [, number, of] = /^(\d{1,7})\/(\d{1,7})$/.exec(value.trim()) ?? [];
  const shard = { number: Number(number), of: Number(of) };
  if (of === undefined || shard.number < 1 || shard.number > shard.of) {
    throw new UsageError('INVALID_ARGUMENT', `--shard: expected a part such as 2/8, got ${describe(value)}.`);
  }
  return shard;
}

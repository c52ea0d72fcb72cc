import type { Command } from 'commander';
import { reportBuild } from '../build-reporter.js';
import { collectionPath } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { wholeNumber } from '../option-values.js';
import { printJson, printLine, say } from '../output.js';
import { Progress } from '../progress.js';
import { counted, duration } from '../quantities.js';

interface CompactOptions {
  readonly threads: number;
  readonly keep: number;
  readonly json: boolean;
}

/** `nigh compact`: the journal becomes part of a new generation. */
export function addCompactCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('compact')
    .description('folds the journal of a collection into a new generation')
    .argument('<collection>', 'name of a built collection, or its directory')
    .option('--threads <n>', 'native threads; 0 = all', wholeNumber('--threads', 0, 1024), 0)
    .option('--keep <n>', 'generations to keep, the new one included', wholeNumber('--keep', 1, 1000), 2)
    .option('--json', 'what was done as one JSON document', false)
    .addHelpText(
      'after',
      `
Items, users and interactions that came since the collection was built become part of its indexes; nothing is fitted anew, and the journal is read
from there on. One process may write to a collection: while a service does, ask that service (POST /v1/collections/<name>/compact).

Examples:
  $ nigh compact shop
  $ nigh compact shop --keep 3 --json`,
    )
    .action((wanted: string, options: CompactOptions) => compact(wanted, options, context));
}

async function compact(
  wanted: string,
  { threads, keep, json }: CompactOptions,
  { signal }: CommandContext,
): Promise<void> {
  const { Retriever } = await import('../../retrieval/retriever.js');
  const progress = new Progress();
  await progress.prepare();
  await using collection = await Retriever.open(collectionPath(wanted), { write: true, compactAfter: 0 });
  const report = reportBuild(progress);
  const done = await collection.compact({ threads, keep, signal, onProgress: report }).finally(() => progress.end());
  if (json) printJson(done);
  else if (done.folded === 0) printLine(`${done.generation} has every change already.`);
  else
    printLine(
      `${done.generation} is live, with ${counted(done.folded, 'change')} more, after ${duration(done.seconds)}.`,
    );
  for (const warning of done.warnings) say(`nigh: ${warning}`);
}

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { collectionPath } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { printJson, printLine, say } from '../output.js';
import { Progress } from '../progress.js';

interface RestoreOptions {
  readonly to: string;
  readonly force: boolean;
  readonly json: boolean;
}

/** `nigh restore`: a collection from one file. */
export function addRestoreCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('restore')
    .description('unpacks a backup, checks all of it, and makes it live')
    .argument('<file>', 'a file that nigh backup wrote')
    .requiredOption(
      '--to <collection>',
      'name of the collection (indexes/<name>), or its directory; made if it is not there',
    )
    .option('--force', 'take the place of a collection that is there; what is live now stays on disk', false)
    .option('--json', 'what was restored as one JSON document', false)
    .addHelpText(
      'after',
      `
Until all of it was unpacked and checked nothing that is live is touched.

Examples:
  $ nigh restore movies.backup.tar --to indexes/movies-copy
  $ nigh restore movies.backup.tar --to movies --force`,
    )
    .action((file: string, options: RestoreOptions) => restore(file, options, context));
}

async function restore(file: string, { to, force, json }: RestoreOptions, { signal }: CommandContext): Promise<void> {
  const { restoreCollection } = await import('../../retrieval/upkeep/restore-collection.js');
  const progress = new Progress();
  await progress.prepare();
  try {
    progress.begin(`restoring ${file}`);
    const onProgress = (done: number, total: number) => progress.update(done, total, 'bytes');
    const done = await restoreCollection(resolve(file), collectionPath(to), { signal, onProgress, force });
    progress.end();
    for (const warning of done.warnings) say(`nigh: ${warning}`);
    if (json) {
      printJson(done);
      return;
    }
    const { collection, directory, generation, backedUp, previous } = done;
    const before = previous === undefined ? '' : `; ${previous} was live before`;
    printLine(
      `${collection} in ${directory}: ${generation} is live, backed up ${backedUp.createdAt} as ${backedUp.generation}${before}`,
    );
  } catch (error) {
    progress.abandon();
    throw error;
  }
}

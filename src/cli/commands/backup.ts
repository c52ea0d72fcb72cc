import type { Command } from 'commander';
import { collectionDirectory } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { printJson, printLine } from '../output.js';
import { Progress } from '../progress.js';
import { bytes, counted } from '../quantities.js';

interface BackupOptions {
  readonly to: string;
  readonly json: boolean;
}

/** `nigh backup`: a collection as one file. */
export function addBackupCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('backup')
    .description('writes a collection to one consistent file, while it is asked and built')
    .argument('<collection>', 'name of a built collection, or its directory')
    .requiredOption('--to <file>', 'the backup: a tar file; one of that name is replaced once the new one is complete')
    .option('--json', 'what was written as one JSON document', false)
    .addHelpText(
      'after',
      `
Every file is compared with its checksum on the way: what is damaged is not backed up. The file appears whole, or not at all.

Example:
  $ nigh backup movies --to movies.backup.tar && nigh restore movies.backup.tar --to indexes/movies-copy`,
    )
    .action((wanted: string, options: BackupOptions) => backup(wanted, options, context));
}

async function backup(wanted: string, { to, json }: BackupOptions, { signal }: CommandContext): Promise<void> {
  const { backupCollection } = await import('../../retrieval/upkeep/backup-collection.js');
  const progress = new Progress();
  await progress.prepare();
  try {
    progress.begin(`writing ${to}`);
    const onProgress = (done: number, total: number) => progress.update(done, total, 'bytes');
    const done = await backupCollection(collectionDirectory(wanted), to, { signal, onProgress });
    progress.end();
    if (json) printJson(done);
    else
      printLine(`${to}: ${done.collection}, ${done.generation}, ${counted(done.files, 'file')}, ${bytes(done.bytes)}`);
  } catch (error) {
    progress.abandon();
    throw error;
  }
}

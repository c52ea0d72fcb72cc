#!/usr/bin/env node
/**
 * The `nigh` command. Every command's work is imported when it runs, so that `nigh --help` loads little and only `nigh serve` loads the service.
 */
import { Command } from 'commander';
import { ownPackage } from '../core/package-root.js';
import type { CommandContext } from './command-context.js';
import { addBackupCommand } from './commands/backup.js';
import { addBenchCommand } from './commands/bench.js';
import { addBuildCommand } from './commands/build.js';
import { addCompactCommand } from './commands/compact.js';
import { addEmbedCommand } from './commands/embed.js';
import { addEvaluateCommand } from './commands/evaluate.js';
import { addExportCommand } from './commands/export.js';
import { addFetchCommand } from './commands/fetch.js';
import { addImportCommand } from './commands/import.js';
import { addInspectCommand } from './commands/inspect.js';
import { addNeighborsCommand } from './commands/neighbors.js';
import { addPushCommand } from './commands/push.js';
import { addRecommendCommand } from './commands/recommend.js';
import { addRestoreCommand } from './commands/restore.js';
import { addRollbackCommand } from './commands/rollback.js';
import { addServeCommand } from './commands/serve.js';
import { addSimilarCommand } from './commands/similar.js';
import { addVerifyCommand } from './commands/verify.js';
import { exitCodes, reportError } from './errors.js';
import { expectClosedPipes } from './output.js';

const stop = new AbortController();
let stoppedBy: 'SIGINT' | 'SIGTERM' | undefined;

/** The first signal asks the command to stop and clean up; a second one does not wait. */
function onSignal(signal: 'SIGINT' | 'SIGTERM'): void {
  if (stoppedBy !== undefined) {
    if (process.stderr.isTTY) process.stderr.write('\u001b[?7h'); // the bar had switched line wrapping off
    process.exit(exitCodes[signal]);
  }
  stoppedBy = signal;
  stop.abort(new Error(`Stopped by ${signal}.`));
}

function program(context: CommandContext): Command {
  const nigh = new Command('nigh')
    .description(
      'Similar items and recommendations: datasets become embeddings, embeddings become indexes, indexes answer.',
    )
    .version(ownPackage().version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the command')
    .configureOutput({ outputError: () => {} }) // said once, by reportError
    .exitOverride();
  addFetchCommand(nigh, context);
  addBuildCommand(nigh, context);
  addSimilarCommand(nigh, context);
  addRecommendCommand(nigh, context);
  addNeighborsCommand(nigh, context);
  addEmbedCommand(nigh, context);
  addEvaluateCommand(nigh, context);
  addBenchCommand(nigh, context);
  addInspectCommand(nigh, context);
  addImportCommand(nigh, context);
  addExportCommand(nigh, context);
  addVerifyCommand(nigh, context);
  addCompactCommand(nigh, context);
  addRollbackCommand(nigh, context);
  addBackupCommand(nigh, context);
  addPushCommand(nigh, context);
  addRestoreCommand(nigh, context);
  addServeCommand(nigh, context);
  nigh.helpCommand(false);
  nigh.addHelpText(
    'after',
    '\nExample:\n  $ nigh build emoji && nigh similar emoji "red apple"\n\nEvery command has its own --help.',
  );
  return nigh;
}

expectClosedPipes();
process.on('SIGINT', () => onSignal('SIGINT'));
process.on('SIGTERM', () => onSignal('SIGTERM'));
try {
  await program({ signal: stop.signal }).parseAsync();
} catch (error) {
  process.exitCode = reportError(error, process.argv.includes('--json'), stoppedBy);
}

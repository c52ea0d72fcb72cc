import type { Command } from 'commander';
import { collectionPath } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { printJson, printLine } from '../output.js';

interface RollbackOptions {
  readonly to?: string;
  readonly json: boolean;
}

/** `nigh rollback`: an older generation goes live again. */
export function addRollbackCommand(nigh: Command, _context: CommandContext): void {
  nigh
    .command('rollback')
    .description('makes an older generation of a collection the live one again')
    .argument('<collection>', 'name of a built collection, or its directory')
    .option('--to <generation>', 'the generation, such as gen-000003 (default: the newest before the live one)')
    .option('--json', 'what was done as one JSON document', false)
    .addHelpText(
      'after',
      `
The generation is read and checked first, and goes live from one moment to the next. Nothing is removed: --to also leads forward again, until
the next build keeps its newest only (nigh build --keep). A service that has the collection open takes it up as it does a build.

Examples:
  $ nigh rollback movies
  $ nigh rollback movies --to gen-000003`,
    )
    .action(rollback);
}

async function rollback(wanted: string, { to, json }: RollbackOptions): Promise<void> {
  const { rollbackCollection } = await import('../../retrieval/upkeep/rollback.js');
  const done = await rollbackCollection(collectionPath(wanted), { to });
  if (json) {
    printJson(done);
    return;
  }
  const others = done.generations.filter((name) => name !== done.to);
  const beside = others.length === 0 ? '' : ` On disk beside it: ${others.join(', ')}.`;
  if (done.from === done.to) printLine(`${done.to} is live already.${beside}`);
  else printLine(`${done.to} is live${done.from === undefined ? '' : `, and no longer ${done.from}`}.${beside}`);
}

import type { Command } from 'commander';
import type { BuildSummary } from '../../retrieval/index.js';
import { reportBuild } from '../build-reporter.js';
import { printSpaces } from '../collection-table.js';
import { type BuildTarget, buildTarget } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../errors.js';
import { wholeNumber } from '../option-values.js';
import { printJson, say } from '../output.js';
import { Progress } from '../progress.js';
import { bytes, counted, duration } from '../quantities.js';

interface BuildCommandOptions {
  readonly out?: string;
  readonly keep?: number;
  readonly json: boolean;
}

/** `nigh build`: dataset → embeddings → indexes → a new generation of the collection. */
export function addBuildCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('build')
    .description('build a new generation of a collection from its recipe; it goes live if it answers well enough')
    .argument('<recipe...>', 'names of recipes (indexes/<name>/recipe.json), or their paths')
    .option('--out <directory>', 'directory of the collection (default: indexes/<name>, or beside the recipe)')
    .option(
      '--keep <n>',
      'generations to keep, the new one included (default: 2, one to go back to with nigh rollback)',
      wholeNumber('--keep', 1, 1000),
    )
    .option('--json', 'what was built as one JSON document: an array of collections', false)
    .addHelpText(
      'after',
      `
Datasets that a recipe names are downloaded into the cache first; nigh fetch --list shows their licences. Recall@10 of every index is
measured against exact search. Below the recipe's floor the build fails, and whatever was live before stays live.

Examples:
  $ nigh build npm-packages emoji
  $ nigh build my-shop/recipe.json --out indexes/shop`,
    )
    .action((names: string[], options: BuildCommandOptions) => build(names, options, context));
}

async function build(
  names: readonly string[],
  { out, keep, json }: BuildCommandOptions,
  { signal }: CommandContext,
): Promise<void> {
  if (out !== undefined && names.length > 1) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `--out: expected one recipe to build there, got ${names.length}.`,
      'build',
    );
  }
  const targets = names.map((name) => buildTarget(name, out));
  const { loadRecipe } = await import('../../retrieval/index.js');
  // A mistake in the last recipe is told before the first is built.
  for (const { recipe } of targets) await loadRecipe(recipe);
  const summaries: BuildSummary[] = [];
  for (const target of targets) summaries.push(await buildOne(target, keep, signal));
  const collections = summaries.map(({ info }) => info);
  if (json) printJson(collections);
  else printSpaces(collections);
}

async function buildOne(
  { recipe: path, directory }: BuildTarget,
  keep: number | undefined,
  signal: AbortSignal,
): Promise<BuildSummary> {
  const { buildCollection, loadRecipe } = await import('../../retrieval/index.js');
  const recipe = await loadRecipe(path);
  say(`Building ${recipe.name} in ${directory}`);
  const progress = new Progress();
  await progress.prepare();
  const onProgress = reportBuild(progress);
  let summary: BuildSummary;
  try {
    progress.begin('finding the dataset');
    summary = await buildCollection(recipe, directory, { signal, onProgress, ...(keep === undefined ? {} : { keep }) });
  } catch (error) {
    progress.abandon();
    throw error;
  }
  progress.end();
  for (const warning of summary.warnings) say(`nigh: ${warning}`);
  const { info } = summary;
  for (const { name, embedding, needs } of info.leftOut ?? []) {
    say(
      `Left out: the space ${name} (${embedding}), which is optional and needs ${needs}. nigh fetch ${needs}, and build again, to have it.`,
    );
  }
  const amounts = [counted(info.items, 'item'), counted(info.users, 'user'), counted(info.interactions, 'interaction')];
  say(
    `${info.name}: ${amounts.join(', ')}; ${info.generation}, ${bytes(info.bytesOnDisk)}, built in ${duration(info.buildSeconds)}`,
  );
  say(`${info.dataset.name}: ${info.dataset.licence}`);
  return summary;
}

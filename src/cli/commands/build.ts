import type { Command } from 'commander';
import { notStated } from '../../data/dataset.js';
import type { BuildPlan, BuildSummary } from '../../retrieval/index.js';
import { reportBuild } from '../build-reporter.js';
import { printSpaces } from '../collection-table.js';
import { type BuildTarget, buildTarget } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../errors.js';
import { wholeNumber } from '../option-values.js';
import { printJson, printTable, say } from '../output.js';
import { Progress } from '../progress.js';
import { bytes, counted, duration } from '../quantities.js';

interface BuildCommandOptions {
  readonly out?: string;
  readonly keep?: number;
  readonly fresh: boolean;
  readonly dropFolded: boolean;
  readonly dryRun: boolean;
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
    .option('--fresh', 'make every space, also those that would come out as they are in the live generation', false)
    .option(
      '--drop-folded',
      'build although changes that compactions folded in are in no journal any more: what the dataset lacks of them is undone',
      false,
    )
    .option('--dry-run', 'say what would be made, taken over or left out, and why; change nothing', false)
    .option('--json', 'what was built as one JSON document: an array of collections', false)
    .addHelpText(
      'after',
      `
Spaces that would come out as they are in the live generation are taken over from it: the recipe of a space, the files that it names and the parts
of the dataset that its fit read are compared. Where all is the same no new generation is made.

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
  options: BuildCommandOptions,
  { signal }: CommandContext,
): Promise<void> {
  const { out, json, dryRun } = options;
  if (out !== undefined && names.length > 1) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `--out: expected one recipe to build there, got ${names.length}.`,
      'build',
    );
  }
  if (dryRun && options.fresh) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      'expected --dry-run or --fresh, which makes everything, got both.',
      'build',
    );
  }
  const targets = names.map((name) => buildTarget(name, out));
  const { loadRecipe } = await import('../../retrieval/index.js');
  // A mistake in the last recipe is told before the first is built.
  for (const { recipe } of targets) await loadRecipe(recipe);
  if (dryRun) {
    const plans: (BuildPlan & { readonly name: string })[] = [];
    for (const target of targets) plans.push(await planOne(target, signal));
    if (json) printJson(plans);
    else for (const plan of plans) printPlan(plan);
    return;
  }
  const summaries: BuildSummary[] = [];
  for (const target of targets) summaries.push(await buildOne(target, options, signal));
  if (json) {
    printJson(
      summaries.map(({ info, plan: { spaces: stages, unchanged }, timings, warnings }) => ({
        ...info,
        unchanged,
        stages,
        timings,
        warnings,
      })),
    );
  } else printSpaces(summaries.map(({ info }) => info));
}

async function planOne({ recipe: path, directory }: BuildTarget, signal: AbortSignal) {
  const { loadRecipe, planCollection } = await import('../../retrieval/index.js');
  const recipe = await loadRecipe(path);
  const plan = await withProgress((onProgress) => planCollection(recipe, directory, { signal, onProgress }));
  return { name: recipe.name, ...plan };
}

function printPlan({ name, generation, spaces, unchanged }: BuildPlan & { readonly name: string }): void {
  const state =
    generation === undefined ? 'not built yet' : unchanged ? `as it is in ${generation}` : `beside ${generation}`;
  say(`${name}: ${state}`);
  printTable(
    [{ header: 'space' }, { header: 'embedding' }, { header: 'would' }, { header: 'because', flexible: true }],
    spaces.map(({ space, embedding, action, because }) => [space, embedding, wouldBe[action], because.join('; ')]),
  );
}

const wouldBe = { make: 'be made', 'take over': 'be taken over', 'leave out': 'be left out' } as const;

async function withProgress<T>(work: (onProgress: ReturnType<typeof reportBuild>) => Promise<T>): Promise<T> {
  const progress = new Progress();
  await progress.prepare();
  try {
    progress.begin('finding the dataset');
    const result = await work(reportBuild(progress));
    progress.end();
    return result;
  } catch (error) {
    progress.abandon();
    throw error;
  }
}

async function buildOne(
  { recipe: path, directory }: BuildTarget,
  { keep, fresh, dropFolded }: BuildCommandOptions,
  signal: AbortSignal,
): Promise<BuildSummary> {
  const { buildCollection, loadRecipe } = await import('../../retrieval/index.js');
  const recipe = await loadRecipe(path);
  say(`Building ${recipe.name} in ${directory}`);
  const summary = await withProgress((onProgress) =>
    buildCollection(recipe, directory, {
      ...{ signal, onProgress, dropFolded },
      reuse: !fresh,
      ...(keep === undefined ? {} : { keep }),
    }),
  );
  for (const warning of summary.warnings) say(`nigh: ${warning}`);
  const { info } = summary;
  for (const { name, embedding, needs } of info.leftOut ?? []) {
    say(
      `Left out: the space ${name} (${embedding}), which is optional and needs ${needs}. nigh fetch ${needs}, and build again, to have it.`,
    );
  }
  const { plan } = summary;
  const taken = plan.spaces.filter(({ action }) => action === 'take over').map(({ space }) => space);
  if (plan.unchanged)
    say(`Nothing has changed: ${info.generation} stays live. nigh build --fresh makes everything anew.`);
  else if (taken.length > 0) say(`Taken over from ${plan.generation}: ${taken.join(', ')}`);
  const amounts = [counted(info.items, 'item'), counted(info.users, 'user'), counted(info.interactions, 'interaction')];
  say(
    `${info.name}: ${amounts.join(', ')}; ${info.generation}, ${bytes(info.bytesOnDisk)}, built in ${duration(info.buildSeconds)}`,
  );
  if (info.dataset.licence !== notStated) say(`Terms of ${info.dataset.name}: ${info.dataset.licence}`);
  return summary;
}

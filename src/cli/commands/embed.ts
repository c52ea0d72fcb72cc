import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { NighError } from '../../core/errors.js';
import type { EmbeddedSpace } from '../../retrieval/embed-space.js';
import { reportBuild } from '../build-reporter.js';
import { buildTarget } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../errors.js';
import { printJson, printLine, say } from '../output.js';
import { Progress } from '../progress.js';
import { bytes, counted } from '../quantities.js';

interface EmbedCommandOptions {
  readonly out: string;
  readonly as?: string;
  readonly space?: string;
  readonly of: 'items' | 'users';
  readonly json: boolean;
}

/** `nigh embed`: one space of a recipe as a file of vectors. */
export function addEmbedCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('embed')
    .description('fit one space of a recipe and write its vectors for a pipeline; no index, no collection')
    .argument('<recipe>', 'name of a recipe (indexes/<name>/recipe.json), or its path')
    .requiredOption('--out <file>', 'npy, fvecs, ivecs, bvecs, fbin, ibin, u8bin, i8bin, Parquet, HDF5 or JSONL')
    .option('--space <name>', "the space (default: the recipe's first)")
    .addOption(new Option('--of <what>', 'whose vectors').choices(['items', 'users']).default('items'))
    .option('--as <format>', 'the format of the file (default: by the ending of the name)')
    .option('--json', 'what was written, as one JSON document', false)
    .addHelpText(
      'after',
      `
Only this space is fitted, and those that it is made of. Parquet and JSONL hold the ids; beside the other formats they are written to a
text file, one a line: vectors.ids.txt for vectors.npy. The file appears whole or not at all.

Examples:
  $ nigh embed emoji --space text --out emoji.npy
  $ nigh embed my-shop/recipe.json --space cf --of users --out users.parquet`,
    )
    .action((recipe: string, options: EmbedCommandOptions) => embed(recipe, options, context));
}

async function embed(name: string, options: EmbedCommandOptions, { signal }: CommandContext): Promise<void> {
  const { out, as, space, of, json } = options;
  const { recipe: path } = buildTarget(name, undefined);
  const [{ embedSpace, loadRecipe }, { formatOf, writeVectors }] = await Promise.all([
    import('../../retrieval/index.js'),
    import('../../data/vector-files/registry.js'),
  ]);
  // A format that does not exist is known before anything is fitted.
  const format = orUsageError(() => formatOf(out, as));
  const recipe = await loadRecipe(path);
  const progress = new Progress();
  await progress.prepare();
  let embedded: EmbeddedSpace;
  let ids: string | undefined;
  try {
    progress.begin('finding the dataset');
    const onProgress = reportBuild(progress);
    embedded = await embedSpace(recipe, { of, signal, onProgress, ...(space === undefined ? {} : { space }) });
    progress.begin(`writing ${basename(out)}`);
    ({ ids } = await writeVectors(out, embedded, { format: as, signal }));
    progress.end();
  } catch (error) {
    progress.abandon();
    throw error;
  }
  const { matrix, notes, embedding } = embedded;
  const { size: fileBytes } = await stat(out);
  if (json) {
    printJson({
      path: out,
      format: format.name,
      space: embedded.space,
      embedding,
      of,
      dim: matrix.dim,
      count: matrix.rows,
      fileBytes,
      ...(ids === undefined ? {} : { ids }),
      notes,
    });
    return;
  }
  say(`${recipe.name}: ${embedded.space} (${embedding}), ${of}`);
  printLine(
    `${out}: ${format.name}, ${counted(matrix.rows, 'vector')} of ${matrix.dim} dimensions, ${bytes(fileBytes)}`,
  );
  if (ids !== undefined) printLine(`${ids}: the id of every row`);
}

function orUsageError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof NighError) throw new UsageError(error.code, error.message, 'embed');
    throw error;
  }
}

import type { Command } from 'commander';
import type { RecipeEvaluation } from '../../evaluation/evaluate-recipe.js';
import type { RecipeGrid } from '../../evaluation/tune-recipe.js';
import { buildTarget } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../errors.js';
import { printEvaluation, writePlot } from '../evaluation-table.js';
import { gridValues } from '../grid-option.js';
import { largestK, wholeNumber } from '../option-values.js';
import { printJson, say } from '../output.js';
import { Progress } from '../progress.js';

interface EvaluateCommandOptions {
  readonly protocol?: string;
  readonly k: number;
  readonly seed?: number;
  readonly testShare?: number;
  readonly folds?: number;
  readonly negatives?: number;
  readonly relevantFrom?: number;
  readonly approximate: boolean;
  readonly stability?: boolean;
  readonly grid?: RecipeGrid;
  readonly threads?: number;
  readonly plot?: string;
  readonly json: boolean;
}

/** `nigh evaluate`: how good the spaces of a recipe are at telling what was held out. */
export function addEvaluateCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('evaluate')
    .description('hold interactions out, fit the spaces of a recipe to the rest, and measure how well they are told')
    .argument('<recipe>', 'name of a recipe or of the collection built from it, or its path')
    .option(
      '--protocol <name>',
      'leave-one-out, random, k-fold, strong-generalization, temporal or item-cold (default: leave-one-out)',
    )
    .option('-k, --k <number>', 'length of the lists', wholeNumber('-k', 1, largestK), 10)
    .option('--seed <number>', 'what is held out by chance (default: 42)', wholeNumber('--seed', 0, 0xffff_fffe))
    .option('--test-share <share>', 'how much is held out, of 1 (default: 0.2)', decimalNumber('--test-share'))
    .option('--folds <number>', 'parts of k-fold (default: 5)', wholeNumber('--folds', 2, 100))
    .option(
      '--negatives <number>',
      'rank among so many sampled items; for comparison only',
      wholeNumber('--negatives', 1, 1_000_000),
    )
    .option(
      '--relevant-from <value>',
      'ask only for held-out interactions of at least this value',
      decimalNumber('--relevant-from'),
    )
    .option('--no-approximate', 'exact search only, not through the indexes as well')
    .option('--stability', 'how much lists move: responsiveness and churn, by two more fits a space')
    .option(
      '--grid <space.parameter=values>',
      'try values of a parameter, separated by commas, and take the best; may be given several times',
      gridValues,
    )
    .option('--plot <file.svg>', 'write the figures as bars, too')
    .option('--threads <number>', 'native threads, 0 = all (default: 0)', wholeNumber('--threads', 0, 1024))
    .option('--json', 'one JSON document', false)
    .addHelpText(
      'after',
      '\nNothing is built or changed: every space is fitted anew, without what is held out.\n\nExamples:\n  $ nigh evaluate movies\n  $ nigh evaluate my-shop/recipe.json --protocol temporal --test-share 0.1 -k 20 --json\n  $ nigh evaluate movies --grid cf.factors=32,64,128 --grid cf.regularization=0.003,0.01,0.03',
    )
    .action((name: string, options: EvaluateCommandOptions) => evaluate(name, options, context));
}

async function evaluate(
  name: string,
  { json, plot, ...options }: EvaluateCommandOptions,
  { signal }: CommandContext,
): Promise<void> {
  const { recipe: path } = buildTarget(name, undefined);
  const { loadRecipe } = await import('../../retrieval/index.js');
  const { evaluateRecipe } = await import('../../evaluation/evaluate-recipe.js');
  const recipe = await loadRecipe(path);
  say(`Evaluating ${recipe.name}`);
  const progress = new Progress();
  await progress.prepare();
  let stage = '';
  const onProgress = (model: string, done: number, total: number) => {
    if (model !== stage) progress.begin(model);
    stage = model;
    progress.update(done, total);
  };
  let found: RecipeEvaluation;
  try {
    progress.begin('finding the dataset');
    found = await evaluateRecipe(recipe, options, { signal, onProgress });
  } catch (error) {
    progress.abandon();
    throw error;
  }
  progress.end();
  if (json) printJson(found);
  else await printEvaluation(found);
  if (plot === undefined) return;
  await writePlot(plot, found);
  say(`Wrote ${plot}`);
}

function decimalNumber(option: string): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (value.trim() === '' || !Number.isFinite(number)) {
      throw new UsageError('INVALID_ARGUMENT', `${option}: expected a number, got ${JSON.stringify(value)}.`);
    }
    return number;
  };
}

import type { Command } from 'commander';
import { printAnswer } from '../answer-table.js';
import { collectionDirectory } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { largestK, named, wholeNumber } from '../option-values.js';
import { printJson, say } from '../output.js';

interface SimilarOptions {
  readonly k: number;
  readonly space?: string;
  readonly weight?: Readonly<Record<string, number>>;
  readonly exact: boolean;
  readonly json: boolean;
}

/** `nigh similar`: items like this one. */
export function addSimilarCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('similar')
    .description('items like this one')
    .argument('<collection>', 'name of a built collection, or its directory')
    .argument('<item>', 'item id, title, or words of a title')
    .option('-k, --k <number>', 'how many results', wholeNumber('-k', 1, largestK), 10)
    .option('--space <name>', "the space that answers (default: the recipe's first)")
    .option(
      '--weight <block=number>',
      'of a space of blocks: what a block weighs in this question; repeat it',
      named('--weight'),
    )
    .option('--exact', 'compare every item instead of searching the graph', false)
    .option('--json', "one JSON document: the same object as the library's and the service's answer", false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ nigh similar npm-packages express\n  $ nigh similar movies "Toy Story" -k 5 --space text --exact\n  $ nigh similar movies "Toy Story" --space features --weight year=1 --weight genres=3\n  $ nigh similar emoji "red apple" --json',
    )
    .action((collection: string, item: string, options: SimilarOptions) => similar(collection, item, options, context));
}

async function similar(
  collection: string,
  wanted: string,
  options: SimilarOptions,
  { signal }: CommandContext,
): Promise<void> {
  const directory = collectionDirectory(collection);
  const { Retriever } = await import('../../retrieval/retriever.js');
  await using retriever = await Retriever.open(directory, { mode: 'mmap' });
  const id = retriever.resolveItem(wanted);
  const { k, space, weight: weights, exact } = options;
  const answer = await retriever.similarItems(id, {
    k,
    exact,
    signal,
    ...(space === undefined ? {} : { space }),
    ...(weights === undefined ? {} : { weights }),
  });
  if (options.json) {
    printJson(answer);
  } else {
    const { title } = retriever.item(id);
    say(`Like ${title === id ? title : `${title} (${id})`}:`);
    printAnswer(answer);
  }
}

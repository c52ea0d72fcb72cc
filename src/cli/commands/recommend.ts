import type { Command } from 'commander';
import type { Retriever } from '../../retrieval/retriever.js';
import type { Answer, RecommendOptions as QueryOptions } from '../../retrieval/types.js';
import { printAnswer } from '../answer-table.js';
import { collectionDirectory } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../errors.js';
import { largestK, named, repeated, wholeNumber } from '../option-values.js';
import { printJson, say } from '../output.js';

interface RecommendOptions {
  readonly liked: readonly string[];
  readonly k: number;
  readonly space?: string;
  readonly weight?: Readonly<Record<string, number>>;
  readonly exact: boolean;
  readonly includeSeen: boolean;
  readonly json: boolean;
}

/** `nigh recommend`: items for a user of the collection, or for a newcomer with a few picks. */
export function addRecommendCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('recommend')
    .description('items for this user, or for a newcomer with a few picks')
    .argument('<collection>', 'name of a built collection, or its directory')
    .argument('[user]', 'user id')
    .option('--liked <item>', 'id or title of something a newcomer likes; repeat it for each', repeated, [])
    .option('-k, --k <number>', 'how many results', wholeNumber('-k', 1, largestK), 10)
    .option('--space <name>', "the space that answers (default: the recipe's first with users)")
    .option(
      '--weight <block=number>',
      'of a space of blocks: what a block weighs in this question; repeat it',
      named('--weight'),
    )
    .option('--exact', 'compare every item instead of searching the graph', false)
    .option('--include-seen', 'also return what the user already has, or what was given as liked', false)
    .option('--json', "one JSON document: the same object as the library's and the service's answer", false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ nigh recommend movies 42\n  $ nigh recommend movies --liked "Toy Story (1995)" --liked "Aladdin (1992)"\n  $ nigh recommend npm-packages --liked express --liked socket.io --json',
    )
    .action((collection: string, user: string | undefined, options: RecommendOptions) =>
      recommend(collection, user, options, context),
    );
}

async function recommend(
  collection: string,
  user: string | undefined,
  options: RecommendOptions,
  { signal }: CommandContext,
): Promise<void> {
  checkWho(user, options.liked);
  const directory = collectionDirectory(collection);
  const { Retriever } = await import('../../retrieval/retriever.js');
  await using retriever = await Retriever.open(directory, { mode: 'mmap' });
  const { k, space, weight: weights, exact } = options;
  const query: QueryOptions = {
    k,
    exact,
    excludeSeen: !options.includeSeen,
    signal,
    ...(space === undefined ? {} : { space }),
    ...(weights === undefined ? {} : { weights }),
  };
  const { answer, whom } =
    user === undefined ? await forNewcomer(retriever, options.liked, query) : await forUser(retriever, user, query);
  if (options.json) {
    printJson(answer);
  } else {
    say(`For ${whom}:`);
    printAnswer(answer);
  }
}

/** @throws UsageError unless exactly one of a user and a newcomer's picks is given */
function checkWho(user: string | undefined, liked: readonly string[]): void {
  if (user === undefined && liked.length === 0) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      'recommend: expected a user id, or --liked with an item for a newcomer.',
      'recommend',
    );
  }
  if (user !== undefined && liked.length > 0) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `recommend: expected a user id or --liked, got both (${JSON.stringify(user)} and --liked); give --liked before each item.`,
      'recommend',
    );
  }
}

interface Recommended {
  readonly answer: Answer;
  readonly whom: string;
}

async function forUser(retriever: Retriever, user: string, query: QueryOptions): Promise<Recommended> {
  return { answer: await retriever.recommend(user, query), whom: `user ${user}` };
}

async function forNewcomer(retriever: Retriever, liked: readonly string[], query: QueryOptions): Promise<Recommended> {
  const history = liked.map((wanted) => ({ item: retriever.resolveItem(wanted) }));
  const titles = history.map(({ item }) => retriever.item(item).title);
  return { answer: await retriever.recommendFor(history, query), whom: `somebody who likes ${titles.join(', ')}` };
}

import type { Command } from 'commander';
import type { Retriever } from '../../retrieval/retriever.js';
import type { Answer, RecommendOptions as QueryOptions } from '../../retrieval/types.js';
import { printAnswer } from '../answer-table.js';
import { collectionDirectory } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../errors.js';
import { anyNumber, repeated } from '../option-values.js';
import { printJson, say } from '../output.js';
import { addQuestionOptions, type QuestionFlags, questionOptions } from '../question-options.js';

interface RecommendOptions extends QuestionFlags {
  readonly liked: readonly string[];
  readonly disliked: readonly string[];
  readonly newcomer: boolean;
  readonly includeSeen: boolean;
  readonly halfLife?: number;
}

/** `nigh recommend`: items for a user of the collection, or for a newcomer with a few picks. */
export function addRecommendCommand(nigh: Command, context: CommandContext): void {
  const command = nigh
    .command('recommend')
    .description('items for this user, or for a newcomer with a few picks')
    .argument('<collection>', 'name of a built collection, or its directory')
    .argument('[user]', 'user id')
    .option('--liked <item>', 'id or title of something a newcomer likes; repeat it for each', repeated, [])
    .option('--disliked <item>', 'id or title of something a newcomer does not; repeat it for each', repeated, [])
    .option(
      '--newcomer',
      'for somebody of whom nothing is known: what is rated highest, or what most people have',
      false,
    )
    .option('--include-seen', 'also return what the user already has, or what was given as liked', false)
    .option(
      '--half-life <days>',
      'in spaces without user vectors: what is so much older counts half',
      anyNumber('--half-life'),
    );
  addQuestionOptions(command, "the recipe's first that can answer")
    .addHelpText(
      'after',
      '\nExamples:\n  $ nigh recommend movies 42\n  $ nigh recommend movies 42 --diversity 0.4 --where \'year >= 2000\' --explain\n  $ nigh recommend movies --liked "Toy Story (1995)" --liked "Aladdin (1992)" --disliked "Alien (1979)"\n  $ nigh recommend movies --newcomer --where "genres has Comedy"\n  $ nigh recommend npm-packages --liked express --liked socket.io --json',
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
  checkWho(user, options);
  const flags = questionOptions(options, 'recommend');
  const directory = collectionDirectory(collection);
  const { Retriever } = await import('../../retrieval/retriever.js');
  await using retriever = await Retriever.open(directory, { mode: 'mmap' });
  const query: QueryOptions = {
    ...flags,
    excludeSeen: !options.includeSeen,
    signal,
    ...(options.halfLife === undefined ? {} : { taste: { halfLifeDays: options.halfLife } }),
  };
  const { answer, whom } =
    user === undefined ? await forNewcomer(retriever, options, query) : await forUser(retriever, user, query);
  if (options.json) {
    printJson(answer);
  } else {
    say(`For ${whom}:`);
    printAnswer(answer);
  }
}

/** @throws UsageError unless exactly one of a user, a newcomer's picks and --newcomer is given */
function checkWho(user: string | undefined, { liked, disliked, newcomer, halfLife }: RecommendOptions): void {
  if (newcomer && (user !== undefined || liked.length + disliked.length > 0)) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      'recommend: expected --newcomer alone: of whom there is a user id or a pick, something is known.',
      'recommend',
    );
  }
  if (user === undefined && liked.length === 0 && !newcomer) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      'recommend: expected a user id, or --liked with an item for a newcomer, or --newcomer.',
      'recommend',
    );
  }
  if (user === undefined && halfLife !== undefined) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      'recommend: expected --half-life beside a user: what is given as liked has no date.',
      'recommend',
    );
  }
  if (user !== undefined && disliked.length > 0) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `recommend: expected --disliked beside --liked, got it beside the user ${JSON.stringify(user)}.`,
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

async function forNewcomer(
  retriever: Retriever,
  { liked, disliked }: RecommendOptions,
  query: QueryOptions,
): Promise<Recommended> {
  const history = [
    ...liked.map((wanted) => ({ item: retriever.resolveItem(wanted) })),
    ...disliked.map((wanted) => ({ item: retriever.resolveItem(wanted), weight: -1 })),
  ];
  if (history.length === 0) return { answer: await retriever.recommendFor([], query), whom: 'anybody' };
  const titles = history.map(({ item }) => retriever.item(item).title);
  const likes = titles.slice(0, liked.length).join(', ');
  const dislikes = titles.slice(liked.length).join(', ');
  const whom = `somebody who likes ${likes}${dislikes === '' ? '' : ` and does not like ${dislikes}`}`;
  return { answer: await retriever.recommendFor(history, query), whom };
}

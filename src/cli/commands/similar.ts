import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { NighError } from '../../core/errors.js';
import type { Retriever } from '../../retrieval/retriever.js';
import type { Question } from '../../retrieval/types.js';
import { printAnswer } from '../answer-table.js';
import { collectionDirectory } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../errors.js';
import { printJson, say } from '../output.js';
import { addQuestionOptions, type QuestionFlags, questionOptions } from '../question-options.js';

interface SimilarOptions extends QuestionFlags {
  readonly text?: string;
  readonly image?: string;
}

/** `nigh similar`: items like this one, like a text, like a picture, or like several of them. */
export function addSimilarCommand(nigh: Command, context: CommandContext): void {
  const command = nigh
    .command('similar')
    .description('items like this one')
    .argument('<collection>', 'name of a built collection, or its directory')
    .argument('[item]', 'item id, title, or words of a title')
    .option('--text <words>', 'items near to this text, instead of an item or beside it')
    .option('--image <file>', 'items that look like this picture, instead of an item or beside it');
  addQuestionOptions(command, "the recipe's first that can answer")
    .addHelpText(
      'after',
      '\nExamples:\n  $ nigh similar npm-packages express\n  $ nigh similar movies "Toy Story" -k 5 --space text --exact\n  $ nigh similar movies "Toy Story" --weights cf=0.7,text=0.3 --where \'year >= 1990 and not genres has "Horror"\'\n  $ nigh similar movies "Toy Story" --space features --weight year=1 --weight genres=3\n  $ nigh similar emoji --text "something sweet" --explain\n  $ nigh similar emoji "red apple" --json',
    )
    .action((collection: string, item: string | undefined, options: SimilarOptions) =>
      similar(collection, item, options, context),
    );
}

async function similar(
  collection: string,
  wanted: string | undefined,
  options: SimilarOptions,
  { signal }: CommandContext,
): Promise<void> {
  const { text, image } = options;
  if (wanted === undefined && text === undefined && image === undefined) {
    throw new UsageError('INVALID_ARGUMENT', 'similar: expected an item, --text or --image.', 'similar');
  }
  const query = questionOptions(options, 'similar');
  const directory = collectionDirectory(collection);
  const { Retriever } = await import('../../retrieval/retriever.js');
  await using retriever = await Retriever.open(directory, { mode: 'mmap' });
  const question: Question = {
    ...query,
    signal,
    ...(wanted === undefined ? {} : { item: retriever.resolveItem(wanted) }),
    ...(text === undefined ? {} : { text }),
    ...(image === undefined ? {} : { image: await readPicture(image) }),
  };
  const answer = await retriever.query(question);
  if (options.json) {
    printJson(answer);
  } else {
    say(`Like ${names(retriever, question.item, text, image).join(' and ')}:`);
    printAnswer(answer);
  }
}

function names(
  retriever: Retriever,
  id: string | undefined,
  text: string | undefined,
  image: string | undefined,
): string[] {
  const title = id === undefined ? undefined : retriever.item(id).title;
  return [
    ...(id === undefined ? [] : [title === id ? id : `${title} (${id})`]),
    ...(text === undefined ? [] : [JSON.stringify(text)]),
    ...(image === undefined ? [] : [`the picture ${image}`]),
  ];
}

async function readPicture(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'NOT_FOUND' : 'IO';
    throw new NighError(code, `--image: ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** The options that every question takes, on the command line. */
import type { Command } from 'commander';
import { NighError } from '../core/errors.js';
import { numbersByName } from '../core/numbers-text.js';
import type { QueryOptions } from '../retrieval/types.js';
import { UsageError } from './errors.js';
import { anyNumber, largestK, named, repeated, wholeNumber } from './option-values.js';

/** What commander makes of them. */
export interface QuestionFlags {
  readonly k: number;
  readonly space?: string;
  readonly weight?: Readonly<Record<string, number>>;
  readonly weights?: Readonly<Record<string, number>>;
  readonly fusion?: string;
  readonly quotas?: Readonly<Record<string, number>>;
  readonly where?: string;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly minScore?: number;
  readonly diversity?: number;
  readonly perGroup?: Readonly<Record<string, number>>;
  readonly popularity?: number;
  readonly recency?: Readonly<Record<string, number>>;
  readonly explore?: number;
  readonly seed?: number;
  readonly fallback?: boolean;
  readonly exact: boolean;
  readonly recall?: number;
  readonly explain: boolean;
  readonly json: boolean;
}

/** @param space what answers where no space is named */
export function addQuestionOptions(command: Command, space: string): Command {
  return addFilterOptions(command, space, 10)
    .option('--explain', 'say why each result is there, and what was left out', false)
    .option('--json', "one JSON document: the same object as the library's and the service's answer", false);
}

/**
 * Those that every row of a pass over everybody takes as well.
 * @param k how many results where nothing is said
 */
export function addFilterOptions(command: Command, space: string, k: number): Command {
  return command
    .option('-k, --k <number>', 'how many results', wholeNumber('-k', 1, largestK), k)
    .option('--space <name>', `the space that answers (default: ${space})`)
    .option('--weights <list>', 'blend spaces: what each weighs, such as cf=0.7,text=0.3', numbers('--weights'))
    .option(
      '--weight <block=number>',
      'of a space of blocks: what a block weighs in this question; repeat it',
      named('--weight'),
    )
    .option('--fusion <how>', 'how blended scores become one: sum, or rrf for ranks alone (default: sum)')
    .option(
      '--quotas <list>',
      'least shares of the results by space of --weights, such as image=0.2',
      numbers('--quotas'),
    )
    .option('--where <condition>', 'which items may be returned, such as \'year >= 1990 and genres has "Comedy"\'')
    .option('--allow <item>', 'id of the only item that may be returned; repeat it for more', repeated, [])
    .option('--deny <item>', 'id of an item that must not be returned; repeat it for more', repeated, [])
    .option('--min-score <number>', 'leave out what scores less', anyNumber('--min-score'))
    .option('--diversity <number>', 'from 0 to 1: how much results keep apart (default: 0)', anyNumber('--diversity'))
    .option(
      '--per-group <attribute=n>',
      'at most n results with the same value, such as author=2',
      numbers('--per-group'),
    )
    .option('--popularity <number>', 'from -1 (damp what is popular) to 1 (raise it)', anyNumber('--popularity'))
    .option(
      '--recency <attribute=half-life>',
      'raise what is new: half as much for each half-life, such as year=10',
      numbers('--recency'),
    )
    .option('--explore <n>', 'the last n places go to items drawn by --seed', wholeNumber('--explore', 1, largestK))
    .option('--seed <number>', 'which items --explore draws (default: 0)', wholeNumber('--seed', 0, 0xffffffff))
    .option(
      '--fallback',
      'where there is no vector, or no such user: answer from other spaces, shared attributes, ratings or popularity',
    )
    .option('--no-fallback', 'fail rather than answer from shared attributes, ratings or popularity')
    .option('--exact', 'compare every item instead of searching the graph', false)
    .option('--recall <share>', 'the share of the true nearest that is wanted, such as 0.95', anyNumber('--recall'));
}

/** @throws UsageError for options that need each other */
export function questionOptions(flags: QuestionFlags, command: string): QueryOptions {
  const { k, space, weight, weights, fusion, quotas, where, allow, deny, exact, recall, explain, fallback } = flags;
  const { minScore, diversity, popularity, explore, seed } = flags;
  if (weight !== undefined && weights !== undefined) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      'expected --weight for blocks or --weights for spaces, got both.',
      command,
    );
  }
  if (seed !== undefined && explore === undefined) {
    throw new UsageError('INVALID_ARGUMENT', '--seed: expected --explore beside it.', command);
  }
  const group = onlyEntry('--per-group', flags.perGroup, command);
  const recent = onlyEntry('--recency', flags.recency, command);
  return {
    k,
    exact,
    explain,
    ...present({ space, weights: weights ?? weight, quotas, where, minScore, diversity, popularity, recall, fallback }),
    // Checked where it is read, as in the library.
    ...(fusion === undefined ? {} : { fusion: fusion as NonNullable<QueryOptions['fusion']> }),
    ...(allow.length === 0 ? {} : { allow }),
    ...(deny.length === 0 ? {} : { deny }),
    ...(group === undefined ? {} : { perGroup: { attribute: group[0], most: group[1] } }),
    ...(recent === undefined ? {} : { recency: { attribute: recent[0], halfLife: recent[1] } }),
    ...(explore === undefined ? {} : { explore: { slots: explore, ...present({ seed }) } }),
  };
}

/** Without the keys that were not given. */
function present<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}

function onlyEntry(
  option: string,
  given: Readonly<Record<string, number>> | undefined,
  command: string,
): readonly [string, number] | undefined {
  const [first, ...others] = Object.entries(given ?? {});
  if (others.length > 0) {
    throw new UsageError('INVALID_ARGUMENT', `${option}: expected one attribute, got ${others.length + 1}.`, command);
  }
  return first;
}

function numbers(option: string): (text: string) => Readonly<Record<string, number>> {
  return (text) => {
    try {
      return numbersByName(text, option);
    } catch (error) {
      if (error instanceof NighError) throw new UsageError(error.code, error.message);
      throw error;
    }
  };
}

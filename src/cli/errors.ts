/** Failures as the command line shows them: one line on stderr, or a problem document for machines, and the exit code. */
import { CommanderError } from 'commander';
import { type ErrorCode, errorKinds, NighError, reasonOf } from '../core/errors.js';

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 130 and 143 stopped by SIGINT and SIGTERM. */
export const exitCodes = { done: 0, failed: 1, usage: 2, SIGINT: 130, SIGTERM: 143 } as const;

/** Wrong usage: what was typed cannot be right, whatever the data. Ends with exit code 2. */
export class UsageError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    /** The command whose help says more. */
    readonly command?: string,
  ) {
    super(message);
  }
}

/** An RFC 9457 problem document, with the fields of the service's. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
}

/** Error → problem document. */
export function problemOf(error: unknown): Problem {
  const code = codeOf(error);
  const { status, meaning } = errorKinds[code];
  return {
    type: `urn:nigh:error:${code.toLowerCase().replaceAll('_', '-')}`,
    title: meaning,
    status,
    detail: messageOf(error),
    code,
  };
}

/**
 * Says on stderr what went wrong.
 * @param json whether a machine reads
 * @param stoppedBy the signal that made the command give up, if one did
 * @returns the exit code
 */
export function reportError(error: unknown, json: boolean, stoppedBy: 'SIGINT' | 'SIGTERM' | undefined): number {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done; // --help and --version
  if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage; // no command: the help was shown
  if (json) {
    process.stderr.write(`${JSON.stringify(problemOf(error))}\n`);
  } else {
    process.stderr.write(`nigh: ${messageOf(error)} [${codeOf(error)}]\n`);
    const hint = hintOf(error);
    if (hint !== '') process.stderr.write(`${hint}\n`);
  }
  if (stoppedBy !== undefined && codeOf(error) === 'ABORTED') return exitCodes[stoppedBy];
  return error instanceof UsageError || error instanceof CommanderError ? exitCodes.usage : exitCodes.failed;
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof NighError || error instanceof UsageError) return error.code;
  if (error instanceof CommanderError)
    return error.code === 'commander.unknownOption' ? 'UNKNOWN_OPTION' : 'INVALID_ARGUMENT';
  return 'INTERNAL';
}

function messageOf(error: unknown): string {
  if (error instanceof CommanderError) return sentence(error.message.replace(/^error: /, ''));
  return reasonOf(error);
}

/** The second line of a message: where to read on, or, for a fault in nigh itself, where it happened. */
function hintOf(error: unknown): string {
  if (error instanceof UsageError && error.command !== undefined) return `Try: nigh ${error.command} --help`;
  if (error instanceof UsageError || error instanceof CommanderError) return '';
  if (codeOf(error) !== 'INTERNAL' || !(error instanceof Error)) return '';
  const where = error.stack?.split('\n').slice(1).join('\n') ?? '';
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : '';
  return where + cause;
}

/** commander's lower-case fragments as a sentence. */
function sentence(fragment: string): string {
  const [first = '', ...rest] = fragment.split('\n');
  const hint = rest.map((line) => line.replace(/^\((.*)\)$/, '$1')).join(' ');
  const text = `${first.charAt(0).toUpperCase()}${first.slice(1).replace(/\.$/, '')}.`;
  return hint === '' ? text : `${text} ${hint}`;
}

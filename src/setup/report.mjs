// What the scripts say: one line when a step begins, one when it ends with its time, and the whole output of a step only when it failed.
import { CommandFailed } from './run-command.mjs';

const colours = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
/** @param {string} text */
export const bold = (text) => (colours ? `\x1b[1m${text}\x1b[0m` : text);
/** @param {string} text */
export const dim = (text) => (colours ? `\x1b[2m${text}\x1b[0m` : text);

/** @param {string} line */
export const say = (line) => void process.stdout.write(`${line}\n`);

/** @param {number} since as performance.now() gave it */
export function secondsSince(since) {
  const seconds = (performance.now() - since) / 1000;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

/**
 * Runs one step and says how long it took.
 * @template T
 * @param {string} what in the present tense: "Compiling the native core"
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(what, work) {
  const began = performance.now();
  say(`${bold('·')} ${what} …`);
  const result = await work();
  say(`  ${dim(`done in ${secondsSince(began)}`)}`);
  return result;
}

/**
 * Whether the work succeeded; a failed command's output is shown. Ctrl-C ends everything.
 * @param {() => Promise<unknown>} work
 */
export async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof CommandFailed) || error.exitCode === 130 || error.exitCode === 143) throw error;
    process.stderr.write(`${error.output.trimEnd()}\n\nnigh: ${error.message}\n`);
    return false;
  }
}

/** A problem that one sentence explains; no stack is printed. */
export class SetupProblem extends Error {}

/**
 * Runs a script's main function; a failure becomes a readable message and an exit code.
 * @param {() => Promise<number | undefined>} main gives the exit code, or undefined for 0
 */
export async function script(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (error instanceof CommandFailed) {
      if (error.output !== '') process.stderr.write(`${error.output.trimEnd()}\n`);
      process.stderr.write(`\nnigh: ${error.message}\n`);
      process.exitCode = error.exitCode;
    } else if (error instanceof SetupProblem) {
      process.stderr.write(`nigh: ${error.message}\n`);
      process.exitCode = 1;
    } else {
      throw error;
    }
  }
}

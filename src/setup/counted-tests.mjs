// Tests run to their end, with what came of them in figures instead of on the terminal.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inRoot, root } from './paths.mjs';
import { secondsSince, step } from './report.mjs';
import { run } from './run-command.mjs';

/**
 * @typedef {object} Outcome
 * @property {string} what
 * @property {string} figures how many passed and how long they took, or why nothing was run
 */

/**
 * @param {string} what
 * @param {string} reason
 * @returns {Outcome}
 */
export const leftOut = (what, reason) => ({ what, figures: `skipped: ${reason}` });

/**
 * Runs test files, or folders of them, by vitest. They are given time: what is asked here is whether they are right.
 * @param {string} what
 * @param {readonly string[]} wanted
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Outcome>}
 * @throws {import('./run-command.mjs').CommandFailed} with vitest's report, when a test fails
 */
export async function countVitest(what, wanted, env) {
  const directory = mkdtempSync(join(tmpdir(), 'nigh-vitest-'));
  try {
    const file = join(directory, 'report.json');
    const report = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const patience = ['--testTimeout=3600000', '--hookTimeout=3600000'];
    const vitest = inRoot('node_modules/vitest/vitest.mjs');
    const began = performance.now();
    await step(`Running ${what}`, () =>
      run(process.execPath, [vitest, 'run', '--root', root, ...report, ...patience, ...wanted], { env }),
    );
    const { numPassedTests: passed, numTotalTests: total, testResults } = JSON.parse(readFileSync(file, 'utf8'));
    const skipped = total === passed ? '' : `, ${total - passed} skipped`;
    return { what, figures: `${passed} passed${skipped} in ${testResults.length} files, ${secondsSince(began)}` };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Runs the program of C++ tests.
 * @param {string} what
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Outcome>}
 * @throws {import('./run-command.mjs').CommandFailed} with the tests' output, when one fails
 */
export async function countNativeTests(what, command, args, env) {
  const began = performance.now();
  const output = await step(`Running ${what}`, () => run(command, args, { env }));
  return { what, figures: `${output.trim().split('\n').at(-1)}, ${secondsSince(began)}` };
}

// npm test: everything is brought up to date, then the C++ tests (plain, under AddressSanitizer and UndefinedBehaviorSanitizer, under
// ThreadSanitizer), then the TypeScript tests. The C++ tests, which leave a core idle most of the time, run beside what is compiled or run
// next. `npm test -- <what vitest takes>` runs only the TypeScript tests that are named.
import { existsSync } from 'node:fs';
import { executable } from './build-native.mjs';
import { ensureBuilt } from './ensure.mjs';
import { inRoot, root } from './paths.mjs';
import { onPath } from './prerequisites.mjs';
import { attempt, bold, dim, say, script, secondsSince } from './report.mjs';
import { CommandFailed, run } from './run-command.mjs';
import { buildSanitizedTests, sanitizers } from './sanitized-tests.mjs';

const wanted = process.argv.slice(2);

await script(async () => {
  const began = performance.now();
  const nativeToo = wanted.length === 0;
  await ensureBuilt({ nativeTests: nativeToo });
  const skipped = skippedForLackOf();
  // Each kind of test runs whatever became of the one before: one run shows all that is wrong.
  /** @type {string[]} */
  const failed = [];
  /** @type {Promise<void>[]} */
  const running = [];
  /** @type {(what: string, tests: () => Promise<void>) => void} */
  const begin = (what, tests) => {
    const outcome = attempt(tests).then((passed) => void (passed || failed.push(what)));
    outcome.catch(() => {}); // an interruption; it is thrown where all are awaited
    running.push(outcome);
  };
  if (nativeToo) {
    begin('C++ tests', runNativeTests);
    for (const sanitizer of sanitizers) {
      const what = `C++ tests under ${sanitizer.name}`;
      const built = await attempt(async () => {
        const tests = await buildSanitizedTests(sanitizer);
        if ('skipped' in tests) skipped.push(`${what}: ${tests.skipped}`);
        else begin(what, tests.run);
      });
      if (!built) failed.push(what);
    }
  } else {
    skipped.push(`C++ tests: only ${wanted.join(' ')} was asked for`);
  }
  const code = await runVitest();
  await Promise.all(running);
  if (code !== 0) failed.push('TypeScript tests');
  for (const line of skipped) say(`${bold('skipped')} ${line}`);
  for (const line of failed) say(`${bold('FAILED')} ${line}`);
  say(dim(`All of it took ${secondsSince(began)}.`));
  return failed.length === 0 ? 0 : code || 1;
});

async function runNativeTests() {
  const began = performance.now();
  const output = await run(inRoot('build/Release', executable('native_tests')), []);
  say(`  C++ tests: ${output.trim().split('\n').at(-1)}, ${secondsSince(began)}`);
}

/** Vitest's own report is the message; its exit code is ours. */
async function runVitest() {
  const vitest = inRoot('node_modules/vitest/vitest.mjs');
  try {
    await run(process.execPath, [vitest, 'run', '--root', root, ...wanted], { visible: true });
    return 0;
  } catch (error) {
    if (error instanceof CommandFailed) return error.exitCode;
    throw error;
  }
}

/** What tests will leave out, said once in front of the reader instead of somewhere in the middle. */
function skippedForLackOf() {
  const lines = [];
  const data = process.env.NIGH_DATA;
  if (data === undefined || data === '') {
    lines.push('tests on MovieLens and the other downloaded datasets: set NIGH_DATA to a folder that holds them');
  } else if (!existsSync(data)) {
    lines.push(`tests on downloaded datasets: NIGH_DATA is ${data}, which does not exist`);
  }
  if (['chromium', 'chromium-browser', 'google-chrome'].every((name) => onPath(name, process.env) === undefined)) {
    lines.push('tests of the explorer in a browser: no chromium on the PATH');
  }
  return lines;
}

// npm test: everything is brought up to date, then the C++ tests (plain, under AddressSanitizer and UndefinedBehaviorSanitizer, under
// ThreadSanitizer), then the TypeScript tests. `npm test -- <what vitest takes>` runs only the TypeScript tests that are named.
import { existsSync } from 'node:fs';
import { executable } from './build-native.mjs';
import { ensureBuilt } from './ensure.mjs';
import { inRoot, root } from './paths.mjs';
import { onPath } from './prerequisites.mjs';
import { attempt, bold, dim, say, script, secondsSince } from './report.mjs';
import { CommandFailed, run } from './run-command.mjs';
import { runSanitizedTests, sanitizers } from './sanitized-tests.mjs';

const wanted = process.argv.slice(2);

await script(async () => {
  const began = performance.now();
  const nativeToo = wanted.length === 0;
  await ensureBuilt({ nativeTests: nativeToo });
  const skipped = skippedForLackOf();
  // Each kind of test runs whatever became of the one before: one run shows all that is wrong.
  const failed = [];
  if (nativeToo) {
    if (!(await attempt(runNativeTests))) failed.push('C++ tests');
    for (const sanitizer of sanitizers) {
      const passed = await attempt(async () => {
        const reason = await runSanitizedTests(sanitizer);
        if (reason !== undefined) skipped.push(`C++ tests under ${sanitizer.name}: ${reason}`);
      });
      if (!passed) failed.push(`C++ tests under ${sanitizer.name}`);
    }
  } else {
    skipped.push(`C++ tests: only ${wanted.join(' ')} was asked for`);
  }
  const code = await runVitest();
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

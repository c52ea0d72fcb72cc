// npm run check: what a change must pass before it is looked at by anybody: format and lint, types of sources, tests and these scripts, the
// direction of imports, the generated pages and the links of all, what would be published, and the tests that need neither a build of a
// collection nor real data.
import { ensureBuilt } from './ensure.mjs';
import { filesBelow } from './fingerprint.mjs';
import { inRoot, root } from './paths.mjs';
import { onPath } from './prerequisites.mjs';
import { attempt, bold, say, script, step } from './report.mjs';
import { run } from './run-command.mjs';

const fastTests = ['test/architecture.test.ts', 'test/core', 'test/setup', 'test/index', 'test/docs', 'test/package'];

await script(async () => {
  await ensureBuilt();
  /** @type {[string, (what: string) => Promise<unknown>][]} */
  const checks = [
    [
      'Format and lint of TypeScript, JavaScript, CSS and JSON',
      node('@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'),
    ],
    ['Types of sources and tests', types('test')],
    ['Types of the benchmarks', types('bench')],
    ['Types of the set-up', types('src/setup')],
    ['Format of the C++ sources', checkCppFormat],
    ['Direction of imports, and the fast tests', node('vitest/vitest.mjs', 'run', '--root', root, ...fastTests)],
  ];
  // One run shows all that is wrong.
  const failed = [];
  for (const [what, check] of checks) {
    if (!(await attempt(() => check(what)))) failed.push(what);
  }
  for (const what of failed) say(`${bold('FAILED')} ${what}`);
  return failed.length === 0 ? 0 : 1;
});

/**
 * A step that runs a program of node_modules.
 * @param {string} program a JavaScript file below node_modules
 * @param {string[]} args
 */
function node(program, ...args) {
  return (/** @type {string} */ what) =>
    step(what, () => run(process.execPath, [inRoot('node_modules', program), ...args]));
}

/**
 * What was found of files that have not changed since is kept: a second check takes a third of the time.
 * @param {string} folder
 */
function types(folder) {
  const kept = inRoot('build/check', `${folder.replaceAll('/', '-')}.tsbuildinfo`);
  const options = ['--noEmit', '--incremental', '--tsBuildInfoFile', kept];
  return node('typescript/bin/tsc', ...options, '--project', inRoot(folder, 'tsconfig.json'));
}

/** @param {string} what */
async function checkCppFormat(what) {
  if (onPath('clang-format', process.env) === undefined) {
    say(`${bold('skipped')} the format of the C++ sources: no clang-format on the PATH`);
    return;
  }
  const files = [...filesBelow(inRoot('native')), ...filesBelow(inRoot('test/native'))].filter((path) =>
    /\.(cpp|h)$/.test(path),
  );
  await step(what, () => run('clang-format', ['--dry-run', '--Werror', ...files]));
}

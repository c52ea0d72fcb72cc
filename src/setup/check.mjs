// npm run check: what a change must pass before it is looked at by anybody: format and lint, types of sources, tests and these scripts, the
// direction of imports, and the tests that need neither a build of a collection nor real data.
import { ensureBuilt } from './ensure.mjs';
import { filesBelow } from './fingerprint.mjs';
import { inRoot, root } from './paths.mjs';
import { onPath } from './prerequisites.mjs';
import { bold, say, script, step } from './report.mjs';
import { run } from './run-command.mjs';

/** @param {string} program a JavaScript file below node_modules */
const tool = (program) => inRoot('node_modules', ...program.split('/'));

await script(async () => {
  await ensureBuilt();
  await step('Format and lint of TypeScript, JavaScript, CSS and JSON', () =>
    run(process.execPath, [tool('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.']),
  );
  for (const project of ['test/tsconfig.json', 'src/setup/tsconfig.json']) {
    await step(`Types (${project})`, () =>
      run(process.execPath, [tool('typescript/bin/tsc'), '--noEmit', '--project', inRoot(project)]),
    );
  }
  await checkCppFormat();
  await step('Direction of imports, and the fast tests', () =>
    run(process.execPath, [
      tool('vitest/vitest.mjs'),
      'run',
      '--root',
      root,
      'test/architecture.test.ts',
      'test/core',
      'test/setup',
      'test/index',
    ]),
  );
  return 0;
});

async function checkCppFormat() {
  if (onPath('clang-format', process.env) === undefined) {
    say(`${bold('skipped')} the format of the C++ sources: no clang-format on the PATH`);
    return;
  }
  const files = [...filesBelow(inRoot('native')), ...filesBelow(inRoot('test/native'))].filter((path) =>
    /\.(cpp|h)$/.test(path),
  );
  await step('Format of the C++ sources', () => run('clang-format', ['--dry-run', '--Werror', ...files]));
}

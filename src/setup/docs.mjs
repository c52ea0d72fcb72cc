// npm run docs: writes the pages of docs/reference anew from what they are generated from, and the API reference, by typedoc, into build/api. What typedoc
// warns of is an error: a link to nothing, a type of the API that is not exported. `npm run docs -- docs/recall-and-time.md` instead runs what that page
// shows and writes all that it prints into it, times too: on a machine that does nothing else.
import { apiReference } from './api-reference.mjs';
import { ensureBuilt } from './ensure.mjs';
import { inRoot, root } from './paths.mjs';
import { say, script, step } from './report.mjs';
import { run } from './run-command.mjs';

const pages = process.argv.slice(2);

await script(async () => {
  await ensureBuilt({ optional: false });
  if (pages.length > 0) {
    for (const page of pages) await rewrite(page);
    return 0;
  }
  await step('Writing docs/reference', () => vitest('1', 'test/docs'));
  say(`The API reference is in ${await apiReference()}.`);
  return 0;
});

/** @param {string} page below the root */
async function rewrite(page) {
  // vitest takes the name of a test as a pattern.
  const name = page.replaceAll('.', '\\.');
  await step(`Writing what ${page} shows`, () => vitest('all', 'test/cli/documentation.test.ts', '-t', name));
}

/**
 * @param {string} writing
 * @param {string[]} args
 */
function vitest(writing, ...args) {
  const program = inRoot('node_modules/vitest/vitest.mjs');
  const env = { ...process.env, NIGH_WRITE_DOCS: writing };
  return run(process.execPath, [program, 'run', '--root', root, ...args], { env });
}

// npm run docs: writes the pages of docs/reference anew from what they are generated from, and the API reference, by typedoc, into build/api. What typedoc
// warns of is an error: a link to nothing, a type of the API that is not exported.

import { apiReference } from './api-reference.mjs';
import { ensureBuilt } from './ensure.mjs';
import { inRoot, root } from './paths.mjs';
import { say, script, step } from './report.mjs';
import { run } from './run-command.mjs';

await script(async () => {
  await ensureBuilt({ optional: false });
  const vitest = [inRoot('node_modules/vitest/vitest.mjs'), 'run', '--root', root, 'test/docs'];
  await step('Writing docs/reference', () =>
    run(process.execPath, vitest, { env: { ...process.env, NIGH_WRITE_DOCS: '1' } }),
  );
  say(`The API reference is in ${await apiReference()}.`);
  return 0;
});

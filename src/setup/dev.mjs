// npm run dev: builds, then rebuilds whatever part of the sources changes. `npm run dev -- serve emoji` also runs that nigh command and
// starts it anew after every build.
import { watch } from 'node:fs';
import { buildNative } from './build-native.mjs';
import { buildTypescript } from './build-typescript.mjs';
import { ensureBuilt } from './ensure.mjs';
import { inRoot } from './paths.mjs';
import { bold, dim, say, script } from './report.mjs';
import { CommandFailed, start } from './run-command.mjs';

const command = process.argv.slice(2);
/** @type {ReturnType<typeof start> | undefined} */
let running;

await script(async () => {
  await ensureBuilt();
  restart();
  say(dim('Watching src, native and binding.gyp; Ctrl-C ends it.'));
  let changed = () => {};
  for (const path of ['src', 'native', 'binding.gyp']) watch(inRoot(path), { recursive: true }, () => changed());
  for (;;) {
    await new Promise((resolve) => {
      changed = () => resolve(undefined);
    });
    // Editors write a file in several steps, and a branch switch many files.
    await new Promise((resolve) => setTimeout(resolve, 150));
    await rebuild();
  }
});

/** One build; a failure is shown, and the next change tries again. */
async function rebuild() {
  try {
    const worked = [await buildNative(), await buildTypescript()];
    if (worked.some(Boolean)) restart();
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    process.stderr.write(`${error.output.trimEnd()}\n\nnigh: ${error.message}\n`);
  }
}

function restart() {
  if (command.length === 0) return;
  const previous = running;
  previous?.child.kill('SIGTERM');
  const begin = () => {
    say(bold(`$ nigh ${command.join(' ')}`));
    running = start(process.execPath, [inRoot('dist/cli/main.js'), ...command], { visible: true });
    running.promise.catch(() => {}); // it has said why; the next change starts it again
  };
  if (previous === undefined) begin();
  else previous.promise.then(begin, begin);
}

// npm run bench -- <dataset or command> [options]: recall against speed beside the peers (bench/README.md). npm run bench:smoke: every command
// on a few thousand rows, to see that it works; its figures mean nothing. npm run bench:recsys: quality beside published figures.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { ensureBuilt } from './ensure.mjs';
import { inRoot } from './paths.mjs';
import { bold, say, script, step } from './report.mjs';
import { npmCommand, run } from './run-command.mjs';

const args = process.argv.slice(2);
const smoke = args[0] === 'smoke';
const recsys = args[0] === 'recsys';

await script(async () => {
  await ensureBuilt();
  await step('Compiling the benchmarks', () =>
    run(process.execPath, [inRoot('node_modules/typescript/bin/tsc'), '--project', inRoot('bench/tsconfig.json')]),
  );
  if (recsys) {
    await run(process.execPath, [inRoot('build/bench/recsys/main.js'), ...args.slice(1)], { visible: true });
    return 0;
  }
  if (!smoke) {
    const { commandOf, commands } = await import(pathToFileURL(inRoot('build/bench/commands.js')).href);
    const { packages } = commands[commandOf(args[0])];
    if (packages && !existsSync(inRoot('bench/node_modules/.package-lock.json'))) await installPackages();
    await bench(args);
    return 0;
  }
  const small = ['tiny', '--queries', '50'];
  for (const [command, ...options] of [
    ['ann', '--grid', 'smoke'],
    ['event-loop', ...small, '--seconds', '1'],
    ['memory', ...small, '--searches', '2000'],
    ['insert', ...small, '--seconds', '1'],
    ['churn', ...small],
    ['filters', 'tiny'],
    ['crossover', '--rows', '2000', '--repeats', '1'],
  ]) {
    say(`${bold('·')} ${command}`);
    await bench([command, ...options]);
  }
  return 0;
});

/** @param {readonly (string | undefined)[]} options */
async function bench(options) {
  const given = options.filter((option) => option !== undefined);
  // Where it was called, which paths in the options are relative to.
  await run(process.execPath, ['--expose-gc', inRoot('build/bench/main.js'), ...given], {
    visible: true,
    cwd: process.cwd(),
  });
}

/** The peers, the charts and the sender of requests. Their install scripts only look for the binary that came with them. */
async function installPackages() {
  const npm = npmCommand();
  try {
    await step('Installing the packages of the benchmarks', () =>
      // Not `npm ci`: it refuses a lock file without the peers' binaries for other platforms.
      run(npm.command, [...npm.args, 'install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'], {
        cwd: inRoot('bench'),
      }),
    );
  } catch {
    say('They cannot be installed: peers are left out, and what needs the others will say so.');
  }
}

// npm run bench -- <dataset or command> [options]: recall against speed beside the peers (bench/README.md). npm run bench:smoke: every command
// on a few thousand rows, to see that it works; its figures mean nothing. npm run bench:recsys: quality beside published figures.
import { existsSync } from 'node:fs';
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
  if (wantsPackages() && !existsSync(inRoot('bench/node_modules/.package-lock.json'))) await installPackages();
  if (!smoke) {
    await bench(args);
    return 0;
  }
  const small = ['tiny', '--queries', '50', '--repeats', '2', '--peers', 'hnswlib-node'];
  for (const [command, ...options] of [
    ['compare'],
    ['event-loop', '--seconds', '1'],
    ['memory', '--searches', '2000'],
    ['insert', '--seconds', '1'],
  ]) {
    say(`${bold('·')} ${command}`);
    await bench([command, ...small, ...options]);
  }
  return 0;
});

/** @param {readonly (string | undefined)[]} options */
async function bench(options) {
  const given = options.filter((option) => option !== undefined);
  await run(process.execPath, ['--expose-gc', inRoot('build/bench/main.js'), ...given], { visible: true });
}

/** Whether something of bench/package.json was asked for: a peer that is no dependency of nigh itself, the chart, or the sender of requests. */
function wantsPackages() {
  return args[0] === 'service' || args.some((arg) => /^--chart/.test(arg) || /\b(usearch|zvec)\b/.test(arg));
}

/** Their install scripts only look for the binary that came with them. */
async function installPackages() {
  const npm = npmCommand();
  await step('Installing the packages of the benchmarks', () =>
    // Not `npm ci`: it refuses a lock file without the peers' binaries for other platforms.
    run(npm.command, [...npm.args, 'install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: inRoot('bench'),
    }),
  );
}

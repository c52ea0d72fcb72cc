// The C++ core, compiled by node-gyp when its sources, its build description or the platform changed. Make then compiles only what is new.
import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { filesBelow, fingerprint, readStamp, writeStamp } from './fingerprint.mjs';
import { inRoot, root } from './paths.mjs';
import { compileEnvironment } from './prerequisites.mjs';
import { SetupProblem, step } from './report.mjs';
import { npmCommand, run } from './run-command.mjs';

const platform = [process.platform, process.arch, process.versions.modules];

/** @param {string} path */
const isSource = (path) => /\.(cpp|h)$/.test(path);

/**
 * Builds the addon where it is not up to date.
 * @param {{ tests?: boolean }} [options] tests: also the program of C++ tests
 * @returns {Promise<boolean>} whether anything had to be done
 */
export async function buildNative({ tests = false } = {}) {
  const sources = [inRoot('binding.gyp'), ...filesBelow(inRoot('native'), isSource)];
  const targets = [target('nigh', 'nigh.node', sources)];
  if (tests)
    targets.push(
      target('native_tests', executable('native_tests'), [...sources, ...filesBelow(inRoot('test/native'), isSource)]),
    );
  const stale = targets.filter(({ output, stamp, wanted }) => !existsSync(output) || readStamp(stamp) !== wanted);
  if (stale.length === 0) return false;

  const env = compileEnvironment();
  forgetOtherPlatform();
  const gyp = nodeGyp();
  const jobs = availableParallelism();
  const names = stale.map(({ name }) => name);
  await step(
    `Compiling ${names.includes('nigh') ? 'the native core' : 'the C++ tests'} (C++20, ${jobs === 1 ? 'one core' : `${jobs} cores`})`,
    async () => {
      await run(gyp.command, [...gyp.args, 'configure', '--release'], { env });
      await run(gyp.command, [...gyp.args, 'build', ...names, '--release', '--jobs', String(jobs)], { env });
    },
  );
  for (const { name, output, stamp, wanted } of stale) {
    if (!existsSync(output)) throw new SetupProblem(`node-gyp built ${name} but left no ${output}.`);
    writeStamp(stamp, wanted);
  }
  return true;
}

/**
 * @param {string} name
 * @param {string} file
 * @param {string[]} inputs
 */
function target(name, file, inputs) {
  return {
    name,
    output: inRoot('build/Release', file),
    stamp: inRoot('build', `.nigh-${name}`),
    wanted: fingerprint(root, inputs, platform),
  };
}

/** @param {string} name */
export const executable = (name) => (process.platform === 'win32' ? `${name}.exe` : name);

/** Object files of another platform or Node's ABI are of no use, and make cannot tell. */
function forgetOtherPlatform() {
  const stamp = inRoot('build', '.nigh-platform');
  const here = platform.join(' ');
  const before = readStamp(stamp);
  if (before !== undefined && before !== here) rmSync(inRoot('build'), { recursive: true, force: true });
  if (before !== here) writeStamp(stamp, here);
}

/**
 * Our own node-gyp; in an installed package, which has none, the one that npm brings.
 * @returns {{ command: string, args: string[] }}
 */
function nodeGyp() {
  try {
    return { command: process.execPath, args: [createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js')] };
  } catch {
    const fromNpm =
      process.env.npm_config_node_gyp ??
      join(dirname(npmCommand().args[0] ?? ''), '../node_modules/node-gyp/bin/node-gyp.js');
    if (existsSync(fromNpm)) return { command: process.execPath, args: [fromNpm] };
    throw new SetupProblem(
      'nigh compiles its native core with node-gyp, which is neither installed here nor part of this npm; `npm install node-gyp` and run this again.',
    );
  }
}

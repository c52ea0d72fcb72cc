// A program or an addon compiled without node-gyp, in a directory of its own. Object files are kept by content, so that a second run
// compiles only what changed.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fingerprint, readStamp, writeStamp } from './fingerprint.mjs';
import { inRoot, root } from './paths.mjs';
import { step } from './report.mjs';
import { run } from './run-command.mjs';

/** @typedef {import('./native-units.mjs').Unit} Unit */

/**
 * @typedef {object} Program
 * @property {string} what for people: "the C++ tests under ThreadSanitizer"
 * @property {string[]} compiler a command and its first arguments
 * @property {Unit[]} units
 * @property {string[]} flags of compiling every unit, before its own
 * @property {string[]} link flags of linking
 * @property {string} folder where the object files are
 * @property {string} output
 * @property {NodeJS.ProcessEnv} env
 */

/**
 * Brings a program up to date.
 * @param {Program} program
 */
export async function buildProgram({ what, compiler, units, flags, link, folder, output, env }) {
  const [command = 'g++', ...first] = compiler;
  const identity = [...compiler, await run(command, [...first, '--version'], { env })];
  const objects = units.map((unit) => objectOf(unit, folder, flags, identity));
  const stale = objects.filter((object) => !object.current());
  const parts = () =>
    fingerprint(root, [], [...identity, ...link, ...objects.map(({ path }) => `${path} ${stampOf(path)}`)]);
  if (stale.length === 0 && existsSync(output) && stampOf(output) === parts()) return;
  mkdirSync(folder, { recursive: true });
  mkdirSync(dirname(output), { recursive: true });
  await step(`Compiling ${what} (${stale.length} of ${objects.length} files)`, async () => {
    await inParallel(stale, async ({ unit, path, arguments: own, settle }) => {
      await run(command, [...first, ...own, '-MMD', '-MF', `${path}.d`, '-c', unit.source, '-o', path], { env });
      settle();
    });
    await run(command, [...first, ...objects.map(({ path }) => path), ...link, '-pthread', '-o', output], { env });
    writeStamp(`${output}.hash`, parts());
  });
}

/** @param {string} path */
const stampOf = (path) => readStamp(`${path}.hash`) ?? '';

/**
 * @param {Unit} unit
 * @param {string} folder
 * @param {string[]} flags
 * @param {string[]} identity compiler and version
 */
function objectOf(unit, folder, flags, identity) {
  const path = join(folder, `${unit.source.replaceAll('/', '__')}.o`);
  const own = unit.flags.filter((flag) => !/^-O\d$/.test(flag));
  const all = [...flags, ...own, '-pthread', '-I', inRoot('native')];
  // The compiler lists what a file includes; a change in any of it counts.
  const now = () => {
    const inputs = dependencies(`${path}.d`);
    return inputs === undefined ? undefined : fingerprint(root, inputs, [...identity, ...all]);
  };
  return {
    unit,
    path,
    arguments: all,
    current: () => existsSync(path) && stampOf(path) !== '' && stampOf(path) === now(),
    settle: () => writeStamp(`${path}.hash`, now() ?? ''),
  };
}

/**
 * The project's own files in a make-style dependency list; undefined when one is gone or there is no list.
 * @param {string} path
 */
function dependencies(path) {
  if (!existsSync(path)) return undefined;
  const words = readFileSync(path, 'utf8').replaceAll('\\\n', ' ').split(/\s+/).slice(1);
  const own = [...new Set(words.filter((word) => word !== '').map((word) => resolve(root, word)))]
    .filter((file) => file.startsWith(root))
    .sort();
  return own.every((file) => existsSync(file)) ? own : undefined;
}

/**
 * @template T
 * @param {readonly T[]} list
 * @param {(entry: T) => Promise<void>} work
 */
async function inParallel(list, work) {
  const queue = [...list];
  const worker = async () => {
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      try {
        await work(entry);
      } catch (error) {
        queue.length = 0; // the others finish what they have begun
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

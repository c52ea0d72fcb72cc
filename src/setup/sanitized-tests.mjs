// The C++ tests once more under AddressSanitizer with UndefinedBehaviorSanitizer, and under ThreadSanitizer. Compiled here rather than by
// node-gyp: the program needs no Node, and object files are kept by content, so that a second run compiles only what changed. Flags, and
// above all the per-file instruction sets, are read from binding.gyp: they are written once.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { filesBelow, fingerprint, readStamp, writeStamp } from './fingerprint.mjs';
import { inRoot, root } from './paths.mjs';
import { compileEnvironment, onPath } from './prerequisites.mjs';
import { say, secondsSince, step } from './report.mjs';
import { CommandFailed, run } from './run-command.mjs';

/**
 * @typedef {object} Sanitizer
 * @property {string} name for people
 * @property {string} folder below build/
 * @property {string[]} flags
 * @property {string[]} only parts of the sentences of the tests that are run; empty for all
 * @property {Record<string, string>} env
 */

/** @type {Sanitizer[]} */
export const sanitizers = [
  {
    name: 'AddressSanitizer and UndefinedBehaviorSanitizer',
    folder: 'sanitize-address',
    flags: ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
    only: [],
    env: { ASAN_OPTIONS: 'detect_leaks=1:strict_string_checks=1', UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1' },
  },
  {
    name: 'ThreadSanitizer',
    folder: 'sanitize-thread',
    flags: ['-fsanitize=thread'],
    // Those in which threads meet; the others would only take their time.
    only: ['lane', 'thread', 'others search', 'aborted', 'cancelled', 'loops nest', 'the pool', 'a pool'],
    env: { TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1' },
  },
];

/**
 * Builds and runs the C++ tests under one sanitizer.
 * @param {Sanitizer} sanitizer
 * @returns {Promise<string | undefined>} why it was skipped, if it was
 */
export async function runSanitizedTests(sanitizer) {
  if (process.platform === 'win32') return 'not on Windows';
  const env = compileEnvironment();
  const compiler = (env.CXX ?? 'g++').split(' ');
  const problem = missingRuntime(compiler, sanitizer, env);
  if (problem === undefined) await buildAndRun(compiler, compilationUnits(env), sanitizer, env);
  return problem;
}

/**
 * @param {string[]} compiler
 * @param {Unit[]} units
 * @param {Sanitizer} sanitizer
 * @param {NodeJS.ProcessEnv} env
 */
async function buildAndRun(compiler, units, sanitizer, env) {
  const folder = inRoot('build', sanitizer.folder);
  const version = run(compiler[0] ?? 'g++', [...compiler.slice(1), '--version'], { env });
  const identity = [...compiler, await version];
  const objects = units.map((unit) => objectOf(unit, folder, sanitizer, identity));
  const stale = objects.filter((object) => !object.current());
  const program = join(folder, 'native_tests');
  if (stale.length > 0 || !existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    await step(
      `Compiling the C++ tests under ${sanitizer.name} (${stale.length} of ${objects.length} files)`,
      async () => {
        await inParallel(stale, async ({ unit, path, arguments: flags, settle }) => {
          await run(
            compiler[0] ?? 'g++',
            [...compiler.slice(1), ...flags, '-MMD', '-MF', `${path}.d`, '-c', unit.source, '-o', path],
            { env },
          );
          settle();
        });
        await run(
          compiler[0] ?? 'g++',
          [...compiler.slice(1), ...sanitizer.flags, ...objects.map(({ path }) => path), '-pthread', '-o', program],
          { env },
        );
      },
    );
  }
  const began = performance.now();
  const output = await runProgram(program, sanitizer, env);
  say(`  ${output.trim().split('\n').at(-1)} under ${sanitizer.name}, ${secondsSince(began)}`);
}

/**
 * ThreadSanitizer of older compilers cannot live with much address randomisation and says so instead of running; without it, it can.
 * @param {string} program
 * @param {Sanitizer} sanitizer
 * @param {NodeJS.ProcessEnv} env
 */
async function runProgram(program, sanitizer, env) {
  const options = { env: { ...env, ...sanitizer.env } };
  try {
    return await run(program, sanitizer.only, options);
  } catch (error) {
    const layout = error instanceof CommandFailed && /unexpected memory mapping/.test(error.output);
    if (!layout || onPath('setarch', env) === undefined) throw error;
    return await run('setarch', ['-R', program, ...sanitizer.only], options);
  }
}

/**
 * Why a sanitizer cannot be used here, or undefined.
 * @param {string[]} compiler
 * @param {Sanitizer} sanitizer
 * @param {NodeJS.ProcessEnv} env
 */
function missingRuntime(compiler, sanitizer, env) {
  const program = join(tmpdir(), `nigh-${sanitizer.folder}-${process.pid}`);
  const [command = 'g++', ...args] = compiler;
  const result = spawnSync(command, [...args, ...sanitizer.flags, '-x', 'c++', '-', '-o', program], {
    input: 'int main() { return 0; }\n',
    env,
  });
  spawnSync('rm', ['-f', program]);
  return result.status === 0 ? undefined : `${compiler.join(' ')} has no runtime library for it here`;
}

/** @typedef {{ source: string, flags: string[] }} Unit */

/**
 * Every source of the test program with its flags, read from binding.gyp: a Python literal, evaluated with the conditions of this platform.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Unit[]}
 */
function compilationUnits(env) {
  const arch = process.arch;
  const os = process.platform === 'darwin' ? 'mac' : process.platform;
  const reader = `
import ast, json, sys
gyp = ast.literal_eval(open(sys.argv[1], encoding='utf-8').read())
names = {'target_arch': sys.argv[2], 'OS': sys.argv[3]}
def collect(block, *keys):
    own = [value for key in keys for value in block.get(key, [])]
    for condition, then, *otherwise in block.get('conditions', []):
        chosen = then if eval(condition, {}, names) else (otherwise[0] if otherwise else {})
        own = own + collect(chosen, *keys)
    return own
common = collect(gyp['target_defaults'], 'cflags', 'cflags_cc')
units = []
for target in gyp['targets']:
    if target.get('type') == 'static_library':
        flags = common + collect(target, 'cflags', 'cflags_cc')
        units += [{'source': source, 'flags': flags} for source in collect(target, 'sources')]
print(json.dumps({'common': common, 'units': units}))
`;
  const python = env.npm_config_python ?? env.PYTHON ?? (onPath('python3', env) === undefined ? 'python' : 'python3');
  const result = spawnSync(python, ['-c', reader, inRoot('binding.gyp'), arch, os], { env, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`binding.gyp could not be read: ${result.stderr}`);
  const { common, units } = JSON.parse(result.stdout);
  const baseline =
    units.find((/** @type {Unit} */ unit) => unit.source === 'native/base/thread_pool.cpp')?.flags ?? common;
  const tests = filesBelow(inRoot('test/native'), (path) => path.endsWith('.cpp')).map((path) => ({
    source: `test/native/${basename(path)}`,
    flags: baseline,
  }));
  return [...units, ...tests];
}

/**
 * @param {Unit} unit
 * @param {string} folder
 * @param {Sanitizer} sanitizer
 * @param {string[]} identity compiler and version
 */
function objectOf(unit, folder, sanitizer, identity) {
  const path = join(folder, `${unit.source.replaceAll('/', '__')}.o`);
  const optimisation = ['-O1', '-g', '-fno-omit-frame-pointer'];
  const flags = unit.flags.filter((flag) => !/^-O\d$/.test(flag));
  const all = [
    ...flags,
    ...optimisation,
    ...sanitizer.flags,
    '-pthread',
    '-I',
    inRoot('native'),
    '-I',
    inRoot('test/native'),
  ];
  // The compiler lists what a file includes; a change in any of it counts.
  const now = () => {
    const inputs = dependencies(`${path}.d`);
    return inputs === undefined ? undefined : fingerprint(root, inputs, [...identity, ...all]);
  };
  return {
    unit,
    path,
    arguments: all,
    current: () => {
      const known = readStamp(`${path}.hash`);
      return known !== undefined && existsSync(path) && known === now();
    },
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

// The C++ tests once more under AddressSanitizer with UndefinedBehaviorSanitizer, and under ThreadSanitizer. Compiled here rather than by
// node-gyp, because the program needs no Node.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProgram } from './native-program.mjs';
import { testUnits } from './native-units.mjs';
import { inRoot } from './paths.mjs';
import { compileEnvironment, onPath } from './prerequisites.mjs';
import { say, secondsSince } from './report.mjs';
import { CommandFailed, run } from './run-command.mjs';

/** @typedef {import('./native-units.mjs').Unit} Unit */

/**
 * @typedef {object} Sanitizer
 * @property {string} name for people
 * @property {string} folder below build/
 * @property {string[]} flags
 * @property {string[]} only parts of the sentences of the tests that are run; empty for all
 * @property {Record<string, string>} env
 */

/** @type {Sanitizer} */
export const addressSanitizer = {
  name: 'AddressSanitizer and UndefinedBehaviorSanitizer',
  folder: 'sanitize-address',
  flags: ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
  only: [],
  env: { ASAN_OPTIONS: 'detect_leaks=1:strict_string_checks=1', UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1' },
};

/** @type {Sanitizer} */
const threadSanitizer = {
  name: 'ThreadSanitizer',
  folder: 'sanitize-thread',
  flags: ['-fsanitize=thread'],
  // Those in which threads meet; the others would only take their time.
  only: [
    'two lanes',
    'and lanes',
    'and many',
    'of lanes',
    'a lane is',
    'more lanes',
    'every lane',
    'thread',
    'others search',
    'aborted',
    'cancelled',
    'loops nest',
    'the pool',
    'a pool',
  ],
  env: { TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1' },
};

export const sanitizers = [addressSanitizer, threadSanitizer];

/**
 * Kernels are intrinsics over plain pointers: these checks look at every one of them, find nothing that the others do not, and make
 * their files the longest to compile.
 */
const leftOutOfKernels = ['-fno-sanitize=null,alignment,object-size,pointer-overflow'];

/**
 * How everything is compiled under a sanitizer: with the lines of a stack and no more, which takes a quarter less time. Position independent, so that
 * an addon and a program share their objects.
 * @param {Sanitizer} sanitizer
 */
export const sanitizedFlags = ({ flags }) => ['-O1', '-g1', '-fno-omit-frame-pointer', '-fPIC', ...flags];

/**
 * What is compiled under a sanitizer.
 * @param {Unit[]} units
 * @returns {Unit[]}
 */
export const sanitizedUnits = (units) =>
  units.map(({ source, flags }) => ({
    source,
    flags: source.startsWith('native/simd/') ? [...flags, ...leftOutOfKernels] : flags,
  }));

/**
 * Whether a source is needed: of the tests, only files that have one of those that are run.
 * @param {Sanitizer} sanitizer
 * @param {string} source below the root
 */
function hasTestsFor({ only }, source) {
  if (only.length === 0 || !source.endsWith('_test.cpp')) return true;
  const text = readFileSync(inRoot(source), 'utf8');
  return only.some((part) => text.includes(part));
}

/**
 * Brings the C++ tests under one sanitizer up to date.
 * @param {Sanitizer} sanitizer
 * @returns {Promise<{ skipped: string } | { run: () => Promise<void> }>} why they cannot be had here, or what runs them
 */
export async function buildSanitizedTests(sanitizer) {
  if (process.platform === 'win32') return { skipped: 'not on Windows' };
  const env = compileEnvironment();
  const compiler = (env.CXX ?? 'g++').split(' ');
  const problem = missingRuntime(compiler, sanitizer, env);
  if (problem !== undefined) return { skipped: problem };
  const folder = inRoot('build', sanitizer.folder);
  const output = join(folder, 'native_tests');
  await buildProgram({
    what: `the C++ tests under ${sanitizer.name}`,
    compiler,
    units: sanitizedUnits(testUnits(env).filter(({ source }) => hasTestsFor(sanitizer, source))),
    flags: sanitizedFlags(sanitizer),
    link: sanitizer.flags,
    folder,
    output,
    env,
  });
  return {
    run: async () => {
      const began = performance.now();
      const printed = await runProgram(output, sanitizer, env);
      say(`  C++ tests under ${sanitizer.name}: ${printed.trim().split('\n').at(-1)}, ${secondsSince(began)}`);
    },
  };
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
export function missingRuntime(compiler, sanitizer, env) {
  const program = join(tmpdir(), `nigh-${sanitizer.folder}-${process.pid}`);
  const [command = 'g++', ...args] = compiler;
  const result = spawnSync(command, [...args, ...sanitizer.flags, '-x', 'c++', '-', '-o', program], {
    input: 'int main() { return 0; }\n',
    env,
  });
  spawnSync('rm', ['-f', program]);
  return result.status === 0 ? undefined : `${compiler.join(' ')} has no runtime library for it here`;
}

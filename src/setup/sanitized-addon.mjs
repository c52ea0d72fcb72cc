// The TypeScript tests with the addon under AddressSanitizer and UndefinedBehaviorSanitizer. The addon is built beside the ordinary one,
// where node-gyp-build looks when NIGH_PREBUILD says so. Node itself has no sanitizer in it, so the runtime is loaded before it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { countVitest, leftOut } from './counted-tests.mjs';
import { buildProgram } from './native-program.mjs';
import { addonUnits } from './native-units.mjs';
import { inRoot } from './paths.mjs';
import { compileEnvironment } from './prerequisites.mjs';
import { CommandFailed } from './run-command.mjs';
import { addressSanitizer, missingRuntime, sanitizedFlags, sanitizedUnits } from './sanitized-tests.mjs';

const what = `the TypeScript tests with the addon under ${addressSanitizer.name}`;

/** What reaches the addon without a whole collection around it. */
const suites = ['test/contract', 'test/index', 'test/binding', 'test/embeddings'];

/** @returns {Promise<import('./counted-tests.mjs').Outcome[]>} */
export async function sanitizedAddon() {
  if (process.platform !== 'linux') return [leftOut(what, 'only on Linux, where the runtime can be preloaded')];
  const env = compileEnvironment();
  const compiler = (env.CXX ?? 'g++').split(' ');
  const problem = missingRuntime(compiler, addressSanitizer, env);
  if (problem !== undefined) return [leftOut(what, problem)];
  const runtimes = ['libasan.so', 'libstdc++.so'].map((name) => libraryOf(compiler, name, env));
  if (runtimes.includes(undefined)) return [leftOut(what, `${compiler.join(' ')} has no libasan.so`)];

  const folder = inRoot('build', addressSanitizer.folder);
  const prebuild = join(folder, 'addon');
  await buildProgram({
    what: `the addon under ${addressSanitizer.name}`,
    compiler,
    units: sanitizedUnits(addonUnits(env)),
    flags: sanitizedFlags(addressSanitizer),
    link: [...addressSanitizer.flags, '-shared'],
    folder,
    output: join(prebuild, 'build/Release/nigh.node'),
    env,
  });

  const reports = join(folder, 'reports');
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports);
  const settings = environment(prebuild, runtimes.join(' '), reports);
  const outcome = await countVitest(what, suites, { ...process.env, ...settings }).catch((error) => {
    process.stderr.write(contentsOf(reports));
    throw error;
  });
  // A process that a test started, and whose failure it expected, may have failed for another reason than the expected one.
  const found = contentsOf(reports);
  if (found !== '') throw new CommandFailed('A sanitizer reported a fault in a process that a test started.', 1, found);
  return [outcome];
}

/**
 * @param {string} prebuild
 * @param {string} preload
 * @param {string} reports
 */
function environment(prebuild, preload, reports) {
  // Node leaves at its end what it has, which is no leak of ours, and asks for arrays that no machine can hold, to be refused.
  const address = ['detect_leaks=0', 'allocator_may_return_null=1', 'strict_string_checks=1'];
  const undefinedBehavior = ['print_stacktrace=1', 'halt_on_error=1'];
  return {
    NIGH_PREBUILD: prebuild,
    LD_PRELOAD: preload,
    ASAN_OPTIONS: [...address, `log_path=${join(reports, 'address')}`].join(':'),
    UBSAN_OPTIONS: [...undefinedBehavior, `log_path=${join(reports, 'undefined')}`].join(':'),
  };
}

/** @param {string} directory */
const contentsOf = (directory) =>
  readdirSync(directory)
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('\n');

/**
 * The full path of a library that the compiler links.
 * @param {string[]} compiler
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
function libraryOf([command = 'g++', ...first], name, env) {
  const { stdout } = spawnSync(command, [...first, `-print-file-name=${name}`], { env, encoding: 'utf8' });
  const path = (stdout ?? '').trim();
  return path.includes('/') ? realpathSync(path) : undefined;
}

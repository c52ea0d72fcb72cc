// node_modules as the lockfile says. `npm ci` runs only when what is installed differs from the lockfile; what somebody installed by hand
// with the same result is accepted as it is.
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { filesBelow, fingerprint, readStamp, writeStamp } from './fingerprint.mjs';
import { inRoot, root } from './paths.mjs';
import { compileEnvironment } from './prerequisites.mjs';
import { step } from './report.mjs';
import { npmCommand, run } from './run-command.mjs';

const stamp = inRoot('node_modules', '.nigh-lockfile');

/**
 * Installs what is missing. No package runs a script of its own: those that have to be compiled are, and of the others the scripts do nothing that
 * is needed, or fetch what nigh does not use.
 * @param {{ optional: boolean }} options optional: also compile what only tests and comparisons use
 * @returns {Promise<boolean>} whether anything had to be done
 */
export async function installPackages({ optional }) {
  const wanted = fingerprint(root, [inRoot('package-lock.json')], [process.platform, process.arch]);
  if (readStamp(stamp) === wanted && uncompiled(optional).length === 0) return false;
  const npm = npmCommand();
  let worked = false;
  if (!matchesLockfile()) {
    // Asked first: what is missing on this machine is said before anything is fetched.
    const env = compileEnvironment();
    // Development packages are asked for by name: NODE_ENV=production would leave out the compiler.
    const options = ['--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
    await step('Installing packages with npm ci', () => run(npm.command, [...npm.args, 'ci', ...options], { env }));
    worked = true;
  }
  const bare = uncompiled(optional);
  if (bare.length > 0) {
    const env = { ...compileEnvironment(), JOBS: String(availableParallelism()) };
    await step(`Compiling ${bare.join(', ')}`, () => run(npm.command, [...npm.args, 'rebuild', ...bare], { env }));
    worked = true;
  }
  writeStamp(stamp, wanted);
  return worked;
}

/** Whether node_modules holds what the lockfile lists. */
function matchesLockfile() {
  const installed = packagesOf(inRoot('node_modules', '.package-lock.json'));
  if (installed === undefined) return false;
  const locked = packagesOf(inRoot('package-lock.json')) ?? {};
  for (const [path, entry] of Object.entries(locked)) {
    if (path === '') continue;
    const version = installed[path]?.version;
    if (version === undefined && (entry.optional === true || entry.devOptional === true)) continue;
    if (version !== entry.version || !existsSync(inRoot(path, 'package.json'))) return false;
  }
  return true;
}

/**
 * @param {string} path
 * @returns {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }> | undefined}
 */
function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * Packages that have to be compiled and are not.
 * @param {boolean} optional also those that nigh does without
 * @returns {string[]}
 */
function uncompiled(optional) {
  /** @type {{ allowScripts?: Record<string, boolean>, peerDependenciesMeta?: object }} */
  const { allowScripts = {}, peerDependenciesMeta = {} } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  return Object.keys(allowScripts).filter((name) => {
    const folder = inRoot('node_modules', ...name.split('/'));
    if (allowScripts[name] !== true || !existsSync(`${folder}/binding.gyp`)) return false;
    if (!optional && name in peerDependenciesMeta) return false;
    // lmdb's binaries are packages of their own.
    if (existsSync(inRoot('node_modules', `@${name}`, `${name}-${process.platform}-${process.arch}`))) return false;
    return filesBelow(`${folder}/build`, (path) => path.endsWith('.node')).length === 0;
  });
}

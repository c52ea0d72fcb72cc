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
 * Installs what is missing.
 * @returns {Promise<boolean>} whether anything had to be done
 */
export async function installPackages() {
  const wanted = fingerprint(root, [inRoot('package-lock.json')], [process.platform, process.arch]);
  if (readStamp(stamp) === wanted && uncompiled().length === 0) return false;
  const npm = npmCommand();
  let worked = false;
  if (!matchesLockfile()) {
    const env = npmEnvironment();
    // Development packages are asked for by name: NODE_ENV=production would leave out the compiler.
    await step('Installing packages with npm ci', () =>
      run(npm.command, [...npm.args, 'ci', '--include=dev', '--no-audit', '--no-fund'], { env }),
    );
    worked = true;
  }
  const bare = uncompiled();
  if (bare.length > 0) {
    const env = npmEnvironment();
    await step(`Compiling ${bare.join(', ')}`, () => run(npm.command, [...npm.args, 'rebuild', ...bare], { env }));
    worked = true;
  }
  writeStamp(stamp, wanted);
  return worked;
}

function npmEnvironment() {
  // The next step compiles our own core with its own message, so npm's run of our install script can leave it.
  return { ...compileEnvironment(), JOBS: String(availableParallelism()), NIGH_SETUP: '1' };
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
 * Packages that compile at install and have not: `npm ci --ignore-scripts` leaves them so.
 * @returns {string[]}
 */
function uncompiled() {
  /** @type {Record<string, boolean>} */
  const scripts = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')).allowScripts ?? {};
  return Object.keys(scripts).filter((name) => {
    const folder = inRoot('node_modules', ...name.split('/'));
    if (scripts[name] !== true || !existsSync(`${folder}/binding.gyp`)) return false;
    // lmdb's binaries are packages of their own.
    if (existsSync(inRoot('node_modules', `@${name}`, `${name}-${process.platform}-${process.arch}`))) return false;
    return filesBelow(`${folder}/build`, (path) => path.endsWith('.node')).length === 0;
  });
}

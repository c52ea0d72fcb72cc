// The package as somebody else gets it: packed, and installed into an empty project of another folder, on a machine without a compiler.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { inRoot } from './paths.mjs';
import { onPath } from './prerequisites.mjs';
import { step } from './report.mjs';
import { npmCommand, run } from './run-command.mjs';

/**
 * Packs the package, with the binary of this platform; gives the tarball. Where NIGH_TARBALL names one, that one is tried.
 * @returns {Promise<string>}
 */
export async function packPackage() {
  const given = process.env.NIGH_TARBALL;
  if (given !== undefined && given !== '') return resolve(given);
  const folder = inRoot('build/package');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const npm = npmCommand();
  await step('Packing the package', () => run(npm.command, [...npm.args, 'pack', '--pack-destination', folder]));
  const { name, version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  return join(folder, `${name}-${version}.tgz`);
}

/**
 * @typedef {object} Project
 * @property {string} folder
 * @property {string} node
 * @property {NodeJS.ProcessEnv} env
 */

/**
 * Calls `use` with an empty project in which npm and this Node are all there is: no compiler, no make, no Python.
 * @template T
 * @param {string} node the binary
 * @param {(project: Project) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function inBareProject(node, use) {
  const base = mkdtempSync(join(tmpdir(), 'nigh-package-'));
  try {
    const folder = join(base, 'project');
    cpSync(inRoot('test/package/project'), folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "name": "somebody-elses", "version": "1.0.0", "private": true }\n');
    return await use({ folder, node, env: bareEnvironment(join(base, 'bin'), node) });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/**
 * @param {string} bin a folder to make, which is the whole PATH
 * @param {string} node
 * @returns {NodeJS.ProcessEnv}
 */
function bareEnvironment(bin, node) {
  mkdirSync(bin);
  symlinkSync(node, join(bin, 'node'));
  for (const name of ['sh', 'env', 'uname']) {
    const path = onPath(name, process.env);
    if (path !== undefined) symlinkSync(path, join(bin, name));
  }
  // Nothing of ours: neither the variables that npm sets for the script that runs, nor a compiler by name.
  const foreign = /^(npm_|NIGH_|NODE_|CC$|CXX$|MAKE|PYTHON|CCACHE)/i;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(kept), PATH: bin };
}

/**
 * Installs a tarball by npm, run by the project's Node.
 * @param {Project} project
 * @param {readonly string[]} packages
 */
export async function install({ folder, node, env }, packages) {
  const options = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'];
  return await run(node, [npmProgram(), ...options, ...packages], { cwd: folder, env });
}

/** npm's own program: a link on the PATH would be run by the Node that is first there. */
function npmProgram() {
  const { args } = npmCommand();
  if (args[0] !== undefined) return args[0];
  const candidates = ['lib/node_modules/npm/bin/npm-cli.js', 'node_modules/npm/bin/npm-cli.js'];
  const found = candidates.map((path) => join(dirname(dirname(process.execPath)), path)).find(existsSync);
  if (found === undefined) throw new Error('npm was not found beside Node; run this through `npm run test:long`.');
  return found;
}

/**
 * Runs a program of the project by its Node.
 * @param {Project} project
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [further]
 */
export async function runInProject({ folder, node, env }, args, further = {}) {
  return await run(node, args, { cwd: folder, env: { ...env, ...further } });
}

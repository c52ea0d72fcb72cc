// npm run release -- <major, minor, patch or a version> [--dry-run]: looks whether this can be released, runs the checks and the tests, writes version and
// changelog, packs, commits and tags. Pushing the tag, which it leaves to you, makes the workflow of releases build the binaries and publish.
// Two further uses are that workflow's: --notes prints the changelog of this version, --check-tarball <file> looks for every platform's binary and for
// the repository, by which npm's page follows the links of the README.
import { readFileSync, writeFileSync } from 'node:fs';
import { nextVersion, notesOf, released } from './changelog.mjs';
import { packPackage } from './installed-package.mjs';
import { inRoot } from './paths.mjs';
import { releasedPlatforms } from './prebuild.mjs';
import { dim, SetupProblem, say, script, step } from './report.mjs';
import { npmCommand, run } from './run-command.mjs';

const manifests = ['package.json', 'package-lock.json'];

/**
 * @param {string} by
 * @param {boolean} dryRun
 */
async function release(by, dryRun) {
  const before = currentVersion();
  const version = nextVersion(before, by);
  const changelog = released(readText('CHANGELOG.md'), version, new Date().toISOString().slice(0, 10));
  await requireReleasable(version);
  if (dryRun) {
    await checksPass();
    const what = before === version ? `nigh ${version} would be released` : `nigh ${before} would become ${version}`;
    say(`${what}, with this in its changelog:\n\n${notesOf(changelog, version)}\n`);
    say(dim('Nothing was changed.'));
    return;
  }
  await checksPass();
  await step('Running the tests', () => npm('test'));
  const texts = new Map(['CHANGELOG.md', ...manifests].map((path) => [path, readText(path)]));
  try {
    writeFileSync(inRoot('CHANGELOG.md'), changelog);
    // The first release has the version that is there already.
    await npm('version', version, '--no-git-tag-version', '--allow-same-version');
    const tarball = await packPackage();
    await git('commit', '--quiet', '--message', `Release ${version}`, '--', 'CHANGELOG.md', ...manifests);
    await git('tag', '--annotate', `v${version}`, '--message', `nigh ${version}`);
    say(`nigh ${version} is committed and tagged; ${tarball} holds it for this platform.`);
    say('To publish it: git push --follow-tags');
  } catch (error) {
    for (const [path, text] of texts) writeFileSync(inRoot(path), text);
    throw error;
  }
}

/** @param {string} version */
async function requireReleasable(version) {
  const branch = (await git('rev-parse', '--abbrev-ref', 'HEAD')).trim();
  if (branch !== 'main') throw new SetupProblem(`Releases are made on main, and this is ${branch}.`);
  if ((await git('status', '--porcelain')).trim() !== '')
    throw new SetupProblem('There are changes that are not committed.');
  if ((await git('tag', '--list', `v${version}`)).trim() !== '')
    throw new SetupProblem(`There is a tag v${version} already.`);
}

const checksPass = () => step('Running the checks', () => npm('run', 'check'));

/** @param {string} file */
async function checkTarball(file) {
  const listed = (await run('tar', ['-tzf', file])).split('\n');
  const missing = releasedPlatforms.filter((path) => !listed.includes(`package/prebuilds/${path}`));
  if (missing.length > 0) throw new SetupProblem(`${file} has no binary for ${missing.join(', ')}.`);
  const { repository } = JSON.parse(await run('tar', ['-xzOf', file, 'package/package.json']));
  if (repository === undefined) throw new SetupProblem(`${file} names no repository.`);
  say(`${file} has a binary for each of ${releasedPlatforms.length} platforms.`);
}

/** @param {string} path */
const readText = (path) => readFileSync(inRoot(path), 'utf8');

/** @returns {string} */
const currentVersion = () => JSON.parse(readText('package.json')).version;

/** @param {string[]} args */
function npm(...args) {
  const { command, args: before } = npmCommand();
  return run(command, [...before, ...args]);
}

/** @param {string[]} args */
const git = (...args) => run('git', args);

await script(async () => {
  const [first = '', second] = process.argv.slice(2);
  if (first === '--notes') say(notesOf(readText('CHANGELOG.md'), currentVersion()));
  else if (first === '--check-tarball') await checkTarball(second ?? '');
  else await release(first, second === '--dry-run');
  return 0;
});

// Versions, and the changelog's sections of them.
import { SetupProblem } from './report.mjs';

const unreleased = '## [Unreleased]';

/**
 * @param {string} version the present one
 * @param {string} step major, minor, patch, or the next version itself
 */
export function nextVersion(version, step) {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (step === 'major') return `${major + 1}.0.0`;
  if (step === 'minor') return `${major}.${minor + 1}.0`;
  if (step === 'patch') return `${major}.${minor}.${patch + 1}`;
  if (/^\d+\.\d+\.\d+$/.test(step)) return step;
  throw new SetupProblem(`A release is major, minor, patch or a version such as 1.2.0, not ${step}.`);
}

/**
 * The text below the heading of a version, or of what is unreleased.
 * @param {string} changelog
 * @param {string} version
 */
export function notesOf(changelog, version) {
  const begin = changelog.indexOf(`## [${version}]`);
  if (begin < 0) throw new SetupProblem(`CHANGELOG.md has no section ${version}.`);
  const body = changelog.indexOf('\n', begin) + 1;
  const end = changelog.indexOf('\n## [', body);
  return changelog.slice(body, end < 0 ? undefined : end).trim();
}

/**
 * What was unreleased becomes the section of the version.
 * @param {string} changelog
 * @param {string} version
 * @param {string} date as 2026-01-31
 */
export function released(changelog, version, date) {
  if (changelog.includes(`## [${version}]`)) throw new SetupProblem(`CHANGELOG.md has a section ${version} already.`);
  if (notesOf(changelog, 'Unreleased') === '') throw new SetupProblem('CHANGELOG.md says nothing of what changed.');
  return changelog.replace(unreleased, `${unreleased}\n\n## [${version}] - ${date}`);
}

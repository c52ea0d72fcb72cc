import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nextVersion, notesOf, released } from '../../src/setup/changelog.mjs';
import { releasedPlatforms } from '../../src/setup/prebuild.mjs';

const repository = resolve(import.meta.dirname, '../..');
const changelog = '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- This.\n\n## [0.1.0] - 2026-01-01\n\n- That.\n';

describe('versions and their notes', () => {
  test('a step or a version gives the next version, and anything else is refused', () => {
    expect(['major', 'minor', 'patch', '3.2.1'].map((step) => nextVersion('1.2.3', step))).toEqual([
      '2.0.0',
      '1.3.0',
      '1.2.4',
      '3.2.1',
    ]);
    expect(() => nextVersion('1.2.3', 'big')).toThrow('major, minor, patch');
  });

  test('what was unreleased becomes the section of the version', () => {
    const after = released(changelog, '0.2.0', '2026-02-03');
    expect(after).toContain('## [Unreleased]\n\n## [0.2.0] - 2026-02-03\n\n### Added');
    expect(notesOf(after, '0.2.0')).toBe('### Added\n\n- This.');
    expect(notesOf(after, '0.1.0')).toBe('- That.');
    expect(notesOf(after, 'Unreleased')).toBe('');
  });

  test('a version that is there already, and a changelog that says nothing, are refused', () => {
    expect(() => released(changelog, '0.1.0', '2026-02-03')).toThrow('already');
    expect(() => released(released(changelog, '0.2.0', '2026-02-03'), '0.3.0', '2026-02-04')).toThrow('nothing');
  });
});

describe.skipIf(process.platform === 'win32')('npm run release', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nigh-release-'));
    cpSync(join(repository, 'src/setup'), join(folder, 'src/setup'), { recursive: true });
    const scripts = { check: 'node -e 0', test: 'node -e 0' };
    write(
      'package.json',
      JSON.stringify({ name: 'small', version: '0.1.0', license: 'MIT', files: ['a.txt'], scripts }),
    );
    write('package-lock.json', '{ "name": "small", "version": "0.1.0", "lockfileVersion": 3, "packages": {} }');
    write('CHANGELOG.md', changelog);
    write('a.txt', 'a');
    write('.gitignore', 'build/\n');
    git('init', '--quiet', '--initial-branch', 'main');
    git('add', '.');
    git('commit', '--quiet', '--message', 'All');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (path: string, text: string) => writeFileSync(join(folder, path), text);
  const read = (path: string) => readFileSync(join(folder, path), 'utf8');
  const git = (...args: string[]) =>
    spawnSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args], {
      cwd: folder,
      encoding: 'utf8',
    }).stdout.trim();
  const release = (...args: string[]) => {
    const author = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.org' };
    const committer = { GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.org' };
    const result = spawnSync(process.execPath, ['src/setup/release.mjs', ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...author, ...committer },
    });
    return { status: result.status, output: result.stdout + result.stderr };
  };

  test('checks, writes the version and the changelog, packs, commits and tags', () => {
    expect(release('minor')).toMatchObject({ status: 0, output: expect.stringContaining('git push --follow-tags') });
    expect(git('describe', '--tags')).toBe('v0.2.0');
    expect(git('status', '--porcelain')).toBe('');
    expect(JSON.parse(read('package.json')).version).toBe('0.2.0');
    expect(JSON.parse(read('package-lock.json')).version).toBe('0.2.0');
    expect(read('CHANGELOG.md')).toMatch(/## \[0\.2\.0\] - \d{4}-\d\d-\d\d\n\n### Added/);
    expect(release('--notes').output).toContain('- This.');
    expect(release('--check-tarball', 'build/package/small-0.2.0.tgz')).toMatchObject({
      status: 1,
      output: expect.stringContaining('has no binary for darwin-arm64/nigh.node'),
    });
  });

  test('the first release has the version that is in package.json before it', () => {
    write('CHANGELOG.md', changelog.replace(/## \[0\.1\.0\][\s\S]*/, ''));
    git('commit', '--quiet', '--all', '--message', 'Nothing released');
    expect(release('0.1.0').status).toBe(0);
    expect(git('describe', '--tags')).toBe('v0.1.0');
    expect(read('CHANGELOG.md')).toContain('## [0.1.0] - ');
  });

  test('a tarball for publication has the binary of every platform and says where it comes from', () => {
    const pack = (manifest: object) => {
      for (const platform of releasedPlatforms) {
        mkdirSync(join(folder, 'build/package/prebuilds', dirname(platform)), { recursive: true });
        write(join('build/package/prebuilds', platform), '');
      }
      write('build/package/package.json', JSON.stringify(manifest));
      spawnSync('tar', ['-czf', 'whole.tgz', '-C', 'build', 'package'], { cwd: folder });
      return release('--check-tarball', 'whole.tgz');
    };
    expect(pack({ name: 'small' })).toMatchObject({ status: 1, output: expect.stringContaining('no repository') });
    expect(pack({ name: 'small', repository: { type: 'git', url: 'git+https://example.org/a.git' } }).status).toBe(0);
  });

  test('a dry run says what would be, and changes nothing', () => {
    const { status, output } = release('patch', '--dry-run');
    expect({ status, head: git('status', '--porcelain'), tags: git('tag') }).toEqual({ status: 0, head: '', tags: '' });
    expect(output).toContain('0.1.0 would become 0.1.1');
    expect(output).toContain('- This.');
  });

  test('uncommitted changes, another branch and failing checks are refused before anything is written', () => {
    write('a.txt', 'b');
    expect(release('patch')).toMatchObject({ status: 1, output: expect.stringContaining('not committed') });
    git('checkout', '--quiet', '-b', 'other');
    expect(release('patch')).toMatchObject({ status: 1, output: expect.stringContaining('this is other') });
    git('checkout', '--quiet', 'main');
    write('package.json', read('package.json').replace('"check":"node -e 0"', '"check":"node -e process.exit(3)"'));
    git('commit', '--quiet', '--all', '--message', 'Broken');
    expect(release('patch').status).not.toBe(0);
    expect({ head: git('status', '--porcelain'), tags: git('tag') }).toEqual({ head: '', tags: '' });
  });
});

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findToolchain, nodeProblem, toolchainProblem } from '../../src/setup/prerequisites.mjs';

const repository = resolve(import.meta.dirname, '../..');
const debian = { platform: 'linux', osRelease: 'NAME="Debian"\nID=debian\n' };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nigh-setup-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the sentence for what is missing', () => {
  test('an old Node is named with the version that is needed', () => {
    expect(nodeProblem('18.20.4')).toMatch(/needs Node\.js 20\.19 or 22\.12 or newer and this is 18\.20\.4/);
    for (const old of ['20.18.3', '21.7.3', '22.11.0']) expect(nodeProblem(old), old).toBeDefined();
    for (const fit of ['20.19.0', '22.12.0', '24.0.0', '26.0.0']) expect(nodeProblem(fit), fit).toBeUndefined();
  });

  test('nothing is said when everything is there', () => {
    expect(toolchainProblem({ cxx: 'g++', make: 'make', python: 'python3' }, debian)).toBeUndefined();
  });

  test('all that is missing is in one sentence, with this system’s way to get it', () => {
    expect(toolchainProblem({}, debian)).toBe(
      'nigh compiles its native core and a C++ compiler, make and Python 3 were not found on the PATH; ' +
        'install the toolchain with `sudo apt-get install -y g++ make python3`, then run this again.',
    );
    expect(toolchainProblem({ cxx: 'g++', make: 'make' }, { platform: 'linux', osRelease: 'ID=alpine\n' })).toContain(
      'Python 3 was not found on the PATH; install the toolchain with `apk add',
    );
    expect(toolchainProblem({ make: 'make', python: 'python3' }, { platform: 'darwin', osRelease: '' })).toContain(
      'xcode-select',
    );
    expect(toolchainProblem({}, { platform: 'linux', osRelease: 'ID=something\n' })).toContain('package manager');
  });

  test('a compiler that is too old is told apart from none', () => {
    expect(toolchainProblem({ oldCxx: 'g++', make: 'make', python: 'python3' }, debian)).toContain(
      'a C++ compiler that knows C++20 (g++ does not) was not found',
    );
  });
});

describe('looking for the toolchain', () => {
  /** A program that ends with an exit code. */
  function program(name: string, exitCode: number): void {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\nexit ${exitCode}\n`);
    chmodSync(path, 0o755);
  }

  test('an empty PATH has nothing', () => {
    expect(findToolchain({ PATH: folder })).toEqual({});
  });

  test('a compiler that refuses C++20 does not count, and the next one is tried', () => {
    program('g++', 1);
    expect(findToolchain({ PATH: folder })).toEqual({ oldCxx: 'g++' });
    program('clang++', 0);
    expect(findToolchain({ PATH: folder }).cxx).toBe('clang++');
  });

  test('the compiler of CXX is preferred, with its arguments', () => {
    program('g++', 0);
    program('ccache', 0);
    expect(findToolchain({ PATH: folder, CXX: 'ccache g++' }).cxx).toBe('ccache g++');
  });

  test('a Python 2 is not taken for Python 3', () => {
    program('python', 1);
    program('make', 0);
    expect(findToolchain({ PATH: folder })).toEqual({ make: 'make' });
  });
});

describe('a bare clone on a machine without a compiler', () => {
  /** The clone as it is before anything is installed, and a PATH on which there is Node alone. */
  function bareClone(): { clone: string; env: NodeJS.ProcessEnv } {
    const clone = join(folder, 'clone');
    for (const part of ['package.json', 'package-lock.json', 'binding.gyp', 'tsconfig.json', 'src/setup', 'native']) {
      cpSync(join(repository, part), join(clone, part), { recursive: true });
    }
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'node'));
    return { clone, env: { PATH: bin, HOME: folder } };
  }

  test.each(['start', 'test', 'build', 'check', 'install'])(
    'npm run %s says one sentence and ends with 1',
    (script) => {
      const { clone, env } = bareClone();
      const result = spawnSync(process.execPath, [join(clone, `src/setup/${script}.mjs`)], {
        cwd: clone,
        env,
        encoding: 'utf8',
      });
      expect(result.status).toBe(1);
      expect(result.stderr.trim().split('\n')).toHaveLength(1);
      expect(result.stderr).toMatch(
        /^nigh: nigh compiles its native core and a C\+\+ compiler, make and Python 3 were not found/,
      );
    },
  );

  test('with NIGH_SETUP=1 the install script leaves the compiling to the next step', () => {
    const { clone, env } = bareClone();
    const result = spawnSync(process.execPath, [join(clone, 'src/setup/install.mjs')], {
      cwd: clone,
      env: { ...env, NIGH_SETUP: '1' },
      encoding: 'utf8',
    });
    expect(result).toMatchObject({ status: 0, stderr: '', stdout: '' });
  });
});

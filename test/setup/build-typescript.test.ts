import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const repository = resolve(import.meta.dirname, '../..');

let project = '';
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'nigh-build-'));
  cpSync(join(repository, 'src/setup'), join(project, 'src/setup'), { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(repository, file), join(project, file));
  // The settings of the repository, but for declarations that take the compiler longer to read than all the rest.
  const { compilerOptions, ...settings } = JSON.parse(readFileSync(join(repository, 'tsconfig.json'), 'utf8'));
  const small = { ...settings, compilerOptions: { ...compilerOptions, lib: ['ES5'], types: [] } };
  write('tsconfig.json', JSON.stringify(small));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(join(repository, 'node_modules/typescript'), join(project, 'node_modules/typescript'));
  const program =
    "import { answer } from '../core/answer.js';\ndeclare const console: { log(value: number): void };\nconsole.log(answer);\n";
  write('src/cli/main.ts', `#!/usr/bin/env node\n${program}`);
  write('src/core/answer.ts', 'export const answer: number = 42;\n');
  write('src/service/explorer/page.html', '<p>nigh</p>\n');
  write('src/index/worker.mjs', 'export {};\n');
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

/** Runs the step by itself; gives what it said and whether it worked. */
function build(): { worked: boolean; status: number | null; output: string } {
  const step = join(project, 'src/setup/build-typescript.mjs');
  const report = join(project, 'src/setup/report.mjs');
  const program = `const { buildTypescript } = await import(${JSON.stringify(step)});
    const { script } = await import(${JSON.stringify(report)});
    await script(async () => { console.log('worked:', await buildTypescript()); });`;
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  return {
    worked: result.stdout.includes('worked: true'),
    status: result.status,
    output: result.stdout + result.stderr,
  };
}

const built = (path: string) => existsSync(join(project, 'dist', path));

test('a first build compiles, copies what needs no compiling, leaves out the set-up and makes the command executable', () => {
  expect(build()).toMatchObject({ worked: true, status: 0 });
  for (const path of [
    'cli/main.js',
    'core/answer.js',
    'core/answer.d.ts',
    'service/explorer/page.html',
    'index/worker.mjs',
  ]) {
    expect(built(path), path).toBe(true);
  }
  expect(built('setup')).toBe(false);
  const command = join(project, 'node_modules/.bin/nigh');
  expect(spawnSync(command, { encoding: 'utf8' }).stdout).toBe('42\n');
  expect(statSync(join(project, 'dist/cli/main.js')).mode & 0o111).toBe(0o111);
});

test('a second build does nothing, and a change is compiled', () => {
  build();
  expect(build()).toMatchObject({ worked: false, status: 0 });
  write('src/core/answer.ts', 'export const answer: number = 43;\n');
  expect(build().worked).toBe(true);
  expect(readFileSync(join(project, 'dist/core/answer.js'), 'utf8')).toContain('43');
  write('src/service/explorer/page.html', '<p>near</p>\n');
  expect(build().worked).toBe(true);
  expect(readFileSync(join(project, 'dist/service/explorer/page.html'), 'utf8')).toBe('<p>near</p>\n');
});

test('what lost its source is removed from dist', () => {
  write('src/core/gone.ts', 'export const gone = 1;\n');
  build();
  expect(built('core/gone.js')).toBe(true);
  rmSync(join(project, 'src/core/gone.ts'));
  rmSync(join(project, 'src/service/explorer/page.html'));
  build();
  for (const path of ['core/gone.js', 'core/gone.d.ts', 'core/gone.js.map', 'service/explorer/page.html']) {
    expect(built(path), path).toBe(false);
  }
  expect(built('core/answer.js')).toBe(true);
});

test('output that somebody deleted comes back, though no source changed', () => {
  build();
  rmSync(join(project, 'dist'), { recursive: true });
  expect(build().worked).toBe(true);
  expect(built('core/answer.js')).toBe(true);
});

test('a type error shows what the compiler says, ends with its code, and is tried again', () => {
  write('src/core/answer.ts', "export const answer: number = 'x';\n");
  const failed = build();
  expect(failed.status).not.toBe(0);
  expect(failed.output).toContain('src/core/answer.ts(1,14): error TS2322');
  expect(build().status).not.toBe(0);
  write('src/core/answer.ts', 'export const answer: number = 42;\n');
  expect(build()).toMatchObject({ worked: true, status: 0 });
});

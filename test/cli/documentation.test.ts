/**
 * Every command and every program of the README and the guide is run, in the order of the page, in a folder that has only what the page
 * itself puts there. A block that cannot be (it needs a network, or minutes) says why in a comment above it; its programs are still compiled.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CodeBlock, codeBlocks, commands } from './documentation.js';
import { command, repository, requireBuild } from './nigh-command.js';

const pages = [
  'README.md',
  'docs/getting-started.md',
  'docs/bring-your-own-vectors.md',
  'docs/changing-an-index.md',
  'docs/concepts.md',
  'docs/embeddings.md',
  'docs/evaluation.md',
  'docs/installing.md',
  'docs/live-updates.md',
  'docs/pictures-and-encoders.md',
  'docs/pipelines.md',
  'docs/reliability.md',
  'docs/retrieval.md',
  'docs/scale.md',
  'docs/text-embeddings.md',
  'docs/service.md',
  'docs/tuning.md',
];
const shell = new Set(['sh', 'bash', 'console']);
const typescript = join(repository, 'node_modules/typescript/bin/tsc');

let folder = '';
let stop: (() => Promise<void>)[] = [];
beforeEach(() => {
  requireBuild();
  folder = mkdtempSync(join(tmpdir(), 'nigh-docs-'));
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
  symlinkSync(repository, join(folder, 'node_modules/nigh'));
  symlinkSync(join(repository, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'));
  symlinkSync(join(repository, 'node_modules/undici-types'), join(folder, 'node_modules/undici-types'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/nigh'), `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`, { mode: 0o755 });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  stop = [];
});
afterEach(async () => {
  for (const each of stop) await each();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(pages)('%s', (page) => {
  const blocks = codeBlocks(readFileSync(join(repository, page), 'utf8'));

  test('every command succeeds and every program compiles and runs', async () => {
    const port = await freePort();
    expect(blocks.some(({ language, notRun }) => language === 'ts' && notRun === undefined)).toBe(true);
    compilePrograms(page, blocks);
    for (const block of blocks) {
      if (block.file !== undefined) write(block.file, block.text);
      else if (shell.has(block.language) && block.notRun === undefined) await runCommands(page, block, port);
      else if (block.language === 'ts' && block.notRun === undefined) runProgram(page, block);
    }
  }, 300_000);

  test('what is not run says why', () => {
    for (const { notRun, line } of blocks) {
      if (notRun !== undefined) expect(notRun.length, `${page}:${line}`).toBeGreaterThan(10);
    }
  });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), `${text}\n`);
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NIGH_INDEXES: '', PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
}

async function runCommands(page: string, block: CodeBlock, port: number): Promise<void> {
  for (const line of commands(block)) {
    const where = `${page}:${block.line}: ${line}`;
    const program = /^(?:\w+=\S+ )*(\S+)/.exec(line)?.[1];
    expect(['nigh', 'curl'], `${where}: mark the block as not run, with the reason`).toContain(program);
    const text = line.replaceAll('8080', String(port));
    if (/^nigh serve /.test(line)) {
      await serve(text, where);
    } else {
      const wanted = program === 'curl' ? text.replace('curl ', 'curl --silent --show-error --fail --globoff ') : text;
      const { status, stdout, stderr } = spawnSync('bash', ['-c', quotedAddress(wanted)], {
        cwd: folder,
        env: environment(),
        encoding: 'utf8',
      });
      expect(status, `${where}\n${stdout}${stderr}`).toBe(0);
      expect(stdout, where).not.toBe('');
    }
  }
}

/** The page writes addresses without quotes, as people type them where the shell has no file of that name. */
function quotedAddress(line: string): string {
  return line.replace(/(http:\/\/\S+)/, "'$1'");
}

/** Starts the service of the page, which the page's requests are sent to. */
async function serve(line: string, where: string): Promise<void> {
  const child = spawn('bash', ['-c', `exec ${line}`], { cwd: folder, env: environment() });
  let output = '';
  const ended = new Promise<void>((done) => child.on('close', () => done()));
  stop.push(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await new Promise<void>((listening, failed) => {
    const read = (chunk: Buffer) => {
      output += String(chunk);
      if (output.includes('Serving on')) listening();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => failed(new Error(`${where} ended:\n${output}`)));
  });
}

/** Compiles all programs of a page, also those that are not run, against the package's own types. */
function compilePrograms(page: string, blocks: readonly CodeBlock[]): void {
  const programs = blocks.filter(({ language }) => language === 'ts');
  for (const { line, text } of programs) write(`program-${line}.ts`, text);
  const options =
    '--target es2022 --lib es2023,esnext.disposable --module nodenext --strict --types node --skipLibCheck';
  const files = programs.map(({ line }) => `program-${line}.ts`);
  const { status, stdout } = spawnSync(process.execPath, [typescript, ...options.split(' '), ...files], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(status, `${page}, program-<line>.ts:\n${stdout}`).toBe(0);
}

function runProgram(page: string, { line }: CodeBlock): void {
  const ran = spawnSync(process.execPath, [`program-${line}.js`], {
    cwd: folder,
    env: environment(),
    encoding: 'utf8',
  });
  expect(ran.status, `${page}:${line}\n${ran.stdout}${ran.stderr}`).toBe(0);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

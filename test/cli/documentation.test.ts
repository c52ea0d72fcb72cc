/**
 * Every command and every program of the README and the guide is run, in the order of the page, in a folder that has only what the page
 * itself puts there, and what the page shows of their output is compared. A block that cannot be run (it needs a network, or minutes) says why in
 * a comment above it; its programs are still compiled.
 *
 * NIGH_WRITE_DOCS=1 writes outputs that differ into the pages, NIGH_WRITE_DOCS=all every output, for the times in it. NIGH_INSTALLED names a project
 * in which the packed package is installed: then that is followed, and not the build of this repository.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type CodeBlock,
  codeBlocks,
  commands,
  firstDifference,
  firstMissing,
  shownBelowPrompts,
} from './documentation.js';
import { command, repository, requireBuild } from './nigh-command.js';
import { nighInside } from './nigh-inside.js';

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
  'docs/recall-and-time.md',
  'docs/reliability.md',
  'docs/retrieval.md',
  'docs/scale.md',
  'docs/text-embeddings.md',
  'docs/service.md',
  'docs/tuning.md',
].map((path) => ({ path, blocks: codeBlocks(readFileSync(join(repository, path), 'utf8')) }));
const shell = new Set(['sh', 'bash', 'console']);
const typescript = join(repository, 'node_modules/typescript/bin/tsc');
const installed = process.env.NIGH_INSTALLED;

/** What is common to all pages; each has a folder of its own below it. */
let base = '';
/** What the compiler says of all pages' programs. */
let complaints: readonly string[] = [];
let stop: (() => Promise<void>)[] = [];

beforeAll(() => {
  requireBuild();
  base = mkdtempSync(join(tmpdir(), 'nigh-docs-'));
  writeFileSync(join(base, 'package.json'), '{ "type": "module" }');
  mkdirSync(join(base, 'bin'));
  if (installed !== undefined) {
    symlinkSync(join(installed, 'node_modules'), join(base, 'node_modules'));
    symlinkSync(join(installed, 'node_modules/.bin/nigh'), join(base, 'bin/nigh'));
  } else {
    mkdirSync(join(base, 'node_modules/@types'), { recursive: true });
    symlinkSync(repository, join(base, 'node_modules/nigh'));
    for (const name of ['@types/node', 'undici-types'])
      symlinkSync(join(repository, 'node_modules', name), join(base, 'node_modules', name));
    const script = `#!/bin/sh\nexec "${process.execPath}" "${command}" "$@"\n`;
    writeFileSync(join(base, 'bin/nigh'), script, { mode: 0o755 });
  }
  compilePrograms();
}, 300_000);
afterEach(async () => {
  for (const each of stop) await each();
  stop = [];
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe.each(pages)('$path', ({ path, blocks }) => {
  const name = path.replace(/\W+/g, '-');

  test('every command succeeds, every program compiles and runs, and both print what the page shows', async () => {
    expect(complaints.filter((line) => line.startsWith(`check/${name}/`))).toEqual([]);
    const folder = join(base, name);
    mkdirSync(folder);
    const page = { path, folder, port: await freePort() };
    let ran = 0;
    let printed = '';
    for (const [at, block] of blocks.entries()) {
      if (block.file !== undefined) write(folder, block.file, block.text.replaceAll('8080', String(page.port)));
      else if (block.output !== undefined) compare(page, block, printed);
      else if (block.notRun === undefined && (shell.has(block.language) || block.language === 'ts')) {
        ran++;
        printed =
          block.language === 'ts'
            ? runProgram(page, block)
            : await runCommands(page, block, blocks[at + 1]?.output !== undefined);
        printed = printed.replaceAll(String(page.port), '8080').replaceAll(folder, '…');
        const shown = shownBelowPrompts(block);
        if (shown !== undefined) expect(firstDifference(shown, printed), `${path}:${block.line}`).toBeUndefined();
      }
    }
    expect(ran).toBeGreaterThan(0);
  }, 300_000);

  test('what is not run says why', () => {
    for (const { notRun, line } of blocks) {
      if (notRun !== undefined) expect(notRun.length, `${path}:${line}`).toBeGreaterThan(10);
    }
  });
});

interface Page {
  readonly path: string;
  readonly folder: string;
  readonly port: number;
}

function write(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), `${text}\n`);
}

function environment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NIGH_INDEXES: '',
    PATH: `${join(base, 'bin')}:${dirname(process.execPath)}:${process.env.PATH}`,
  };
}

function compare({ path }: Page, { text, line, output }: CodeBlock, printed: string): void {
  const difference = output === 'once' && text !== '' ? firstMissing(text, printed) : firstDifference(text, printed);
  const writing = process.env.NIGH_WRITE_DOCS;
  if (difference === undefined && writing !== 'all') return;
  if (writing === undefined) expect.fail(`${path}:${line}\n${difference}\n\nAll of it:\n${printed}`);
  const file = join(repository, path);
  const now = readFileSync(file, 'utf8');
  const fence = (content: string) =>
    `<!-- output${output === 'once' ? ' of one run' : ''} -->\n\`\`\`text\n${content}\`\`\`\n`;
  const shown = fence(text === '' ? '' : `${text}\n`);
  // The first of several that are alike: those before it are written by now.
  expect(now.includes(shown), `${path}:${line}`).toBe(true);
  writeFileSync(
    file,
    now.replace(shown, () => fence(`${printed.trimEnd()}\n`)),
  );
}

/**
 * Gives what they print, messages included.
 * @param compared whether the page shows it, also where it is a refusal of the service
 */
async function runCommands({ path, folder, port }: Page, block: CodeBlock, compared: boolean): Promise<string> {
  let printed = '';
  for (const line of commands(block)) {
    const where = `${path}:${block.line}: ${line}`;
    const program = /^(?:\w+=\S+ )*(\S+)/.exec(line)?.[1];
    expect(['nigh', 'curl', 'node'], `${where}: mark the block as not run, with the reason`).toContain(program);
    const text = line.replaceAll('8080', String(port));
    if (/^nigh serve /.test(line)) {
      printed += await serve(text, folder, where);
    } else if (installed === undefined && /^nigh [^|<>&;]*$/.test(text.replace(/'[^']*'|"[^"]*"/g, ''))) {
      const cwd = { cwd: folder, env: { NIGH_INDEXES: '' }, messagesToo: true };
      const { status, stdout } = await nighInside(words(text, folder).slice(1), cwd);
      expect(status, `${where}\n${stdout}`).toBe(0);
      printed += `${stdout}\n`;
    } else {
      const options = `--silent --show-error --globoff${compared ? '' : ' --fail'}`;
      const wanted = program === 'curl' ? text.replace('curl ', `curl ${options} `) : text;
      const { status, stdout } = spawnSync('bash', ['-c', `exec 2>&1\n${quotedAddress(wanted)}`], {
        cwd: folder,
        env: environment(),
        encoding: 'utf8',
      });
      expect(status, `${where}\n${stdout}`).toBe(0);
      printed += `${stdout}\n`;
    }
    expect(printed, where).not.toBe('');
  }
  return printed;
}

/** What a command's arguments are, as a shell reads them. */
function words(line: string, cwd: string): string[] {
  const { stdout } = spawnSync('bash', ['-c', `printf '%s\\0' ${line}`], { cwd, encoding: 'utf8' });
  return stdout.split('\0').slice(0, -1);
}

/** The page writes addresses without quotes, as people type them where the shell has no file of that name. */
function quotedAddress(line: string): string {
  return line.replace(/ (http:\/\/\S+)/, " '$1'");
}

/** Starts the service of the page, which the page's requests are sent to. */
async function serve(line: string, cwd: string, where: string): Promise<string> {
  const child = spawn('bash', ['-c', `exec ${line}`], { cwd, env: environment() });
  let output = '';
  const ended = new Promise<void>((done) => child.on('close', () => done()));
  stop.push(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await new Promise<void>((listening, failed) => {
    const read = (chunk: Buffer) => {
      output += String(chunk);
      if (/Serving on .*\n/.test(output)) listening();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => failed(new Error(`${where} ended:\n${output}`)));
  });
  return output;
}

/**
 * Compiles the programs of all pages at once, also those that are not run, against the package's own types. They are copies, so that a page still
 * has only what it has put into its folder.
 */
function compilePrograms(): void {
  const files: string[] = [];
  for (const { path, blocks } of pages) {
    const folder = join('check', path.replace(/\W+/g, '-'));
    for (const { language, line, text, file } of blocks) {
      const name = language === 'ts' ? `program-${line}.ts` : language === 'js' ? file : undefined;
      if (name === undefined) continue;
      write(base, join(folder, name), text);
      files.push(join(folder, name));
    }
  }
  const options =
    '--target es2022 --lib es2023,esnext.disposable --module nodenext --strict --types node --skipLibCheck --allowJs --checkJs --rootDir . --outDir compiled';
  const { stdout } = spawnSync(process.execPath, [typescript, ...options.split(' '), ...files], {
    cwd: base,
    encoding: 'utf8',
  });
  // A program in JavaScript need not say its types.
  complaints = stdout.split('\n').filter((line) => line !== '' && !/\.mjs\(.*error TS7\d{3}:/.test(line));
  expect(complaints.filter((line) => !line.startsWith('check/') && !line.startsWith(' '))).toEqual([]);
}

function runProgram({ path, folder }: Page, { line }: CodeBlock): string {
  const program = join(base, 'compiled/check', path.replace(/\W+/g, '-'), `program-${line}.js`);
  const ran = spawnSync(process.execPath, [program], { cwd: folder, env: environment(), encoding: 'utf8' });
  expect(ran.status, `${path}:${line}\n${ran.stdout}${ran.stderr}`).toBe(0);
  return ran.stdout;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

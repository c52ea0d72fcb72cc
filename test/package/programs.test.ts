/** The library inside somebody's program: ES modules and CommonJS, bundled and not, and in worker threads. What runs is the build. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type InputOption, rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Retriever } from '../../src/retrieval/retriever.js';
import { films, layOut } from '../cli/films.js';
import { nigh, repository, requireBuild } from '../cli/nigh-command.js';

const programs = join(import.meta.dirname, 'programs');
let folder: string;
let collection: string;
let expected: { similar: string[]; rows: number; code: string; nearest: number[] };

beforeAll(async () => {
  requireBuild();
  folder = mkdtempSync(join(tmpdir(), 'nigh-programs-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(repository, join(folder, 'node_modules/nigh'));
  collection = layOut(folder);
  expect(nigh(['build', 'films'], { cwd: folder }).status).toBe(0);
  for (const name of ['app.mjs', 'app.cjs']) copyFileSync(join(programs, name), join(folder, name));
  await using retriever = await Retriever.open(collection);
  const { results } = await retriever.similarItems('f7', { k: 3, exact: true });
  expected = { similar: results.map(({ id }) => id), rows: films.length, code: 'UNKNOWN_ITEM', nearest: [1] };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(program: string) {
  return spawnSync(process.execPath, [program, collection], { cwd: folder, encoding: 'utf8', timeout: 60_000 });
}

function expectAnswers(program: string): void {
  const { status, stdout, stderr } = run(program);
  expect(status, stderr).toBe(0);
  expect(JSON.parse(stdout)).toEqual(expected);
}

async function bundle(input: InputOption, file: string, options: { format: 'esm' | 'cjs'; external: RegExp[] }) {
  const { format, external } = options;
  const build = await rolldown({ input, cwd: folder, platform: 'node', external, logLevel: 'silent' });
  await build.write({ file: join(folder, file), format, codeSplitting: false });
  await build.close();
}

describe('a program', () => {
  test.each(['app.mjs', 'app.cjs'])('%s has nigh by its name', (program) => expectAnswers(program));

  // As docs/installing.md has it.
  const external = [/^nigh(\/|$)/];
  test.each(['esm', 'cjs'] as const)('bundled as %s, with nigh left out, runs as before', async (format) => {
    const from = format === 'esm' ? 'app.mjs' : 'app.cjs';
    const file = `bundled.${format === 'esm' ? 'mjs' : 'cjs'}`;
    await bundle(from, file, { format, external });
    expectAnswers(file);
  });

  test('that a bundler has put nigh into is told to leave it out', async () => {
    await bundle('app.mjs', 'swallowed.mjs', { format: 'esm', external: [] });
    const { status, stderr } = run('swallowed.mjs');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/external: \['nigh'\]/);
  });
});

describe('a retriever in worker threads', () => {
  const begin = (forever: boolean) =>
    new Worker(join(programs, 'retriever-in-a-worker.mjs'), { workerData: { collection, forever }, execArgv: [] });
  const said = (worker: Worker) =>
    new Promise<unknown>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });

  test('answers in each what it answers here, all of them at once over the same files', async () => {
    await using retriever = await Retriever.open(collection);
    const idsOf = ({ results }: { results: readonly { id: string }[] }) => results.map(({ id }) => id);
    const rows: string[][] = [];
    for await (const { id, neighbors } of retriever.neighbors({ k: 3, exact: true }).each())
      rows.push([id, ...neighbors]);
    const here = {
      similar: idsOf(await retriever.similarItems('f7', { k: 5, exact: true, where: 'year >= 1955' })),
      recommended: idsOf(await retriever.recommend('u3', { k: 5, exact: true })),
      text: idsOf(await retriever.query({ text: 'saloon', k: 3, exact: true })),
      rows,
      failures: [
        ['NighError', 'UNKNOWN_ITEM'],
        ['NighError', 'ABORTED'],
      ],
    };
    const workers = Array.from({ length: 3 }, () => begin(false));
    const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const answers of await Promise.all(workers.map(said))) expect(answers).toEqual(here);
    // Each ends by itself once its collection is closed.
    expect(await Promise.all(ended)).toEqual([0, 0, 0]);
  });

  test('that are ended in the middle of their questions harm nobody', async () => {
    await using retriever = await Retriever.open(collection);
    const workers = Array.from({ length: 3 }, () => begin(true));
    await Promise.all(workers.map(said));
    for (const worker of workers) {
      await new Promise((next) => setTimeout(next, 30));
      await worker.terminate();
    }
    expect((await retriever.similarItems('f7', { k: 3 })).results).toHaveLength(3);
  });
});

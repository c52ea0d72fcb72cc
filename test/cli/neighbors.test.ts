import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BuildLock } from '../../src/retrieval/build-lock.js';
import { films, layOut, likes, recipe } from './films.js';
import { nigh, requireBuild } from './nigh-command.js';

let folder: string;
const run = (...args: string[]) => nigh(args, { cwd: folder });
const path = (name: string) => join(folder, name);

beforeAll(() => {
  requireBuild();
  folder = mkdtempSync(join(tmpdir(), 'nigh-neighbors-'));
  layOut(folder);
  expect(run('build', 'films').status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Row {
  readonly id: string;
  readonly space: string;
  readonly neighbors: readonly string[];
  readonly scores: readonly number[];
}

const rows = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);

describe('nigh neighbors', () => {
  test('writes a line an item to stdout, each as nigh similar answers', () => {
    const { status, stdout, stderr } = run('neighbors', 'films', '-k', '5', '--exact');
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/films: items, 60 rows, k 5/);
    const found = rows(stdout);
    expect(found.map(({ id }) => id)).toEqual(films.map(({ id }) => id).sort());
    const single = JSON.parse(run('similar', 'films', 'f7', '-k', '5', '--exact', '--json').stdout);
    const row = found.find(({ id }) => id === 'f7');
    expect(row?.neighbors).toEqual(single.results.map(({ id }: { id: string }) => id));
    expect(row).toMatchObject({
      space: 'cf',
      scores: single.results.map(({ score }: { score: number }) => expect.closeTo(score, 6)),
    });
  });

  test('writes what suits every user, without what they have, in parts for an array of jobs', () => {
    const parts = ['1/3', '2/3', '3/3'].flatMap((shard, i) => {
      const finished = run(
        'neighbors',
        'films',
        '--of',
        'users',
        '-k',
        '4',
        '--where',
        'year >= 1955',
        '--shard',
        shard,
        '--out',
        `part-${i}.jsonl`,
        '--json',
      );
      expect(finished.status, finished.stderr).toBe(0);
      expect(JSON.parse(finished.stdout)).toMatchObject({
        format: 'jsonl',
        rows: 30,
        neighbors: 120,
        paths: [`part-${i}.jsonl`],
        resumedAt: 0,
      });
      return rows(readFileSync(path(`part-${i}.jsonl`), 'utf8'));
    });
    expect(parts).toHaveLength(90);
    for (const { id, neighbors } of parts) {
      const has = likes.filter(({ user }) => user === id).map(({ film }) => film);
      expect(neighbors.filter((film) => has.includes(film))).toEqual([]);
      for (const film of neighbors) expect(films.find((each) => each.id === film)?.year).toBeGreaterThanOrEqual(1955);
    }
    expect(readdirSync(folder).filter((name) => name.startsWith('part-'))).toHaveLength(3);
  });

  test('names the files of a matrix, and CSV goes to a pipe', () => {
    const written = run('neighbors', 'films', '--out', 'm.npy');
    expect(written.status, written.stderr).toBe(0);
    expect(written.stdout).toMatch(/m\.npy: npy, 60 rows, .*\n.*m\.scores\.npy.*\n.*m\.ids\.txt.*\n.*m\.items\.txt/);
    const piped = run('neighbors', 'films', '--as', 'csv', '-k', '1');
    expect(piped.stdout.split('\n').slice(0, 2)).toEqual([
      'id,rank,neighbor,score,space',
      expect.stringMatching(/^f1,1,f\d+,[\d.]+,cf$/),
    ]);
  });

  test('ends with 1 and LOCKED while another writes there', async () => {
    const lock = await BuildLock.at(path('busy.jsonl.lock'), 'writing busy.jsonl');
    const refused = run('neighbors', 'films', '--out', 'busy.jsonl', '--json');
    await lock.release();
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(JSON.parse(refused.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({ code: 'LOCKED' });
    expect(run('neighbors', 'films', '--out', 'busy.jsonl').status).toBe(0);
  });

  test('refuses what cannot be, and leaves nothing', () => {
    const wrong: [status: number, message: RegExp, ...args: string[]][] = [
      [2, /Known: \.parquet/, 'films', '--out', 'y.doc'],
      [2, /pipe/, 'films', '--as', 'parquet'],
      [2, /--json/, 'films', '--json'],
      [2, /--include-seen/, 'films', '--include-seen', '--out', 'y.csv'],
      [2, /2\/8/, 'films', '--shard', '9/8', '--out', 'y.csv'],
      [1, /UNKNOWN_SPACE/, 'films', '--space', 'look', '--out', 'y.csv'],
      [1, /UNKNOWN_COLLECTION/, 'folms', '--out', 'y.csv'],
      [1, /NOT_FOUND/, 'films', '--out', 'nowhere/y.csv'],
    ];
    for (const [status, message, ...args] of wrong) {
      const finished = run('neighbors', ...args);
      expect(finished, args.join(' ')).toMatchObject({ status, stdout: '' });
      expect(finished.stderr, args.join(' ')).toMatch(message);
    }
    expect(existsSync(path('y.csv'))).toBe(false);
  });
});

describe('nigh build as a step of a pipeline', () => {
  test('says what it would do and why, and does only that', () => {
    const plan = () => JSON.parse(run('build', 'films', '--dry-run', '--json').stdout);
    expect(plan()).toMatchObject([{ name: 'films', generation: 'gen-000001', unchanged: true }]);
    const nothing = run('build', 'films');
    expect(nothing).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/Nothing has changed: gen-000001 stays/),
    });
    layOut(folder, { spaces: { ...recipe.spaces, cf: { embedding: 'als', factors: 6, iterations: 10 } } });
    const told = run('build', 'films', '--dry-run');
    expect(told.stdout).toMatch(/cf +als +be made +its recipe is another\ntext +tfidf +be taken over/);
    expect(plan()[0].unchanged).toBe(false);
    const [summary] = JSON.parse(run('build', 'films', '--json').stdout);
    expect(summary).toMatchObject({
      generation: 'gen-000002',
      unchanged: false,
      stages: [
        { space: 'cf', action: 'make', because: ['its recipe is another'] },
        { space: 'text', action: 'take over', because: [] },
      ],
    });
    const fresh = run('build', 'films', '--fresh', '--json');
    expect(JSON.parse(fresh.stdout)[0]).toMatchObject({ generation: 'gen-000003' });
    expect(run('build', 'films', '--fresh', '--dry-run').status).toBe(2);
  });

  test('ends with 1 and LOCKED while another builds', async () => {
    const lock = await BuildLock.acquire(path('indexes/films'));
    const refused = run('build', 'films', '--fresh', '--json');
    await lock.release();
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(JSON.parse(refused.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({ code: 'LOCKED' });
  });
});

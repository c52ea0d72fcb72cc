import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, CollectionInfo } from '../../src/retrieval/index.js';
import { Retriever } from '../../src/retrieval/index.js';
import { films, layOut, likes } from './films.js';
import { type Finished, nigh, RunningNigh, repository, requireBuild } from './nigh-command.js';
import { nighInside } from './nigh-inside.js';

let folder = '';
let built: Finished;
const where = () => ({ cwd: folder, env: { NIGH_INDEXES: '' } });
const run = (...args: string[]) => nighInside(args, where());
const collection = () => join(folder, 'indexes/films');

beforeAll(() => {
  requireBuild();
  folder = mkdtempSync(join(tmpdir(), 'nigh-cli-'));
  layOut(folder);
  built = nigh(['build', 'films'], where());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Problem documents and tables are for different streams: whatever fails leaves stdout empty. */
function expectFailure(finished: Finished, status: number, code: string, message: RegExp): void {
  expect(finished.stderr).toMatch(message);
  expect(finished.stderr).toContain(`[${code}]`);
  expect(finished).toMatchObject({ status, stdout: '' });
}

describe('nigh build', () => {
  test('says its stages and their times on stderr, and the measured recall of every index on stdout', () => {
    expect(built.status, built.stderr).toBe(0);
    for (const stage of [
      'reading',
      'cf: fitting als',
      'cf: indexing',
      'cf: measuring recall',
      'text: fitting tfidf',
      'writing',
    ]) {
      expect(built.stderr).toContain(stage);
    }
    expect(built.stderr).toMatch(/films: 60 items, 90 users, [\d,]+ interactions; gen-000001, .*, built in /);
    const [header = '', ...rows] = built.stdout.trimEnd().split('\n');
    expect(header).toMatch(/^space +embedding +answers +index +metric +dim +items +users +recall@10 +queries +size$/);
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatch(/^cf +als +similar +hnsw +\w+ +8 +60 +90 +[01]\.\d{4} +60 +\d.* k?B$/);
    expect(rows[1]).toMatch(/^cf +als +recommend +hnsw +ip /);
    expect(rows[2]).toMatch(/^text +tfidf +similar /);
  });

  test('takes several recipes by name and by path, and --json is an array of what the library tells', async () => {
    layOut(folder, {}, 'second');
    mkdirSync(join(folder, 'elsewhere'));
    for (const file of ['films.csv', 'likes.csv']) {
      copyFileSync(join(collection(), file), join(folder, 'elsewhere', file));
    }
    copyFileSync(join(collection(), 'recipe.json'), join(folder, 'elsewhere/third.json'));
    const finished = await run('build', 'second', 'elsewhere/third.json', '--json');
    expect(finished.status, finished.stderr).toBe(0);
    const infos = JSON.parse(finished.stdout) as CollectionInfo[];
    expect(infos.map(({ name, items, users }) => [name, items, users])).toEqual([
      ['second', 60, 90],
      ['films', 60, 90],
    ]);
    expect(readdirSync(join(folder, 'elsewhere/third'))).toContain('CURRENT');
    expect((await run('similar', 'elsewhere/third', 'f1')).status).toBe(0);
  });

  test('--out builds elsewhere', async () => {
    const finished = await run('build', 'films', '--out', 'somewhere/else');
    expect(finished.status, finished.stderr).toBe(0);
    expect((await run('similar', 'somewhere/else', 'f1', '--json')).status).toBe(0);
  });

  test.each([
    [
      'a recipe that does not exist',
      ['build', 'flims'],
      1,
      'NOT_FOUND',
      /no recipe called "flims".*Did you mean "films"/,
    ],
    [
      'a path that does not exist',
      ['build', './nowhere/recipe.json'],
      1,
      'NOT_FOUND',
      /no recipe .*nowhere\/recipe\.json/,
    ],
    [
      'two recipes into one directory',
      ['build', 'films', 'second', '--out', 'x'],
      2,
      'INVALID_ARGUMENT',
      /--out: expected one recipe/,
    ],
  ])('%s is refused', async (_, args, status, code, message) => {
    expectFailure(await run(...args), status, code, message);
  });

  test.each([
    ['an unknown key', { spaecs: {} }, 'UNKNOWN_OPTION', /spaecs.*Did you mean "spaces"/],
    [
      'a missing column',
      { dataset: { source: 'csv', items: { path: 'films.csv', id: 'ident' } } },
      'MISSING_COLUMN',
      /ident/,
    ],
    ['a floor that cannot be reached', { recallFloor: 1.5 }, 'INVALID_RECIPE', /recallFloor/],
    ['JSON that is none', undefined, 'INVALID_RECIPE', /not valid JSON/],
  ])('%s in a recipe fails, and the old generation stays live', async (_, changes, code, message) => {
    const directory = layOut(folder, changes ?? {}, 'broken');
    if (changes === undefined) writeFileSync(join(directory, 'recipe.json'), '{ "name": ');
    const before = readdirSync(directory).sort();
    expectFailure(await run('build', 'broken'), 1, code, message);
    expect(readdirSync(directory).sort()).toEqual(before);
  });

  test('a value that is not a number fails with file and line, and leaves nothing behind', async () => {
    const directory = layOut(folder, {}, 'broken');
    const path = join(directory, 'films.csv');
    writeFileSync(path, readFileSync(path, 'utf8').replace(',1953', ',soon'));
    const before = readdirSync(directory).sort();
    expectFailure(await run('build', 'broken'), 1, 'INVALID_RECORD', /films\.csv:5.*soon/);
    expect(readdirSync(directory).sort()).toEqual(before);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s during a build leaves the old generation live and nothing else',
    async (signal) => {
      const directory = layOut(folder, {}, 'long');
      expect((await run('build', 'long')).status).toBe(0);
      layOut(folder, { spaces: { cf: { embedding: 'als', factors: 256, iterations: 1000, cgSteps: 0 } } }, 'long');
      const before = readdirSync(directory).sort();
      const building = new RunningNigh(['build', 'long'], { cwd: folder });
      await building.says(/reading likes\.csv/);
      building.child.kill(signal);
      const finished = await building.finished;
      expect(finished).toMatchObject({ status: signal === 'SIGINT' ? 130 : 143, stdout: '' });
      expect(finished.stderr).toContain('[ABORTED]');
      expect(readdirSync(directory).sort()).toEqual(before);
      expect((await run('similar', 'long', 'f1')).status).toBe(0);
    },
  );
});

describe('nigh similar', () => {
  test('prints rank, score, title, id and attributes, and says how they were found', async () => {
    const finished = await run('similar', 'films', films[0]?.title ?? '', '-k', '5');
    expect(finished.status, finished.stderr).toBe(0);
    const [header = '', ...rows] = finished.stdout.trimEnd().split('\n');
    expect(header).toMatch(/^# +score +title +id +genre +year$/);
    expect(rows).toHaveLength(5);
    for (const [i, row] of rows.entries()) {
      expect(row).toMatch(new RegExp(`^${i + 1} +-?\\d\\.\\d{4} +\\w+ \\w+ \\d+ +f\\d+ +western +19\\d\\d$`));
    }
    expect(finished.stderr).toMatch(
      /^Like .* \(f1\):\n5 results from space cf \(\w+, (exact|approximate), \d+ distances, .* ms, generation gen-000001\)\n$/,
    );
  });

  test('--json is the library’s answer, for every option', async () => {
    await using retriever = await Retriever.open(collection());
    for (const [args, options] of [
      [[], {}],
      [['-k', '3', '--space', 'text'], { k: 3, space: 'text' }],
      [['--k', '100', '--exact'], { k: 100, exact: true }],
      [['--where', 'year >= 1960 and genre has noir'], { where: 'year >= 1960 and genre has noir' }],
      [['--weights', 'cf=0.7,text=0.3', '--fusion', 'rrf'], { weights: { cf: 0.7, text: 0.3 }, fusion: 'rrf' }],
      [['--weights', 'cf=1,text=0', '--quotas', 'text=0.5'], { weights: { cf: 1, text: 0 }, quotas: { text: 0.5 } }],
      [['--diversity', '0.5', '--popularity', '-0.3'], { diversity: 0.5, popularity: -0.3 }],
      [
        ['--per-group', 'genre=2', '--recency', 'year=5'],
        { perGroup: { attribute: 'genre', most: 2 }, recency: { attribute: 'year', halfLife: 5 } },
      ],
      [['--explore', '2', '--seed', '7', '--deny', 'f2'], { explore: { slots: 2, seed: 7 }, deny: ['f2'] }],
      [['--allow', 'f2', '--allow', 'f3', '--min-score', '-1'], { allow: ['f2', 'f3'], minScore: -1 }],
      [['--explain', '--where', 'genre has western'], { explain: true, where: 'genre has western' }],
    ] as const) {
      const finished = await run('similar', 'films', 'f1', '--json', ...args);
      const answer = JSON.parse(finished.stdout) as Answer;
      expect(finished).toMatchObject({ status: 0, stderr: '' });
      expect(withoutTime(answer)).toEqual(withoutTime(await retriever.similarItems('f1', options)));
    }
  });

  test('--text asks without an item, and --explain says why', async () => {
    const finished = await run(
      'similar',
      'films',
      '--text',
      'noir',
      '-k',
      '3',
      '--explain',
      '--where',
      'year > 1955',
      '--deny',
      'f50',
    );
    expect(finished.status, finished.stderr).toBe(0);
    expect(finished.stderr).toMatch(/^Like "noir":\n3 results from space text /);
    expect(finished.stdout).toMatch(/^1: proposed by text \(place 1\); scores text [\d.]+$/m);
    expect(finished.stdout).toMatch(/^left out: .*, [\d.]+ in text \[where\]$/m);
  });

  test.each([
    ['no question', ['similar', 'films'], 2, 'INVALID_ARGUMENT', /expected an item, --text or --image/],
    [
      'a condition that ends early',
      ['similar', 'films', 'f1', '--where', 'year >'],
      1,
      'INVALID_ARGUMENT',
      /character 7: expected a number/,
    ],
    [
      'an unknown attribute',
      ['similar', 'films', 'f1', '--where', 'yaer > 3'],
      1,
      'UNKNOWN_OPTION',
      /Did you mean "year"/,
    ],
    [
      'weights that are none',
      ['similar', 'films', 'f1', '--weights', 'cf'],
      2,
      'INVALID_ARGUMENT',
      /--weights: expected name=number/,
    ],
    [
      'weights of both kinds',
      ['similar', 'films', 'f1', '--weights', 'cf=1', '--weight', 'x=1'],
      2,
      'INVALID_ARGUMENT',
      /got both/,
    ],
    [
      'two groups',
      ['similar', 'films', 'f1', '--per-group', 'genre=1,year=1'],
      2,
      'INVALID_ARGUMENT',
      /expected one attribute/,
    ],
    ['a seed alone', ['similar', 'films', 'f1', '--seed', '1'], 2, 'INVALID_ARGUMENT', /--explore/],
    ['a picture that is not there', ['similar', 'films', '--image', 'none.png'], 1, 'NOT_FOUND', /none\.png/],
    [
      'an unknown collection',
      ['similar', 'flims', 'f1'],
      1,
      'UNKNOWN_COLLECTION',
      /no collection "flims".*Did you mean "films"/,
    ],
    [
      'a collection that is not built',
      ['similar', 'npm-packages', 'express'],
      1,
      'UNKNOWN_COLLECTION',
      /run: nigh build npm-packages/,
    ],
    [
      'a directory without a collection',
      ['similar', './indexes', 'f1'],
      1,
      'UNKNOWN_COLLECTION',
      /no built collection in/,
    ],
    ['an unknown item', ['similar', 'films', 'Sherif Canyon 99'], 1, 'UNKNOWN_ITEM', /Sherif Canyon 99/],
    ['an unknown space', ['similar', 'films', 'f1', '--space', 'txet'], 1, 'UNKNOWN_SPACE', /Did you mean "text"/],
    [
      'k = 0',
      ['similar', 'films', 'f1', '-k', '0'],
      2,
      'INVALID_ARGUMENT',
      /-k: expected an integer from 1 to 10000, got "0"/,
    ],
    ['k = 10001', ['similar', 'films', 'f1', '-k', '10001'], 2, 'INVALID_ARGUMENT', /-k: expected/],
    ['a k that is no number', ['similar', 'films', 'f1', '-k', '1e1'], 2, 'INVALID_ARGUMENT', /-k: expected/],
    ['too many items', ['similar', 'films', 'f1', 'f2'], 2, 'INVALID_ARGUMENT', /Too many arguments/],
    ['an unknown option', ['similar', 'films', 'f1', '--exakt'], 2, 'UNKNOWN_OPTION', /--exakt.*Did you mean --exact/],
  ])('%s is refused', async (_, args, status, code, message) => {
    expectFailure(await run(...args), status, code, message);
  });

  test('for a machine a refusal is a problem document on stderr', async () => {
    const failed = await run('similar', 'films', 'nothing like it', '--json');
    expect(failed).toMatchObject({ status: 1, stdout: '' });
    expect(JSON.parse(failed.stderr)).toMatchObject({
      type: 'urn:nigh:error:unknown-item',
      status: 404,
      code: 'UNKNOWN_ITEM',
    });
    const misused = await run('similar', 'films', 'f1', '--json', '-k', 'x');
    expect(misused.status).toBe(2);
    expect(JSON.parse(misused.stderr)).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT' });
  });

  test('a damaged index file is told by its code and crashes nothing', () => {
    const directory = join(folder, 'damaged');
    expect(nigh(['build', 'films', '--out', directory], where()).status).toBe(0);
    const generation = join(directory, 'gen-000001');
    const file = join(generation, readdirSync(generation).find((name) => name.endsWith('.ann')) ?? '');
    const whole = readFileSync(file);
    for (const [bytes, codes] of [
      [whole.subarray(0, whole.length / 2), /\[(TRUNCATED|FORMAT|CHECKSUM_MISMATCH)\]/],
      [Buffer.from(whole.map((byte, i) => (i === whole.length - 100 ? byte ^ 4 : byte))), /\[CHECKSUM_MISMATCH\]/],
    ] as const) {
      writeFileSync(file, bytes);
      const finished = nigh(['similar', directory, 'f1'], where());
      expect(finished).toMatchObject({ status: 1, stdout: '' });
      expect(finished.stderr).toMatch(codes);
    }
  });
});

describe('nigh recommend', () => {
  test('--json is the library’s answer for a user, and leaves out what the user has unless asked', async () => {
    await using retriever = await Retriever.open(collection());
    const has = new Set(likes.filter(({ user }) => user === 'u1').map(({ film }) => film));
    const answer = JSON.parse((await run('recommend', 'films', 'u1', '-k', '60', '--json')).stdout) as Answer;
    expect(withoutTime(answer)).toEqual(withoutTime(await retriever.recommend('u1', { k: 60 })));
    expect(answer.results).toHaveLength(60 - has.size);
    expect(answer.results.filter(({ id }) => has.has(id))).toEqual([]);
    const all = JSON.parse(
      (await run('recommend', 'films', 'u1', '-k', '60', '--include-seen', '--json')).stdout,
    ) as Answer;
    expect(all.results).toHaveLength(60);
  });

  test('--liked takes ids and titles, once or several times, and is the library’s answer for a newcomer', async () => {
    await using retriever = await Retriever.open(collection());
    const finished = await run(
      'recommend',
      'films',
      '--liked',
      'f1',
      '--liked',
      films[2]?.title ?? '',
      '--json',
      '--exact',
    );
    expect(finished.status, finished.stderr).toBe(0);
    const expected = await retriever.recommendFor([{ item: 'f1' }, { item: 'f3' }], { exact: true });
    expect(withoutTime(JSON.parse(finished.stdout) as Answer)).toEqual(withoutTime(expected));
  });

  test('--newcomer and an unknown user with --fallback are the library’s answer without a pick', async () => {
    await using retriever = await Retriever.open(collection());
    const expected = withoutTime(await retriever.recommendFor([]));
    for (const who of [['--newcomer'], ['u1000', '--fallback']]) {
      const finished = await run('recommend', 'films', ...who, '--json');
      expect(finished.status, finished.stderr).toBe(0);
      expect(withoutTime(JSON.parse(finished.stdout) as Answer)).toEqual(expected);
    }
    expect((await run('recommend', 'films', '--newcomer')).stderr).toContain('For anybody:');
  });

  test('for people it says for whom', async () => {
    expect((await run('recommend', 'films', 'u1')).stderr).toMatch(/^For user u1:/);
    expect((await run('recommend', 'films', '--liked', 'f1')).stderr).toContain(
      `For somebody who likes ${films[0]?.title}:`,
    );
  });

  test.each([
    ['nobody', ['recommend', 'films'], 2, 'INVALID_ARGUMENT', /expected a user id, or --liked/],
    ['a newcomer with a pick', ['recommend', 'films', '--newcomer', '--liked', 'f1'], 2, 'INVALID_ARGUMENT', /alone/],
    ['both a user and picks', ['recommend', 'films', 'u1', '--liked', 'f1'], 2, 'INVALID_ARGUMENT', /got both/],
    ['an unknown user', ['recommend', 'films', 'u1000'], 1, 'UNKNOWN_USER', /u1000/],
    ['an unknown pick', ['recommend', 'films', '--liked', 'f1', '--liked', 'zzz'], 1, 'UNKNOWN_ITEM', /zzz/],
  ])('%s is refused', async (_, args, status, code, message) => {
    expectFailure(await run(...args), status, code, message);
  });
});

describe('nigh inspect', () => {
  test('tells a collection as the library does, by name and by directory', async () => {
    await using retriever = await Retriever.open(collection());
    for (const name of ['films', './indexes/films']) {
      expect(JSON.parse((await run('inspect', name, '--json')).stdout)).toEqual(
        JSON.parse(JSON.stringify(retriever.info)),
      );
    }
    const { stdout, stderr } = await run('inspect', 'films');
    expect(stderr).toBe('');
    expect(stdout).toContain('films: Sixty films');
    expect(stdout).toMatch(/recall@10/);
    expect(stdout).toMatch(/cf +als +recommend +hnsw +ip +\d+ +60 +90 +[01]\.\d{4}/);
  });

  test('tells an index file from its header', async () => {
    const generation = join(collection(), 'gen-000001');
    const file = join(generation, readdirSync(generation).find((name) => name.endsWith('.ann')) ?? '');
    expect(JSON.parse((await run('inspect', file, '--json')).stdout)).toMatchObject({
      kind: 'hnsw',
      dim: 8,
      count: 60,
    });
    expect((await run('inspect', file)).stdout).toMatch(/hnsw, (cosine|ip), 60 vectors of 8 dimensions/);
  });

  test('a file that is no index is refused', async () => {
    expectFailure(await run('inspect', join(collection(), 'films.csv')), 1, 'FORMAT', /films\.csv/);
  });
});

describe('nigh fetch', () => {
  test('--list names every dataset with its licence', async () => {
    const { stdout } = await run('fetch', '--list');
    expect(stdout).toMatch(/^openmoji .* CC BY-SA 4\.0/m);
    const list = JSON.parse((await run('fetch', '--list', '--json')).stdout) as { name: string; licence: string }[];
    expect(list.map(({ name }) => name)).toContain('movielens-latest-small');
    expect(list.every(({ licence }) => licence.length > 0)).toBe(true);
  });

  test.each([
    ['an unknown dataset', ['fetch', 'openmoij'], 1, 'UNKNOWN_DATASET', /Did you mean "openmoji"/],
    ['no dataset', ['fetch'], 2, 'INVALID_ARGUMENT', /expected names of datasets, or --list/],
    ['names and --list', ['fetch', 'openmoji', '--list'], 2, 'INVALID_ARGUMENT', /or --list/],
  ])('%s is refused', async (_, args, status, code, message) => {
    expectFailure(await run(...args), status, code, message);
  });
});

describe('nigh serve', () => {
  test('answers over HTTP with the object that --json prints, and stops with 0 on SIGINT', async () => {
    const serving = new RunningNigh(['serve', 'films', '--port', '0', '--json'], { cwd: folder });
    const [, url] = await serving.says(/"url":"([^"]+)"/);
    const response = await fetch(`${url}/v1/collections/films/items/f1/similar?k=7`);
    const printed = JSON.parse((await run('similar', 'films', 'f1', '-k', '7', '--json')).stdout) as Answer;
    expect(withoutTime((await response.json()) as Answer)).toEqual(withoutTime(printed));
    const info: unknown = await (await fetch(`${url}/v1/collections/films`)).json();
    expect(info).toEqual(JSON.parse((await run('inspect', 'films', '--json')).stdout));
    const refused = await fetch(`${url}/v1/collections/films/items/zzz/similar`);
    const problem: unknown = await refused.json();
    expect(problem).toMatchObject({
      ...JSON.parse((await run('similar', 'films', 'zzz', '--json')).stderr),
      detail: expect.any(String),
    });
    serving.child.kill('SIGINT');
    expect(await serving.finished).toMatchObject({ status: 0 });
  });

  test.each([
    [
      'a port that is none',
      ['serve', 'films', '--port', '70000'],
      2,
      'INVALID_ARGUMENT',
      /--port: expected an integer from 0 to 65535/,
    ],
    ['a collection that is not there', ['serve', 'flims'], 1, 'UNKNOWN_COLLECTION', /flims/],
    ['one collection twice', ['serve', 'films', './indexes/films', '--port', '0'], 1, 'DUPLICATE_ID', /films/],
    [
      'everybody’s reads without a token',
      ['serve', 'films', '--port', '0', '--host', '0.0.0.0'],
      1,
      'INVALID_ARGUMENT',
      /NIGH_TOKEN/,
    ],
  ])('%s is refused', async (_, args, status, code, message) => {
    const finished = await run(...args);
    expect(finished.stderr).toMatch(message);
    expect(finished.stderr).toContain(`[${code}]`);
    expect(finished).toMatchObject({ status, stdout: '' });
  });
});

test('a recipe of the package is found from any folder', () => {
  const { stderr, status } = nigh(['similar', 'emoji', 'x'], {
    cwd: tmpdir(),
    env: { NIGH_INDEXES: join(folder, 'none') },
  });
  expect(status).toBe(1);
  expect(stderr).toContain('run: nigh build emoji');
  expect(readFileSync(join(repository, 'indexes/emoji/recipe.json'), 'utf8')).toContain('"emoji"');
});

function withoutTime({ results, stats, explanation }: Answer): unknown {
  const { tookMs, stages, ...rest } = stats;
  for (const took of [tookMs, ...Object.values(stages)]) expect(took).toBeGreaterThanOrEqual(0);
  return JSON.parse(JSON.stringify({ results, stats: rest, explanation }));
}

describe('nigh evaluate', () => {
  test('prints the figures of every space with their definitions, and --json the same as an object', async () => {
    const table = await run('evaluate', 'films', '-k', '5');
    expect(table.status, table.stderr).toBe(0);
    expect(table.stdout).toMatch(/^leave-one-out: one random interaction .* 90 users, 0 skipped/);
    expect(table.stdout).toMatch(/^cf, through hnsw +\.?\d/m);
    expect(table.stdout).toContain('NDCG: binary gains');
    const json = await run('evaluate', 'films', '-k', '5', '--json');
    const { ranking } = JSON.parse(json.stdout);
    const cf = ranking.find(({ model }: { model: string }) => model === 'cf');
    expect(table.stdout).toMatch(new RegExp(`^cf +${cf.hitRate.toFixed(4)} `, 'm'));
  });

  test('tries the values of a grid, takes the best, and draws the figures', async () => {
    const plot = join(folder, 'figures.svg');
    const grid = ['--grid', 'cf.factors=2,8', '--grid', 'cf.regularization=0.01,0.1'];
    const table = await run('evaluate', 'films', '-k', '5', '--no-approximate', '--stability', ...grid, '--plot', plot);
    expect(table.status, table.stderr).toBe(0);
    const trials = [...table.stdout.matchAll(/^factors=(\d) regularization=([\d.]+) +(0\.\d{4})$/gm)];
    expect(trials).toHaveLength(4);
    const scores = trials.map(([, , , score]) => Number(score));
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(table.stdout).toMatch(/^lists that move +responsiveness +churn +users\ncf +0\.\d{4} +0\.\d{4} +90$/m);
    expect(readFileSync(plot, 'utf8')).toMatch(/^<svg .*films, leave-one-out.*popular.*<\/svg>/s);
    const json = await run('evaluate', 'films', '-k', '5', '--no-approximate', ...grid, '--json');
    const [{ space, best, trials: tried }] = JSON.parse(json.stdout).tuning;
    expect([space, best]).toEqual(['cf', tried[0].params]);
  });

  test('refuses a grid of a space, parameter or value that there is not before anything is fitted', async () => {
    const grid = (value: string) => run('evaluate', 'films', '--grid', value);
    expectFailure(await grid('cf'), 2, 'INVALID_ARGUMENT', /space\.parameter=value,value/);
    expectFailure(await grid('cff.factors=2'), 1, 'INVALID_ARGUMENT', /cf, text/);
    expectFailure(await grid('cf.factor=2'), 1, 'UNKNOWN_OPTION', /factors/);
    expectFailure(await grid('cf.factors=2,many'), 1, 'INVALID_RECIPE', /integer/);
  });

  test('refuses an unknown protocol and a wrong number', async () => {
    expectFailure(
      await run('evaluate', 'films', '--protocol', 'leave-two-out'),
      1,
      'INVALID_ARGUMENT',
      /leave-one-out/,
    );
    expectFailure(await run('evaluate', 'films', '--test-share', 'much'), 2, 'INVALID_ARGUMENT', /--test-share/);
  });
});

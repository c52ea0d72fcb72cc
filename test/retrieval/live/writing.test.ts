import { spawn, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCollection } from '../../../src/retrieval/build-collection.js';
import type { ItemFields } from '../../../src/retrieval/live/item-fields.js';
import { Retriever } from '../../../src/retrieval/retriever.js';
import { backupCollection } from '../../../src/retrieval/upkeep/backup-collection.js';
import { restoreCollection } from '../../../src/retrieval/upkeep/restore-collection.js';
import { seeded } from '../../embeddings/support.js';
import { smallRecipe, writeSmallWorld } from '../support/small-world.js';

const spaces = {
  cf: { embedding: 'als', factors: 8, iterations: 5, features: 'text' },
  text: { embedding: 'tfidf', fields: { title: 1, genres: 1 }, dim: 16, numbers: false, index: { kind: 'flat' } },
  words: { embedding: 'tfidf', fields: { title: 1, genres: 1 }, output: 'sparse', dim: 4, numbers: false },
};

let scratch: string;
let directory: string;
let round = 0;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'nigh-writing-'));
  await writeSmallWorld(scratch);
  await buildCollection(smallRecipe(scratch, { spaces }), join(scratch, 'built'), { threads: 1 });
});
beforeEach(async () => {
  directory = join(scratch, `round-${round++}`);
  await cp(join(scratch, 'built'), directory, { recursive: true });
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const open = (options: object = {}) => Retriever.open(directory, { write: true, compactAfter: 0, ...options });

describe('a new item', () => {
  const fields: ItemFields = { title: 'The river keeper', attributes: { genres: ['river'], year: 1999 } };

  test.each(['text', 'words'])('lies in the space %s where its text does', async (space) => {
    await using world = await open();
    const { results: asked } = await world.query({ text: 'The river keeper', space: 'text', k: 5, exact: true });
    await world.upsertItem('new', fields);
    const { results } = await world.similarItems('new', { space, k: 5, exact: true });
    expect(results).toHaveLength(5);
    for (const { id } of results) expect(id).toMatch(/^river-|^lonely-0/);
    // Others of the same words are as near.
    const found = await world.query({ text: 'The river keeper', space: 'text', k: 10, exact: true });
    expect(asked.map(({ id }) => id)).not.toContain('new');
    expect(found.results.map(({ id }) => id)).toContain('new');
    expect(found.results[0]?.score).toBeCloseTo(found.results.find(({ id }) => id === 'new')!.score, 5);
  });

  test('is placed by its features among what people chose, and recommended', async () => {
    await using world = await open();
    await world.upsertItem('new', fields);
    expect(world.item('new').spaces).toEqual(['cf', 'text', 'words']);
    const { results } = await world.recommend('user-0-1', { space: 'cf', k: 200 });
    const at = results.findIndex(({ id }) => id === 'new');
    const others = results.flatMap(({ id }, p) => (/^(opera|glacier)-/.test(id) ? [p] : []));
    expect(at).toBeGreaterThanOrEqual(0);
    expect(at).toBeLessThan(others[Math.floor(others.length / 2)]!);
  });

  test('is the same after closing, and after compaction', async () => {
    const ask = async (world: Retriever) => {
      const lists = [];
      for (const space of ['cf', 'text', 'words']) {
        lists.push((await world.similarItems('new', { space, k: 8, exact: true })).results);
        lists.push((await world.similarItems('river-3', { space, k: 8, exact: true, where: 'year >= 1960' })).results);
      }
      lists.push((await world.recommend('user-0-1', { k: 8, exact: true })).results);
      return lists.map((results) => results.map(({ id, score }) => [id, Number(score.toFixed(4))]));
    };
    let world = await open();
    await world.upsertItem('new', fields);
    await world.deleteItem('river-4');
    await world.addInteractions([{ user: 'user-0-1', item: 'new' }]);
    const before = await ask(world);
    await world.close();
    world = await open();
    expect(await ask(world)).toEqual(before);
    const { generation, folded } = await world.compact({ threads: 1 });
    expect([generation, folded, world.info.generation]).toEqual(['gen-000002', 3, 'gen-000002']);
    expect(await ask(world)).toEqual(before);
    await world.close();
    world = await open();
    expect(await ask(world)).toEqual(before);
    await world.close();
  });
});

test('what reads a collection as a whole gives the same with changes on top as once they are folded in', async () => {
  const ask = async (world: Retriever) => {
    const rows = [];
    for (const of of ['items', 'users'] as const)
      for await (const { id, neighbors } of world.neighbors({ of, k: 4, exact: true }).each())
        rows.push([id, ...neighbors]);
    const asked = [
      await world.recommendFor([], { k: 20 }),
      await world.similarItems('river-3', {
        k: 10,
        exact: true,
        recency: { attribute: 'year', halfLife: 5, weight: 1 },
      }),
      await world.similarItems('new', { k: 10, exact: true, popularity: 0.5 }),
    ];
    const lists = asked.map(({ results }) => results.map(({ id, score }) => [id, Number(score.toFixed(4))]));
    return { rows, lists };
  };
  await using world = await open();
  const before = await ask(world).catch(({ code }) => code);
  expect(before).toBe('UNKNOWN_ITEM');
  // Names before, between and behind those that are there; a title that somebody has; and the largest year.
  for (const id of ['new', 'aaa', 'opera-100', 'zzz'])
    await world.upsertItem(id, { title: 'The river keeper', attributes: { genres: ['river'], year: 2050 } });
  await world.upsertItem('desert-2', { title: 'The desert song', attributes: { genres: ['desert'], year: 2060 } });
  for (const id of ['river-4', 'mute-0']) await world.deleteItem(id);
  await world.addInteractions([
    { user: 'user-0-1', item: 'new', value: 3 },
    { user: 'a-newcomer', item: 'new', value: 5 },
    { user: 'a-newcomer', item: 'opera-1', value: 1 },
  ]);
  await world.forgetUser('user-1-1');
  const { rows, lists } = await ask(world);
  const ids = rows.map(([id]) => id);
  expect(ids).toEqual(expect.arrayContaining(['aaa', 'new', 'opera-100', 'zzz', 'desert-2', 'a-newcomer']));
  for (const gone of ['river-4', 'mute-0', 'user-1-1']) expect(ids).not.toContain(gone);
  await world.compact({ threads: 1 });
  expect(await ask(world)).toEqual({ rows, lists });
});

describe('what people do', () => {
  test('is seen by the next question: what they have is left out, and they get what a newcomer of their past gets', async () => {
    await using world = await open();
    const items = ['opera-1', 'opera-2', 'opera-3'];
    await world.addInteractions(items.map((item) => ({ user: 'newcomer', item })));
    const options = { space: 'cf', k: 10, exact: true } as const;
    const { results } = await world.recommend('newcomer', options);
    const { results: expected } = await world.recommendFor(
      items.map((item) => ({ item })),
      options,
    );
    expect(results).toEqual(expected);
    const { results: alike } = await world.similarUsers('newcomer', { k: 5 });
    for (const { id } of alike) expect(id).toMatch(/^user-2-/);
    const { results: others } = await world.similarUsers('user-2-1', { k: 100 });
    expect(others.map(({ id }) => id)).toContain('newcomer');
  });

  test('is forgotten everywhere, the journal’s file included once its room was used again', async () => {
    const secret = 'somebody-who-will-be-forgotten';
    {
      await using world = await open();
      await world.addInteractions([
        { user: secret, item: 'opera-1' },
        { user: 'another', item: 'opera-1' },
      ]);
      expect(await world.forgetUser(secret)).toEqual({ sequence: 2, existed: true });
      await expect(world.recommend(secret)).rejects.toMatchObject({ code: 'UNKNOWN_USER' });
      expect(await world.forgetUser('user-0-1')).toEqual({ sequence: 3, existed: true });
      expect(await world.forgetUser(secret)).toEqual({ sequence: 4, existed: false });
      await world.compact({ threads: 1, keep: 1 });
      expect(world.info.users).toBe(100);
      const { results } = await world.similarUsers('user-0-2', { k: 200 });
      expect(results.map(({ id }) => id)).not.toContain('user-0-1');
    }
    const users = await readFile(join(directory, 'gen-000002', 'users.msgpack'), 'latin1');
    expect(users).not.toContain(secret);
    expect(users).toContain('another');
    await using world = await open();
    await expect(world.recommend(secret)).rejects.toMatchObject({ code: 'UNKNOWN_USER' });
  });
});

test('a build from the dataset keeps every change, with vectors by its own embedders', async () => {
  {
    await using world = await open();
    await world.upsertItem('new', { title: 'The glacier song', attributes: { genres: ['glacier'] } });
    await world.deleteItem('river-1');
    await world.addInteractions([{ user: 'newcomer', item: 'new' }]);
  }
  const changed = { ...spaces, text: { ...spaces.text, dim: 12 } };
  await buildCollection(smallRecipe(scratch, { spaces: changed }), directory, { threads: 1 });
  await using world = await open();
  expect(world.info.generation).toBe('gen-000002');
  expect(() => world.item('river-1')).toThrow(expect.objectContaining({ code: 'UNKNOWN_ITEM' }));
  const { results } = await world.similarItems('new', { space: 'text', k: 5 });
  for (const { id } of results) expect(id).toMatch(/^glacier-|^lonely-3/);
  expect((await world.recommend('newcomer', { k: 500 })).results.map(({ id }) => id)).not.toContain('new');
});

describe('one writer, many readers', () => {
  test('a second writer is told who writes, and may once the first has closed', async () => {
    const first = await open();
    await expect(open()).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringMatching(new RegExp(`Process ${process.pid} on ${hostname()} is writing .* since 20`)),
    });
    await first.close();
    await (await open()).close();
  });

  test('a writer that was killed leaves no lock behind', async () => {
    const dist = new URL('../../../dist/retrieval/retriever.js', import.meta.url).href;
    const program = `const { Retriever } = await import(${JSON.stringify(dist)});
      const world = await Retriever.open(${JSON.stringify(directory)}, { write: true });
      await world.upsertItem('new', { title: 'The opera story' });
      console.log('written');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await using reader = await Retriever.open(directory);
    expect(reader.item('new').title).toBe('The opera story');
    await expect(open()).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining(`Process ${child.pid} on`),
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    await using writer = await open();
    await writer.deleteItem('new');
    expect(await reader.catchUp()).toBe(2);
    expect(() => reader.item('new')).toThrow(expect.objectContaining({ code: 'UNKNOWN_ITEM' }));
  });

  test.skipIf(
    process.platform !== 'linux' || spawnSync('mount', ['--version']).status !== 0 || process.getuid?.() !== 0,
  )(
    'a reader on a read-only file system reads while nobody writes, and is refused while somebody does',
    async ({ skip }) => {
      await using writer = await open();
      await writer.upsertItem('new', { title: 'The opera story' });
      await writer.close();
      const mounted = join(scratch, 'mounted');
      await mkdir(mounted);
      if (spawnSync('mount', ['--bind', directory, mounted]).status !== 0) skip('this process may not mount');
      try {
        expect(spawnSync('mount', ['-o', 'remount,bind,ro', mounted]).status).toBe(0);
        await using reader = await Retriever.open(mounted);
        expect(reader.item('new').title).toBe('The opera story');
        await using second = await open();
        await second.upsertItem('newer', { title: 'Another' });
        await expect(reader.catchUp()).rejects.toMatchObject({ code: 'LOCKED' });
        await expect(Retriever.open(mounted)).rejects.toMatchObject({ code: 'LOCKED' });
        await second.close();
        expect(await reader.catchUp()).toBe(2);
      } finally {
        spawnSync('umount', ['-l', mounted]);
      }
    },
  );

  test('a reader may not write, and knows no journal before there is one', async () => {
    await using reader = await Retriever.open(directory);
    expect([reader.journal, await reader.catchUp()]).toEqual([undefined, 0]);
    for (const change of [
      () => reader.upsertItem('x', {}),
      () => reader.deleteItem('x'),
      () => reader.forgetUser('x'),
      () => reader.compact(),
    ]) {
      await expect(change()).rejects.toMatchObject({ code: 'READ_ONLY' });
    }
    await using writer = await open();
    await writer.upsertItem('new', {});
    expect(await reader.catchUp()).toBe(1);
    expect(reader.item('new')).toMatchObject({ title: 'new', attributes: {}, interactions: 0 });
    expect(reader.journal).toMatchObject({ sequence: 1, entries: 1 });
  });

  test('a retriever that was opened beside a writer sees its changes, and it sees theirs', async () => {
    await using first = await open();
    first.hide('secret', ['river-2']);
    await using second = await first.reopen();
    await first.upsertItem('one', {});
    await second.upsertItem('two', {});
    for (const each of [first, second]) {
      expect([each.item('one').id, each.item('two').id, each.journal?.sequence]).toEqual(['one', 'two', 2]);
      expect([...each.hidden]).toEqual([['secret', ['river-2']]]);
    }
    await first.close();
    await expect(open()).rejects.toMatchObject({ code: 'LOCKED' });
    await second.upsertItem('three', {});
  });
});

test('a request that is sent again is answered as before, also together and after closing', async () => {
  {
    await using world = await open();
    const options = { requestId: 'once' };
    const [first, twin] = await Promise.all([
      world.deleteItem('river-1', options),
      world.deleteItem('river-1', options),
    ]);
    expect([first, twin]).toEqual([
      { sequence: 1, existed: true },
      { sequence: 1, existed: true },
    ]);
  }
  await using world = await open();
  expect(await world.deleteItem('river-1', { requestId: 'once' })).toEqual({ sequence: 1, existed: true });
  expect(await world.deleteItem('river-1')).toEqual({ sequence: 2, existed: false });
});

test('what is wrong with a change is said, and nothing of it is made', async () => {
  await using world = await open();
  const wrong: [string, () => Promise<unknown>, RegExp][] = [
    ['INVALID_ARGUMENT', () => world.upsertItem('', {}), /id: expected a text of 1 to 1000/],
    ['INVALID_ARGUMENT', () => world.upsertItem('\ud800', {}), /id/],
    ['INVALID_ARGUMENT', () => world.upsertItem('x', { title: 7 as never }), /title/],
    ['UNKNOWN_OPTION', () => world.upsertItem('x', { titel: 'x' } as never), /titel.*title/s],
    ['UNKNOWN_OPTION', () => world.upsertItem('x', { attributes: { yaer: 1 } }), /attributes\.yaer.*year/s],
    ['INVALID_ARGUMENT', () => world.upsertItem('x', { attributes: { year: '1999' } }), /attributes\.year.*number/s],
    ['INVALID_ARGUMENT', () => world.upsertItem('x', { attributes: { genres: 'river' } }), /attributes\.genres/],
    ['UNKNOWN_SPACE', () => world.upsertItem('x', { vectors: { txt: [1] } }), /txt.*text/s],
    ['DIMENSION_MISMATCH', () => world.upsertItem('x', { vectors: { text: [1] } }), /10 values, got 1/],
    ['NOT_FINITE', () => world.upsertItem('x', { vectors: { cf: Array(8).fill(Number.NaN) } }), /vectors\.cf\[0\]/],
    ['ZERO_VECTOR', () => world.upsertItem('x', { vectors: { cf: Array(8).fill(0) } }), /vectors\.cf/],
    ['UNKNOWN_ITEM', () => world.addInteractions([{ user: 'u', item: 'river-999' }]), /river-999/],
    ['INVALID_ARGUMENT', () => world.addInteractions([]), /interactions/],
    [
      'INVALID_ARGUMENT',
      () => world.addInteractions([{ user: 'u', item: 'river-1', value: Number.NaN }]),
      /\[0\]\.value/,
    ],
    ['INVALID_ARGUMENT', () => world.deleteItem('x', { requestId: '' }), /requestId/],
  ];
  for (const [code, change, message] of wrong) {
    await expect(change(), String(message)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  }
  // One wrong one of several that are sent together does no harm to the others.
  const settled = await Promise.allSettled([
    world.upsertItem('fine', {}),
    world.upsertItem('bad', { attributes: { yaer: 1 } }),
    world.addInteractions([
      { user: 'u', item: 'river-1' },
      { user: 'u', item: 'nothing' },
    ]),
    world.deleteItem('river-2'),
  ]);
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  expect(world.journal?.sequence).toBe(2);
  expect(world.info.users).toBe(100);
});

test('questions, changes and compactions at once: every answer equals the state after some change', async () => {
  await using world = await open();
  const random = seeded(17);
  const wanted = ['a', 'b', 'c', 'd'].map((name) => `item-${name}`);
  // Change n makes all four items carry the year n, in a new order: an answer with two years is of no state.
  const written: number[] = [];
  let done = false;
  const write = (async () => {
    for (let n = 1; n <= 25; n++) {
      await Promise.all(
        [...wanted]
          .sort(() => random() - 0.5)
          .map((id) =>
            world.upsertItem(id, { title: `The desert ${id}`, attributes: { genres: ['desert'], year: n } }),
          ),
      );
      written.push(n);
      if (n % 8 === 0) await world.compact({ threads: 1 });
    }
    done = true;
  })();
  let answers = 0;
  while (!done) {
    const least = written.at(-1) ?? 0;
    const { results } = await world.query({
      text: 'the desert',
      space: 'text',
      k: 100,
      where: 'year <= 25',
      exact: true,
    });
    const years = new Map(
      results.flatMap(({ id, attributes }) => (wanted.includes(id) ? [[id, Number(attributes.year)]] : [])),
    );
    expect(years.size).toBe(least === 0 ? years.size : 4);
    // Of four changes in flight some may be made; none may be undone, and no item may be there twice.
    const highest = Math.max(0, ...years.values());
    for (const year of years.values()) expect(highest - year).toBeLessThanOrEqual(1);
    expect(Math.min(...years.values(), Number.POSITIVE_INFINITY)).toBeGreaterThanOrEqual(Math.min(least, highest));
    expect(new Set(results.map(({ id }) => id)).size).toBe(results.length);
    answers++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await write;
  expect(answers).toBeGreaterThan(5);
  expect(world.journal?.sequence).toBe(100);
});

test('compaction comes by itself, and says how it ended', async () => {
  const ended: unknown[] = [];
  await using world = await open({ compactAfter: 5, onCompaction: (outcome: unknown) => ended.push(outcome) });
  for (let n = 0; n < 5; n++) await world.upsertItem(`n${n}`, { title: `The opera ${n}` });
  while (ended.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(ended).toEqual([expect.objectContaining({ generation: 'gen-000002', folded: 5 })]);
  expect(world.journal).toMatchObject({ sequence: 5, entries: 0 });
});

describe('a journal that is not what it was', () => {
  beforeEach(async () => {
    await using world = await open();
    for (let n = 0; n < 20; n++) await world.upsertItem(`n${n}`, { title: `The opera ${n}` });
  });

  test.each([
    ['foreign', (path: string) => writeFile(path, Buffer.alloc(20_000, 7)), 'FORMAT'],
    ['cut within its first pages', (path: string) => truncate(path, 100), 'TRUNCATED'],
    ['cut', (path: string) => truncate(path, 9000), 'TRUNCATED'],
    ['emptied', (path: string) => truncate(path, 0), 'TRUNCATED'],
  ])('%s: an error of ours', async (_, harm, code) => {
    await harm(join(directory, 'journal', 'data.mdb'));
    await expect(Retriever.open(directory)).rejects.toMatchObject({ code });
  });

  test('emptied: no new one for who writes', async () => {
    await truncate(join(directory, 'journal', 'data.mdb'), 0);
    await expect(open()).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('with a change that was altered: an error that names it', async () => {
    const path = join(directory, 'journal', 'data.mdb');
    const bytes = await readFile(path);
    for (let at = bytes.indexOf('The opera 7'); at >= 0; at = bytes.indexOf('The opera 7', at + 1)) bytes[at + 4] = 88;
    await writeFile(path, bytes);
    await expect(Retriever.open(directory)).rejects.toMatchObject({
      code: 'CHECKSUM_MISMATCH',
      message: expect.stringContaining('change 8 '),
    });
  });
});

test('the folder of a collection that was never changed has no journal', async () => {
  await using world = await Retriever.open(directory);
  expect(world.info.items).toBe(124);
  await expect(mkdir(join(directory, 'journal'))).resolves.toBeUndefined();
});

describe('a backup', () => {
  test('made while changes go on holds those of one moment, and comes back with them', async () => {
    const copy = join(scratch, `backup-${round}.tar`);
    const target = join(scratch, `restored-${round}`);
    await using world = await open();
    await world.upsertItem('before', { title: 'The opera before' });
    const writing = Promise.all(Array.from({ length: 20 }, (_, n) => world.upsertItem(`while-${n}`, {})));
    await backupCollection(directory, copy);
    await writing;
    await restoreCollection(copy, target);
    await using restored = await Retriever.open(target, { write: true });
    expect(restored.item('before').title).toBe('The opera before');
    const { sequence } = restored.journal!;
    // Each was there or not, in the order in which they were made.
    const there = Array.from({ length: 20 }, (_, n) => world.item(`while-${n}`).id).filter((id) => has(restored, id));
    expect(there).toHaveLength(sequence - 1);
    expect(await restored.upsertItem('after', {})).toEqual({ sequence: sequence + 1 });
  });

  test('takes the place of a collection with its changes, and those that came later are gone; not under a writer', async () => {
    const copy = join(scratch, `backup-${round}.tar`);
    {
      await using world = await open();
      await world.upsertItem('one', {});
    }
    await backupCollection(directory, copy);
    {
      await using world = await open();
      await world.upsertItem('two', {});
      await expect(restoreCollection(copy, directory, { force: true })).rejects.toMatchObject({ code: 'LOCKED' });
    }
    await restoreCollection(copy, directory, { force: true });
    {
      await using world = await open();
      expect([has(world, 'one'), has(world, 'two'), world.journal?.sequence]).toEqual([true, false, 1]);
      await world.upsertItem('three', {});
      await world.compact({ threads: 1 });
    }
    await buildCollection(smallRecipe(scratch, { spaces }), directory, { threads: 1 });
    await using world = await Retriever.open(directory);
    expect(['one', 'two', 'three'].map((id) => has(world, id))).toEqual([true, false, true]);
  });
});

function has(world: Retriever, id: string): boolean {
  try {
    return world.item(id).id === id;
  } catch {
    return false;
  }
}

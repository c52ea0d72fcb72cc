import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCollection } from '../../../src/retrieval/build-collection.js';
import { readManifest } from '../../../src/retrieval/generation.js';
import { Journal, journalPlace } from '../../../src/retrieval/journal/journal.js';
import { loadRecipe } from '../../../src/retrieval/recipe.js';
import { Retriever } from '../../../src/retrieval/retriever.js';
import { backupCollection } from '../../../src/retrieval/upkeep/backup-collection.js';
import { restoreCollection } from '../../../src/retrieval/upkeep/restore-collection.js';
import { generationNames, rollbackCollection } from '../../../src/retrieval/upkeep/rollback.js';
import { verifyCollection } from '../../../src/retrieval/upkeep/verify-collection.js';
import { LiveModel } from '../support/live-model.js';
import { applyToModel, applyToRetriever, drawStep, expectSame } from '../support/live-steps.js';
import { type RandomWorld, randomWorld } from '../support/random-world.js';

let scratch: string;
let world: RandomWorld;
let directory: string;
let round = 0;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'nigh-trimming-'));
  await mkdir(join(scratch, 'world'));
  world = await randomWorld(join(scratch, 'world'), 9, 'flat');
});
beforeEach(async () => {
  directory = join(scratch, `round-${round++}`);
  await cp(world.directory, directory, { recursive: true });
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const open = () => Retriever.open(directory, { write: true, compactAfter: 0 });

async function withJournal<T>(look: (journal: Journal) => T | Promise<T>): Promise<T> {
  const journal = await Journal.open(journalPlace(directory), 0, true);
  try {
    return await look(journal);
  } finally {
    await journal.close();
  }
}

async function change(retriever: Retriever, model: LiveModel, seeds: readonly number[]): Promise<void> {
  for (const seed of seeds) {
    const step = drawStep(model, seed);
    await applyToRetriever(retriever, step);
    applyToModel(model, step);
  }
}

test('a compaction removes the changes that every kept generation has, and no other', async () => {
  {
    await using retriever = await open();
    const model = new LiveModel(world);
    await change(retriever, model, [1, 2, 3]);
    expect(await retriever.compact({ threads: 1 })).toMatchObject({ folded: 3, trimmed: 0 });
    await change(retriever, model, [4, 5]);
    // The build is gone; the first compaction, with three of the five, stays.
    expect(await retriever.compact({ threads: 1 })).toMatchObject({ folded: 2, trimmed: 3 });
    await change(retriever, model, [6]);
    expect(await retriever.compact({ threads: 1, keep: 1 })).toMatchObject({ folded: 1, trimmed: 3 });
    expect(await retriever.compact({ threads: 1 })).toMatchObject({ folded: 0, trimmed: 0 });
    await change(retriever, model, [7]);
    await expectSame(retriever, model, true);
  }
  await withJournal((journal) => {
    expect([journal.trimmed, journal.head]).toEqual([6, 7]);
    expect(journal.after(6, 10).map(({ sequence }) => sequence)).toEqual([7]);
    expect(() => journal.after(5, 10)).toThrow(/expected the change 6, and the journal begins with 7/);
  });
  expect((await verifyCollection(directory, { threads: 1 })).findings).toEqual([]);
});

test('after any changes and compactions each generation that is kept can be gone back to, and has every change', async () => {
  let runs = 0;
  const event = fc.record({
    seeds: fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 1, maxLength: 4 }),
    keep: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 4 }), async (events) => {
      directory = join(scratch, `run-${runs++}`);
      await cp(world.directory, directory, { recursive: true });
      const model = new LiveModel(world);
      await using lagging = await Retriever.open(directory);
      {
        await using retriever = await open();
        for (const { seeds, keep } of events) {
          await change(retriever, model, seeds);
          await retriever.compact({ threads: 1, keep });
        }
        await change(retriever, model, [7]);
      }
      await lagging.catchUp();
      await expectSame(lagging, model, true);
      const names = await generationNames(directory);
      const included = await Promise.all(
        names.map(async (name) => (await readManifest(join(directory, name))).journal),
      );
      expect(await withJournal(({ trimmed }) => trimmed)).toBe(Math.min(...included.map((each) => each ?? 0)));
      for (const to of names) {
        await rollbackCollection(directory, { to });
        await using retriever = await Retriever.open(directory);
        await expectSame(retriever, model, true);
      }
      // A compaction from where it was gone back to keeps what the others lack.
      const [to] = names;
      await rollbackCollection(directory, { to });
      {
        await using retriever = await open();
        await retriever.compact({ threads: 1, keep: 3 });
        await expectSame(retriever, model, true);
      }
      await rm(directory, { recursive: true, force: true });
    }),
    { numRuns: 4, seed: 3 },
  );
});

test('a reader whose generation is gone goes on from the live one, under questions, with its stoplists, and from there on as any', async () => {
  await using reader = await Retriever.open(directory);
  reader.hide('none', ['i3']);
  await using retriever = await open();
  const model = new LiveModel(world);
  for (let n = 0; n < 3; n++) {
    await change(retriever, model, [10 + n, 20 + n]);
    await retriever.compact({ threads: 1, keep: 1 });
  }
  await change(retriever, model, [30]);
  const id = [...model.items.keys()].find((each) => model.items.get(each)!.vectors.look !== undefined)!;
  const asked = Array.from({ length: 5 }, () => reader.similarItems('i3', { k: 3, space: 'look' }).catch(() => {}));
  expect(await Promise.all([reader.catchUp(), reader.catchUp(), reader.catchUp(7)])).toEqual([7, 7, 7]);
  await Promise.all(asked);
  expect([reader.info.generation, reader.journal?.entries]).toEqual(['gen-000004', 1]);
  expect([...reader.hidden]).toEqual([['none', ['i3']]]);
  reader.hide('none', []);
  await expectSame(reader, model, true);
  await change(retriever, model, [31]);
  expect(await reader.catchUp()).toBe(8);
  await expectSame(reader, model, true);
  expect((await reader.similarItems(id, { k: 3, space: 'look' })).results.length).toBeGreaterThan(0);
});

describe('a request id', () => {
  test('is answered as before when its change was trimmed', async () => {
    await using retriever = await open();
    const first = await retriever.deleteItem('i1', { requestId: 'once' });
    await retriever.compact({ threads: 1, keep: 1 });
    expect(await retriever.deleteItem('i1', { requestId: 'once' })).toEqual(first);
    expect(await retriever.deleteItem('i1')).toEqual({ sequence: 2, existed: false });
  });

  test('is remembered for the last changes, and not for ever', async () => {
    {
      await using retriever = await open();
      for (let n = 1; n <= 6; n++) await retriever.upsertItem(`n${n}`, {}, { requestId: `request ${n}` });
    }
    await withJournal(async (journal) => {
      expect(await journal.trim(5, 3)).toBe(5);
      const answered = [1, 2, 3, 4, 5, 6].filter((n) => journal.answerTo(`request ${n}`)?.sequence === n);
      expect(answered).toEqual([4, 5, 6]);
      expect([journal.trimmed, journal.head]).toEqual([5, 6]);
    });
  });
});

test('who was forgotten is in no entry of the journal once the generations before are gone', async () => {
  await using retriever = await open();
  await retriever.addInteractions([{ user: 'somebody', item: 'i0' }]);
  await retriever.forgetUser('somebody');
  await retriever.addInteractions([{ user: 'another', item: 'i0' }]);
  expect(await retriever.compact({ threads: 1, keep: 1 })).toMatchObject({ trimmed: 3 });
  expect(retriever.journal).toMatchObject({ sequence: 3, entries: 0 });
});

test('fewer generations are kept when that is asked for, also where nothing is new and while another compaction runs', async () => {
  await using retriever = await open();
  await retriever.addInteractions([{ user: 'somebody', item: 'i0' }]);
  await retriever.compact({ threads: 1 });
  await retriever.forgetUser('somebody');
  const [first, second] = await Promise.all([
    retriever.compact({ threads: 1 }),
    retriever.compact({ threads: 1, keep: 1 }),
  ]);
  expect([first.folded, second.folded, second.warnings]).toEqual([1, 0, []]);
  expect(await generationNames(directory)).toEqual([first.generation]);
  expect(retriever.journal).toMatchObject({ sequence: 2, entries: 0 });
});

test('a writer whose journal another process has written to refuses, and writes over nothing', async () => {
  await using retriever = await open();
  await retriever.upsertItem('first', {});
  await withJournal(async (journal) => {
    const change = { type: 'delete', id: 'i0', at: 1 } as const;
    await journal.append([{ change, requestId: undefined, acknowledgement: { sequence: 2 } }]);
  });
  await expect(retriever.upsertItem('second', {})).rejects.toMatchObject({ code: 'LOCKED' });
  expect(() => retriever.item('i0')).toThrow(expect.objectContaining({ code: 'UNKNOWN_ITEM' }));
  expect(await retriever.upsertItem('second', {})).toEqual({ sequence: 3 });
});

test('a build from the dataset that would undo folded changes is refused, and made where that is wanted', async () => {
  {
    await using retriever = await open();
    await retriever.upsertItem('folded', {});
    await retriever.compact({ threads: 1, keep: 1 });
    await retriever.upsertItem('later', {});
  }
  const recipe = await loadRecipe(join(directory, 'recipe.json'));
  const moved = { ...recipe, baseDirectory: join(scratch, 'world') };
  await expect(buildCollection(moved, directory, { threads: 1 })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/changes up to 1 .*--drop-folded/),
  });
  await buildCollection(moved, directory, { threads: 1, dropFolded: true });
  await using retriever = await open();
  expect(retriever.item('later').id).toBe('later');
  expect(() => retriever.item('folded')).toThrow(expect.objectContaining({ code: 'UNKNOWN_ITEM' }));
  expect(await retriever.upsertItem('folded', {})).toEqual({ sequence: 3 });
});

test('a backup after a trim comes back with every change', async () => {
  const model = new LiveModel(world);
  {
    await using retriever = await open();
    await change(retriever, model, [1, 2, 3]);
    await retriever.compact({ threads: 1, keep: 1 });
    await change(retriever, model, [4, 5]);
  }
  await backupCollection(directory, join(scratch, 'backup.tar'));
  await restoreCollection(join(scratch, 'backup.tar'), join(scratch, 'restored'));
  await using restored = await Retriever.open(join(scratch, 'restored'));
  await expectSame(restored, model, true);
});

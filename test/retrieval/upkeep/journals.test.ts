/** Which journal belongs to which generation, who may write to it, and what is kept of the others. */
import { createReadStream, createWriteStream, existsSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCollection } from '../../../src/retrieval/build-collection.js';
import { readManifest, writeManifest } from '../../../src/retrieval/generation.js';
import { stampFile } from '../../../src/retrieval/packed-file.js';
import { Retriever } from '../../../src/retrieval/retriever.js';
import { backupCollection } from '../../../src/retrieval/upkeep/backup-collection.js';
import { backupHeadName, packHead, readHead } from '../../../src/retrieval/upkeep/backup-format.js';
import { repairCollection } from '../../../src/retrieval/upkeep/repair-collection.js';
import { restoreCollection } from '../../../src/retrieval/upkeep/restore-collection.js';
import { rollbackCollection } from '../../../src/retrieval/upkeep/rollback.js';
import { verifyCollection } from '../../../src/retrieval/upkeep/verify-collection.js';
import { smallRecipe, writeSmallWorld } from '../support/small-world.js';

const spaces = {
  text: { embedding: 'tfidf', fields: { title: 1, genres: 1 }, dim: 8, numbers: false, index: { kind: 'flat' } },
};

let scratch: string;
let directory: string;
let copy: string;
let round = 0;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'nigh-journals-'));
  await writeSmallWorld(scratch);
  await build(join(scratch, 'built'));
});
beforeEach(async () => {
  directory = join(scratch, `round-${++round}`);
  copy = `${directory}.tar`;
  await cp(join(scratch, 'built'), directory, { recursive: true });
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function build(to = directory): Promise<string> {
  return (await buildCollection(smallRecipe(scratch, { spaces }), to, { threads: 1 })).info.generation;
}

const open = (of = directory) => Retriever.open(of, { write: true, compactAfter: 0 });

async function add(id: string, of = directory): Promise<void> {
  await using world = await open(of);
  await world.upsertItem(id, { title: `The opera ${id}` });
}

/** Which of these the collection has. */
async function having(...ids: string[]): Promise<string[]> {
  await using world = await Retriever.open(directory);
  return ids.filter((id) => {
    try {
      return world.item(id).id === id;
    } catch {
      return false;
    }
  });
}

const live = async () => (await readFile(join(directory, 'CURRENT'), 'utf8')).trim();
const journals = async () => (await readdir(directory)).filter((name) => /^journal-/.test(name));
const restore = (to = directory) => restoreCollection(copy, to, { force: true });

/** The change `one` in a backup, which then takes the place of the collection: gen-000002, with a journal of its own, and `two` in the old one. */
async function restored(): Promise<void> {
  await add('one');
  await backupCollection(directory, copy);
  await add('two');
  await restore();
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = bytes[at]! ^ 1;
  await rm(path); // generations share files
  await writeFile(path, bytes);
}

/** Writes a backup anew with other content under right checksums. */
async function repack(change: (files: Map<string, Buffer>) => Promise<void>): Promise<void> {
  const files = new Map<string, Buffer>();
  const archive = extract();
  pipeline(createReadStream(copy), archive as unknown as NodeJS.WritableStream).catch(() => {});
  for await (const entry of archive) files.set(entry.header.name, await buffer(entry));
  const { version, collection, generation, createdAt } = readHead(files.get(backupHeadName)!, copy);
  files.delete(backupHeadName);
  await change(files);
  const stamps: Record<string, Awaited<ReturnType<typeof stampFile>>> = {};
  for (const [name, bytes] of files) {
    await writeFile(`${copy}.part`, bytes);
    stamps[name] = await stampFile(`${copy}.part`);
  }
  const anew = pack();
  const written = pipeline(anew as unknown as NodeJS.ReadableStream, createWriteStream(copy));
  anew.entry({ name: backupHeadName }, packHead({ version, collection, generation, createdAt, files: stamps }));
  for (const [name, bytes] of files) anew.entry({ name }, bytes);
  anew.finalize();
  await written;
}

describe('nobody writes to a journal that is not the live one’s:', () => {
  test('a restore keeps writers out from its begin to its end, where nobody ever wrote too', async () => {
    await backupCollection(directory, copy);
    const locked: boolean[] = [];
    const onProgress = () => locked.push(existsSync(join(directory, 'journal', 'LOCK')));
    await restoreCollection(copy, directory, { force: true, onProgress });
    expect(new Set(locked)).toEqual(new Set([true]));
    await add('later');
    expect(await having('later')).toEqual(['later']);
  });

  test('a rollback across a restore is refused while somebody writes, and goes through afterwards', async () => {
    await restored();
    {
      await using world = await open();
      await expect(rollbackCollection(directory)).rejects.toMatchObject({
        code: 'LOCKED',
        message: expect.stringContaining(`Process ${process.pid} on`),
      });
      await world.upsertItem('three', {});
    }
    expect([await live(), await having('one', 'two', 'three')]).toEqual(['gen-000002', ['one', 'three']]);
    expect(await rollbackCollection(directory)).toMatchObject({ from: 'gen-000002', to: 'gen-000001' });
    expect(await having('one', 'two', 'three')).toEqual(['one', 'two']);
    {
      await using _ = await open();
      await expect(rollbackCollection(directory, { to: 'gen-000002' })).rejects.toMatchObject({ code: 'LOCKED' });
    }
    await rollbackCollection(directory, { to: 'gen-000002' });
    expect(await having('one', 'two', 'three')).toEqual(['one', 'three']);
  });

  test('a rollback between generations of one journal goes through under a writer, whose changes are kept', async () => {
    await using world = await open();
    await world.upsertItem('one', {});
    await world.compact({ threads: 1 });
    await rollbackCollection(directory);
    await world.upsertItem('two', {});
    expect([await live(), await having('one', 'two')]).toEqual(['gen-000001', ['one', 'two']]);
  });

  test('a repair of a lost CURRENT is refused while somebody writes, where generations have several', async () => {
    await restored();
    {
      await using world = await open();
      await writeFile(join(directory, 'CURRENT'), 'nonsense');
      await expect(repairCollection(directory, { threads: 1 })).rejects.toMatchObject({ code: 'LOCKED' });
      await world.upsertItem('three', {});
    }
    expect((await repairCollection(directory, { threads: 1 })).after).toMatchObject({ sound: true });
    expect(await having('one', 'two', 'three')).toEqual(['one', 'three']);
  });
});

test('a repair does not take the place of what went live while it looked', async () => {
  await build();
  await rollbackCollection(directory);
  const model = join(directory, 'gen-000001', 'text.ann');
  await flip(model, (await readFile(model)).length - 1);
  const onProgress = () => writeFileSync(join(directory, 'CURRENT'), 'gen-000002\n');
  const { before, mended, beyond } = await repairCollection(directory, { threads: 1, onProgress });
  expect([before.generation, mended, await live()]).toEqual(['gen-000001', [], 'gen-000002']);
  expect(beyond).toMatchObject([{ subject: 'gen-000001/text.ann' }]);
});

describe('a build after the live manifest was lost', () => {
  test('goes on with the journal where there is one alone, that of a restored collection too', async () => {
    await add('one');
    await backupCollection(directory, copy);
    await rm(directory, { recursive: true });
    await restoreCollection(copy, directory);
    await flip(join(directory, 'gen-000001', 'manifest.json'), 100);
    expect(await build()).toBe('gen-000002');
    expect(await having('one')).toEqual(['one']);
  });

  test.each(['manifest', 'CURRENT'])('is refused where there are several, and says what helps (%s)', async (lost) => {
    await restored();
    await add('three');
    if (lost === 'CURRENT') await rm(join(directory, 'CURRENT'));
    else await flip(join(directory, 'gen-000002', 'manifest.json'), 100);
    const before = await readdir(directory);
    const [own] = await journals();
    await expect(build()).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringMatching(new RegExp(`journals journal, ${own} .*nigh rollback.*restore a backup`)),
    });
    expect(await readdir(directory)).toEqual(before);
    if (lost === 'CURRENT') {
      await rollbackCollection(directory, { to: 'gen-000002' });
      await build();
      expect(await having('one', 'two', 'three')).toEqual(['one', 'three']);
    } else {
      await rollbackCollection(directory);
      await build();
      expect(await having('one', 'two', 'three')).toEqual(['one', 'two']);
    }
  });
});

describe('no build has the name of one that made vectors of its journal:', () => {
  test('a restored generation keeps its number where that is the highest, and later ones are counted from there', async () => {
    const source = join(scratch, `source-${round}`);
    await cp(directory, source, { recursive: true });
    await build(source);
    await build(source);
    await add('one', source);
    await backupCollection(source, copy);
    expect((await restore()).generation).toBe('gen-000003');
    expect([await build(), await having('one')]).toEqual(['gen-000004', ['one']]);
    expect((await restore()).generation).toBe('gen-000005');
  });

  test('nor one that was gone back from before the backup', async () => {
    await build();
    await add('by-the-second');
    await rollbackCollection(directory);
    await backupCollection(directory, copy);
    await rm(directory, { recursive: true });
    await restoreCollection(copy, directory);
    expect([await build(), await having('by-the-second')]).toEqual(['gen-000003', ['by-the-second']]);
  });

  test('nor one that a restore of an earlier release gave another number', async () => {
    const path = join(directory, 'gen-000001');
    const manifest = await readManifest(path);
    await rm(join(path, 'manifest.json'));
    await writeManifest(path, { ...manifest, fit: 'gen-000009' });
    expect(await build()).toBe('gen-000010');
  });
});

describe('a change of which a byte was altered', () => {
  test('is a finding, and is not backed up, whether it is folded in or not', async () => {
    {
      await using world = await open();
      await world.upsertItem('one', { title: 'MARKED' });
      await world.compact({ threads: 1 });
    }
    const journal = join(directory, 'journal', 'data.mdb');
    await flip(journal, (await readFile(journal)).indexOf('MARKED'));
    expect((await verifyCollection(directory, { threads: 1 })).findings).toMatchObject([
      { check: 'journal', code: 'CHECKSUM_MISMATCH' },
    ]);
    await expect(backupCollection(directory, copy)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
    expect((await readdir(scratch)).filter((name) => name.startsWith(`round-${round}.`))).toEqual([]);
  });

  test('in a backup does not go live', async () => {
    await add('one');
    await backupCollection(directory, copy);
    await add('two');
    await repack(async (files) => {
      const bytes = files.get('journal/data.mdb')!;
      const at = bytes.indexOf('The opera one');
      bytes[at] = bytes[at]! ^ 1;
    });
    const before = await readdir(directory);
    await expect(restore()).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
    expect([await readdir(directory), await having('one', 'two')]).toEqual([before, ['one', 'two']]);
    await expect(restoreCollection(copy, `${directory}-empty`)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
    expect(await readdir(`${directory}-empty`)).toEqual([]);
  });
});

test('a rollback does not go through where the journal is damaged, and what helps is said by a repair', async () => {
  await add('one');
  await build();
  await writeFile(join(directory, 'journal', 'data.mdb'), 'what is this');
  await expect(rollbackCollection(directory)).rejects.toMatchObject({ code: 'TRUNCATED' });
  expect(await live()).toBe('gen-000002');
  const { beyond } = await repairCollection(directory, { threads: 1 });
  expect(beyond).toMatchObject([
    { subject: 'journal', how: expect.stringMatching(/Restore a backup; or.* move .* away and build/) },
  ]);
  await rename(join(directory, 'journal'), join(scratch, `moved-${round}`));
  await build();
  expect((await verifyCollection(directory, { threads: 1 })).findings).toEqual([]);
});

describe('a journal that is gone', () => {
  test('is a finding where changes of it were folded in, and nothing is backed up without it', async () => {
    {
      await using world = await open();
      await world.upsertItem('one', {});
      await world.compact({ threads: 1 });
    }
    expect((await verifyCollection(directory, { threads: 1 })).sound).toBe(true);
    await rm(join(directory, 'journal', 'data.mdb'));
    expect((await verifyCollection(directory, { threads: 1 })).findings).toMatchObject([
      { check: 'journal', subject: 'journal', code: 'NOT_FOUND' },
    ]);
    await expect(backupCollection(directory, copy)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('is not begun anew by who writes, until a build goes on without it', async () => {
    {
      await using world = await open();
      await world.upsertItem('one', {});
      await world.compact({ threads: 1 });
      await world.upsertItem('two', {});
    }
    await rm(join(directory, 'journal'), { recursive: true });
    await expect(open()).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('1 of its changes'),
    });
    await build();
    await add('three');
    expect(await having('one', 'two', 'three')).toEqual(['three']);
    expect((await verifyCollection(directory, { threads: 1 })).findings).toEqual([]);
  });

  test('of a backup of an earlier release is begun anew by its restore, with the next number', async () => {
    {
      await using world = await open();
      await world.upsertItem('one', {});
      await world.compact({ threads: 1 });
    }
    await backupCollection(directory, copy);
    await repack(async (files) => {
      files.delete('journal/data.mdb');
    });
    await restore();
    expect((await verifyCollection(directory, { threads: 1 })).findings).toEqual([]);
    await using world = await open();
    expect([world.item('one').id, await world.upsertItem('two', {})]).toMatchObject(['one', { sequence: 2 }]);
  });
});

describe('what nobody can go back to is not kept:', () => {
  const data = () => existsSync(join(directory, 'journal', 'data.mdb'));

  test('the journal before a restore, once its generations are gone; the lock of a writer stays', async () => {
    await restored();
    await using world = await open();
    await build();
    expect([data(), await journals()]).toMatchObject([false, [expect.any(String)]]);
    await expect(open()).rejects.toMatchObject({ code: 'LOCKED' });
    await world.upsertItem('three', {});
    expect(await having('one', 'two', 'three')).toEqual(['one', 'three']);
    expect((await readdir(join(directory, 'journal'))).filter((name) => !name.startsWith('LOCK'))).toEqual([]);
  });

  test('that of an earlier restore, and that of one that was killed', async () => {
    await restored();
    const [first] = await journals();
    await mkdir(join(directory, 'journal-0123456789ab'));
    await restore();
    expect(await journals()).toHaveLength(2);
    expect([data(), (await journals()).includes(first!)]).toEqual([false, true]);
    await restore();
    expect(await journals()).not.toContain(first);
    expect((await verifyCollection(directory, { threads: 1 })).findings).toEqual([]);
  });

  test('but all of it is where nobody knows which journal a generation has', async () => {
    await restored();
    const before = await journals();
    await flip(join(directory, 'gen-000002', 'manifest.json'), 100);
    await restore();
    expect(await readdir(directory)).toEqual(expect.arrayContaining(['gen-000002', 'gen-000003', ...before]));
    expect([data(), (await journals()).length]).toEqual([true, 2]);
  });
});

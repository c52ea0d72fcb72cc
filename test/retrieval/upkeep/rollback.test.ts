import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildCollection } from '../../../src/retrieval/build-collection.js';
import { loadRecipe } from '../../../src/retrieval/recipe.js';
import { Retriever } from '../../../src/retrieval/retriever.js';
import { rollbackCollection } from '../../../src/retrieval/upkeep/rollback.js';
import { answersOf, writeKeptWorld } from '../support/kept-world.js';

let directory: string;
let built: string;
let target: string;
const answers: Record<'old' | 'new', string> = { old: '', new: '' };

async function build(name: 'old' | 'new', to: string, keep?: number): Promise<void> {
  await buildCollection(await loadRecipe(join(directory, `${name}.json`)), to, keep === undefined ? {} : { keep });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-rollback-'));
  built = join(directory, 'built');
  await writeKeptWorld(directory);
  for (const name of ['old', 'new'] as const) {
    await build(name, built);
    answers[name] = await answersOf(built);
  }
});

afterAll(() => rm(directory, { recursive: true, force: true }));

beforeEach(async () => {
  target = join(directory, 'target');
  await rm(target, { recursive: true, force: true });
  await cp(built, target, { recursive: true });
});

const generationsIn = async (path: string) => (await readdir(path)).filter((name) => name.startsWith('gen-')).sort();

describe('generations', () => {
  it('that were built from other recipes answer otherwise', () => {
    expect(answers.old).not.toBe(answers.new);
  });

  it('share the files that are the same, each with a name of its own', async () => {
    const inode = async (generation: string, file: string) => (await stat(join(built, generation, file))).ino;
    for (const file of ['items.msgpack', 'users.msgpack', 'interactions.msgpack', 'words.ann', 'text.ann']) {
      expect(await inode('gen-000002', file), file).toBe(await inode('gen-000001', file));
    }
    for (const file of ['cf.users.ann', 'cf.model.msgpack', 'recipe.json', 'manifest.json']) {
      expect(await inode('gen-000002', file), file).not.toBe(await inode('gen-000001', file));
    }
    await rm(join(target, 'gen-000001'), { recursive: true });
    expect(await answersOf(target)).toBe(answers.new);
  });

  it('share no file that was damaged since it was written', async () => {
    const items = join(target, 'gen-000002', 'items.msgpack');
    const bytes = await readFile(items);
    bytes[100] = bytes[100]! ^ 1;
    await writeFile(items, bytes);
    await build('new', target);
    expect(await answersOf(target)).toBe(answers.new);
  });

  it('are kept as many as a build is told', async () => {
    await build('old', target, 3);
    expect(await generationsIn(target)).toEqual(['gen-000001', 'gen-000002', 'gen-000003']);
    await build('old', target, 1);
    expect(await generationsIn(target)).toEqual(['gen-000004']);
  });
});

describe('rollback', () => {
  it('makes the generation before the live one again, and the one that is named', async () => {
    expect(await rollbackCollection(target)).toEqual({
      from: 'gen-000002',
      to: 'gen-000001',
      generations: ['gen-000001', 'gen-000002'],
    });
    expect(await answersOf(target)).toBe(answers.old);
    await expect(rollbackCollection(target)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await rollbackCollection(target, { to: 'gen-000002' })).toMatchObject({ to: 'gen-000002' });
    expect(await answersOf(target)).toBe(answers.new);
    expect(await rollbackCollection(target, { to: 'gen-000002' })).toMatchObject({ from: 'gen-000002' });
  });

  it('is seen by who has the collection open, and by the next build, which takes a new number and keeps what is live', async () => {
    await using world = await Retriever.open(target);
    await rollbackCollection(target);
    expect(world.info.generation).toBe('gen-000002');
    expect(await world.liveGeneration()).toBe('gen-000001');
    await using again = await world.reopen();
    expect(again.info.generation).toBe('gen-000001');
    await build('new', target);
    expect(await generationsIn(target)).toEqual(['gen-000001', 'gen-000003']);
    expect(await answersOf(target)).toBe(answers.new);
    await rollbackCollection(target);
    expect(await answersOf(target)).toBe(answers.old);
  });

  it('does not make a damaged generation live', async () => {
    // A model that is read by a question only, and not by opening.
    const model = join(target, 'gen-000001', 'text.model.msgpack');
    const bytes = await readFile(model);
    await writeFile(model, bytes.subarray(0, -1));
    await expect(rollbackCollection(target)).rejects.toMatchObject({ code: 'TRUNCATED' });
    bytes[50] = bytes[50]! ^ 4;
    await writeFile(model, bytes);
    await expect(rollbackCollection(target)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
    expect(await answersOf(target)).toBe(answers.new);
  });

  it('goes back from a CURRENT that was lost', async () => {
    for (const spoil of [() => rm(join(target, 'CURRENT')), () => writeFile(join(target, 'CURRENT'), 'nowhere')]) {
      await spoil();
      expect(await rollbackCollection(target)).toMatchObject({ from: undefined, to: 'gen-000002' });
      expect(await answersOf(target)).toBe(answers.new);
    }
  });

  it('refuses what is not there', async () => {
    await expect(rollbackCollection(target, { to: 'gen-000009' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(rollbackCollection(join(directory, 'nowhere'))).rejects.toMatchObject({ code: 'UNKNOWN_COLLECTION' });
    const typo = { too: 'gen-000001' } as object;
    await expect(rollbackCollection(target, typo)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
  });
});

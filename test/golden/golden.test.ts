/** Files that earlier releases wrote: every release opens them and answers as they did. They are made by make.mjs and never rewritten. */
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { open as openLmdb } from 'lmdb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HnswIndex } from '../../src/index/hnsw-index.js';
import { inspectIndex } from '../../src/index/inspect-index.js';
import { openIndex } from '../../src/index/open-index.js';
import { readManifest, writeManifest } from '../../src/retrieval/generation.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { backupCollection } from '../../src/retrieval/upkeep/backup-collection.js';
import { packHead } from '../../src/retrieval/upkeep/backup-format.js';
import { restoreCollection } from '../../src/retrieval/upkeep/restore-collection.js';
import { verifyCollection } from '../../src/retrieval/upkeep/verify-collection.js';
import { collectionAnswers, indexAnswers } from './answers.mjs';

type Pair = readonly [id: string | number, value: number];

/** The same neighbours at the same distances; those that are equally far may stand in any order. */
function expectSameList(found: readonly Pair[], expected: readonly Pair[], what: string): void {
  expect(found.map(([id]) => String(id)).sort(), what).toEqual(expected.map(([id]) => String(id)).sort());
  found.forEach(([, value], i) => {
    expect(value, what).toBeCloseTo(expected[i]![1], 3);
  });
}

async function expectAnswers(world: Retriever, expected: Record<string, Pair[]>, path: string): Promise<void> {
  const found = await collectionAnswers(world);
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const [question, answer] of Object.entries(found)) {
    const isRanked = Array.isArray(answer) && Array.isArray(answer[0]);
    if (isRanked) expectSameList(answer as Pair[], expected[question]!, `${path}, ${question}`);
    else expect(answer, `${path}, ${question}`).toEqual(expected[question]);
  }
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nigh-golden-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const here = import.meta.dirname;
const named = async (kind: string) =>
  (await readdir(here)).filter((name) => new RegExp(`^${kind}-v\\d+$`).test(name)).map((name) => join(here, name));
const answersIn = async (path: string) => JSON.parse(await readFile(join(path, 'answers.json'), 'utf8'));

describe('golden files of every version', () => {
  test('collections open, are sound, and answer as they did', async () => {
    const all = await named('collection');
    expect(all.length).toBeGreaterThan(0);
    for (const path of all) {
      const expected = await answersIn(path);
      for (const mode of ['mmap', 'memory'] as const) {
        await using world = await Retriever.open(join(path, 'collection'), { mode });
        await expectAnswers(world, expected, path);
      }
      expect((await verifyCollection(join(path, 'collection'))).findings, path).toEqual([]);
    }
  });

  test('journals are read and gone on with', async () => {
    const all = await named('journal');
    expect(all.length).toBeGreaterThan(0);
    for (const path of all) {
      const expected = await answersIn(path);
      const collection = join(folder, basename(path));
      await cp(join(here, 'collection-v1/collection'), collection, { recursive: true });
      await mkdir(join(collection, 'journal'));
      await cp(join(path, 'data.mdb'), join(collection, 'journal/data.mdb'));
      for (const write of [false, true]) {
        await using world = await Retriever.open(collection, { write });
        expect(world.journal?.sequence).toBe(6);
        await expectAnswers(world, expected, path);
      }
      expect((await verifyCollection(collection)).findings, path).toEqual([]);
      await using world = await Retriever.open(collection, { write: true });
      expect(await world.upsertItem('desert-2', { title: 'Sent again' }, { requestId: 'once' })).toEqual({
        sequence: 2,
      });
      expect(await world.upsertItem('desert-2', { title: 'Changed' })).toEqual({ sequence: 7 });
      expect(world.item('desert-2').title).toBe('Changed');
    }
  });

  test('index files of every kind open and answer as they did', async () => {
    for (const path of await named('index')) {
      const expected = await answersIn(path);
      const files = (await readdir(path)).filter((name) => name.endsWith('.ann'));
      expect(files.map((name) => name.replace('.ann', '')).sort()).toEqual(Object.keys(expected).sort());
      for (const file of files) {
        const { version } = await inspectIndex(join(path, file));
        expect(`index-v${version}`, file).toBe(basename(path));
        const modes = file.startsWith('hnswlib') ? (['memory'] as const) : (['mmap', 'memory'] as const);
        for (const mode of modes) {
          using index = await openIndex(join(path, file), { mode });
          const found = await indexAnswers(index);
          for (const [id, list] of Object.entries(expected[file.replace('.ann', '')])) {
            expectSameList(found[id]!, list as Pair[], `${file}, ${mode}, ${id}`);
          }
        }
      }
    }
  });

  test('an index of an earlier version is changed and saved as what it is', async () => {
    for (const metric of ['l2', 'cosine', 'ip']) {
      using index = await openIndex(join(here, `index-v1/hnsw-wide-${metric}.ann`));
      expect(index).toBeInstanceOf(HnswIndex);
      const added = Float32Array.from({ length: index.dim }, (_, i) => Math.sin(i * 2.3));
      await (index as HnswIndex).add({ data: added, rows: 1, dim: index.dim }, [500]);
      const saved = join(folder, `wide-${metric}.ann`);
      await index.save(saved);
      expect((await inspectIndex(saved)).version).toBe(1);
      using again = await openIndex(saved, { mode: 'mmap' });
      for (const exact of [true, false])
        expect((await again.search(added, 1, { exact })).ids).toEqual(Uint32Array.of(500));
    }
  });
});

describe('a file of a newer version than this release knows is refused with VERSION_UNSUPPORTED', () => {
  const refused = { code: 'VERSION_UNSUPPORTED' };

  test('an index of any kind', async () => {
    for (const path of await named('index')) {
      for (const file of (await readdir(path)).filter((name) => name.endsWith('.ann'))) {
        const bytes = await readFile(join(path, file));
        bytes.writeUInt32LE(99, 8);
        const newer = join(folder, file);
        await writeFile(newer, bytes);
        await expect(openIndex(newer), file).rejects.toMatchObject(refused);
        await expect(inspectIndex(newer), file).rejects.toMatchObject(refused);
      }
    }
  });

  test('a manifest', async () => {
    const target = join(folder, 'newer');
    await cp(join(here, 'collection-v1/collection'), target, { recursive: true });
    const generation = join(target, 'gen-000001');
    const manifest = await readManifest(generation);
    await rm(join(generation, 'manifest.json'));
    await writeManifest(generation, { ...manifest, version: 99 });
    await expect(Retriever.open(target)).rejects.toMatchObject(refused);
    expect((await verifyCollection(target)).findings[0]).toMatchObject(refused);
  });

  test('a journal', async () => {
    const target = join(folder, 'newer-journal');
    await cp(join(here, 'collection-v1/collection'), target, { recursive: true });
    await mkdir(join(target, 'journal'));
    await cp(join(here, 'journal-v1/data.mdb'), join(target, 'journal/data.mdb'));
    const root = openLmdb({ path: join(target, 'journal'), encoding: 'binary', maxDbs: 4, overlappingSync: false });
    await root.openDB('state', { encoding: 'msgpack' }).put('version', 99);
    await root.close();
    for (const write of [false, true]) await expect(Retriever.open(target, { write })).rejects.toMatchObject(refused);
  });

  test('a backup', async () => {
    const backup = join(folder, 'backup.tar');
    await backupCollection(join(here, 'collection-v1/collection'), backup);
    const bytes = await readFile(backup);
    const end = bytes.indexOf('\n}\n', 512) + 3;
    const { checksum, ...head } = JSON.parse(bytes.toString('utf8', 512, end));
    expect(checksum).toBe(createHash('sha256').update(JSON.stringify(head)).digest('hex'));
    const newer = packHead({ ...head, version: 9 });
    expect(newer.length).toBe(end - 512);
    newer.copy(bytes, 512);
    await writeFile(backup, bytes);
    await expect(restoreCollection(backup, join(folder, 'restored'))).rejects.toMatchObject(refused);
  });
});

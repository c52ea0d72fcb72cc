import { copyFile, cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HnswIndex } from '../../../src/index/hnsw-index.js';
import { openIndex } from '../../../src/index/open-index.js';
import { crc32c } from '../../../src/index/salvage-vectors.js';
import { buildCollection } from '../../../src/retrieval/build-collection.js';
import { readManifest, writeManifest } from '../../../src/retrieval/generation.js';
import { stampFile } from '../../../src/retrieval/packed-file.js';
import { loadRecipe } from '../../../src/retrieval/recipe.js';
import { Retriever } from '../../../src/retrieval/retriever.js';
import { repairCollection } from '../../../src/retrieval/upkeep/repair-collection.js';
import { verifyCollection } from '../../../src/retrieval/upkeep/verify-collection.js';
import { answersOf, writeKeptWorld } from '../support/kept-world.js';

let directory: string;
let built: string;
let target: string;
let answers: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-verify-'));
  built = join(directory, 'built');
  await writeKeptWorld(directory);
  await buildCollection(await loadRecipe(join(directory, 'old.json')), built);
  answers = await answersOf(built);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

beforeEach(async () => {
  target = join(directory, 'target');
  await rm(target, { recursive: true, force: true });
  await cp(built, target, { recursive: true });
});

const inLive = (name: string) => join(target, 'gen-000001', name);

/** Flips one bit in a section of an index file. */
async function flipIn(name: string, tag: string): Promise<void> {
  const bytes = await readFile(inLive(name));
  const sections = bytes.readUInt32LE(12);
  for (let s = 0; s < sections; s++) {
    const entry = bytes.subarray(64 + 32 * s, 96 + 32 * s);
    if (entry.toString('latin1', 0, 8).replace(/\0+$/, '') !== tag) continue;
    const at = Number(entry.readBigUInt64LE(8)) + Math.floor(Number(entry.readBigUInt64LE(16)) / 2);
    bytes[at] = bytes[at]! ^ 0x20;
    await writeFile(inLive(name), bytes);
    return;
  }
  throw new Error(`${name} has no section ${tag}`);
}

/** Puts other content under right checksums, as a fault of nigh itself would. */
async function rewrite(change: (name: string) => Promise<void>, ...names: string[]): Promise<void> {
  const manifest = await readManifest(join(target, 'gen-000001'));
  const files = { ...manifest.files };
  for (const name of names) {
    await change(inLive(name));
    files[name] = await stampFile(inLive(name));
  }
  await rm(inLive('manifest.json'));
  await writeManifest(join(target, 'gen-000001'), { ...manifest, files });
}

describe('verify', () => {
  it('finds nothing wrong with what was built, and says what it looked at', async () => {
    const stages = new Set<string>();
    const found = await verifyCollection(target, { onProgress: ({ stage }) => stages.add(stage) });
    expect(found).toMatchObject({ sound: true, findings: [], generation: 'gen-000001', collection: 'small-world' });
    expect([...stages].sort()).toEqual(['files', 'index', 'vocabulary']);
    expect(found.indexes.map(({ file, kind, recallAt10 }) => [file, kind, recallAt10 === undefined])).toEqual([
      ['cf.ann', 'hnsw', false],
      ['cf.recommend.ann', 'hnsw', false],
      ['cf.users.ann', 'flat', true],
      ['text.ann', 'flat', true],
      ['words.ann', 'sparse', true],
    ]);
    // The questions of the build, so its recall.
    const { spaces } = await readManifest(join(target, 'gen-000001'));
    expect(found.indexes[0]!.recallAt10).toBe(spaces[0]!.similar.recallAt10);
    expect(found.indexes[1]!.recallAt10).toBe(spaces[0]!.recommend!.recallAt10);
  });

  it('finds every file that is missing, cut or altered, also in older generations', async () => {
    await buildCollection(await loadRecipe(join(directory, 'new.json')), target);
    for (const generation of ['gen-000001', 'gen-000002']) {
      for (const name of await readdir(join(target, generation))) {
        const path = join(target, generation, name);
        const whole = await readFile(path);
        // Written anew, so that the file of the other generation is another one.
        await rm(path);
        await writeFile(path, whole.subarray(0, whole.length - 3));
        const found = await verifyCollection(target);
        expect(found.findings, `${generation}/${name}`).toHaveLength(1);
        expect(found.findings[0], name).toMatchObject({ generation, subject: name });
        await writeFile(path, whole);
      }
    }
    expect(await verifyCollection(target)).toMatchObject({ sound: true });
  });

  it('finds vectors that are not reached, whose file is what was written', async () => {
    await rewrite(async (path) => {
      const bytes = await readFile(path);
      cutLinks(bytes);
      await writeFile(path, bytes);
    }, 'cf.ann');
    const { findings } = await verifyCollection(target);
    expect(findings.map(({ check, subject }) => [check, subject])).toContainEqual(['reachability', 'cf.ann']);
  });

  it('finds an index of other items than the catalogue has', async () => {
    await rewrite(async (path) => {
      using index = (await openIndex(path)) as HnswIndex;
      await index.add({ data: index.vector(0)!, rows: 1, dim: index.dim }, [5000]);
      await index.save(path);
    }, 'cf.ann');
    const { findings } = await verifyCollection(target);
    expect(findings.map(({ check }) => check)).toEqual(['vocabulary', 'vocabulary']);
    expect(findings[1]!.message).toContain('5000');
  });

  it('finds files of another generation under right checksums', async () => {
    await rewrite((path) => copyFile(inLive('text.ann'), path), 'cf.ann');
    const { findings } = await verifyCollection(target);
    expect(findings.map(({ subject }) => subject)).toContain('cf.ann');
  });

  it('reads the journal, and finds a change that is not what was written', async () => {
    const world = await Retriever.open(target, { write: true });
    await world.upsertItem('river-new', { title: 'The river kettle 4711' });
    await world.deleteItem('opera-0');
    await world.close();
    expect(await verifyCollection(target)).toMatchObject({ sound: true, changes: 2 });

    const path = join(target, 'journal/data.mdb');
    const bytes = await readFile(path);
    const found: number[] = [];
    for (let at = bytes.indexOf('kettle 4711'); at >= 0; at = bytes.indexOf('kettle 4711', at + 1)) found.push(at);
    expect(found.length).toBeGreaterThan(0);
    for (const at of found) bytes[at] = bytes[at]! ^ 1;
    await writeFile(path, bytes);
    const { findings } = await verifyCollection(target);
    expect(findings).toMatchObject([{ check: 'journal', subject: 'journal', code: 'CHECKSUM_MISMATCH' }]);
    expect((await repairCollection(target)).beyond).toMatchObject([{ subject: 'journal' }]);
  });

  it('refuses what is no collection, and wrong options', async () => {
    await expect(verifyCollection(join(directory, 'nowhere'))).rejects.toMatchObject({ code: 'UNKNOWN_COLLECTION' });
    await expect(verifyCollection(target, { thread: 1 } as object)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
    const signal = AbortSignal.abort();
    await expect(verifyCollection(target, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('repair', () => {
  it('changes nothing where nothing is wrong', async () => {
    expect(await repairCollection(target)).toMatchObject({ mended: [], beyond: [], after: { sound: true } });
    expect((await readdir(target)).sort()).toEqual(['CURRENT', 'gen-000001', 'recipe.json']);
  });

  it('builds an index again from vectors that are whole, in a new generation', async () => {
    for (const [name, tag] of [
      ['cf.ann', 'links0'],
      ['cf.recommend.ann', 'codes'],
      ['text.ann', 'codes16'],
    ] as const) {
      await flipIn(name, tag);
    }
    const damaged = await readFile(inLive('cf.ann'));
    const repair = await repairCollection(target);
    expect(repair.mended.map(({ subject }) => subject).sort()).toEqual(['cf.ann', 'cf.recommend.ann', 'text.ann']);
    expect(repair).toMatchObject({ beyond: [], after: { generation: 'gen-000002' } });
    // The damaged generation is kept as it was, and so are its findings.
    expect(repair.after.findings.map(({ generation }) => generation)).toEqual(Array(3).fill('gen-000001'));
    expect(await answersOf(target)).toBe(answers);
    expect(await readFile(inLive('cf.ann'))).toEqual(damaged);
  });

  it('links again what was no longer found', async () => {
    await rewrite(async (path) => {
      const bytes = await readFile(path);
      cutLinks(bytes);
      await writeFile(path, bytes);
    }, 'cf.ann');
    const repair = await repairCollection(target);
    expect(repair.mended.map(({ subject }) => subject)).toEqual(['cf.ann']);
    expect(repair.after).toMatchObject({ sound: true, generation: 'gen-000002' });
    expect(await answersOf(target)).toBe(answers);
  });

  it('takes a file from a generation that has it too, and the recipe from beside the collection', async () => {
    await buildCollection(await loadRecipe(join(directory, 'old.json')), target);
    for (const name of ['items.msgpack', 'cf.model.msgpack', 'recipe.json']) {
      const path = join(target, 'gen-000002', name);
      const bytes = await readFile(path);
      await rm(path);
      await writeFile(path, bytes.subarray(1));
    }
    const repair = await repairCollection(target);
    expect(repair).toMatchObject({ beyond: [], after: { generation: 'gen-000003' } });
    expect(repair.mended).toHaveLength(3);
    // The damaged generation is kept, and so are its findings.
    expect(repair.after.findings.every(({ generation }) => generation === 'gen-000002')).toBe(true);
    expect(await answersOf(target)).toBe(answers);
  });

  it('names the newest whole generation where CURRENT is lost', async () => {
    await writeFile(join(target, 'CURRENT'), '??');
    expect(await repairCollection(target)).toMatchObject({ after: { sound: true, generation: 'gen-000001' } });
    expect(await answersOf(target)).toBe(answers);
  });

  it('changes nothing where something cannot be rebuilt, and says what', async () => {
    await truncate(inLive('items.msgpack'), 50);
    await flipIn('text.ann', 'codes16');
    const repair = await repairCollection(target);
    expect(repair).toMatchObject({ mended: [], after: { sound: false } });
    expect(repair.beyond.map(({ subject }) => subject)).toEqual(['items.msgpack']);
    expect((await readdir(target)).sort()).toEqual(['CURRENT', 'gen-000001', 'recipe.json']);
  });

  it('does not build from vectors that are damaged', async () => {
    await flipIn('text.ann', 'rows');
    expect((await repairCollection(target)).beyond.map(({ subject }) => subject)).toEqual(['text.ann']);
    await cp(join(built, 'gen-000001'), join(target, 'gen-000001'), { recursive: true });
    await flipIn('cf.ann', 'ids');
    expect((await repairCollection(target)).beyond.map(({ subject }) => subject)).toEqual(['cf.ann']);
  });
});

/** Cuts all links of the lowest layer of an hnsw file, under right checksums. */
function cutLinks(bytes: Buffer): void {
  const sections = bytes.readUInt32LE(12);
  for (let s = 0; s < sections; s++) {
    const entry = 64 + 32 * s;
    if (bytes.toString('latin1', entry, entry + 6) !== 'links0') continue;
    const offset = Number(bytes.readBigUInt64LE(entry + 8));
    const length = Number(bytes.readBigUInt64LE(entry + 16));
    bytes.fill(0xff, offset, offset + length);
    bytes.writeUInt32LE(crc32c(bytes.subarray(offset, offset + length)), entry + 24);
  }
  bytes.writeUInt32LE(0, 60);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 64 + 32 * sections)), 60);
}

import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildCollection } from '../../../src/retrieval/build-collection.js';
import { loadRecipe } from '../../../src/retrieval/recipe.js';
import { backupCollection } from '../../../src/retrieval/upkeep/backup-collection.js';
import { packHead } from '../../../src/retrieval/upkeep/backup-format.js';
import { restoreCollection } from '../../../src/retrieval/upkeep/restore-collection.js';
import { rollbackCollection } from '../../../src/retrieval/upkeep/rollback.js';
import { verifyCollection } from '../../../src/retrieval/upkeep/verify-collection.js';
import { answersOf, writeKeptWorld } from '../support/kept-world.js';

let directory: string;
let built: string;
let backup: string;
let target: string;
const answers: Record<'old' | 'new', string> = { old: '', new: '' };

async function build(name: 'old' | 'new', to: string): Promise<void> {
  await buildCollection(await loadRecipe(join(directory, `${name}.json`)), to);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-backup-'));
  built = join(directory, 'built');
  backup = join(directory, 'world.tar');
  await writeKeptWorld(directory);
  await build('old', built);
  answers.old = await answersOf(built);
  await backupCollection(built, backup);
  await build('new', built);
  answers.new = await answersOf(built);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

beforeEach(async () => {
  target = join(directory, 'target');
  await rm(target, { recursive: true, force: true });
});

describe('a backup', () => {
  it('gives back the collection as it was, in another place', async () => {
    const restored = await restoreCollection(backup, target);
    expect(restored).toMatchObject({
      collection: 'small-world',
      generation: 'gen-000001',
      previous: undefined,
      warnings: [],
    });
    expect(await answersOf(target)).toBe(answers.old);
    expect(await verifyCollection(target)).toMatchObject({ sound: true });
    expect((await readdir(target)).sort()).toEqual(['CURRENT', 'gen-000001', 'journal', 'recipe.json']);
    expect(await readdir(join(target, 'journal'))).toEqual([]);
    expect(await readFile(join(target, 'recipe.json'))).toEqual(await readFile(join(built, 'recipe.json')));
    await build('new', target);
    expect(await answersOf(target)).toBe(answers.new);
  });

  it('takes the place of a collection only when told to, and what was live can be gone back to', async () => {
    await cp(built, target, { recursive: true });
    await expect(restoreCollection(backup, target)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await answersOf(target)).toBe(answers.new);
    const restored = await restoreCollection(backup, target, { force: true });
    expect(restored).toMatchObject({
      generation: 'gen-000003',
      previous: 'gen-000002',
      backedUp: { generation: 'gen-000001' },
    });
    expect(await answersOf(target)).toBe(answers.old);
    await rollbackCollection(target);
    expect(await answersOf(target)).toBe(answers.new);
  });

  it('is of one moment, however many builds replace and remove generations while it is written', async () => {
    await cp(built, target, { recursive: true });
    const copy = join(directory, 'busy.tar');
    let building = true;
    const builds = (async () => {
      for (let round = 0; round < 4; round++) await build(round % 2 === 0 ? 'old' : 'new', target);
      building = false;
    })();
    const seen = new Set<string>();
    while (building) {
      const { generation } = await backupCollection(target, copy);
      seen.add(generation);
      const restored = join(directory, 'from-busy');
      await restoreCollection(copy, restored);
      expect([answers.old, answers.new]).toContain(await answersOf(restored));
      await rm(restored, { recursive: true });
    }
    await builds;
    expect(seen.size).toBeGreaterThan(1);
  });

  it('is not made of a damaged collection, and leaves the backup before it alone', async () => {
    await cp(built, target, { recursive: true });
    const copy = join(directory, 'copy.tar');
    await cp(backup, copy);
    const file = join(target, 'gen-000002', 'cf.ann');
    const bytes = await readFile(file);
    bytes[bytes.length - 1] = bytes[bytes.length - 1]! ^ 1;
    await rm(file);
    await writeFile(file, bytes);
    await expect(backupCollection(target, copy)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
    await truncate(file, 1000);
    await expect(backupCollection(target, copy)).rejects.toMatchObject({ code: 'TRUNCATED' });
    await rm(file);
    await expect(backupCollection(target, copy)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await readFile(copy)).toEqual(await readFile(backup));
    expect((await readdir(directory)).filter((name) => name.startsWith('copy.tar'))).toEqual(['copy.tar']);
  });

  it('can be aborted, as can a restore, and nothing is left', async () => {
    const copy = join(directory, 'aborted.tar');
    const stop = new AbortController();
    const aborted = backupCollection(built, copy, { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    const again = new AbortController();
    const restoring = restoreCollection(backup, target, { signal: again.signal, onProgress: () => again.abort() });
    await expect(restoring).rejects.toMatchObject({ code: 'ABORTED' });
    expect((await readdir(directory)).filter((name) => name.startsWith('aborted'))).toEqual([]);
    expect(await readdir(target)).toEqual([]);
  });

  it('is refused where it cannot be written, and where nothing was built', async () => {
    await expect(backupCollection(built, join(directory, 'no/such/place.tar'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await mkdir(target);
    await expect(backupCollection(target, join(directory, 'x.tar'))).rejects.toMatchObject({
      code: 'UNKNOWN_COLLECTION',
    });
    await expect(backupCollection(built, '')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('a damaged backup', () => {
  const codes = ['FORMAT', 'TRUNCATED', 'CHECKSUM_MISMATCH', 'VERSION_UNSUPPORTED'];

  async function expectRefused(path: string, what: string): Promise<void> {
    const outcome = await restoreCollection(path, target).catch((error: unknown) => error);
    expect(outcome, what).toMatchObject({ name: 'NighError' });
    expect(codes, what).toContain((outcome as { code: string }).code);
    expect(await readdir(target).catch(() => []), what).toEqual([]);
  }

  it('is refused where it is cut at any length, and nothing is there then', async () => {
    const whole = await readFile(backup);
    const path = join(directory, 'cut.tar');
    // The last kilobyte is the end mark, behind which nothing more comes.
    const lengths = [
      0,
      1,
      511,
      512,
      513,
      1024,
      2000,
      ...Array.from({ length: 12 }, (_, i) => Math.floor((i / 12) * (whole.length - 1100))),
    ];
    for (const length of lengths) {
      await writeFile(path, whole.subarray(0, length));
      await expectRefused(path, `cut to ${length}`);
    }
  });

  it('is refused, or gives what was backed up, where any region of it is altered', async () => {
    const whole = await readFile(backup);
    const path = join(directory, 'flipped.tar');
    let refused = 0;
    for (let i = 0; i < 40; i++) {
      const bytes = Buffer.from(whole);
      const at = i < 12 ? i * 41 : Math.floor(((i - 12) / 28) * whole.length);
      bytes[at] = bytes[at]! ^ (1 << (i % 8));
      await writeFile(path, bytes);
      const outcome = await restoreCollection(path, target).catch((error: unknown) => error);
      if (outcome instanceof Error) {
        refused++;
        expect(outcome, `at ${at}`).toMatchObject({ name: 'NighError' });
        expect(codes, `at ${at}`).toContain((outcome as unknown as { code: string }).code);
      } else {
        expect(await answersOf(target), `at ${at}`).toBe(answers.old);
      }
      await rm(target, { recursive: true, force: true });
    }
    expect(refused).toBeGreaterThan(20);
  });

  it('is refused where it is none, or was written by a newer release, or names files elsewhere', async () => {
    const path = join(directory, 'none.tar');
    await writeFile(path, 'not a tar at all'.repeat(100));
    await expectRefused(path, 'text');
    const head = { version: 1, collection: 'x', generation: 'gen-000001', createdAt: '', files: {} };
    const forged: [object, string][] = [
      [{ version: 3 }, 'VERSION_UNSUPPORTED'],
      [{ generation: '../../elsewhere' }, 'FORMAT'],
      [{ files: { '../../outside': { bytes: 1, sha256: '' } } }, 'FORMAT'],
      [{ files: { 'generation/../../outside': { bytes: 1, sha256: '' } } }, 'FORMAT'],
      [{ files: { 'generation/missing': { bytes: 1, sha256: '' } } }, 'TRUNCATED'],
    ];
    for (const [change, code] of forged) {
      await writeFile(path, await tarOf([['nigh-backup.json', packHead({ ...head, ...change })]]));
      await expect(restoreCollection(path, target), JSON.stringify(change)).rejects.toMatchObject({ code });
    }
    const stranger: [string, Buffer][] = [
      ['nigh-backup.json', packHead(head)],
      ['../../outside', Buffer.from('x')],
    ];
    await writeFile(path, await tarOf(stranger));
    await expect(restoreCollection(path, target)).rejects.toMatchObject({ code: 'FORMAT' });
    await expect(restoreCollection(join(directory, 'nowhere.tar'), target)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('with bytes behind its end is the same backup', async () => {
    const path = join(directory, 'longer.tar');
    await cp(backup, path);
    await appendFile(path, Buffer.alloc(10 * 512));
    await restoreCollection(path, target);
    expect(await answersOf(target)).toBe(answers.old);
  });
});

async function tarOf(files: readonly (readonly [name: string, content: Buffer])[]): Promise<Buffer> {
  const { pack } = await import('tar-stream');
  const archive = pack();
  for (const [name, content] of files) archive.entry({ name }, content);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processMark } from '../../src/core/process-mark.js';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { BuildLock } from '../../src/retrieval/build-lock.js';
import type { BuildProgress } from '../../src/retrieval/build-progress.js';
import { liveGeneration } from '../../src/retrieval/generation.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { likes, smallRecipe, spaces, writeSmallWorld } from './support/small-world.js';

let directory: string;
let target: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-build-'));
  target = join(directory, 'world');
  await writeSmallWorld(directory);
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const only = (name: 'cf' | 'text', changes = {}) => ({ spaces: { [name]: { ...spaces[name], ...changes } } });

/** What lies in the collection beside its generations. */
async function listing(): Promise<string[]> {
  return (await readdir(target)).sort();
}

describe('buildCollection', () => {
  it('writes a generation, names it, and leaves nothing else', async () => {
    const { info, timings, warnings } = await buildCollection(smallRecipe(directory), target);
    expect(await listing()).toEqual(['CURRENT', 'gen-000001', 'recipe.json']);
    expect(await readFile(join(target, 'CURRENT'), 'utf8')).toBe('gen-000001\n');
    expect((await readdir(join(target, 'gen-000001'))).sort()).toEqual([
      'cf.ann',
      'cf.model.msgpack',
      'cf.recommend.ann',
      'cf.users.ann',
      'interactions.msgpack',
      'items.msgpack',
      'manifest.json',
      'recipe.json',
      'text.ann',
      'text.model.msgpack',
      'users.msgpack',
    ]);
    const manifest = JSON.parse(await readFile(join(target, 'gen-000001/manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ version: 1, generation: 'gen-000001', name: 'small-world' });
    expect(manifest.files['cf.ann']).toEqual({
      bytes: info.spaces[0]?.similar.fileBytes,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(warnings).toEqual([]);
    const stages = timings.map(({ stage, space }) => (space === undefined ? stage : `${stage} ${space}`));
    expect(stages).toEqual(expect.arrayContaining(['dataset', 'embedding cf', 'index cf', 'recall text', 'write']));
    expect(info.buildSeconds).toBeGreaterThan(0);
    await using opened = await Retriever.open(target);
    expect(opened.info).toEqual(info);
  });

  it('keeps two generations, of which the older still opens for whoever has it open', async () => {
    const recipe = smallRecipe(directory, only('text'));
    await buildCollection(recipe, target);
    await using first = await Retriever.open(target);
    const before = await first.similarItems('river-1');
    await buildCollection(recipe, target);
    expect(await listing()).toEqual(['CURRENT', 'gen-000001', 'gen-000002', 'recipe.json']);
    await buildCollection(recipe, target);
    expect(await listing()).toEqual(['CURRENT', 'gen-000002', 'gen-000003', 'recipe.json']);
    expect((await first.similarItems('river-1')).results).toEqual(before.results);
    await using third = await Retriever.open(target);
    expect(third.info.generation).toBe('gen-000003');
    await buildCollection(recipe, target, { keep: 1 });
    expect(await listing()).toEqual(['CURRENT', 'gen-000004', 'recipe.json']);
  });

  it('leaves a recipe alone that lies in the collection, and says so if it is another', async () => {
    await mkdir(target);
    await writeFile(join(target, 'recipe.json'), '{ "mine": true }');
    const { warnings } = await buildCollection(smallRecipe(directory, only('text')), target);
    expect(warnings).toEqual([expect.stringContaining('another recipe')]);
    expect(JSON.parse(await readFile(join(target, 'gen-000001/recipe.json'), 'utf8'))).toMatchObject({
      name: 'small-world',
    });
    expect(await readFile(join(target, 'recipe.json'), 'utf8')).toBe('{ "mine": true }');
  });

  it('reports every stage of every space, with work that adds up', async () => {
    const reports: BuildProgress[] = [];
    await buildCollection(smallRecipe(directory), target, { onProgress: (report) => reports.push(report) });
    for (const report of reports) {
      expect(report.done).toBeGreaterThanOrEqual(0);
      if (report.total > 0) expect(report.done).toBeLessThanOrEqual(report.total);
      expect(report.subject).not.toBe('');
    }
    const seen = new Set(reports.map(({ stage, space = '' }) => `${stage} ${space}`.trim()));
    for (const stage of ['read', 'embedding cf', 'index cf', 'recall cf', 'embedding text', 'recall text', 'write']) {
      expect(seen).toContain(stage);
    }
  });

  it('builds a space of content over a dataset without interactions', async () => {
    const { interactions: _, ...dataset } = smallRecipeDataset();
    const recipe = smallRecipe(directory, { ...only('text'), dataset });
    const { info } = await buildCollection(recipe, target);
    expect(info).toMatchObject({ users: 0, interactions: 0 });
    await using world = await Retriever.open(target);
    expect((await world.similarItems('river-1')).results).toHaveLength(10);
    await expect(world.recommend('anybody')).rejects.toMatchObject({ code: 'UNKNOWN_USER' });
    expect((await world.recommendFor([{ item: 'river-1' }])).stats.space).toBe('text');
  });
});

function smallRecipeDataset(): Record<string, unknown> {
  return { ...(JSON.parse(smallRecipe(directory).json) as { dataset: Record<string, unknown> }).dataset };
}

describe('a build that does not succeed', () => {
  /** A live generation, and proof afterwards that it is live and whole still. */
  async function withLive(work: () => Promise<void>): Promise<void> {
    await buildCollection(smallRecipe(directory), target);
    const files = await listing();
    await work();
    expect(await listing()).toEqual(files);
    await using world = await Retriever.open(target);
    expect(world.info.generation).toBe('gen-000001');
    expect((await world.recommend([...likes.keys()][0]!)).results).toHaveLength(10);
  }

  it('for an index below the recall floor names space, measure and floor, and leaves the old generation live', async () => {
    await withLive(async () => {
      // Links of 2 and a pool of 1 cannot find the neighbours of 122 items.
      const recipe = smallRecipe(directory, {
        ...only('text', { index: { M: 2, efConstruction: 1, efSearch: 1 } }),
        recallFloor: 1,
      });
      await expect(buildCollection(recipe, target)).rejects.toMatchObject({
        code: 'RECALL_FLOOR',
        message: expect.stringMatching(/The space text: text\.ann finds 0\.\d+ of .* below the floor of 1\./),
      });
    });
  });

  it('for a broken record or column leaves the old generation live', async () => {
    await withLive(async () => {
      const recipe = smallRecipe(directory, only('text', { fields: { titel: 1 } }));
      await expect(buildCollection(recipe, target)).rejects.toMatchObject({ code: 'MISSING_COLUMN' });
      await appendFile(join(directory, 'likes.jsonl'), '{"user":\n');
      await expect(buildCollection(smallRecipe(directory), target)).rejects.toMatchObject({ code: 'INVALID_RECORD' });
    });
  });

  it('because it was aborted, at any stage, leaves the old generation live and no files', async () => {
    await withLive(async () => {
      await expect(
        buildCollection(smallRecipe(directory), target, { signal: AbortSignal.abort() }),
      ).rejects.toMatchObject({
        code: 'ABORTED',
      });
      const stages = ['read', 'embedding', 'index', 'recall', 'write'] as const;
      for (const wanted of stages) {
        const controller = new AbortController();
        const onProgress = ({ stage }: BuildProgress) => {
          if (stage === wanted) controller.abort(new Error(`at ${wanted}`));
        };
        await expect(
          buildCollection(smallRecipe(directory), target, { signal: controller.signal, onProgress }),
        ).rejects.toMatchObject({ code: 'ABORTED' });
      }
    });
  });

  it('because the caller’s progress function throws leaves the old generation live', async () => {
    await withLive(async () => {
      const onProgress = ({ stage }: BuildProgress) => {
        if (stage === 'recall') throw new Error('no more');
      };
      await expect(buildCollection(smallRecipe(directory), target, { onProgress })).rejects.toThrow('no more');
    });
  });

  it('leaves nothing where nothing was', async () => {
    await expect(
      buildCollection(smallRecipe(directory, only('text', { fields: { titel: 1 } })), target),
    ).rejects.toMatchObject({ code: 'MISSING_COLUMN' });
    expect(await listing()).toEqual([]);
    await expect(Retriever.open(target)).rejects.toMatchObject({ code: 'UNKNOWN_COLLECTION' });
  });

  it('refuses options that mean nothing, before it writes', async () => {
    const recipe = smallRecipe(directory);
    for (const [options, code] of [
      [{ keep: 0 }, 'INVALID_ARGUMENT'],
      [{ threads: -1 }, 'INVALID_ARGUMENT'],
      [{ onProgress: 3 }, 'INVALID_ARGUMENT'],
      [{ signl: 3 }, 'UNKNOWN_OPTION'],
    ] as const) {
      await expect(buildCollection(recipe, target, options as never)).rejects.toMatchObject({ code });
    }
    expect(await readdir(directory)).not.toContain('world');
    await writeFile(join(directory, 'file'), '');
    await expect(buildCollection(recipe, join(directory, 'file'))).rejects.toMatchObject({ code: 'IO' });
  });
});

describe('the lock of a collection', () => {
  const recipe = () => smallRecipe(directory, only('text'));

  it('lets one build in at a time, and says who holds it', async () => {
    const both = await Promise.allSettled([buildCollection(recipe(), target), buildCollection(recipe(), target)]);
    const [refused, ...more] = both.filter(({ status }) => status === 'rejected');
    expect(more).toEqual([]);
    expect(refused).toMatchObject({ reason: { code: 'LOCKED', message: expect.stringContaining(`${process.pid}`) } });
    expect(await liveGeneration(target)).toBe('gen-000001');
    expect(await listing()).not.toContain('LOCK');
  });

  it('is taken over from a process that is gone, and from an older one of the same number', async () => {
    await mkdir(target);
    const mark = await processMark();
    const gone = mark.replace(/-\d+-/, `-${0x7ffffffe}-`);
    const dead = { pid: 0x7ffffffe, host: hostname(), mark: gone, token: 'aaaaaaaaaaaa' };
    const older = {
      pid: process.pid,
      host: hostname(),
      mark: mark.replace(/[^-]+$/, 'abababababab'),
      token: 'bbbbbbbbbbbb',
    };
    for (const holder of process.platform === 'linux' ? [dead, older] : [dead]) {
      await writeFile(join(target, 'LOCK'), JSON.stringify(holder));
      const lock = await BuildLock.acquire(target);
      await expect(BuildLock.acquire(target)).rejects.toMatchObject({ code: 'LOCKED' });
      await lock.release();
      expect(await listing()).toEqual([]);
    }
  });

  it('is respected where its holder is elsewhere or cannot be read', async () => {
    await mkdir(target);
    const elsewhere = { pid: 1, host: 'another-machine', mark: 'abababababab-1-0', token: 'cccccccccccc' };
    // As in a container that has the name of its host.
    const contained = { ...elsewhere, pid: 0x7ffffffe, host: hostname(), mark: `abababababab-${0x7ffffffe}-0` };
    for (const holder of [elsewhere, contained]) {
      await writeFile(join(target, 'LOCK'), JSON.stringify(holder));
      await expect(buildCollection(recipe(), target)).rejects.toMatchObject({
        code: 'LOCKED',
        message: expect.stringContaining(holder.host),
      });
    }
    await writeFile(join(target, 'LOCK'), 'what is this');
    await expect(buildCollection(recipe(), target)).rejects.toMatchObject({ code: 'FORMAT' });
    expect(await listing()).toEqual(['LOCK']);
  });

  it('goes to exactly one of many that find it stale at once', async () => {
    await mkdir(target);
    for (let round = 0; round < 10; round++) {
      const gone = (await processMark()).replace(/-\d+-/, `-${0x7ffffffe}-`);
      const dead = { pid: 0x7ffffffe, host: hostname(), mark: gone, token: 'dddddddddddd' };
      await writeFile(join(target, 'LOCK'), JSON.stringify(dead));
      const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => BuildLock.acquire(target)));
      const won = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
      expect(won).toHaveLength(1);
      await won[0]?.release();
      expect(await listing()).toEqual([]);
    }
  });
});

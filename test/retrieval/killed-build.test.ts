import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { smallRecipe, smallRecipeJson, spaces, writeSmallWorld } from './support/small-world.js';

const script = join(import.meta.dirname, 'support/killed-build.mjs');
const build = join(import.meta.dirname, '../../dist/retrieval/index.js');
const json = { ...smallRecipeJson, spaces: { cf: spaces.cf } };

let directory: string;
let live: string;

beforeAll(async () => {
  if (!existsSync(build)) throw new Error('dist/ is missing: run `npm run build`, or the tests through `npm test`.');
  directory = await mkdtemp(join(tmpdir(), 'nigh-killed-'));
  live = join(directory, 'live');
  await writeSmallWorld(directory);
  await writeFile(join(directory, 'recipe.json'), JSON.stringify(json));
  await buildCollection(smallRecipe(directory, json), live);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** Builds over a copy of the live collection in a process that dies at the moment given. */
async function buildAndDie(moment: string): Promise<{ target: string; signal: string | null; calls: string[] }> {
  const target = join(directory, `target-${moment}`);
  await cp(live, target, { recursive: true });
  const { signal, stdout, stderr } = spawnSync(process.execPath, [script, directory, target, moment], {
    encoding: 'utf8',
    timeout: 100_000,
  });
  if (signal === null && stdout === '') throw new Error(stderr);
  return { target, signal, calls: stdout === '' ? [] : (JSON.parse(stdout) as string[]) };
}

async function answers(target: string): Promise<unknown> {
  await using world = await Retriever.open(target);
  const { results } = await world.recommend('user-2-2', { exact: true });
  return results.map(({ id }) => id);
}

describe('a build that is killed', () => {
  it('at any moment leaves a whole generation live, and the next build clears what it left', {
    timeout: 600_000,
  }, async () => {
    const expected = await answers(live);
    const { calls } = await buildAndDie('never');
    expect(calls.length).toBeGreaterThan(30);
    // Spread over the whole, and every call of the swap at its end.
    const moments = [
      ...Array.from({ length: 8 }, (_, i) => String(1 + Math.floor((i * (calls.length - 14)) / 8))),
      ...Array.from({ length: 14 }, (_, i) => String(calls.length - 13 + i)),
      ...['read', 'embedding', 'index', 'recall', 'write'],
    ];
    const generations = new Set<string>();
    for (const moment of moments) {
      const { target, signal } = await buildAndDie(moment);
      expect(signal, `at ${moment}`).toBe('SIGKILL');
      await using world = await Retriever.open(target);
      generations.add(world.info.generation);
      expect(await answers(target), `at ${moment}`).toEqual(expected);

      await buildCollection(smallRecipe(directory, json), target, { threads: 1 });
      const left = (await readdir(target)).filter((name) => !/^(?:gen-\d{6}|CURRENT|recipe\.json)$/.test(name));
      expect(left, `after ${moment}`).toEqual([]);
      expect(await answers(target), `after ${moment}`).toEqual(expected);
      expect((await readdir(target)).filter((name) => name.startsWith('gen-')).length).toBe(2);
      await rm(target, { recursive: true });
    }
    // Some died before the swap and some after it.
    expect([...generations].sort()).toEqual(['gen-000001', 'gen-000002']);
  });
});

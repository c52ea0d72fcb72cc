import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { parseRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { tasteOf, tasteOfPicks } from '../../src/retrieval/taste.js';
import type { Answer, RecommendOptions } from '../../src/retrieval/types.js';

const day = 86_400;
const kinds = ['river', 'desert', 'opera'] as const;

/** Ten items of every kind, each with nothing but its kind; `odd` has nothing at all. */
const items = [
  ...kinds.flatMap((kind) => Array.from({ length: 10 }, (_, n) => ({ id: `${kind}-${n}`, kinds: [kind] }))),
  { id: 'odd', kinds: [] },
];
const ratings = [
  // Likes rivers, dislikes deserts.
  ...[0, 1, 2].map((n) => ({ user: 'anna', item: `river-${n}`, value: 5, at: 1_000 * day })),
  ...[0, 1].map((n) => ({ user: 'anna', item: `desert-${n}`, value: 1, at: 1_000 * day })),
  // Once liked operas a little more than rivers now.
  ...[0, 1, 2].map((n) => ({ user: 'ben', item: `opera-${n}`, value: 5, at: 0 })),
  ...[0, 1].map((n) => ({ user: 'ben', item: `river-${n}`, value: 5, at: 1_000 * day })),
  { user: 'carl', item: 'odd', value: 5, at: 0 },
  { user: 'dora', item: 'opera-0', value: 1, at: 0 },
];

let directory: string;
let world: Retriever;

async function build(name: string, taste?: object): Promise<Retriever> {
  const recipe = {
    name,
    dataset: {
      source: 'jsonl',
      items: { path: 'items.jsonl', id: 'id', columns: { kinds: { type: 'tags' } } },
      interactions: { path: 'ratings.jsonl', user: 'user', item: 'item', value: 'value', timestamp: 'at' },
    },
    ...(taste === undefined ? {} : { taste }),
    spaces: { kinds: { embedding: 'features', blocks: { kinds: { type: 'tags' } }, index: { kind: 'flat' } } },
  };
  await buildCollection(parseRecipe(JSON.stringify(recipe), directory), join(directory, name));
  return Retriever.open(join(directory, name));
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-taste-'));
  const lines = (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');
  await writeFile(join(directory, 'items.jsonl'), lines(items));
  await writeFile(join(directory, 'ratings.jsonl'), lines(ratings));
  world = await build('world', { neutral: 3, dislikes: 1 });
});

afterAll(async () => {
  await world.close();
  await rm(directory, { recursive: true, force: true });
});

/** The score of every kind. */
function byKind({ results }: Answer): Record<string, number> {
  return Object.fromEntries(results.map(({ id, score }) => [id.split('-')[0], score]));
}
const all: RecommendOptions = { k: 100, space: 'kinds' };

describe('a taste', () => {
  it('is the mean of what was liked less what was disliked, at unit length', async () => {
    const { river, desert, opera } = byKind(await world.recommend('anna', all));
    // 3 · 2 along the rivers, −2 · 2 along the deserts.
    expect(river).toBeCloseTo(6 / Math.hypot(6, 4), 5);
    expect(desert).toBeCloseTo(-4 / Math.hypot(6, 4), 5);
    expect(opera).toBeCloseTo(0, 5);
  });

  it('does not come with what was liked or disliked', async () => {
    const { results } = await world.recommend('anna', all);
    expect(results).toHaveLength(30 - 5);
    expect(results.slice(0, 7).map(({ id }) => id)).toEqual(Array.from({ length: 7 }, (_, n) => `river-${n + 3}`));
  });

  it('passes over dislikes of weight 0, and knows none without a neutral value', async () => {
    const without = byKind(await world.recommend('anna', { ...all, taste: { dislikes: 0 } }));
    expect(without.desert).toBeCloseTo(0, 5);
    await using plain = await build('plain');
    const { river, desert } = byKind(await plain.recommend('anna', all));
    expect(river).toBeCloseTo(3 / Math.hypot(3, 2), 5);
    expect(desert).toBeCloseTo(2 / Math.hypot(3, 2), 5);
  });

  it('follows what is new, by the half-life', async () => {
    const timeless = byKind(await world.recommend('ben', all));
    expect(timeless.opera).toBeGreaterThan(timeless.river!);
    const { opera, river } = byKind(await world.recommend('ben', { ...all, taste: { halfLifeDays: 500 } }));
    expect(opera! / river!).toBeCloseTo((3 * 0.25) / 2, 4);
    await using forgetful = await build('forgetful', { neutral: 3, halfLifeDays: 500 });
    expect(forgetful.info.taste).toEqual({ neutral: 3, halfLifeDays: 500 });
    expect(byKind(await forgetful.recommend('ben', all))).toEqual(
      byKind(await world.recommend('ben', { ...all, taste: { halfLifeDays: 500 } })),
    );
  });

  it('is missing where nothing that was liked has a vector', async () => {
    for (const user of ['carl', 'dora']) {
      await expect(world.recommend(user, all)).rejects.toMatchObject({ code: 'NO_VECTOR' });
    }
  });

  it('of a newcomer is that of a user who did the same', async () => {
    const past = ratings.filter(({ user }) => user === 'ben');
    const picks = past.map(({ item, value, at }) => ({ item, weight: value - 3, timestamp: at }));
    for (const taste of [{}, { halfLifeDays: 250 }]) {
      const expected = await world.recommend('ben', { ...all, taste });
      expect((await world.recommendFor(picks, { ...all, taste })).results).toEqual(expected.results);
    }
    const disliked = await world.recommendFor([{ item: 'river-0' }, { item: 'desert-0', weight: -1 }], all);
    expect(byKind(disliked).desert).toBeLessThan(-0.5);
    expect(disliked.results.map(({ id }) => id)).not.toContain('desert-0');
    await expect(world.recommendFor([{ item: 'river-0', weight: -1 }], all)).rejects.toMatchObject({
      code: 'NO_VECTOR',
    });
  });

  it('is asked for with known keys only', async () => {
    await expect(world.recommend('anna', { taste: { halfLife: 3 } as object })).rejects.toMatchObject({
      code: 'UNKNOWN_OPTION',
      message: expect.stringContaining('halfLifeDays'),
    });
    await expect(world.recommend('anna', { taste: { halfLifeDays: 0 } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    for (const weight of [0, Number.NaN, 1e7]) {
      await expect(world.recommendFor([{ item: 'river-0', weight }])).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
    const json = await readFile(join(directory, 'world/recipe.json'), 'utf8');
    expect(() => parseRecipe(json.replace('neutral', 'neutrl'), directory)).toThrow(/taste\.neutrl: .*neutral/);
  });
});

describe('weights of a taste', () => {
  it('count what has no time as the latest', () => {
    const picks = [
      { item: 1, weight: 1, timestamp: undefined },
      { item: 2, weight: 1, timestamp: 10 * day },
      { item: 3, weight: -1, timestamp: 0 },
      { item: 1, weight: 1, timestamp: 0 },
    ];
    const { items: ordinals, weights } = tasteOfPicks(picks, { halfLifeDays: 10 });
    expect([...ordinals]).toEqual([1, 2, 3]);
    expect([...weights]).toEqual([1.5, 1, -0.25]);
    expect([...tasteOf([{ item: 4, value: -7, timestamp: undefined }], { halfLifeDays: 1 }).weights]).toEqual([-0.5]);
  });
});

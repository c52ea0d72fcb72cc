/** One small recipe over a dataset with a picture column, in which every embedding that needs no download has a space. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { parseRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { seeded } from '../embeddings/support.js';

const kinds = [
  { kind: 'boat', words: ['sail', 'harbor', 'anchor', 'deck'], color: [30, 80, 220], year: 1930 },
  { kind: 'train', words: ['rail', 'station', 'engine', 'coach'], color: [210, 40, 30], year: 1965 },
  { kind: 'plane', words: ['wing', 'airport', 'cockpit', 'runway'], color: [40, 190, 60], year: 2000 },
] as const;
const perKind = 16;
const usersPerKind = 20;

/** Ids are `<kind>-<n>`; the last of every kind has no picture and no year. */
const items = kinds.flatMap(({ kind, words, year }) =>
  Array.from({ length: perKind }, (_, n) => ({
    id: `${kind}-${n}`,
    title: `${words[n % 4]} ${words[(n + 1 + Math.floor(n / 4)) % 4]}`,
    kind: [kind],
    ...(n === perKind - 1 ? {} : { year: year + (n % 5), picture: `pictures/${kind}-${n}.png` }),
  })),
);
const likes = kinds.flatMap(({ kind }, k) =>
  Array.from({ length: usersPerKind }, (_, u) => {
    const random = seeded(50 * k + u + 1);
    const own = Array.from({ length: perKind }, (_, n) => n).filter(() => random() < 0.5);
    const others = kinds.filter((each) => each.kind !== kind);
    return [
      ...own.map((n) => ({ user: `${kind}-fan-${u}`, item: `${kind}-${n}`, value: 5 })),
      ...others.flatMap((other) =>
        [0, 5, 10].map((n) => ({ user: `${kind}-fan-${u}`, item: `${other.kind}-${(u + n) % perKind}`, value: 1 })),
      ),
    ];
  }).flat(),
);

const spaces = {
  cf: { embedding: 'als', factors: 8, minValue: 3 },
  ratings: { embedding: 'mf', factors: 8, solver: 'als' },
  text: { embedding: 'tfidf', dim: 8 },
  title: { embedding: 'glove', vectors: 'words.txt' },
  image: { embedding: 'image' },
  features: { embedding: 'features', blocks: { kind: { type: 'category' }, year: { type: 'number', scale: 20 } } },
  all: { embedding: 'concat', of: { cf: 1, ratings: 1, text: 1, title: 1, image: 1, features: 1 } },
};

let directory: string;
let world: Retriever;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-all-'));
  await mkdir(join(directory, 'pictures'));
  for (const [k, { kind, color }] of kinds.entries()) {
    for (let n = 0; n < perKind - 1; n++) {
      const [r, g, b] = color.map((channel) => (channel + 5 * n) % 256);
      const picture = sharp({ create: { width: 64, height: 64, channels: 3, background: { r: r!, g: g!, b: b! } } });
      const bar = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect x="${8 * k}" y="${n}" width="12" height="40"/></svg>`;
      await picture
        .composite([{ input: Buffer.from(bar) }])
        .png()
        .toFile(join(directory, `pictures/${kind}-${n}.png`));
    }
  }
  const random = seeded(2);
  const wordVectors = kinds.flatMap(({ words }, k) =>
    words.map((word) => `${word} ${[0, 1, 2, 3].map((d) => (d === k ? 1 : 0.3 * random()).toFixed(4)).join(' ')}\n`),
  );
  await writeFile(join(directory, 'words.txt'), wordVectors.join(''));
  const lines = (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');
  await writeFile(join(directory, 'items.jsonl'), lines(items));
  await writeFile(join(directory, 'likes.jsonl'), lines(likes));
  const recipe = {
    name: 'vehicles',
    dataset: {
      source: 'jsonl',
      items: {
        path: 'items.jsonl',
        id: 'id',
        title: 'title',
        picture: 'picture',
        columns: { kind: { type: 'tags' }, year: { type: 'number' } },
      },
      interactions: { path: 'likes.jsonl', user: 'user', item: 'item', value: 'value' },
    },
    taste: { neutral: 3 },
    spaces,
  };
  await buildCollection(parseRecipe(JSON.stringify(recipe), directory), join(directory, 'built'));
  world = await Retriever.open(join(directory, 'built'));
}, 60_000);

afterAll(async () => {
  await world?.close();
  await rm(directory, { recursive: true, force: true });
});

const kindOf = (id: string) => id.split('-')[0];

describe('a collection with a space of every embedding', () => {
  it('has them all, measured above the floor', () => {
    expect(world.info.spaces.map(({ name }) => name)).toEqual(Object.keys(spaces));
    for (const { similar, recommend } of world.info.spaces) {
      expect(similar.recallAt10).toBeGreaterThanOrEqual(0.95);
      expect(recommend?.recallAt10 ?? 1).toBeGreaterThanOrEqual(0.95);
    }
    const all = world.info.spaces.at(-1)!;
    expect(all.items).toBe(items.length);
    expect(all.notes).toMatchObject({ 'itemsWith.image': items.length - kinds.length });
  });

  it.each(Object.keys(spaces))('puts items of a kind beside each other in the space %s', async (space) => {
    for (const item of ['boat-3', 'train-7', 'plane-0']) {
      const { results, stats } = await world.similarItems(item, { space, k: 6 });
      expect(stats.space).toBe(space);
      expect(results.filter(({ id }) => kindOf(id) === kindOf(item)).length).toBeGreaterThanOrEqual(5);
    }
  });

  it.each(Object.keys(spaces))('recommends a fan what they are a fan of from the space %s', async (space) => {
    for (const user of ['boat-fan-2', 'train-fan-11', 'plane-fan-5']) {
      const { results, stats } = await world.recommend(user, { space, k: 4 });
      expect(stats.space).toBe(space);
      expect(results.filter(({ id }) => kindOf(id) === kindOf(user)).length).toBeGreaterThanOrEqual(3);
      const seen = new Set(likes.filter((like) => like.user === user).map((like) => like.item));
      expect(results.filter(({ id }) => seen.has(id))).toEqual([]);
    }
  });

  it('answers a picture with what looks like it, and a text with what is described so', async () => {
    const image = await readFile(join(directory, 'pictures/train-4.png'));
    const byPicture = await world.query({ image, k: 5 });
    expect(byPicture.stats.space).toBe('image');
    expect(byPicture.results[0]).toMatchObject({ id: 'train-4', score: expect.closeTo(1, 4) });
    expect(byPicture.results.every(({ id }) => kindOf(id) === 'train')).toBe(true);
    await expect(world.query({ image: Buffer.from('no picture'), k: 5 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('image'),
    });
    for (const space of [undefined, 'text', 'title']) {
      const byText = await world.query({
        text: 'wing over the runway',
        k: 5,
        ...(space === undefined ? {} : { space }),
      });
      expect(byText.stats.space).toBe(space ?? 'text');
      expect(byText.results.every(({ id }) => kindOf(id) === 'plane')).toBe(true);
    }
    const both = await world.query({ image, text: 'wing runway', k: 12, fusion: 'rrf' });
    expect(both.stats.space).toBe('text+image');
    expect(new Set(both.results.map(({ id }) => kindOf(id)))).toEqual(new Set(['train', 'plane']));
  });

  it('blends them all, each result with its score in every space that has it', async () => {
    const weights = { cf: 1, text: 1, title: 1, image: 1, features: 1 };
    const { results, stats } = await world.similarItems('boat-15', { weights, k: 10, explain: true });
    expect(stats.fallback).toEqual({ to: 'space', passedOver: ['image'] });
    expect(stats.sources?.map(({ weight }) => weight)).toEqual([0.25, 0.25, 0.25, 0.25]);
    for (const { score, explanation } of results) {
      const { cf = 0, text = 0, title = 0, features = 0 } = explanation!.scores;
      expect(score).toBeCloseTo((cf + text + title + features) / 4, 5);
    }
  });

  it('finds an item without a picture by everything else', async () => {
    await expect(world.similarItems('boat-15', { space: 'image' })).rejects.toMatchObject({ code: 'NO_VECTOR' });
    const { results } = await world.similarItems('boat-15', { space: 'all', k: 5 });
    expect(results.every(({ id }) => kindOf(id) === 'boat')).toBe(true);
  });
});

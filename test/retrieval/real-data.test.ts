import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { loadRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { npmData } from '../data/support/npm-data.js';

const recipes = join(import.meta.dirname, '../../indexes');
const movieLens = existsSync(join(process.env.NIGH_DATA ?? '', 'ml-latest-small'));
if (!movieLens) console.warn('Skipped: tests of indexes/movies need NIGH_DATA with ml-latest-small.');
const openmoji = await npmData('openmoji');

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-real-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function build(name: string): Promise<Retriever> {
  await buildCollection(await loadRecipe(join(recipes, name, 'recipe.json')), join(directory, name));
  return Retriever.open(join(directory, name));
}

const titles = ({ results }: { results: readonly { title: string }[] }) => results.map(({ title }) => title);

describe.skipIf(!movieLens)('indexes/movies', () => {
  let movies: Retriever;
  beforeAll(async () => {
    movies = await build('movies');
  });
  afterAll(() => movies.close());

  it('holds MovieLens, measured above its floor', () => {
    expect(movies.info).toMatchObject({ items: 9742, users: 610, interactions: 100_836 });
    for (const { similar, recommend } of movies.info.spaces) {
      expect(similar.recallAt10).toBeGreaterThanOrEqual(0.95);
      expect(recommend?.recallAt10 ?? 1).toBeGreaterThanOrEqual(0.95);
    }
  });

  it('puts films of a kind beside each other', async () => {
    const similar = async (title: string, space: string) =>
      titles(await movies.similarItems(movies.resolveItem(title), { space }));
    expect(await similar('Toy Story', 'cf')).toEqual(
      expect.arrayContaining(['Toy Story 2 (1999)', 'Aladdin (1992)', 'Lion King, The (1994)']),
    );
    expect(await similar('Lion King', 'cf')).toEqual(
      expect.arrayContaining(['Aladdin (1992)', 'Beauty and the Beast (1991)']),
    );
    for (const space of ['cf', 'text']) {
      expect(await similar('Godfather, The (1972)', space)).toContain('Godfather: Part II, The (1974)');
    }
  });

  it('recommends family films to who likes two', async () => {
    const liked = ['Toy Story (1995)', 'Aladdin (1992)'].map((title) => ({ item: movies.resolveItem(title) }));
    const { results } = await movies.recommendFor(liked);
    expect(results).toHaveLength(10);
    const family = results.filter(({ attributes }) => {
      const genres = attributes.genres as readonly string[];
      return genres.includes('Children') || genres.includes('Animation');
    });
    // One film in eleven is for children or animated.
    expect(family.length).toBeGreaterThanOrEqual(4);
    expect(titles({ results: results.slice(0, 3) })).toContain('Lion King, The (1994)');
  });
});

describe.skipIf(openmoji === undefined)('indexes/emoji', () => {
  it('puts emoji of a kind beside each other', async () => {
    await using emoji = await build('emoji');
    const [{ similar } = { similar: { recallAt10: 0 } }] = emoji.info.spaces;
    expect(similar.recallAt10).toBeGreaterThanOrEqual(0.95);
    const dogs = await emoji.similarItems(emoji.resolveItem('dog face'));
    expect(titles(dogs)).toEqual(expect.arrayContaining(['dog', 'guide dog', 'service dog', 'poodle']));
    const instruments = await emoji.similarItems(emoji.resolveItem('guitar'), { k: 8 });
    for (const { attributes } of instruments.results) expect(attributes.subgroup).toBe('musical-instrument');
  });
});

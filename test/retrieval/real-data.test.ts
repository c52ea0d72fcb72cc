import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasGlove } from '../../src/data/index.js';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { loadRecipe, parseRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { npmData } from '../data/support/npm-data.js';

const recipes = join(import.meta.dirname, '../../indexes');
const movieLens = existsSync(join(process.env.NIGH_DATA ?? '', 'ml-latest-small'));
if (!movieLens) console.warn('Skipped: tests of indexes/movies need NIGH_DATA with ml-latest-small.');
const openmoji = await npmData('openmoji');
const gloveIsThere = await hasGlove();
if (!gloveIsThere)
  console.warn(
    'Skipped: tests of the spaces of word vectors need glove-6b-100d, as a first build leaves it in the cache.',
  );
const tmdb = existsSync(join(process.env.NIGH_DATA ?? '', 'tmdb-5000'));

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nigh-real-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Builds a recipe, without the spaces that would make a test download word vectors. */
async function build(name: string): Promise<Retriever> {
  const recipe = await loadRecipe(join(recipes, name, 'recipe.json'));
  const spaces = recipe.spaces.filter(({ embedding }) => embedding !== 'glove' || gloveIsThere);
  await buildCollection({ ...recipe, spaces }, join(directory, name));
  return Retriever.open(join(directory, name));
}

const titles = ({ results }: { results: readonly { title: string }[] }) => results.map(({ title }) => title);

describe.skipIf(!movieLens)('indexes/movies', () => {
  let movies: Retriever;
  beforeAll(async () => {
    movies = await build('movies');
  }, 300_000);
  afterAll(() => movies?.close());

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

  it.skipIf(!tmdb)('finds the sequels of a film by what is written about it', async () => {
    const byText = async (title: string, k: number) =>
      titles(await movies.similarItems(movies.resolveItem(title), { space: 'text', k }));
    expect(await byText('Godfather, The (1972)', 10)).toEqual(
      expect.arrayContaining(['Godfather: Part II, The (1974)', 'Godfather: Part III, The (1990)']),
    );
    expect(await byText('Dark Knight Rises, The (2012)', 10)).toEqual(
      expect.arrayContaining(['Dark Knight, The (2008)', 'Batman Begins (2005)']),
    );
    const batman = (await byText('Dark Knight Rises, The (2012)', 10)).filter((title) =>
      /Batman|Dark Knight/.test(title),
    );
    expect(batman.length).toBeGreaterThanOrEqual(5);
  });

  it.skipIf(!gloveIsThere)('finds titles whose words mean something like it', async () => {
    const { results } = await movies.similarItems(movies.resolveItem('Godfather, The (1972)'), { space: 'title' });
    expect(titles({ results }).slice(0, 2).sort()).toEqual([
      'Godfather: Part II, The (1974)',
      'Godfather: Part III, The (1990)',
    ]);
    const space = movies.info.spaces.find(({ name }) => name === 'title');
    expect(space!.items + Number(space!.notes!.withoutVector)).toBe(9742);
  });

  it('ties films of the same genres, and breaks ties in the order of the catalogue, every time', async () => {
    const recipe = await loadRecipe(join(recipes, 'movies', 'recipe.json'));
    const genres = { genres: { tokens: false } };
    const json = {
      ...JSON.parse(recipe.json),
      spaces: { genres: { embedding: 'tfidf', fields: genres, maxDocumentShare: 1, output: 'sparse' } },
    };
    await buildCollection(parseRecipe(JSON.stringify(json), recipe.baseDirectory), join(directory, 'genres'));
    await using byGenres = await Retriever.open(join(directory, 'genres'));
    const { results } = await byGenres.similarItems('1', { k: 9 });
    const own = [...(byGenres.item('1').attributes.genres as readonly string[])].sort();
    for (const { attributes, score } of results) {
      expect([...(attributes.genres as readonly string[])].sort()).toEqual(own);
      expect(score).toBe(results[0]!.score);
    }
    const ids = results.map(({ id }) => Number(id));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect((await byGenres.similarItems('1', { k: 9 })).results.map(({ id }) => Number(id))).toEqual(ids);
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
  }, 300_000);

  it('has a space of what words mean where word vectors are at hand, and says so where they are not', async () => {
    const recipe = await loadRecipe(join(recipes, 'emoji', 'recipe.json'));
    const spaces = recipe.spaces.filter(({ embedding }) => embedding !== 'image');
    const { info } = await buildCollection({ ...recipe, spaces }, join(directory, 'emoji-titles'));
    if (gloveIsThere) {
      expect(info.spaces.map(({ name }) => name)).toEqual(['text', 'title']);
      await using emoji = await Retriever.open(join(directory, 'emoji-titles'));
      const dogs = await emoji.similarItems(emoji.resolveItem('dog face'), { space: 'title' });
      expect(titles(dogs)).toContain('poodle');
    } else {
      expect(info.spaces.map(({ name }) => name)).toEqual(['text']);
      expect(info.leftOut).toEqual([{ name: 'title', embedding: 'glove', needs: 'glove-6b-100d' }]);
    }
  });
});

describe.skipIf(openmoji === undefined || !gloveIsThere)('indexes/emoji-keywords (needs glove-6b-100d)', () => {
  let emoji: Retriever;
  beforeAll(async () => {
    emoji = await build('emoji-keywords');
  }, 300_000);
  afterAll(() => emoji?.close());

  it('holds factors, TF-IDF, GloVe and pictures together, and all of them in one', async () => {
    expect(emoji.info.spaces.map(({ name, embedding }) => [name, embedding])).toEqual([
      ['cf', 'als'],
      ['text', 'tfidf'],
      ['title', 'glove'],
      ['image', 'image'],
      ['all', 'concat'],
    ]);
    expect(emoji.info).toMatchObject({ items: 4495 });
    expect(emoji.info.users).toBeGreaterThan(3000);
    for (const { similar, recommend } of emoji.info.spaces) {
      expect(similar.recallAt10).toBeGreaterThanOrEqual(0.95);
      expect(recommend?.recallAt10 ?? 1).toBeGreaterThanOrEqual(0.95);
    }
  });

  it.each(['cf', 'text', 'title', 'image', 'all'])(
    'answers from the space %s, for an emoji and for a keyword',
    async (space) => {
      const guitar = await emoji.similarItems(emoji.resolveItem('guitar'), { space });
      expect(guitar.results).toHaveLength(10);
      expect(guitar.stats.space).toBe(space);
      const happy = await emoji.recommend('happy', { space, excludeSeen: false });
      expect(happy.results).toHaveLength(10);
      const smileys = happy.results.filter(({ attributes }) => attributes.group === 'smileys-emotion');
      // One emoji in 25 is of that group.
      expect(smileys.length).toBeGreaterThanOrEqual(5);
    },
  );
});

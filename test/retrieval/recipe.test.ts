import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadRecipe, parseRecipe } from '../../src/retrieval/recipe.js';
import { smallRecipeJson } from './support/small-world.js';

const repository = join(import.meta.dirname, '../..');

const parse = (changes: Record<string, unknown>) =>
  parseRecipe(JSON.stringify({ ...smallRecipeJson, ...changes }), '/data');
const space = (changes: Record<string, unknown>) => ({ spaces: { cf: { embedding: 'als', ...changes } } });

describe('a recipe', () => {
  it('is read with its defaults filled in, its spaces in order and its text kept', () => {
    const recipe = parse({});
    expect(recipe).toMatchObject({
      name: 'small-world',
      title: 'A small world',
      recallFloor: 0.95,
      baseDirectory: '/data',
    });
    expect(recipe.spaces.map(({ name, embedding }) => [name, embedding])).toEqual([
      ['cf', 'als'],
      ['text', 'tfidf'],
    ]);
    expect(recipe.spaces[0]?.index).toEqual({
      kind: 'hnsw',
      M: undefined,
      efConstruction: undefined,
      efSearch: undefined,
    });
    expect(recipe.dataset.source).toBe('jsonl');
    expect(JSON.parse(recipe.json)).toEqual(smallRecipeJson);
    expect(parse({ title: undefined, description: undefined })).toMatchObject({
      title: 'small-world',
      description: '',
    });
    expect(parse(space({ index: { kind: 'hnswlib', M: 8, efSearch: 30 } })).spaces[0]?.index).toMatchObject({
      kind: 'hnswlib',
      M: 8,
      efSearch: 30,
    });
    expect(parse(space({ index: { kind: 'flat' } })).spaces[0]?.index).toEqual({ kind: 'flat' });
    expect(parse({ $schema: '../recipe.schema.json' }).name).toBe('small-world');
  });

  it.each([
    ['UNKNOWN_OPTION', { nmae: 'x' }, 'nmae: there is no such option. Did you mean "name"?'],
    ['UNKNOWN_OPTION', { recalFloor: 0.9 }, 'Did you mean "recallFloor"?'],
    ['UNKNOWN_OPTION', space({ factor: 3 }), 'spaces.cf.factor: there is no such option. Did you mean "factors"?'],
    ['UNKNOWN_OPTION', space({ indx: {} }), 'spaces.cf.indx: there is no such option. Did you mean "index"?'],
    ['UNKNOWN_OPTION', space({ index: { m: 3 } }), 'spaces.cf.index.m: there is no such option. Did you mean "M"?'],
    ['UNKNOWN_OPTION', space({ index: { kind: 'flat', M: 3 } }), 'spaces.cf.index.M: there is no such option'],
    ['UNKNOWN_OPTION', { dataset: { ...smallRecipeJson.dataset, itmes: {} } }, 'dataset.itmes'],
    ['UNKNOWN_OPTION', space({ index: { kind: 'hnswlib', quantization: 'sq8' } }), 'spaces.cf.index.quantization'],
    ['INVALID_RECIPE', { name: undefined }, 'name: expected a string, got undefined'],
    ['INVALID_RECIPE', { name: '../evil' }, 'name: expected a name'],
    ['INVALID_RECIPE', { name: '' }, 'name: expected a name'],
    ['INVALID_RECIPE', { recallFloor: 2 }, 'recallFloor: expected a number from 0 to 1, got 2'],
    ['INVALID_RECIPE', { spaces: {} }, 'spaces: expected an object with at least one space'],
    ['INVALID_RECIPE', { spaces: undefined }, 'spaces: expected an object with at least one space'],
    ['INVALID_RECIPE', { spaces: [] }, 'spaces: expected an object with at least one space'],
    ['INVALID_RECIPE', { spaces: { cf: 3 } }, 'spaces.cf: expected an object, got 3'],
    ['INVALID_RECIPE', { spaces: { 'a/b': { embedding: 'als' } } }, 'spaces.a/b: expected a name'],
    [
      'INVALID_RECIPE',
      { spaces: { cf: { embedding: 'als' }, CF: { embedding: 'als' } } },
      'spaces.CF: differs from spaces.cf in case',
    ],
    ['INVALID_RECIPE', { spaces: { cf: {} } }, 'spaces.cf.embedding: expected one of "als", '],
    ['INVALID_RECIPE', { spaces: { cf: { embedding: 'asl' } } }, 'got "asl". Did you mean "als"?'],
    ['INVALID_RECIPE', space({ factors: 0 }), 'spaces.cf.factors: expected an integer from 1 to 1024, got 0'],
    [
      'INVALID_RECIPE',
      space({ index: { kind: 'hnws' } }),
      'spaces.cf.index.kind: expected one of "hnsw", "hnswlib", "flat", "auto", got "hnws". Did you mean "hnsw"?',
    ],
    ['INVALID_RECIPE', space({ index: { M: 1 } }), 'spaces.cf.index.M: expected an integer from 2 to 256'],
    ['INVALID_RECIPE', space({ index: 'hnsw' }), 'spaces.cf.index: expected an object'],
    ['INVALID_RECIPE', { dataset: undefined }, 'dataset: expected an object'],
    ['INVALID_RECIPE', { dataset: { source: 'movielnes' } }, 'Did you mean "movielens"?'],
  ])('is refused with %s for %j', (code, changes, message) => {
    expect(() => parse(changes as Record<string, unknown>)).toThrow(
      expect.objectContaining({ name: 'NighError', code, message: expect.stringContaining(message) }),
    );
  });

  it('is refused where it is not JSON, or no object, naming the file', () => {
    for (const [json, message] of [
      ['{ "name": ', 'films.json: not valid JSON'],
      ['[]', 'films.json: expected an object'],
      ['null', 'films.json: expected an object, got null'],
      ['', 'films.json: not valid JSON'],
    ] as const) {
      expect(() => parseRecipe(json, '/', 'films.json')).toThrow(
        expect.objectContaining({ code: 'INVALID_RECIPE', message: expect.stringContaining(message) }),
      );
    }
  });

  it('is not misled by names of things that every object has', () => {
    expect(() =>
      parseRecipe('{"name":"a","dataset":{"source":"csv"},"spaces":{"cf":{"embedding":"als","__proto__":1}}}', '/'),
    ).toThrow(expect.objectContaining({ name: 'NighError' }));
    expect(() => parse(space({ constructor: 3 }))).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION' }));
    expect(() => parse({ spaces: { cf: { embedding: 'toString' } } })).toThrow(
      expect.objectContaining({ code: 'INVALID_RECIPE' }),
    );
  });
});

describe('recipe files', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nigh-recipe-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('are read relative to their own directory', async () => {
    await writeFile(join(directory, 'recipe.json'), JSON.stringify(smallRecipeJson));
    expect((await loadRecipe(join(directory, 'recipe.json'))).baseDirectory).toBe(directory);
    await expect(loadRecipe(join(directory, 'none.json'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(loadRecipe(directory)).rejects.toMatchObject({ code: 'IO' });
  });

  it('of every collection in the repository are valid', async () => {
    const entries = await readdir(join(repository, 'indexes'), { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['emoji', 'movies', 'npm-packages']));
    for (const name of names)
      expect((await loadRecipe(join(repository, 'indexes', name, 'recipe.json'))).name).toBe(name);
  });
});

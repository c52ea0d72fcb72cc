/** Spaces that a build leaves out rather than download something for them. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { embedSpace } from '../../src/retrieval/embed-space.js';
import { parseRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { temporaryDirectory } from '../data/support/temporary-directory.js';

let directory: string;
beforeEach(async () => {
  const lines = ['id,title', ...Array.from({ length: 12 }, (_, i) => `${i},toy story ${i % 3 === 0 ? 'war' : 'king'}`)];
  const words = 'toy 1 0\nstory 0 1\nwar 1 1\nking 1 2\n';
  directory = await temporaryDirectory({ 'films.csv': `${lines.join('\n')}\n`, 'words.txt': words });
  // Nothing is at hand, and nothing can be fetched.
  vi.stubEnv('NIGH_DATA', '');
  vi.stubEnv('NIGH_CACHE', join(directory, 'cache'));
  vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9');
  vi.stubEnv('npm_config_fetch_retries', '0');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const recipe = (spaces: object) => {
  const items = { path: 'films.csv', id: 'id', title: 'title' };
  return parseRecipe(JSON.stringify({ name: 'films', dataset: { source: 'csv', items }, spaces }), directory);
};
const text = { embedding: 'tfidf', maxDocumentShare: 1 };
const glove = { embedding: 'glove', optional: true };

describe('an optional space', () => {
  it('is left out with those that use it where it would need a download, and the manifest says what it needs', async () => {
    const both = { embedding: 'concat', of: { text: 1, title: 1 }, optional: true };
    const { info } = await buildCollection(recipe({ both, title: glove, text }), join(directory, 'built'));
    expect(info.spaces.map(({ name }) => name)).toEqual(['text']);
    await using films = await Retriever.open(join(directory, 'built'));
    expect(new Set(films.info.leftOut)).toEqual(
      new Set([
        { name: 'title', embedding: 'glove', needs: 'glove-6b-100d' },
        { name: 'both', embedding: 'concat', needs: 'glove-6b-100d' },
      ]),
    );
    expect((await films.similarItems('1', { k: 3 })).stats.space).toBe('text');
    await expect(films.similarItems('1', { space: 'title' })).rejects.toMatchObject({ code: 'UNKNOWN_SPACE' });
  });

  it('is built where all that it needs is at hand', async () => {
    const title = { ...glove, vectors: 'words.txt' };
    const { info } = await buildCollection(recipe({ text, title }), join(directory, 'built'));
    expect(info.spaces.map(({ name }) => name)).toEqual(['text', 'title']);
    expect(info).not.toHaveProperty('leftOut');
    const missing = { ...glove, vectors: 'none.txt' };
    await expect(buildCollection(recipe({ text, title: missing }), join(directory, 'built'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('is fetched for when it is asked for by name, or is not optional', async () => {
    await expect(embedSpace(recipe({ text, title: glove }), { space: 'title' })).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
    });
    const { optional: _, ...needed } = glove;
    await expect(buildCollection(recipe({ text, title: needed }), join(directory, 'built'))).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
    });
  });

  it.each<[string, object, string]>([
    ['no other space', { title: glove }, 'spaces: expected at least one space that is not optional'],
    [
      'a space that needs it',
      { text, title: glove, both: { embedding: 'concat', of: { text: 1, title: 1 } } },
      'spaces.both.optional: expected true, since it uses the space title',
    ],
    [
      'something else than true or false',
      { text, title: { ...glove, optional: 1 } },
      'spaces.title.optional: expected true',
    ],
  ])('is refused with %s', (_, spaces, message) => {
    expect(() => recipe(spaces)).toThrow(
      expect.objectContaining({ code: 'INVALID_RECIPE', message: expect.stringContaining(message) }),
    );
  });
});

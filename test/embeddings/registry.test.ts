import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zeros } from '../../src/core/matrix.js';
import type { Embedding } from '../../src/embeddings/embedding.js';
import { embeddingNames, findEmbedding, registerEmbedding } from '../../src/embeddings/registry.js';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { embedSpace } from '../../src/retrieval/embed-space.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { smallRecipe, writeSmallWorld } from '../retrieval/support/small-world.js';

/** Titles by how often each letter of an alphabet is in them. */
const letters: Embedding<{ readonly alphabet: string }> = {
  name: 'letters',
  keys: ['alphabet'],
  parse: ({ alphabet = 'abcdefghijklmnopqrstuvwxyz' }) => ({ alphabet: String(alphabet) }),
  async fit(dataset, { alphabet }) {
    const matrix = zeros(dataset.items.size, alphabet.length);
    dataset.titles.forEach((title, item) => {
      for (const letter of title.toLowerCase()) {
        const at = alphabet.indexOf(letter);
        if (at >= 0) matrix.data[item * alphabet.length + at]! += 1;
      }
    });
    const ordinals = Uint32Array.from({ length: matrix.rows }, (_, item) => item);
    return { items: { matrix, ordinals }, model: { alphabet }, notes: { letters: alphabet.length } };
  },
};

describe('an embedding of one’s own', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nigh-own-'));
    await writeSmallWorld(directory);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('is unknown until it is registered, and then is one like the others', async () => {
    const spaces = { letters: { embedding: 'letters' }, both: { embedding: 'concat', of: { letters: 1 } } };
    expect(() => smallRecipe(directory, { spaces })).toThrow(/expected one of "als".*got "letters"/);
    registerEmbedding(letters);
    expect(embeddingNames()).toContain('letters');
    expect(findEmbedding('letters', 'x')).toBe(letters);
    const recipe = smallRecipe(directory, { spaces });
    expect(() => smallRecipe(directory, { spaces: { letters: { embedding: 'letters', alfabet: 'x' } } })).toThrow(
      /spaces\.letters\.alfabet: .*alphabet/,
    );
    await buildCollection(recipe, join(directory, 'world'));
    await using world = await Retriever.open(join(directory, 'world'));
    expect(world.info.spaces[0]).toMatchObject({ embedding: 'letters', dim: 26, notes: { letters: 26 } });
    const { results } = await world.similarItems('opera-3', { space: 'letters' });
    // The titles of a theme and word differ in digits only.
    expect(results[0]).toMatchObject({ id: 'opera-9', score: expect.closeTo(1, 5) });
    expect((await world.similarItems('opera-3', { space: 'both' })).results.map(({ id }) => id)).toEqual(
      results.map(({ id }) => id),
    );
    const { matrix, ids } = await embedSpace(recipe, { space: 'letters' });
    expect([matrix.rows, matrix.dim, ids[0]]).toEqual([124, 26, 'river-0']);
  });

  it('is refused under a name that is taken, and where it is none', () => {
    const refused = (changes: object) => () => registerEmbedding({ ...letters, name: 'others', ...changes });
    expect(refused({ name: 'als' })).toThrow(/"als" already/);
    expect(refused({ name: 'two words' })).toThrow(/embedding\.name/);
    expect(refused({ keys: ['index'] })).toThrow(/embedding\.keys/);
    expect(refused({ fit: 3 })).toThrow(/embedding\.fit/);
    expect(() => registerEmbedding(undefined as never)).toThrow(/embedding\.name/);
    expect(embeddingNames()).not.toContain('others');
  });
});

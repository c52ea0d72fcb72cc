import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { smallRecipe, themes, writeSmallWorld } from './support/small-world.js';

const spaces = {
  text: {
    embedding: 'tfidf',
    fields: { genres: { tokens: false } },
    output: 'sparse',
    minDocuments: 1,
    maxDocumentShare: 1,
  },
};

describe('a space of sparse rows', () => {
  let directory: string;
  let world: Retriever;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nigh-sparse-'));
    await writeSmallWorld(directory);
    await buildCollection(smallRecipe(directory, { spaces }), join(directory, 'built'));
    world = await Retriever.open(join(directory, 'built'));
  });

  afterAll(async () => {
    await world.close();
    await rm(directory, { recursive: true });
  });

  it('says that it is exact, and what dense vectors would have lost', () => {
    const [space] = world.info.spaces;
    expect(space).toMatchObject({ dim: themes.length, similar: { kind: 'sparse', metric: 'cosine', recallAt10: 1 } });
    expect(space!.notes!.lsaOverlapAt10).toBeCloseTo(1, 6);
  });

  it('ties items of the same genres, and breaks ties in the order of the catalogue, every time', async () => {
    const expected = Array.from({ length: 12 }, (_, n) => `opera-${n}`)
      .filter((id) => id !== 'opera-3')
      .slice(0, 10);
    for (let time = 0; time < 3; time++) {
      const { results, stats } = await world.similarItems('opera-3', { k: 10 });
      expect(results.map(({ id }) => id)).toEqual(expected);
      expect(new Set(results.map(({ score }) => score)).size).toBe(1);
      expect(stats.exact).toBe(true);
    }
  });

  it('answers for somebody who liked items of two genres with both', async () => {
    const { results } = await world.recommendFor([{ item: 'opera-3' }, { item: 'desert-5' }], { k: 58 });
    const found = results.map(({ id }) => id.split('-')[0]);
    expect(new Set(found)).toEqual(new Set(['opera', 'desert']));
  });

  it('has no other index', () => {
    const text = { ...spaces.text, index: { kind: 'hnsw' } };
    expect(() => smallRecipe(directory, { spaces: { text } })).toThrow(
      expect.objectContaining({ code: 'INVALID_RECIPE', message: expect.stringContaining('spaces.text.index') }),
    );
  });
});

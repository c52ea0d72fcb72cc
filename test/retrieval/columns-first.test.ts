/** What a space lacks is told before any is fitted. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCollection, planCollection } from '../../src/retrieval/build-collection.js';
import { smallRecipe, spaces, writeSmallWorld } from './support/small-world.js';

describe('a recipe whose last space names a column that the dataset lacks', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nigh-columns-'));
    await writeSmallWorld(directory);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test.each([
    ['tfidf', { embedding: 'tfidf', fields: { title: 1, genre: 1 } }, /fields\.genre: .* Did you mean "genres"\?/],
    [
      'features',
      { embedding: 'features', blocks: { genre: { type: 'tags' } } },
      /blocks\.genre: .* Did you mean "genres"\?/,
    ],
    ['onnx-text', { embedding: 'onnx-text', model: 'none.onnx', tokenizer: 'none.json', fields: ['genre'] }, /genre/],
  ])('%s: MISSING_COLUMN, before the first space is fitted, and in a plan', async (_, last, message) => {
    const recipe = smallRecipe(directory, { spaces: { cf: spaces.cf, last } });
    const out = join(directory, 'out');
    const stages = new Set<string>();
    const refused = expect.objectContaining({ code: 'MISSING_COLUMN', message: expect.stringMatching(message) });
    await expect(buildCollection(recipe, out, { onProgress: ({ stage }) => stages.add(stage) })).rejects.toEqual(
      refused,
    );
    expect(stages).not.toContain('embedding');
    await expect(planCollection(recipe, out)).rejects.toEqual(refused);
    expect(existsSync(join(out, 'CURRENT'))).toBe(false);
  });

  test('a column of numbers where texts are read is refused as early', async () => {
    const recipe = smallRecipe(directory, {
      spaces: { cf: spaces.cf, last: { embedding: 'tfidf', fields: { year: 1 } } },
    });
    await expect(planCollection(recipe, join(directory, 'out'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

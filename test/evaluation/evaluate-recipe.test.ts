import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evaluateRecipe } from '../../src/evaluation/evaluate-recipe.js';
import { protocolNames } from '../../src/evaluation/recipe-splits.js';
import { loadRecipe, type Recipe } from '../../src/retrieval/recipe.js';
import { layOut } from '../cli/films.js';

let folder = '';
let recipe: Recipe;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nigh-evaluate-'));
  recipe = await loadRecipe(join(layOut(folder), 'recipe.json'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('evaluateRecipe', () => {
  test('ranks every space exactly and through its index, beside baselines that learnt tastes beat', async () => {
    const { ranking, ratings, definition } = await evaluateRecipe(recipe, { k: 5 });
    const row = (model: string) => ranking.find((each) => each.model === model)!;
    expect(ranking.map(({ model }) => model)).toEqual([
      'random',
      'popular',
      'item KNN cosine',
      'cf',
      'cf, through hnsw',
      'text',
      'text, through hnsw',
    ]);
    expect(definition).toContain('one random interaction (seed 42)');
    // Everybody stays within a third of the catalogue, which only a model of tastes can know.
    for (const model of ['cf', 'text', 'item KNN cosine']) expect(row(model).ndcg).toBeGreaterThan(row('popular').ndcg);
    for (const space of ['cf', 'text']) {
      // The graph of sixty films finds everything: the lists are the same.
      expect(row(`${space}, through hnsw`).retention).toBeCloseTo(1, 10);
      expect(row(space).auc).toBeGreaterThan(0.6);
      expect(row(`${space}, through hnsw`).auc).toBeNaN();
      expect(row(space).retention).toBeUndefined();
    }
    expect(ratings).toEqual([]); // all values are 1
    expect(await evaluateRecipe(recipe, { k: 5 })).toMatchObject({
      ranking: [{ ndcg: ranking[0]!.ndcg }, {}, {}, {}, {}, {}, {}],
    });
  });

  test.each(protocolNames.filter((name) => name !== 'temporal'))(
    '%s asks users, and no space that knows nothing fails',
    async (protocol) => {
      const { ranking } = await evaluateRecipe(recipe, { protocol, k: 5, approximate: false });
      for (const { users, recall } of ranking) {
        expect(users).toBeGreaterThan(0);
        expect(recall).toBeGreaterThanOrEqual(0);
      }
      if (protocol === 'item-cold') {
        const [text, cf] = ['text', 'cf'].map((name) => ranking.find(({ model }) => model === name)!.recall);
        expect(text).toBeGreaterThan(cf!); // content knows items that nobody has touched
      }
    },
  );

  test('what contradicts is refused, and an abort ends it', async () => {
    const failure = (code: string) => expect.objectContaining({ code });
    await expect(evaluateRecipe(recipe, { protocol: 'temporal' })).rejects.toThrow(failure('INVALID_ARGUMENT'));
    await expect(evaluateRecipe(recipe, { protocol: 'random', negatives: 5 })).rejects.toThrow(
      failure('INVALID_ARGUMENT'),
    );
    await expect(evaluateRecipe(recipe, { protocl: 'random' })).rejects.toThrow(failure('UNKNOWN_OPTION'));
    await expect(evaluateRecipe(recipe, {}, { signal: AbortSignal.abort() })).rejects.toThrow(failure('ABORTED'));
  });
});

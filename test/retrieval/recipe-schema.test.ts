import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Check } from 'typebox/schema';
import { describe, expect, test } from 'vitest';
import { parseRecipe } from '../../src/retrieval/recipe.js';
import { recipeSchema, recipeSchemaFile } from '../../src/retrieval/recipe-schema.js';
import { recipes } from './support/kept-world.js';
import { smallRecipeJson } from './support/small-world.js';

const root = join(import.meta.dirname, '../..');
const published = join(root, recipeSchemaFile);
const bundled = readdirSync(join(root, 'indexes'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const schema = recipeSchema();

describe('the JSON Schema of recipes', () => {
  test('is published as what reads recipes has it; NIGH_WRITE_SCHEMA=1 writes it anew', () => {
    if (process.env.NIGH_WRITE_SCHEMA === '1') writeFileSync(published, `${JSON.stringify(schema, null, 2)}\n`);
    expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  test('is named by every recipe of the package, each of which it accepts', () => {
    expect(bundled.length).toBeGreaterThan(2);
    for (const { name } of bundled) {
      const json = readFileSync(join(root, 'indexes', name, 'recipe.json'), 'utf8');
      expect(JSON.parse(json).$schema, name).toBe('../recipe.schema.json');
      expect(Check(schema, JSON.parse(json)), name).toBe(true);
      expect(() => parseRecipe(json, root)).not.toThrow();
    }
  });

  test('accepts recipes that can be read, and refuses those that cannot', () => {
    const [als, tfidf] = [{ embedding: 'als' }, { embedding: 'tfidf', fields: { title: 1 } }];
    const fine = [smallRecipeJson, recipes.old, recipes.new, withSpace({ ...als, factors: 32, index: { M: 16 } })];
    for (const recipe of fine) {
      expect(Check(schema, recipe), JSON.stringify(recipe)).toBe(true);
      expect(() => parseRecipe(JSON.stringify(recipe), root)).not.toThrow();
    }
    const wrong = [
      {},
      { ...smallRecipeJson, recallFlor: 0.9 },
      { ...smallRecipeJson, recallFloor: 2 },
      { ...smallRecipeJson, spaces: {} },
      { ...smallRecipeJson, dataset: { source: 'nowhere' } },
      withSpace({ embedding: 'alsi' }),
      withSpace({ ...als, factor: 32 }),
      withSpace({ ...als, factors: 0 }),
      withSpace({ ...als, factors: '32' }),
      withSpace({ ...tfidf, index: { kind: 'hnws' } }),
      withSpace({ ...tfidf, index: { kind: 'flat', M: 4 } }),
      withSpace({ ...tfidf, index: { M: 1 } }),
    ];
    for (const recipe of wrong) {
      expect(Check(schema, recipe), JSON.stringify(recipe)).toBe(false);
      expect(() => parseRecipe(JSON.stringify(recipe), root), JSON.stringify(recipe)).toThrow();
    }
  });
});

function withSpace(space: object): object {
  return { ...smallRecipeJson, spaces: { space } };
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeVectors } from '../../src/data/vector-files/registry.js';
import { precomputed } from '../../src/embeddings/precomputed.js';
import { buildCollection } from '../../src/retrieval/build-collection.js';
import { parseRecipe } from '../../src/retrieval/recipe.js';
import { Retriever } from '../../src/retrieval/retriever.js';
import { expectCode } from '../contract/expectations.js';
import { temporaryDirectory } from '../contract/subjects.js';
import { catalogueOf, interactionsOf } from './support.js';

const baseDirectory = temporaryDirectory();
const file = (name: string) => join(baseDirectory, name);
const fitted = (dataset: Parameters<typeof precomputed.fit>[0], params: Record<string, unknown>) =>
  precomputed.fit(dataset, precomputed.parse(params, 'spaces.own'), { baseDirectory });
const rowsOf = (values: number[][]) => ({
  data: Float32Array.from(values.flat()),
  rows: values.length,
  dim: values[0]!.length,
});

describe('precomputed', () => {
  const dataset = catalogueOf(['a', 'b', 'c', 'd']); // their ids are i0 … i3

  test('matches vectors to items by id in any order, and counts what has no partner', async () => {
    await writeVectors(file('v.npy'), {
      matrix: rowsOf([
        [3, 1],
        [9, 9],
        [0, 0],
        [1, 2],
      ]),
      ids: ['i3', 'elsewhere', 'i2', 'i0'],
    });
    const params = { file: 'v.npy', ids: 'v.ids.txt' };
    const space = await fitted(dataset, params);
    expect(space.items).toEqual({
      ordinals: Uint32Array.of(0, 3),
      matrix: rowsOf([
        [1, 2],
        [3, 1],
      ]),
    });
    expect(space.notes).toEqual({ file: 'v.npy', withoutVector: 2, unknownItems: 1, zeroVectors: 1 });
    expect(space).not.toHaveProperty('likeness');
    expect(space).not.toHaveProperty('users');
    const ip = await fitted(dataset, { ...params, metric: 'ip' });
    expect(Array.from(ip.items.ordinals)).toEqual([0, 2, 3]);
    expect(ip.likeness).toEqual(ip.items.matrix);
  });

  test('takes ids from the file itself, as texts or numbers', async () => {
    writeFileSync(file('v.jsonl'), '{"film":"i1","e":[1,2]}\n{"film":"i0","e":[3,4]}\n');
    const space = await fitted(dataset, { file: 'v.jsonl', idColumn: 'film', vectorColumn: 'e' });
    expect(Array.from(space.items.matrix.data)).toEqual([3, 4, 1, 2]);
    await writeVectors(file('v.parquet'), { matrix: rowsOf([[1], [2]]), ids: ['i2', 'i1'] });
    expect(Array.from((await fitted(dataset, { file: 'v.parquet' })).items.ordinals)).toEqual([1, 2]);
  });

  test('user vectors from a file of their own', async () => {
    const people = interactionsOf(3, 4, [[0, 1]]);
    await writeVectors(file('users.fbin'), { matrix: rowsOf([[5, 6]]), ids: ['u2'] });
    await writeVectors(file('users.parquet'), { matrix: rowsOf([[5, 6]]), ids: ['u2'] });
    await writeVectors(file('wide.parquet'), { matrix: rowsOf([[5, 6, 7]]), ids: ['u2'] });
    const items = { file: 'v.npy', ids: 'v.ids.txt' };
    for (const users of ['users.parquet', { file: 'users.fbin', ids: 'users.ids.txt' }]) {
      const space = await fitted(people, { ...items, users });
      expect(space.users).toEqual({ ordinals: Uint32Array.of(2), matrix: rowsOf([[5, 6]]) });
      expect(space.notes).toMatchObject({ usersWithoutVector: 2, unknownUsers: 0 });
    }
    await expectCode(fitted(people, { ...items, users: 'wide.parquet' }), 'DIMENSION_MISMATCH');
  });

  test('refuses ids that come twice, files without ids, and vectors of which none fits', async () => {
    writeFileSync(file('twice.jsonl'), '{"id":"i1","vector":[1,2]}\n{"id":"i1","vector":[3,4]}\n');
    await expectCode(fitted(dataset, { file: 'twice.jsonl' }), 'DUPLICATE_ID');
    await expectCode(fitted(dataset, { file: 'v.npy' }), 'INVALID_ARGUMENT');
    writeFileSync(file('others.jsonl'), '{"id":"x","vector":[1,2]}\n');
    await expectCode(fitted(dataset, { file: 'others.jsonl' }), 'EMPTY_DATASET');
    await expectCode(fitted(dataset, { file: 'absent.npy' }), 'NOT_FOUND');
    expect(() => precomputed.parse({}, 'spaces.own')).toThrow(/spaces\.own\.file/);
    expect(() => precomputed.parse({ file: 'v.npy', idz: 'x' }, 'spaces.own')).toThrow(/spaces\.own\.idz.*"ids"/);
    expect(() => precomputed.parse({ file: 'v.npy', users: { file: 'u', metric: 'ip' } }, 'spaces.own')).toThrow(
      /spaces\.own\.users\.metric/,
    );
  });

  test('a space of a collection: paths lie beside the recipe, notes in the manifest, and both questions are answered', async () => {
    const beside = join(baseDirectory, 'world');
    mkdirSync(beside);
    const ids = Array.from({ length: 40 }, (_, i) => `film-${i}`);
    const angle = (i: number) => [Math.cos(i / 10), Math.sin(i / 10)];
    writeFileSync(join(beside, 'films.csv'), `id\n${ids.join('\n')}\nno-vector\n`);
    writeFileSync(join(beside, 'seen.csv'), 'user,item\nann,film-3\nbob,film-30\n');
    await writeVectors(join(beside, 'films.npy'), { matrix: rowsOf(ids.map((_, i) => angle(i))), ids });
    await writeVectors(join(beside, 'users.npy'), { matrix: rowsOf([angle(5)]), ids: ['ann'] });
    const recipe = parseRecipe(
      JSON.stringify({
        name: 'films',
        dataset: {
          source: 'csv',
          items: { path: 'films.csv', id: 'id' },
          interactions: { path: 'seen.csv', user: 'user', item: 'item' },
        },
        spaces: {
          own: {
            embedding: 'precomputed',
            file: 'films.npy',
            ids: 'films.ids.txt',
            users: { file: 'users.npy', ids: 'users.ids.txt' },
          },
        },
      }),
      beside,
    );
    const { info } = await buildCollection(recipe, join(beside, 'built'));
    expect(info.spaces[0]).toMatchObject({
      embedding: 'precomputed',
      items: 40,
      users: 1,
      notes: { withoutVector: 1 },
    });
    await using films = await Retriever.open(join(beside, 'built'));
    const similar = await films.similarItems('film-20', { k: 2 });
    expect(similar.results.map(({ id }) => id).sort()).toEqual(['film-19', 'film-21']);
    const { results } = await films.recommend('ann', { k: 1 });
    expect(results[0]?.id).toBe('film-5');
  });
});

/** With towers of one layer made on the spot, whose right answers are known; no trained tower is run here. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Packr } from 'msgpackr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { row } from '../../../src/core/matrix.js';
import { writeVectors } from '../../../src/data/index.js';
import { onnxTower } from '../../../src/embeddings/onnx-tower/onnx-tower.js';
import { buildCollection } from '../../../src/retrieval/build-collection.js';
import { parseRecipe } from '../../../src/retrieval/recipe.js';
import { Retriever } from '../../../src/retrieval/retriever.js';
import { nighError } from '../../data/support/expect-error.js';
import { temporaryDirectory } from '../../data/support/temporary-directory.js';
import { type ElementName, floats, model, valueInfo } from '../onnx/tiny-models.js';
import { catalogueOf, dot, interactionsOf, seeded } from '../support.js';

const [features, dim] = [3, 2];

/** Relu(x · W + b), [N, 3] → [N, 2]. */
function tower(
  weights: readonly number[],
  bias: readonly number[],
  batch: number | string = 'N',
  type: ElementName = 'float32',
) {
  const half = type === 'float16';
  const cast = { opType: 'Cast', input: ['x'], output: ['wide'], attribute: [{ name: 'to', i: 1, type: 2 }] };
  return model({
    node: [
      ...(half ? [cast] : []),
      { opType: 'Gemm', input: [half ? 'wide' : 'x', 'weights', 'bias'], output: ['sums'] },
      { opType: 'Relu', input: ['sums'], output: ['vectors'] },
    ],
    initializer: [floats('weights', weights, [features, dim]), floats('bias', bias, [dim])],
    input: [valueInfo('x', type, [batch, features])],
    output: [valueInfo('vectors', 'float32', [batch, dim])],
  });
}

const [itemWeights, itemBias] = [
  [1, 0, 0, 1, 0.5, -0.5],
  [0.25, 0],
];
const [userWeights, userBias] = [
  [0, 2, 1, 0, 1, 1],
  [0, 0.5],
];

/** What such a tower gives, computed here. */
function forward(x: readonly number[], weights: readonly number[], bias: readonly number[]): number[] {
  return bias.map((b, d) =>
    Math.max(
      0,
      x.reduce((sum, value, f) => sum + value * weights[f * dim + d]!, b),
    ),
  );
}

const toUnit = (vector: readonly number[]) => vector.map((value) => value / Math.hypot(...vector));
const close = (actual: ArrayLike<number>, expected: readonly number[]) =>
  expect(Array.from(actual, (value) => value.toFixed(5))).toEqual(expected.map((value) => value.toFixed(5)));

const random = seeded(5);
const rows = Array.from({ length: 20 }, () => Array.from({ length: features }, () => Math.fround(random())));
const columnsOf = (given: readonly (readonly (number | undefined)[])[]) =>
  Object.fromEntries(
    ['a', 'b', 'c'].map((name, f) => [name, { type: 'number' as const, values: given.map((each) => each[f]) }]),
  );

async function files(more: Record<string, string | Uint8Array> = {}) {
  return temporaryDirectory({
    'item.onnx': tower(itemWeights, itemBias),
    'user.onnx': tower(userWeights, userBias),
    ...more,
  });
}
const parse = (params: Record<string, unknown> = {}) =>
  onnxTower.parse({ model: 'item.onnx', features: ['a', 'b', 'c'], ...params }, '');

describe('the embedding onnx-tower', () => {
  it.each([
    ['N', 'float32'],
    [1, 'float32'],
    [7, 'float32'],
  ] as const)('makes vectors of columns as the tower would, in batches of %s', async (batch, type) => {
    const baseDirectory = await files({ 'item.onnx': tower(itemWeights, itemBias, batch, type) });
    const given = rows.map((each, i) => (i === 4 ? [each[0], undefined, each[2]] : each));
    const dataset = catalogueOf(rows.map(String), columnsOf(given));
    for (const metric of ['cosine', 'ip'] as const) {
      const { items, likeness, notes } = await onnxTower.fit(dataset, parse({ metric }), { baseDirectory, threads: 1 });
      expect([...items.ordinals]).toEqual([...rows.keys()].filter((i) => i !== 4));
      items.ordinals.forEach((item, r) => {
        const expected = forward(rows[item]!, itemWeights, itemBias);
        close(row(items.matrix, r), metric === 'cosine' ? toUnit(expected) : expected);
      });
      expect(likeness).toBe(metric === 'ip' ? items.matrix : undefined);
      expect(notes).toMatchObject({ features, withoutFeatures: 1, withoutVector: 1 });
    }
  });

  it('takes float16, and an item whose vector is zero has no direction', async () => {
    const baseDirectory = await files({ 'item.onnx': tower(itemWeights, [-1, -1], 'N', 'float16') });
    const given = [
      [2, 3, 0.5],
      [0, 0, 0],
    ];
    const dataset = catalogueOf(['known', 'nothing'], columnsOf(given));
    const { items, notes } = await onnxTower.fit(dataset, parse(), { baseDirectory, threads: 1 });
    expect([...items.ordinals]).toEqual([0]);
    close(row(items.matrix, 0), toUnit(forward(given[0]!, itemWeights, [-1, -1])));
    expect(notes).toMatchObject({ withoutFeatures: 0, withoutVector: 1 });
  });

  it('places users by a tower of their own, and later items and questions by theirs', async () => {
    const baseDirectory = await files();
    const users = Array.from({ length: 3 }, (_, u) => [u, 1 - u / 4, 0.5]);
    await writeVectors(join(baseDirectory, 'users.jsonl'), {
      matrix: { data: Float32Array.from(users.flat()), rows: 3, dim: features },
      ids: ['u0', 'u2', 'nobody'],
    });
    const base = interactionsOf(3, rows.length, [[0, 1]]);
    const dataset = { ...base, columns: new Map(Object.entries(columnsOf(rows))) };
    const params = parse({
      metric: 'ip',
      users: { model: 'user.onnx', features: 'users.jsonl' },
      questions: { model: 'user.onnx' },
    });
    const fitted = await onnxTower.fit(dataset, params, { baseDirectory, threads: 1 });
    expect([...fitted.users!.ordinals]).toEqual([0, 2]);
    for (const r of [0, 1]) close(row(fitted.users!.matrix, r), forward(users[r]!, userWeights, userBias));
    expect(fitted.notes).toMatchObject({ usersWithoutVector: 1 });

    const packr = new Packr({ moreTypes: true, useRecords: true });
    const embedder = await onnxTower.openEmbedder!(packr.unpack(packr.pack(fitted.model)));
    expect(embedder.dim).toBe(dim);
    close((await embedder.embed({ features: [1, 2, 3] }))!, forward([1, 2, 3], userWeights, userBias));
    const [a, b, c] = rows[3]!;
    close((await embedder.embed({ attributes: { a, b, c } }))!, forward(rows[3]!, itemWeights, itemBias));
    expect(await embedder.embed({ attributes: { a, b } })).toBeUndefined();
    expect(await embedder.embed({ title: 'of no number' })).toBeUndefined();
    await expect(embedder.embed({ attributes: { a: 'x' } })).rejects.toEqual(
      nighError('INVALID_ARGUMENT', 'attributes.a'),
    );
    await expect(embedder.embed({ features: [1, Number.NaN, 3] })).rejects.toEqual(nighError('NOT_FINITE', 'at 1'));
    await expect(embedder.embed({ features: [1, 2] })).rejects.toEqual(nighError('DIMENSION_MISMATCH', 'got 2'));
    await embedder.close!();
    await expect(embedder.embed({ features: [1, 2, 3] })).rejects.toEqual(nighError('CLOSED'));
  });

  const narrow = model({
    node: [{ opType: 'MatMul', input: ['x', 'weights'], output: ['y'] }],
    initializer: [floats('weights', [1, 1, 1], [features, 1])],
    input: [valueInfo('x', 'float32', ['N', features])],
    output: [valueInfo('y', 'float32', ['N', 1])],
  });
  it.each<[string, Record<string, string | Uint8Array>, Record<string, unknown>, Parameters<typeof nighError>]>([
    ['a model that is not there', {}, { model: 'none.onnx' }, ['NOT_FOUND', 'none.onnx']],
    ['garbage', { 'item.onnx': '<html>' }, {}, ['FORMAT', 'not an ONNX model']],
    ['a column that is not there', {}, { features: ['a', 'bb'] }, ['MISSING_COLUMN', '"bb"', 'Did you mean "b"']],
    ['a column of texts', {}, { features: ['a', 'b', 'about'] }, ['INVALID_ARGUMENT', 'about']],
    ['too few features', {}, { features: ['a', 'b'] }, ['DIMENSION_MISMATCH', 'expected 3 features a row, got 2']],
    [
      'a tower of texts',
      {
        'item.onnx': model({
          node: [{ opType: 'Identity', input: ['ids'], output: ['y'] }],
          input: [valueInfo('ids', 'int64', ['N', features])],
          output: [valueInfo('y', 'int64', ['N', features])],
        }),
      },
      {},
      ['INVALID_ARGUMENT', 'the input ids'],
    ],
    ['an output that is not there', {}, { output: 'last' }, ['INVALID_ARGUMENT', '"last"']],
    [
      'questions of another space',
      { 'narrow.onnx': narrow },
      { questions: { model: 'narrow.onnx' } },
      ['DIMENSION_MISMATCH', 'narrow.onnx'],
    ],
    [
      'users of another space',
      { 'narrow.onnx': narrow, 'u.jsonl': '{"id":"u0","vector":[1,2,3]}\n' },
      { users: { model: 'narrow.onnx', features: 'u.jsonl' } },
      ['DIMENSION_MISMATCH', 'narrow.onnx'],
    ],
  ])('refuses %s', async (_, more, params, expected) => {
    const baseDirectory = await files(more);
    const about = { type: 'text' as const, values: rows.map(() => 'x') };
    const base = interactionsOf(1, rows.length, [[0, 1]]);
    const dataset = { ...base, columns: new Map(Object.entries({ ...columnsOf(rows), about })) };
    await expect(onnxTower.fit(dataset, parse(params), { baseDirectory, threads: 1 })).rejects.toEqual(
      nighError(...expected),
    );
  });

  it('stops when it is aborted', async () => {
    const signal = AbortSignal.abort();
    const dataset = catalogueOf(rows.map(String), columnsOf(rows));
    const fitting = onnxTower.fit(dataset, parse(), { baseDirectory: await files(), threads: 1, signal });
    await expect(fitting).rejects.toEqual(nighError('ABORTED'));
  });
});

describe('a collection with a space of towers', () => {
  let movies: Retriever;
  beforeAll(async () => {
    const baseDirectory = await files();
    const lines = (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');
    await writeFile(join(baseDirectory, 'items.jsonl'), lines(rows.map(([a, b, c], i) => ({ id: `i${i}`, a, b, c }))));
    await writeFile(join(baseDirectory, 'users.jsonl'), lines([{ id: 'ann', vector: [1, 0.5, 0.25] }]));
    await writeFile(join(baseDirectory, 'likes.jsonl'), lines([{ user: 'ann', item: 'i0' }]));
    const number = { type: 'number' };
    const recipe = {
      name: 'towers',
      dataset: {
        source: 'jsonl',
        items: { path: 'items.jsonl', id: 'id', columns: { a: number, b: number, c: number } },
        interactions: { path: 'likes.jsonl', user: 'user', item: 'item' },
      },
      spaces: {
        tower: {
          embedding: 'onnx-tower',
          model: 'item.onnx',
          features: ['a', 'b', 'c'],
          metric: 'ip',
          users: { model: 'user.onnx', features: 'users.jsonl' },
          index: { kind: 'flat' },
        },
      },
    };
    await buildCollection(parseRecipe(JSON.stringify(recipe), baseDirectory), join(baseDirectory, 'built'));
    movies = await Retriever.open(join(baseDirectory, 'built'));
  });
  afterAll(() => movies?.close());

  it('recommends by the inner product of the two towers', async () => {
    const ann = forward([1, 0.5, 0.25], userWeights, userBias);
    const expected = rows
      .map((each, i) => ({ id: `i${i}`, score: dot(ann, forward(each, itemWeights, itemBias)) }))
      .filter(({ id }) => id !== 'i0')
      .sort((a, b) => b.score - a.score)
      .slice(0, 5);
    const { results } = await movies.recommend('ann', { k: 5 });
    expect(results.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    results.forEach(({ score }, i) => {
      expect(score).toBeCloseTo(expected[i]!.score, 4);
    });
  });
});

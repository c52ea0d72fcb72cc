/** A row that is folded in is the row that training solved, wherever a model has an equation for it. */
import { describe, expect, it } from 'vitest';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { type Matrix, row, zeros } from '../../src/core/matrix.js';
import { als } from '../../src/embeddings/als.js';
import { ease } from '../../src/embeddings/ease.js';
import type { Embedding, FittedSpace, Vectors } from '../../src/embeddings/embedding.js';
import { fitMf, foldInRatedItems, foldInRatings, parseMf } from '../../src/embeddings/mf-model.js';
import { nmf } from '../../src/embeddings/nmf.js';
import { svd } from '../../src/embeddings/svd.js';
import { interactionsOf, seeded } from './support.js';

const [users, items] = [90, 60];

function world() {
  const random = seeded(12);
  const pairs: [number, number, number][] = [];
  for (let u = 0; u < users; u++) {
    for (let i = 0; i < items; i++) {
      if (random() < (u % 3 === i % 3 ? 0.5 : 0.1)) pairs.push([u, i, 1 + Math.floor(random() * 5)]);
    }
  }
  return interactionsOf(users, items, pairs);
}

const byUser = world().interactions;
const byItem = byUser.transpose();

function gathered({ matrix, ordinals }: Vectors, of: Uint32Array): Matrix {
  const out = zeros(of.length, matrix.dim);
  of.forEach((ordinal, r) => {
    out.data.set(row(matrix, ordinals.indexOf(ordinal)), r * matrix.dim);
  });
  return out;
}

function relativeDifference(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, d) => value - b[d]!)) / Math.hypot(...b);
}

const plain = (count: number) => new Float32Array(count).fill(1);

const models = [
  ['als', als as Embedding<never>, { factors: 8, iterations: 300, cgSteps: 0 }, 1e-5, 1e-4],
  ['svd', svd as Embedding<never>, { factors: 8, powerIterations: 60 }, 1e-5, 1e-5],
  ['ease', ease as Embedding<never>, { factors: 20 }, 1e-5, undefined],
  ['nmf', nmf as Embedding<never>, { factors: 5, iterations: 3000 }, 1e-5, 1e-3],
] as const;

describe.each(models)('fold-in of %s', (_name, embedding, params, userTolerance, itemTolerance) => {
  const fitted = (): Promise<FittedSpace> => embedding.fit(world(), embedding.parse(params, '') as never, {});

  it('gives a user of the training their vector', async () => {
    const space = await fitted();
    const fold = embedding.openFolder!(space.model);
    for (const user of [0, 17, 55]) {
      const { columns } = byUser.row(user);
      const history = { items: columns, vectors: gathered(space.items, columns), weights: plain(columns.length) };
      const trained = row(space.users!.matrix, space.users!.ordinals.indexOf(user));
      expect(relativeDifference(await fold(history), trained)).toBeLessThan(userTolerance);
    }
  });

  it.skipIf(itemTolerance === undefined)('gives an item of a training that came to rest its vector', async () => {
    const space = await fitted();
    const fold = embedding.openAudienceFolder!(space.model);
    for (const item of [1, 20, 47]) {
      const { columns } = byItem.row(item);
      const audience = { vectors: gathered(space.users!, columns), weights: plain(columns.length) };
      const trained = row(space.items.matrix, space.items.ordinals.indexOf(item));
      expect(relativeDifference(await fold(audience), trained)).toBeLessThan(itemTolerance!);
    }
  });
});

describe('fold-in of mf', () => {
  it('gives users and items of a training that came to rest their factors and biases', async () => {
    const model = await fitMf(byUser, parseMf({ solver: 'als', factors: 3, epochs: 400, regularization: 0.3 }));
    const { users: folded, userBiases } = await foldInRatings(model, byUser);
    expect(relativeDifference(folded.data, model.users.data)).toBeLessThan(1e-5);
    expect(relativeDifference(userBiases, model.userBiases)).toBeLessThan(1e-5);
    const { items: foldedItems, itemBiases } = await foldInRatedItems(model, byItem);
    expect(relativeDifference(foldedItems.data, model.items.data)).toBeLessThan(1e-3);
    expect(relativeDifference(itemBiases, model.itemBiases)).toBeLessThan(1e-3);
  });

  it('pulls what was never rated to the mean', async () => {
    const model = await fitMf(byUser, parseMf({ solver: 'als', factors: 3 }));
    const nothing = new CsrMatrix(1, users, Uint32Array.of(0, 0), new Uint32Array(0), new Float32Array(0));
    const { items: folded, itemBiases } = await foldInRatedItems(model, nothing);
    expect([...folded.data, ...itemBiases]).toEqual([0, 0, 0, 0]);
  });
});

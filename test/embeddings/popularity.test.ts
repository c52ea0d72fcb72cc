import { describe, expect, it } from 'vitest';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { row } from '../../src/core/matrix.js';
import { als } from '../../src/embeddings/als.js';
import { bpr } from '../../src/embeddings/bpr.js';
import { ease } from '../../src/embeddings/ease.js';
import type { Embedding, FittedSpace } from '../../src/embeddings/embedding.js';
import { mf } from '../../src/embeddings/mf.js';
import { nmf } from '../../src/embeddings/nmf.js';
import { askingPopularity, weightedRatings } from '../../src/embeddings/popularity.js';
import { svd } from '../../src/embeddings/svd.js';
import { dot, interactionsOf, seeded } from './support.js';

describe('weightedRatings', () => {
  it('is v/(v+m)·R + m/(v+m)·C', () => {
    // Item 0: 5, 4, 3 (v 3, R 4); item 1: 1 (v 1, R 1); item 2: nothing. C = 13/4.
    const { interactions } = interactionsOf(3, 3, [
      [0, 0, 5],
      [1, 0, 4],
      [2, 0, 3],
      [0, 1, 1],
    ]);
    const found = weightedRatings(interactions, { m: 2 });
    expect(found[0]).toBeCloseTo((3 / 5) * 4 + (2 / 5) * 3.25, 6);
    expect(found[1]).toBeCloseTo((1 / 3) * 1 + (2 / 3) * 3.25, 6);
    expect(found[2]).toBeCloseTo(3.25, 6);
    // m by default: 4 ratings of 3 items.
    expect(weightedRatings(interactions)[1]).toBeCloseTo((1 * 1 + (4 / 3) * 3.25) / (1 + 4 / 3), 6);
  });

  it('refuses what it cannot average, and an m that is no weight', () => {
    const codes = (pairs: Parameters<typeof interactionsOf>[2], options: Record<string, unknown>) => {
      const { interactions } = interactionsOf(2, 2, pairs);
      return expect(() => weightedRatings(interactions, options));
    };
    codes([], {}).toThrow(expect.objectContaining({ code: 'EMPTY_DATASET' }));
    codes([[0, 0, Number.NaN]], {}).toThrow(expect.objectContaining({ code: 'NOT_FINITE' }));
    codes([[0, 0, 1]], { m: 0 }).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    codes([[0, 0, 1]], { n: 1 }).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION' }));
  });
});

const [users, items] = [50, 30];

/** Low items are rated by many. */
function world() {
  const random = seeded(8);
  const pairs: [number, number, number][] = [];
  for (let u = 0; u < users; u++) {
    for (let i = 0; i < items; i++) if (random() < 0.8 - i / 40) pairs.push([u, i, 1 + Math.floor(random() * 5)]);
  }
  return interactionsOf(users, items, pairs);
}

const models = [
  ['als', als as Embedding<never>],
  ['mf', mf as Embedding<never>],
  ['svd', svd as Embedding<never>],
  ['ease', ease as Embedding<never>],
  ['nmf', nmf as Embedding<never>],
  ['bpr', bpr as Embedding<never>],
] as const;

describe.each(models)('the popularity dimension of %s', (_name, embedding) => {
  const fitted = (params: Record<string, unknown>): Promise<FittedSpace> =>
    embedding.fit(world(), embedding.parse({ factors: 6, ...params }, '') as never, {});

  it('adds β · ln(1 + n) to the scores, and 0 until it is asked for', async () => {
    const [without, space] = [await fitted({}), await fitted({ popularity: true })];
    const counts = world().interactions.columnCounts();
    expect(without.popularity).toBeUndefined();
    expect(space.notes.popularityScale).toBe(space.popularity!.scale);
    const { dim } = without.items.matrix;
    expect([space.items.matrix.dim, space.users!.matrix.dim]).toEqual([dim + 1, dim + 1]);
    if (without.likeness) expect(space.likeness!.data).toEqual(without.likeness.data);
    const cosine = (a: Float32Array, b: Float32Array) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    for (const r of without.likeness ? [] : [1, 5, 20]) {
      const expected = cosine(row(without.items.matrix, 0), row(without.items.matrix, r));
      expect(dot(row(space.likeness!, 0), row(space.likeness!, r))).toBeCloseTo(expected, 5);
    }
    for (const user of [0, 7, 31]) {
      const p = row(space.users!.matrix, user);
      space.items.ordinals.forEach((item, r) => {
        const score = dot(row(without.users!.matrix, user), row(without.items.matrix, r));
        expect(dot(p, row(space.items.matrix, r))).toBeCloseTo(score, 6);
        for (const beta of [-0.7, 0.2]) {
          const asked = dot(askingPopularity(p, space.popularity!, beta), row(space.items.matrix, r));
          expect(asked).toBeCloseTo(score + beta * Math.log(1 + counts[item]!), 4);
        }
      });
    }
    // About as long as the others, so that a graph is not ruled by it.
    const last = Array.from({ length: items }, (_, r) => row(space.items.matrix, r)[dim]! ** 2);
    const others =
      without.items.matrix.data.reduce((sum, value) => sum + value ** 2, 0) / without.items.matrix.data.length;
    expect(last.reduce((sum, value) => sum + value, 0) / items).toBeCloseTo(others, 5);
  });

  it('folds a newcomer in as it would without', async () => {
    const [without, space] = [await fitted({}), await fitted({ popularity: true })];
    const fold = async ({ items: { matrix }, model }: FittedSpace) => {
      const vectors = { data: matrix.data.slice(0, 4 * matrix.dim), rows: 4, dim: matrix.dim };
      const history = { items: Uint32Array.of(0, 1, 2, 3), vectors, weights: Float32Array.of(1, 1, 2, 1) };
      return embedding.openFolder!(model)(history);
    };
    expect([...(await fold(space))]).toEqual([...(await fold(without)), 0]);
  });

  it('places a new item as it would without, as popular as its audience is large', async () => {
    if (embedding.openAudienceFolder === undefined) return;
    const [without, space] = [await fitted({}), await fitted({ popularity: true })];
    const place = ({ users: found, model }: FittedSpace) => {
      const { matrix } = found!;
      const vectors = { data: matrix.data.slice(0, 3 * matrix.dim), rows: 3, dim: matrix.dim };
      const { cols, offsets, columns, values } = world().interactions;
      const histories = new CsrMatrix(3, cols, offsets.slice(0, 4), columns, values);
      return embedding.openAudienceFolder!(model)({ vectors, histories, weights: Float32Array.of(1, 1, 1) });
    };
    const placed = await place(space);
    expect([...placed.subarray(0, -1)]).toEqual([...(await place(without))]);
    expect(placed.at(-1)).toBeCloseTo(space.popularity!.scale * Math.log(4), 5);
  });
});

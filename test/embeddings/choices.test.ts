/** What `bpr`, `nmf` and `item2vec` have in common: they find tastes in choices. Their sums are checked in test/native. */
import { describe, expect, it } from 'vitest';
import { row } from '../../src/core/matrix.js';
import { bpr } from '../../src/embeddings/bpr.js';
import type { Embedding, FitContext } from '../../src/embeddings/embedding.js';
import { item2vec } from '../../src/embeddings/item2vec.js';
import { nmf } from '../../src/embeddings/nmf.js';
import { dot, interactionsOf, seeded } from './support.js';

const [users, items] = [80, 40];

/** Two tastes; the last item is never touched, and the last user touches nothing. */
function world() {
  const random = seeded(9);
  const pairs: [number, number, number][] = [];
  for (let u = 0; u < users - 1; u++) {
    for (let i = 0; i < items - 1; i++) {
      if (random() < (u % 2 === i % 2 ? 0.5 : 0.05)) pairs.push([u, i, 1 + Math.floor(random() * 5)]);
    }
  }
  return interactionsOf(users, items, pairs);
}

const models = [
  ['bpr', bpr as Embedding<never>, { factors: 6 }],
  ['nmf', nmf as Embedding<never>, { factors: 6 }],
  ['nmf of ratings', nmf as Embedding<never>, { factors: 2, observedOnly: true, value: 'raw', regularization: 0.1 }],
  ['item2vec', item2vec as Embedding<never>, { factors: 6 }],
] as const;

describe.each(models)('%s', (name, embedding, params) => {
  const fitted = (given: Record<string, unknown> = {}, context: FitContext = {}) =>
    embedding.fit(world(), embedding.parse({ ...params, ...given }, '') as never, context);
  const ofRatings = name === 'nmf of ratings';

  it('gives vectors to who has interactions', async () => {
    const space = await fitted();
    expect([...space.items.ordinals]).toEqual(Array.from({ length: items - 1 }, (_, i) => i));
    if (space.users) expect([...space.users.ordinals]).toEqual(Array.from({ length: users - 1 }, (_, u) => u));
  });

  it.skipIf(ofRatings)('compares items by taste', async () => {
    const space = await fitted();
    const vectors = space.likeness ?? space.items.matrix;
    const cosine = (a: number, b: number) => {
      const [x, y] = [row(vectors, a), row(vectors, b)];
      return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
    };
    const mean = (step: number) => {
      let sum = 0;
      for (let i = 0; i < 30; i++) sum += cosine(i, i + step) / 30;
      return sum;
    };
    expect(mean(2)).toBeGreaterThan(mean(1) + 0.3);
  });

  it.skipIf(ofRatings || name === 'item2vec')('recommends users their taste, and newcomers theirs', async () => {
    const space = await fitted();
    const fold = embedding.openFolder!(space.model);
    const lead = (user: Float32Array, parity: number) => {
      const mean = (wanted: number) => {
        const scores = [...space.items.ordinals].filter((i) => i % 2 === wanted);
        return scores.reduce((sum, i) => sum + dot(user, row(space.items.matrix, i)), 0) / scores.length;
      };
      return mean(parity) - mean(1 - parity);
    };
    for (let u = 0; u < 20; u++) expect(lead(row(space.users!.matrix, u), u % 2)).toBeGreaterThan(0);
    for (const liked of [
      [0, 2, 4, 6],
      [1, 3, 5, 7],
    ]) {
      const { dim } = space.items.matrix;
      const vectors = { data: new Float32Array(4 * dim), rows: 4, dim };
      liked.forEach((item, at) => {
        vectors.data.set(row(space.items.matrix, item), at * dim);
      });
      const user = await fold({ items: Uint32Array.from(liked), vectors, weights: Float32Array.of(1, 1, 1, 2) });
      expect(user.length).toBe(dim);
      expect(lead(user, liked[0]! % 2)).toBeGreaterThan(0);
    }
  });

  it('gives the same bytes on any number of threads, and others with another seed', async () => {
    const [one, two, other] = [
      await fitted({}, { threads: 1 }),
      await fitted({}, { threads: 2 }),
      await fitted({ seed: 5 }),
    ];
    expect(two).toEqual(one);
    // The singular vectors behind item2vec do not depend on where they were sought from, but for rounding.
    if (name !== 'item2vec') expect(other.items.matrix.data).not.toEqual(one.items.matrix.data);
  });

  it('refuses what it cannot train on, reports progress, and stops when its signal fires', async () => {
    const parsed = embedding.parse(params, '') as never;
    await expect(embedding.fit(interactionsOf(3, 3, []), parsed, {})).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    await expect(embedding.fit(interactionsOf(3, 3, [[0, 0, Number.NaN]]), parsed, {})).rejects.toMatchObject({
      code: 'NOT_FINITE',
    });
    expect(() => embedding.parse({ factors: 0 }, 'cf')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => embedding.parse({ facters: 3 }, 'cf')).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION' }));
    if (embedding.openFolder) {
      expect(() => embedding.openFolder!({ factors: 2 })).toThrow(expect.objectContaining({ code: 'FORMAT' }));
    }
    const reports: number[] = [];
    await fitted({}, { onProgress: (done, total) => reports.push(done / total) });
    expect(reports.at(-1)).toBe(1);
    await expect(fitted({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('trains with more factors than users or items', async () => {
    const space = await fitted({ factors: 100 });
    expect(space.items.matrix.data.every(Number.isFinite)).toBe(true);
  });
});

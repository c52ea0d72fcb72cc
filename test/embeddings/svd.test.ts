import { describe, expect, it } from 'vitest';
import { row } from '../../src/core/matrix.js';
import { fitSvd, parseSvd, svd } from '../../src/embeddings/svd.js';
import { dot, interactionsOf, seeded } from './support.js';

const [users, items] = [40, 30];

/** Two tastes; item 29 is never touched, and user 39 touches nothing. */
function world() {
  const random = seeded(6);
  const pairs: [number, number, number][] = [];
  for (let u = 0; u < users - 1; u++) {
    for (let i = 0; i < items - 1; i++) {
      if (random() < (u % 2 === i % 2 ? 0.6 : 0.1)) pairs.push([u, i, 1 + Math.floor(random() * 5)]);
    }
  }
  return interactionsOf(users, items, pairs);
}

describe('svd', () => {
  it('is a projection: at full rank it gives the interactions back, and no fewer dimensions come closer', async () => {
    const { interactions } = world();
    const missed = async (factors: number) => {
      const model = await fitSvd(interactions, parseSvd({ factors }));
      let squares = 0;
      for (let u = 0; u < users; u++) {
        const { columns, values } = interactions.row(u);
        for (let i = 0; i < items; i++) {
          const at = columns.indexOf(i);
          squares += (dot(row(model.users, u), row(model.items, i)) - (at < 0 ? 0 : values[at]!)) ** 2;
        }
      }
      const total = interactions.values.reduce((sum, value) => sum + value * value, 0);
      const kept = model.singularValues.reduce((sum, value) => sum + value * value, 0);
      // Eckart and Young: what is missed is what the left-out singular values hold.
      expect(squares).toBeCloseTo(total - kept, 2);
      return squares;
    };
    expect(await missed(3)).toBeLessThan(await missed(1));
    // More factors than there are items: as many as there are.
    expect(await missed(500)).toBeCloseTo(0, 4);
  });

  it('folds in the sum of the history, which is what the fit gives', async () => {
    const dataset = world();
    const space = await svd.fit(dataset, svd.parse({ factors: 5, value: 'raw' }, ''), {});
    const fold = svd.openFolder!(space.model);
    const at = new Map(Array.from(space.items.ordinals, (item, r) => [item, r]));
    for (let u = 0; u < users - 1; u++) {
      const { columns, values } = dataset.interactions.row(u);
      const data = new Float32Array(columns.length * 5);
      columns.forEach((item, r) => {
        data.set(row(space.items.matrix, at.get(item)!), r * 5);
      });
      const folded = await fold({ items: columns, vectors: { data, rows: columns.length, dim: 5 }, weights: values });
      const fitted = row(space.users!.matrix, space.users!.ordinals.indexOf(u));
      folded.forEach((value, d) => {
        expect(value).toBeCloseTo(fitted[d]!, 4);
      });
    }
  });

  it('compares items by the cosine of their columns, as far as the factors hold them', async () => {
    const dataset = world();
    const space = await svd.fit(dataset, svd.parse({ factors: items, value: 'raw' }, ''), {});
    const byItem = dataset.interactions.transpose();
    const column = (item: number) => {
      const dense = new Float32Array(users);
      const { columns, values } = byItem.row(item);
      columns.forEach((user, e) => {
        dense[user] = values[e]!;
      });
      return dense;
    };
    const cosine = (a: Float32Array, b: Float32Array) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    for (const [a, b] of [
      [0, 2],
      [0, 1],
      [5, 5],
    ] as const) {
      expect(dot(row(space.likeness!, a), row(space.likeness!, b))).toBeCloseTo(cosine(column(a), column(b)), 4);
    }
  });

  it('leaves out who has no interaction, and refuses what it cannot train on', async () => {
    const space = await svd.fit(world(), svd.parse({ factors: 4 }, ''), {});
    expect([...space.items.ordinals]).toEqual(Array.from({ length: items - 1 }, (_, i) => i));
    expect([...space.users!.ordinals]).toEqual(Array.from({ length: users - 1 }, (_, u) => u));
    await expect(svd.fit(interactionsOf(2, 2, []), svd.parse({}, ''), {})).rejects.toMatchObject({
      code: 'EMPTY_DATASET',
    });
    const { interactions } = interactionsOf(2, 2, [[0, 0, Number.NaN]]);
    await expect(fitSvd(interactions, parseSvd({}))).rejects.toMatchObject({ code: 'NOT_FINITE' });
    await expect(fitSvd(world().interactions, parseSvd({}), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(() => svd.openFolder!({})).toThrow(expect.objectContaining({ code: 'FORMAT' }));
  });

  it('gives the same bytes on any number of threads', async () => {
    const [one, two] = await Promise.all(
      [1, 2].map((threads) => fitSvd(world().interactions, parseSvd({ factors: 6 }), { threads })),
    );
    expect(two).toEqual(one);
  });
});

import { describe, expect, it } from 'vitest';
import { row } from '../../src/core/matrix.js';
import { als, toConfidences } from '../../src/embeddings/als.js';
import { foldIn, readAlsModel } from '../../src/embeddings/als-model.js';
import type { FittedSpace } from '../../src/embeddings/embedding.js';
import { dot, interactionsOf, seeded } from './support.js';

const [users, items, groups] = [90, 60, 3];

/** Users like items of their own group (number modulo 3), and one in ten of any other. Item 59 is never touched; item 58 by all. */
function world() {
  const random = seeded(3);
  const pairs: [number, number, number][] = [];
  for (let u = 0; u < users; u++) {
    for (let i = 0; i < items - 2; i++) {
      if (random() < (u % groups === i % groups ? 0.5 : 0.05)) pairs.push([u, i, 1 + Math.floor(random() * 5)]);
    }
    pairs.push([u, 58, 5]);
  }
  return interactionsOf(users, items, pairs);
}

const fitted = (params: Record<string, unknown> = {}, threads = 0): Promise<FittedSpace> =>
  als.fit(world(), als.parse({ factors: 8, ...params }, ''), { threads });

describe('als', () => {
  it('gives the same bytes on any number of threads, and others with another seed', async () => {
    const [one, two, other] = [await fitted({}, 1), await fitted({}, 2), await fitted({ seed: 7 }, 1)];
    expect(two.items.matrix.data).toEqual(one.items.matrix.data);
    expect(two.users?.matrix.data).toEqual(one.users?.matrix.data);
    expect(two.likeness?.data).toEqual(one.likeness?.data);
    expect(other.items.matrix.data).not.toEqual(one.items.matrix.data);
  });

  it('recommends users their group, and finds an item its group', async () => {
    const space = await fitted();
    const rowOf = new Map(Array.from(space.items.ordinals, (item, r) => [item, r]));
    const best = (scores: (r: number) => number, exclude: number) =>
      [...space.items.ordinals]
        .filter((item) => item !== exclude && item !== 58)
        .sort((a, b) => scores(rowOf.get(b)!) - scores(rowOf.get(a)!))
        .slice(0, 10);
    const own = (top: number[], group: number) => top.filter((item) => item % groups === group).length / top.length;
    let [forUsers, forItems] = [0, 0];
    for (let u = 0; u < users; u++) {
      const p = row(space.users!.matrix, u);
      forUsers +=
        own(
          best((r) => dot(p, row(space.items.matrix, r)), -1),
          u % groups,
        ) / users;
    }
    for (let i = 0; i < 57; i++) {
      const q = row(space.likeness!, rowOf.get(i)!);
      forItems +=
        own(
          best((r) => dot(q, row(space.likeness!, r)), i),
          i % groups,
        ) / 57;
    }
    // One in three would be chance.
    expect(forUsers).toBeGreaterThan(0.9);
    expect(forItems).toBeGreaterThan(0.9);
  });

  it('gives no vector to an item that nobody interacted with', async () => {
    const { items: trained, notes } = await fitted();
    expect([...trained.ordinals]).toEqual(Array.from({ length: 59 }, (_, i) => i));
    expect(notes.itemsWithoutVector).toBe(1);
    expect(trained.matrix.rows).toBe(59);
  });

  it('compares items by direction, times the root of the share that the factors explain', async () => {
    const dataset = world();
    const params = als.parse({ factors: 8 }, '');
    const space = await als.fit(dataset, params, {});
    const byUser = dataset.interactions;
    space.items.ordinals.forEach((item, r) => {
      const q = row(space.items.matrix, r);
      const scores: number[] = [];
      for (let u = 0; u < users; u++) {
        if (byUser.row(u).columns.includes(item)) scores.push(dot(row(space.users!.matrix, u), q));
      }
      const share = Math.min(1, scores.reduce((sum, score) => sum + score, 0) / scores.length);
      const likeness = row(space.likeness!, r);
      expect(dot(likeness, likeness)).toBeCloseTo(share, 4);
      expect(dot(likeness, q)).toBeCloseTo(Math.sqrt(share) * Math.hypot(...q), 4);
    });
  });

  it('folds a user in as training would solve it against the same items', async () => {
    // With Cholesky rows the last item sweep is exact for the users before it; many sweeps bring both to rest.
    const dataset = world();
    const space = await als.fit(dataset, als.parse({ factors: 4, iterations: 400, cgSteps: 0 }, ''), {});
    const model = readAlsModel(space.model);
    const rowOf = new Map(Array.from(space.items.ordinals, (item, r) => [item, r]));
    for (const user of [0, 31, 62]) {
      const history = dataset.interactions.row(user).columns;
      const data = new Float32Array(history.length * 4);
      history.forEach((item, at) => {
        data.set(row(space.items.matrix, rowOf.get(item)!), at * 4);
      });
      const vectors = { data, rows: history.length, dim: 4 };
      const folded = await foldIn(model, { vectors, weights: new Float32Array(history.length).fill(1) });
      const trained = row(space.users!.matrix, user);
      folded.forEach((value, d) => {
        expect(value).toBeCloseTo(trained[d]!, 3);
      });
    }
  });

  it('turns values into confidences as asked, and trains on likes only', () => {
    const dataset = interactionsOf(2, 4, [
      [0, 0, 1],
      [0, 1, 3],
      [0, 2, 0],
      [1, 3, -2],
      [1, 1, 7],
    ]);
    const confidences = (params: Record<string, unknown>) => {
      const matrix = toConfidences(dataset, als.parse(params, ''));
      return { offsets: [...matrix.offsets], columns: [...matrix.columns], values: [...matrix.values] };
    };
    expect(confidences({ alpha: 2 })).toEqual({ offsets: [0, 2, 3], columns: [0, 1, 1], values: [2, 2, 2] });
    expect(confidences({ value: 'raw', alpha: 2 }).values).toEqual([2, 6, 14]);
    expect(confidences({ value: 'log' }).values).toEqual([1, 2, 3]);
    expect(confidences({ minValue: 3 })).toEqual({ offsets: [0, 1, 2], columns: [1, 1], values: [1, 1] });
    expect(confidences({ dislikes: 0.5, value: 'raw', alpha: 2 })).toEqual({
      offsets: [0, 2, 4],
      columns: [0, 1, 1, 3],
      values: [2, 6, 14, -2],
    });
  });

  it('weighs unobserved pairs by how sparse the interactions are, unless told', async () => {
    const density = world().interactions.entries / (users * items);
    expect(20 * density).toBeGreaterThan(0.3);
    expect((await fitted()).notes.unobservedWeight).toBe(0.3);
    const pairs = Array.from({ length: 200 }, (_, n) => [n, (n * 7) % 100] as const);
    const sparse = await als.fit(interactionsOf(200, 100, pairs), als.parse({ factors: 2 }, ''), {});
    expect(sparse.notes.unobservedWeight).toBeCloseTo((20 * 200) / (200 * 100), 10);
    expect((await fitted({ unobservedWeight: 0.05 })).notes.unobservedWeight).toBe(0.05);
  });

  it('refuses a dataset without likes, and parameters that mean nothing', async () => {
    const none = interactionsOf(2, 2, [[0, 0, 2]]);
    await expect(als.fit(none, als.parse({ minValue: 3 }, ''), {})).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    for (const [params, path] of [
      [{ factors: 0 }, 'spaces.cf.factors'],
      [{ regularization: -1 }, 'spaces.cf.regularization'],
      [{ unobservedWeight: 0 }, 'spaces.cf.unobservedWeight'],
      [{ value: 'logs' }, 'spaces.cf.value'],
      [{ iterations: 1.5 }, 'spaces.cf.iterations'],
      [{ alpha: Number.NaN }, 'spaces.cf.alpha'],
      [{ alpha: -1 }, 'spaces.cf.alpha'],
      [{ dislikes: -1 }, 'spaces.cf.dislikes'],
      [{ neutral: Number.POSITIVE_INFINITY }, 'spaces.cf.neutral'],
      [{ halfLifeDays: 0 }, 'spaces.cf.halfLifeDays'],
      [{ k1: 1 }, 'spaces.cf.k1'],
      [{ value: 'bm25', b: 2 }, 'spaces.cf.b'],
      [{ features: 3 }, 'spaces.cf.features'],
      [{ coldItems: 'map' }, 'spaces.cf.coldItems'],
      [{ featureRegularization: 1 }, 'spaces.cf.featureRegularization'],
      [{ features: 'text', featureRegularization: 0 }, 'spaces.cf.featureRegularization'],
      [{ features: 'text', coldItems: 'maps' }, 'spaces.cf.coldItems'],
      [{ popularity: 1 }, 'spaces.cf.popularity'],
    ] as const) {
      expect(() => als.parse(params, 'spaces.cf')).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(`${path}:`) }),
      );
    }
    expect(() => readAlsModel({ factors: 3 })).toThrow(expect.objectContaining({ code: 'FORMAT' }));
  });

  it('reports progress, and stops when its signal fires', async () => {
    const reports: number[] = [];
    const params = als.parse({ factors: 8 }, '');
    await als.fit(world(), params, { onProgress: (done, total) => reports.push(done / total) });
    expect(reports.at(-1)).toBe(1);
    await expect(als.fit(world(), params, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

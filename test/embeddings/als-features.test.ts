import { describe, expect, it } from 'vitest';
import { type Matrix, row, zeros } from '../../src/core/matrix.js';
import { als } from '../../src/embeddings/als.js';
import { readAlsModel } from '../../src/embeddings/als-model.js';
import type { Embedder, FittedSpace } from '../../src/embeddings/embedding.js';
import { dot, interactionsOf, seeded } from './support.js';

const [users, items, groups, coldFrom] = [120, 70, 4, 60];

/** Users like items of their group (number modulo 4). Nobody has touched the items from 60 on. */
function world() {
  const random = seeded(3);
  const pairs: [number, number, number][] = [];
  for (let u = 0; u < users; u++) {
    for (let i = 0; i < coldFrom; i++) {
      if (random() < (u % groups === i % groups ? 0.5 : 0.05)) pairs.push([u, i, 1]);
    }
  }
  return interactionsOf(users, items, pairs);
}

/** The group as a noisy direction; of items 5 and 69 nothing is known. */
function content(): FittedSpace {
  const random = seeded(4);
  const ordinals = Uint32Array.from({ length: items }, (_, i) => i).filter((i) => i !== 5 && i !== 69);
  const matrix = zeros(ordinals.length, 6);
  ordinals.forEach((item, r) => {
    const vector = row(matrix, r);
    for (let d = 0; d < 6; d++) vector[d] = 0.3 * (random() - 0.5);
    vector[item % groups]! += 1;
  });
  return { items: { matrix, ordinals }, model: {}, notes: {} };
}

const spaces = new Map([['text', content()]]);
const fitted = (params: Record<string, unknown> = {}, threads = 0): Promise<FittedSpace> =>
  als.fit(world(), als.parse({ factors: 8, features: 'text', ...params }, ''), { threads, spaces });

const vectorOf = ({ items: { ordinals } }: FittedSpace, matrix: Matrix, item: number) =>
  row(matrix, ordinals.indexOf(item));

/** The share of the ten best that are of the group. */
function own(
  space: FittedSpace,
  vector: Float32Array,
  matrix: Matrix,
  group: number,
  among: (item: number) => boolean,
): number {
  const best = [...space.items.ordinals]
    .filter(among)
    .sort((a, b) => dot(vector, vectorOf(space, matrix, b)) - dot(vector, vectorOf(space, matrix, a)))
    .slice(0, 2);
  return best.filter((item) => item % groups === group).length / best.length;
}

/** Items 0 to 5 of the space `text`, by number. */
const textEmbedder: Embedder = {
  dim: 6,
  embed: async ({ text }) => {
    const { matrix, ordinals } = content().items;
    const r = ordinals.indexOf(Number(text));
    return r < 0 ? undefined : row(matrix, r);
  },
};

describe.each(['prior', 'map'])('als with features, cold items by %s', (coldItems) => {
  it('places items that nobody chose where their features belong, for users and beside items', async () => {
    const space = await fitted({ coldItems });
    expect([...space.items.ordinals]).toEqual(Array.from({ length: 69 }, (_, i) => i));
    expect(space.notes).toMatchObject({ itemsWithoutVector: 1, itemsByFeatures: 9 });
    let share = 0;
    for (let u = 0; u < 40; u++) {
      share += own(space, row(space.users!.matrix, u), space.items.matrix, u % groups, (i) => i >= coldFrom) / 40;
    }
    expect(share).toBeGreaterThan(0.9);
    for (let i = coldFrom; i < 69; i++) {
      const likeness = vectorOf(space, space.likeness!, i);
      expect(own(space, likeness, space.likeness!, i % groups, (other) => other < coldFrom)).toBe(1);
      expect(dot(likeness, likeness)).toBeLessThanOrEqual(1.000001);
    }
  });

  it('gives them the length of items that were chosen, so that they can be found among all', async () => {
    const space = await fitted({ coldItems });
    const lengths = [...space.items.ordinals].map((i) => Math.hypot(...vectorOf(space, space.items.matrix, i)));
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const ratio = mean(lengths.slice(coldFrom)) / mean(lengths.slice(0, coldFrom));
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.25);
  });

  it('embeds a new item where the fit placed one of the same features', async () => {
    const space = await fitted({ coldItems, popularity: true });
    const embedder = await als.openEmbedder!(space.model, async () => textEmbedder);
    for (const item of [60, 64, 68]) {
      const [vector, forUsers] = [
        await embedder.embed({ text: `${item}` }),
        await embedder.embedForUsers!({ text: `${item}` }),
      ];
      vector!.forEach((value, d) => {
        expect(value).toBeCloseTo(vectorOf(space, space.likeness!, item)[d]!, 5);
      });
      forUsers!.forEach((value, d) => {
        expect(value).toBeCloseTo(vectorOf(space, space.items.matrix, item)[d]!, 5);
      });
    }
    expect(await embedder.embed({ text: '69' })).toBeUndefined();
    expect(embedder.dim).toBe(8);
  });

  it('gives the same bytes on any number of threads', async () => {
    expect(await fitted({ coldItems }, 2)).toEqual(await fitted({ coldItems }, 1));
  });
});

describe('als with features', () => {
  it('trains with them as the prior, and without them for the map', async () => {
    const alone = await als.fit(world(), als.parse({ factors: 8 }, ''), {});
    const [prior, map] = [await fitted(), await fitted({ coldItems: 'map' })];
    expect(map.users!.matrix.data).toEqual(alone.users!.matrix.data);
    expect(prior.users!.matrix.data).not.toEqual(alone.users!.matrix.data);
  });

  it('folds an item in between its place by features and its place by who chose it', async () => {
    const space = await fitted({ factors: 6 });
    const fold = als.openAudienceFolder!(space.model);
    const features = vectorOf(content(), content().items.matrix, 60);
    const audience = (fans: number[]) => {
      const vectors = zeros(fans.length, 6);
      fans.forEach((user, r) => {
        vectors.data.set(row(space.users!.matrix, user), r * 6);
      });
      return { vectors, weights: new Float32Array(fans.length).fill(1) };
    };
    const cold = await fold(audience([]), features);
    cold.forEach((value, d) => {
      expect(value).toBeCloseTo(vectorOf(space, space.items.matrix, 60)[d]!, 5);
    });
    // Item 60 is of group 0 by its features, but everybody of group 1 chose it.
    const fans = Array.from({ length: 30 }, (_, n) => 4 * n + 1);
    const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((value, d) => value - b[d]!));
    const one = await fold(audience(fans.slice(0, 1)), features);
    const all = await fold(audience(fans), features);
    const byAll = await fold(audience(fans));
    expect(distance(one, cold)).toBeLessThan(0.2 * distance(byAll, cold));
    expect(distance(all, byAll)).toBeLessThan(0.8 * distance(cold, byAll));

    // The equation of foldInItem, entry by entry.
    const model = readAlsModel(space.model);
    const { vectors } = audience(fans);
    const r = model.regularization * (30 + model.unobservedWeight * users) ** model.frequencyExponent;
    for (let d = 0; d < 6; d++) {
      let left = r * (all[d]! - cold[d]!);
      for (let k = 0; k < 6; k++) left += model.userGramian[d * 6 + k]! * (all[k]! - cold[k]!);
      let right = 0;
      for (let fan = 0; fan < fans.length; fan++) {
        const p = row(vectors, fan);
        left += p[d]! * (dot(p, all) - dot(p, cold));
        right += p[d]! * (1 - dot(p, cold));
      }
      expect(left).toBeCloseTo(right, 3);
    }
  });

  it('refuses features that say nothing of what was chosen, that are not finite, or that are too many', async () => {
    const params = als.parse({ factors: 4, features: 'text' }, '');
    const fitWith = (matrix: Matrix, ordinals: Uint32Array) =>
      als.fit(world(), params, { spaces: new Map([['text', { items: { matrix, ordinals }, model: {}, notes: {} }]]) });
    const ones = (rows: number, dim: number) => ({ ...zeros(rows, dim), data: new Float32Array(rows * dim).fill(1) });
    const firstItems = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);
    await expect(fitWith(ones(2, 3), Uint32Array.of(61, 65))).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    const broken = ones(items, 3);
    broken.data[7] = Number.NaN;
    await expect(fitWith(broken, firstItems(items))).rejects.toMatchObject({ code: 'NOT_FINITE' });
    await expect(fitWith(zeros(items, 4096), firstItems(items))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    // More features than items, and all of them alike, have a map too.
    const alike = await fitWith(ones(items, 100), firstItems(items));
    expect(alike.items.matrix.data.every(Number.isFinite)).toBe(true);
    expect(alike.items.ordinals.length).toBe(items);
    await expect(
      als.fit(world(), als.parse({ features: 'text' }, ''), { spaces, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('refuses features that are not there, and content without them', async () => {
    const params = als.parse({ features: 'text' }, '');
    expect(als.uses!(params)).toEqual(['text']);
    expect(als.uses!(als.parse({}, ''))).toEqual([]);
    await expect(als.fit(world(), params, {})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const without = await als.fit(world(), als.parse({ factors: 4 }, ''), {});
    await expect(als.openEmbedder!(without.model, async () => textEmbedder)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    const { model } = await fitted();
    let closed = false;
    const close = async () => {
      closed = true;
    };
    const wrong = { ...textEmbedder, dim: 5, close };
    await expect(als.openEmbedder!(model, async () => wrong)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect(closed).toBe(true);
    await expect(
      als.openEmbedder!({ ...model, featureMap: new Float32Array(3) }, async () => textEmbedder),
    ).rejects.toMatchObject({ code: 'FORMAT' });
  });
});

/** A new item is placed where a training with it would have placed it, beside items that stay where they are. */
import { describe, expect, it } from 'vitest';
import { sppmi } from '../../src/binding/train-choices.js';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { type Matrix, row, zeros } from '../../src/core/matrix.js';
import { bpr } from '../../src/embeddings/bpr.js';
import { bprItemModel } from '../../src/embeddings/bpr-item.js';
import { solvePositive } from '../../src/embeddings/cholesky.js';
import { ease } from '../../src/embeddings/ease.js';
import { easeScores, fitEase, parseEase } from '../../src/embeddings/ease-model.js';
import type { Audience, Embedding, FittedSpace } from '../../src/embeddings/embedding.js';
import { item2vec } from '../../src/embeddings/item2vec.js';
import { dot, interactionsOf, seeded } from './support.js';

const [users, items, groups] = [150, 60, 3];

/** Groups of users like groups of items. The last item is the one that comes later. */
const pairs = (() => {
  const random = seeded(5);
  const all: [number, number, number][] = [];
  for (let u = 0; u < users; u++) {
    for (let i = 0; i <= items; i++) {
      if (random() < (u % groups === i % groups ? 0.45 : 0.06)) all.push([u, i, 1 + Math.floor(random() * 3)]);
    }
  }
  return all;
})();

const before = interactionsOf(
  users,
  items,
  pairs.filter(([, item]) => item < items),
);
const after = interactionsOf(users, items + 1, pairs);
const chosenBy = (item: number) => after.interactions.transpose().row(item);

/** The rows of a matrix of users for these. */
function rowsOf({ offsets, columns, values, cols }: CsrMatrix, of: Uint32Array): CsrMatrix {
  const parts = Array.from(of, (u) => [offsets[u]!, offsets[u + 1]!] as const);
  const ends = [0];
  for (const [begin, end] of parts) ends.push(ends.at(-1)! + end - begin);
  return new CsrMatrix(
    of.length,
    cols,
    Uint32Array.from(ends),
    Uint32Array.from(parts.flatMap(([begin, end]) => [...columns.subarray(begin, end)])),
    Float32Array.from(parts.flatMap(([begin, end]) => [...values.subarray(begin, end)])),
  );
}

function audienceOf(item: number, space: FittedSpace, values: 'raw' | 'binary'): Audience {
  const { columns, values: given } = chosenBy(item);
  const histories = rowsOf(before.interactions, columns);
  if (values === 'binary') histories.values.fill(1);
  const vectors = zeros(columns.length, space.users?.matrix.dim ?? 1);
  columns.forEach((user, r) => {
    if (space.users) vectors.data.set(row(space.users.matrix, space.users.ordinals.indexOf(user)), r * vectors.dim);
  });
  return { vectors, histories, weights: values === 'raw' ? given : new Float32Array(columns.length).fill(1) };
}

const fitted = (embedding: Embedding<never>, params: object): Promise<FittedSpace> =>
  embedding.fit(before, embedding.parse({ ...params }, '') as never, {});

function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.hypot(...Array.from(a, (value, d) => value - b[d]!)) / Math.hypot(...Array.from(b));
}

describe('a new item of ease', () => {
  const regularization = 20;
  // The column of the weights of a training with the new item, as a matrix of items × 1.
  const column = async (values: 'raw' | 'binary'): Promise<Matrix> => {
    const matrix = rowsOf(
      after.interactions,
      Uint32Array.from({ length: users }, (_, u) => u),
    );
    if (values === 'binary') matrix.values.fill(1);
    const { weights } = await fitEase(matrix, parseEase({ regularization }));
    return { data: Float32Array.from({ length: items }, (_, i) => row(weights, i)[items]!), rows: items, dim: 1 };
  };

  it.each(['raw', 'binary'] as const)('is its column of the whole solution, with values %s', async (value) => {
    const space = await fitted(ease as Embedding<never>, { regularization, value, factors: 25, powerIterations: 20 });
    const fold = ease.openAudienceFolder!(space.model);
    const from = space.model.from as Float32Array;
    const dim = space.items.matrix.dim;
    const b = (await column(value)).data;
    // The vector nearest to it: columns of U √S are orthogonal.
    const nearest = Array.from({ length: dim }, (_, d) => {
      const direction = Array.from({ length: items }, (_, i) => from[i * dim + d]!);
      return dot(direction, b) / dot(direction, direction);
    });
    expect(relativeDifference(await fold(audienceOf(items, space, value)), nearest)).toBeLessThan(1e-5);
  });

  it('scores as the exact model does where no dimension is cut off', async () => {
    const space = await fitted(ease as Embedding<never>, { regularization, factors: items, powerIterations: 6 });
    const vector = await ease.openAudienceFolder!(space.model)(audienceOf(items, space, 'binary'));
    const histories = rowsOf(
      before.interactions,
      Uint32Array.from({ length: users }, (_, u) => u),
    );
    histories.values.fill(1);
    const exact = await easeScores({ weights: await column('binary') }, histories);
    for (let user = 0; user < users; user++) {
      const at = space.users!.ordinals.indexOf(user);
      if (at >= 0) expect(dot(row(space.users!.matrix, at), vector)).toBeCloseTo(exact.data[user]!, 4);
    }
  });

  it('passes over items that came after the training, and needs the histories', async () => {
    const space = await fitted(ease as Embedding<never>, { regularization, factors: 10 });
    const fold = ease.openAudienceFolder!(space.model);
    const audience = audienceOf(items, space, 'binary');
    const later = rowsOf(after.interactions, chosenBy(items).columns);
    later.values.fill(1);
    expect(await fold({ ...audience, histories: later })).toEqual(await fold(audience));
    const { histories: _, ...without } = audience;
    await expect((async () => fold(without))()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(() => ease.openAudienceFolder!({ ...space.model, columns: new Float32Array(3) })).toThrow(
      expect.objectContaining({ code: 'FORMAT' }),
    );
  });
});

describe('a new item of item2vec', () => {
  const params = { factors: 20, powerIterations: 60, oversampling: 30 };

  it.each([
    { negatives: 1, longestHistory: 1000 },
    { negatives: 2, longestHistory: 1000 },
    { negatives: 0.5, longestHistory: 14 },
  ])('is its row of SPPMI on the basis of the others, with %j', async (more) => {
    const space = await fitted(item2vec as Embedding<never>, { ...params, ...more });
    const { columns, values } = (await sppmi(after.interactions, more, {})).row(items);
    const contexts = space.model.contexts as Float32Array;
    const dim = space.items.matrix.dim;
    const expected = new Float64Array(dim);
    columns.forEach((item, e) => {
      for (let d = 0; d < dim; d++) expected[d]! += values[e]! * contexts[item * dim + d]!;
    });
    const found = await item2vec.openAudienceFolder!(space.model)(audienceOf(items, space, 'binary'));
    expect(relativeDifference(found, expected)).toBeLessThan(1e-5);
    expect(columns.length).toBeGreaterThan(3);
  });

  it('is where an item of the training is, given its row', async () => {
    const space = await fitted(item2vec as Embedding<never>, params);
    const { columns, values, offsets } = await sppmi(before.interactions, { negatives: 1, longestHistory: 1000 }, {});
    const contexts = space.model.contexts as Float32Array;
    const dim = space.items.matrix.dim;
    for (const item of [0, 7, 33]) {
      const expected = row(space.items.matrix, space.items.ordinals.indexOf(item));
      const found = new Float64Array(dim);
      for (let e = offsets[item]!; e < offsets[item + 1]!; e++) {
        for (let d = 0; d < dim; d++) found[d]! += values[e]! * contexts[columns[e]! * dim + d]!;
      }
      expect(relativeDifference(found, expected)).toBeLessThan(1e-4);
    }
  });

  it('is nowhere without company', async () => {
    const space = await fitted(item2vec as Embedding<never>, params);
    const fold = item2vec.openAudienceFolder!(space.model);
    const nobody = { vectors: zeros(0, 1), weights: new Float32Array(0) };
    const histories = new CsrMatrix(0, items, Uint32Array.of(0), new Uint32Array(0), new Float32Array(0));
    expect([...(await fold({ ...nobody, histories }))]).toEqual(new Array(20).fill(0));
  });
});

describe('a new item of bpr', () => {
  const params = { factors: 4, epochs: 60, regularization: 0.05, learningRate: 0.1 };

  it('solves the bounded objective, pair by pair', async () => {
    const space = await fitted(bpr as Embedding<never>, params);
    const { interactions } = before;
    const [p, q] = [space.users!.matrix, space.items.matrix];
    // Every user and item has interactions here, so that rows are ordinals.
    expect([p.rows, q.rows]).toEqual([users, items]);
    const dim = p.dim;
    // ξ and what follows from it.
    let squares = 0;
    for (let u = 0; u < users; u++) {
      for (const i of interactions.row(u).columns) {
        for (let k = 0; k < items; k++) squares += (dot(row(p, u), row(q, i)) - dot(row(p, u), row(q, k))) ** 2 / items;
      }
    }
    const xi = Math.sqrt(squares / interactions.entries);
    const [bend, margin] = [Math.tanh(xi / 2) / (2 * xi), xi / Math.tanh(xi / 2)];
    // Half squares: of x_u − x_uk − c over the audience and all k, of x_ui − x_u − c over all interactions.
    const left = new Float64Array(dim * dim);
    const right = new Float64Array(dim);
    const add = (user: number, target: number, weight: number) => {
      for (let i = 0; i < dim; i++) {
        right[i]! += weight * target * row(p, user)[i]!;
        for (let j = 0; j < dim; j++) left[i * dim + j]! += weight * row(p, user)[i]! * row(p, user)[j]!;
      }
    };
    const audience = audienceOf(items, space, 'raw');
    chosenBy(items).columns.forEach((user, r) => {
      for (let k = 0; k < items; k++) add(user, dot(row(p, user), row(q, k)) + margin, audience.weights[r]! / items);
    });
    for (let u = 0; u < users; u++) {
      for (const i of interactions.row(u).columns) add(u, dot(row(p, u), row(q, i)) - margin, 1 / items);
    }
    const touches = audience.weights.reduce((sum, weight) => sum + weight, 0) + interactions.entries / items;
    for (let d = 0; d < dim; d++) left[d * dim + d]! += (params.regularization / bend) * touches;
    expect(solvePositive(left, right)).toBe(true);
    const found = await bpr.openAudienceFolder!(space.model)(audience);
    expect(relativeDifference(found, right)).toBeLessThan(1e-5);
  });

  it('is ranked by its group as an item of the training is', async () => {
    const space = await fitted(bpr as Embedding<never>, params);
    const vector = await bpr.openAudienceFolder!(space.model)(audienceOf(items, space, 'binary'));
    const mean = (of: number, to: Float32Array) => {
      const those = Array.from({ length: users }, (_, u) => u).filter((u) => u % groups === of);
      return those.reduce((sum, u) => sum + dot(row(space.users!.matrix, u), to), 0) / those.length;
    };
    const lead = (to: Float32Array, own: number) =>
      mean(own, to) - Math.max(...[0, 1, 2].filter((g) => g !== own).map((g) => mean(g, to)));
    const trained = Array.from({ length: items }, (_, i) => lead(row(space.items.matrix, i), i % groups));
    const typical = trained.reduce((sum, value) => sum + value, 0) / items;
    expect(lead(vector, items % groups)).toBeGreaterThan(0.5 * typical);
    expect(lead(vector, items % groups)).toBeLessThan(2 * typical);
  });

  it('goes by nothing but the weights above 0, and is refused where nothing holds it', async () => {
    const space = await fitted(bpr as Embedding<never>, params);
    const fold = bpr.openAudienceFolder!(space.model);
    const audience = audienceOf(items, space, 'binary');
    const disliked = audience.weights.map((weight, r) => (r < 3 ? -1 : weight));
    const fewer = {
      vectors: { ...audience.vectors, data: audience.vectors.data.slice(3 * 5), rows: disliked.length - 3 },
      weights: disliked.slice(3),
    };
    expect(await fold({ ...audience, weights: disliked })).toEqual(await fold(fewer));
    await expect(fold({ ...audience, weights: disliked.fill(Number.POSITIVE_INFINITY) })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    const signal = AbortSignal.abort();
    await expect(
      bprItemModel(before.interactions, space.users!.matrix, space.items.matrix, 0.01, signal),
    ).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('solvePositive', () => {
  it('gives what multiplies back to the right side, and refuses what is not positive definite', () => {
    const random = seeded(3);
    for (const n of [1, 2, 7, 40]) {
      const rows = Array.from({ length: n + 2 }, () => Array.from({ length: n }, () => random() - 0.5));
      const matrix = Float64Array.from({ length: n * n }, (_, at) =>
        rows.reduce((sum, r) => sum + r[Math.floor(at / n)]! * r[at % n]!, 0),
      );
      const x = Float64Array.from({ length: n }, random);
      const right = x.map((_, i) => x.reduce((sum, value, j) => sum + matrix[i * n + j]! * value, 0));
      expect(solvePositive(matrix, right)).toBe(true);
      right.forEach((value, i) => {
        expect(value).toBeCloseTo(x[i]!, 6);
      });
    }
    expect(solvePositive(Float64Array.of(1, 0, 2, 1), Float64Array.of(1, 1))).toBe(false);
    expect(solvePositive(Float64Array.of(Number.NaN), Float64Array.of(1))).toBe(false);
  });
});

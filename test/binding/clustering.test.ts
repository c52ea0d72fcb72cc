import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Matrix, row } from '../../src/core/matrix.js';
import { kmeans, pca, project } from '../../src/embeddings/index.js';
import { dot, seeded } from '../embeddings/support.js';

function matrixOf(rows: readonly (readonly number[])[]): Matrix {
  return { data: Float32Array.from(rows.flat()), rows: rows.length, dim: rows[0]!.length };
}

const squared = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, d) => sum + (value - b[d]!) ** 2, 0);

const points = fc.integer({ min: 1, max: 5 }).chain((dim) =>
  fc.array(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: dim, maxLength: dim }), {
    minLength: 2,
    maxLength: 60,
  }),
);

describe('kmeans', () => {
  it('never raises the inertia, gives every row the nearest centroid, and leaves no cluster empty', async () => {
    await fc.assert(
      fc.asyncProperty(points, fc.integer({ min: 1, max: 8 }), fc.nat(), async (given, wanted, seed) => {
        const matrix = matrixOf(given);
        const distinct = new Set(given.map(String)).size;
        const clusters = Math.min(wanted, distinct);
        const { centroids, assignments, inertias } = await kmeans(matrix, { clusters, seed, tolerance: 0 });
        inertias.forEach((inertia, i) => {
          expect(inertia).toBeLessThanOrEqual((inertias[i - 1] ?? Number.POSITIVE_INFINITY) * (1 + 1e-5) + 1e-4);
        });
        let total = 0;
        assignments.forEach((cluster, r) => {
          const own = squared(row(matrix, r), row(centroids, cluster));
          total += own;
          for (let c = 0; c < clusters; c++) {
            expect(own).toBeLessThanOrEqual(squared(row(matrix, r), row(centroids, c)) + 1e-3);
          }
        });
        expect(inertias.at(-1)).toBeCloseTo(total, 1);
        expect(new Set(assignments).size).toBe(clusters);
      }),
      { numRuns: 50 },
    );
  });

  it('finds directions, whatever the lengths, if spherical', async () => {
    const random = seeded(3);
    const rows = Array.from({ length: 90 }, (_, i) => {
      const length = 0.1 + 50 * random();
      return [0, 1, 2].map((d) => length * ((d === i % 3 ? 1 : 0) + 0.1 * random()));
    });
    const { assignments, centroids, inertias } = await kmeans(matrixOf(rows), { clusters: 3, spherical: true });
    assignments.forEach((cluster, r) => {
      expect(cluster).toBe(assignments[r % 3]);
    });
    for (let c = 0; c < 3; c++) expect(dot(row(centroids, c), row(centroids, c))).toBeCloseTo(1, 5);
    expect(inertias.at(-1)).toBeLessThan(90 * 0.02);
  });

  it('gives the same bytes for the same seed on any number of threads', async () => {
    const random = seeded(5);
    const matrix = { data: Float32Array.from({ length: 2000 * 9 }, () => random()), rows: 2000, dim: 9 };
    const [one, all] = await Promise.all([1, 0].map((threads) => kmeans(matrix, { clusters: 20, seed: 7, threads })));
    expect(one).toEqual(all);
    expect((await kmeans(matrix, { clusters: 20, seed: 8 })).assignments).not.toEqual(one!.assignments);
  });

  it('says what is wrong', async () => {
    const matrix = matrixOf([[1], [2]]);
    await expect(kmeans(matrix, { clusters: 3 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(kmeans(matrix, { clusters: 1, sperical: true } as never)).rejects.toMatchObject({
      code: 'UNKNOWN_OPTION',
    });
    await expect(kmeans(matrixOf([[Number.NaN]]), { clusters: 1 })).rejects.toMatchObject({ code: 'NOT_FINITE' });
    await expect(kmeans(matrixOf([[0]]), { clusters: 1, spherical: true })).rejects.toMatchObject({
      code: 'ZERO_VECTOR',
    });
    const signal = AbortSignal.abort();
    await expect(kmeans(matrix, { clusters: 1, signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('pca', () => {
  it('splits the variance of the rows among orthogonal directions, the largest first', async () => {
    await fc.assert(
      fc.asyncProperty(points, async (given) => {
        const matrix = matrixOf(given);
        const { mean, directions, variances, projected } = await pca(matrix);
        let total = 0;
        for (let r = 0; r < matrix.rows; r++) total += squared(row(matrix, r), mean) / (matrix.rows - 1);
        expect(variances.reduce((sum, value) => sum + value, 0)).toBeCloseTo(total, 2);
        expect([...variances]).toEqual([...variances].sort((a, b) => b - a));
        for (let a = 0; a < matrix.dim; a++) {
          for (let b = 0; b < matrix.dim; b++) {
            expect(dot(row(directions, a), row(directions, b))).toBeCloseTo(a === b ? 1 : 0, 4);
            let covariance = 0;
            for (let r = 0; r < matrix.rows; r++) covariance += row(projected, r)[a]! * row(projected, r)[b]!;
            const expected = a === b ? variances[a]! : 0;
            expect(Math.abs(covariance / (matrix.rows - 1) - expected)).toBeLessThan(1e-3 * (1 + total));
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('places a row among the components where it was, and keeps as many as wanted', async () => {
    const random = seeded(9);
    const matrix = { data: Float32Array.from({ length: 300 }, () => random()), rows: 30, dim: 10 };
    const found = await pca(matrix, { components: 3 });
    expect(found.projected.dim).toBe(3);
    expect(found.variances).toHaveLength(10);
    project(row(matrix, 4), found).forEach((value, c) => {
      expect(value).toBeCloseTo(row(found.projected, 4)[c]!, 5);
    });
  });

  it('says what is wrong', async () => {
    await expect(pca(matrixOf([[1, 2]]))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(pca(matrixOf([[1], [2]]), { components: 2 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(pca(matrixOf([[1], [Number.NaN]]))).rejects.toMatchObject({ code: 'NOT_FINITE' });
    expect(() => project(Float32Array.of(1), { mean: Float32Array.of(1, 2), directions: matrixOf([[1, 0]]) })).toThrow(
      /2 values/,
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Matrix } from '../../src/core/matrix.js';
import { FlatIndex } from '../../src/index/flat-index.js';
import { adjustedCosineRows, pearsonRows, spearmanRows } from '../../src/index/transforms.js';
import { clustered, rowOf } from '../contract/matrices.js';

const of = (...rows: number[][]): Matrix => ({
  data: Float32Array.from(rows.flat()),
  rows: rows.length,
  dim: rows[0]?.length ?? 1,
});

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let j = 0; j < a.length; j++) {
    dot += a[j]! * b[j]!;
    aa += a[j]! ** 2;
    bb += b[j]! ** 2;
  }
  return dot / Math.sqrt(aa * bb);
}

/** cov(a, b) / (σ_a σ_b), as textbooks have it. */
function pearson(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const covariance = (x: readonly number[], y: readonly number[]) =>
    mean(x.map((value, j) => (value - mean(x)) * (y[j]! - mean(y))));
  return covariance(a, b) / Math.sqrt(covariance(a, a) * covariance(b, b));
}

/** Places by counting: those below, and half of those as large. */
const ranks = (values: readonly number[]) =>
  values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });

const varied = fc
  .array(fc.integer({ min: -6, max: 6 }), { minLength: 12, maxLength: 12 })
  .filter((row) => new Set(row).size > 1);

describe('transforms to cosine', () => {
  test('the cosine of Pearson rows is the correlation by its definition', () => {
    fc.assert(
      fc.property(varied, varied, (a, b) => {
        const out = pearsonRows(of(a, b));
        expect(cosine(rowOf(out, 0), rowOf(out, 1))).toBeCloseTo(pearson(a, b), 6);
      }),
    );
  });

  test('the cosine of Spearman rows is the correlation of average ranks', () => {
    fc.assert(
      fc.property(varied, varied, (a, b) => {
        const out = spearmanRows(of(a, b));
        expect(cosine(rowOf(out, 0), rowOf(out, 1))).toBeCloseTo(pearson(ranks(a), ranks(b)), 6);
      }),
    );
  });

  test('without ties Spearman is 1 − 6 Σ d² / (n (n² − 1))', () => {
    const out = spearmanRows(
      of([106, 100, 86, 101, 99, 103, 97, 113, 112, 110], [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]),
    );
    expect(cosine(rowOf(out, 0), rowOf(out, 1))).toBeCloseTo(1 - (6 * 194) / (10 * 99), 6);
  });

  test('the cosine of adjusted rows takes the means of the columns off both sides', () => {
    const means = [3, 2.5, 4, 1];
    const [a, b] = [
      [5, 3, 4.5, 0],
      [1, 2, 5, 2],
    ];
    const out = adjustedCosineRows(of(a!, b!), means);
    let [dot, aa, bb] = [0, 0, 0];
    means.forEach((mean, j) => {
      dot += (a![j]! - mean) * (b![j]! - mean);
      aa += (a![j]! - mean) ** 2;
      bb += (b![j]! - mean) ** 2;
    });
    expect(cosine(rowOf(out, 0), rowOf(out, 1))).toBeCloseTo(dot / Math.sqrt(aa * bb), 6);
  });

  test('an index over Pearson rows answers with the correlations', async () => {
    const matrix = clustered(200, 16, 31);
    using index = await FlatIndex.build(pearsonRows(matrix), { metric: 'cosine' });
    const query = pearsonRows(of(Array.from(rowOf(matrix, 5))));
    const { ids, distances } = await index.search(query.data, 10);
    expect(ids[0]).toBe(5);
    for (let i = 0; i < 10; i++) {
      const truth = pearson(Array.from(rowOf(matrix, 5)), Array.from(rowOf(matrix, ids[i]!)));
      expect(1 - distances[i]!).toBeCloseTo(truth, 5);
    }
  });

  test('the input stays as it is', () => {
    const matrix = of([1, 2, 3], [3, 2, 9]);
    for (const transform of [pearsonRows, spearmanRows, (m: Matrix) => adjustedCosineRows(m, [1, 1, 1])]) {
      expect(transform(matrix).data).not.toBe(matrix.data);
      expect(Array.from(matrix.data)).toEqual([1, 2, 3, 3, 2, 9]);
    }
  });

  test('rows that do not vary, NaN and lengths that differ are refused', () => {
    const flat = of([1, 2, 3], [0.1, 0.1, 0.1]);
    expect(() => pearsonRows(flat)).toThrow(expect.objectContaining({ code: 'ZERO_VECTOR' }));
    expect(() => spearmanRows(flat)).toThrow(expect.objectContaining({ code: 'ZERO_VECTOR' }));
    expect(() => adjustedCosineRows(flat, [1, 2, 3])).toThrow(expect.objectContaining({ code: 'ZERO_VECTOR' }));
    expect(() => adjustedCosineRows(flat, [1, 2])).toThrow(expect.objectContaining({ code: 'DIMENSION_MISMATCH' }));
    expect(() => adjustedCosineRows(flat, [1, 2, Number.NaN])).toThrow(expect.objectContaining({ code: 'NOT_FINITE' }));
    expect(() => pearsonRows(of([1, Number.NaN]))).toThrow(expect.objectContaining({ code: 'NOT_FINITE' }));
    expect(() => pearsonRows({ data: new Float32Array(3), rows: 1, dim: 2 })).toThrow(
      expect.objectContaining({ code: 'DIMENSION_MISMATCH' }),
    );
  });
});

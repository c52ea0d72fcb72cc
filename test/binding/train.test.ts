import { describe, expect, test } from 'vitest';
import { alsFoldIn, alsGramian, alsTrain, randomizedSvd } from '../../src/binding/train.js';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { seeded } from '../contract/matrices.js';

const als = {
  factors: 4,
  iterations: 8,
  unobservedWeight: 0.1,
  regularization: 0.01,
  frequencyExponent: 1,
  initStddev: 0.1,
  cgSteps: 3,
  seed: 1,
};

/** Users and items of two tastes that never meet. */
function twoTastes(): CsrMatrix {
  const rows: number[] = [];
  const columns: number[] = [];
  for (let user = 0; user < 20; user++) {
    for (let item = 0; item < 10; item++) {
      if (item < 5 !== user < 10 || (user + item) % 4 === 0) continue;
      rows.push(user);
      columns.push(item);
    }
  }
  return CsrMatrix.fromTriplets({ rows: 20, cols: 10 }, { rows, columns, values: rows.map(() => 1) });
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, j) => sum + value * b[j]!, 0);
}

describe('training through the binding', () => {
  test('iALS scores the items of a taste above the others, and fold-in agrees with training', async () => {
    const matrix = twoTastes();
    const progress: [number, number][] = [];
    const { users, items } = await alsTrain(matrix, als, { onProgress: (done, total) => progress.push([done, total]) });
    const row = (m: { data: Float32Array; dim: number }, r: number) => m.data.subarray(r * m.dim, (r + 1) * m.dim);
    for (let user = 0; user < 20; user++) {
      const scores = Array.from({ length: 10 }, (_, item) => dot(row(users, user), row(items, item)));
      const own = user < 10 ? scores.slice(0, 5) : scores.slice(5);
      const other = user < 10 ? scores.slice(5) : scores.slice(0, 5);
      expect(Math.min(...own)).toBeGreaterThan(Math.max(...other));
    }
    expect(progress.at(-1)).toEqual([8 * 30, 8 * 30]);

    const gramian = await alsGramian(items, als.unobservedWeight);
    const folded = await alsFoldIn(matrix, items, gramian, als, 10);
    folded.data.forEach((value, at) => {
      expect(value).toBeCloseTo(users.data[at]!, 3);
    });
  });

  test('the same seed gives the same bytes on one thread and on all', async () => {
    const one = await alsTrain(twoTastes(), als, { threads: 1 });
    const all = await alsTrain(twoTastes(), als, { threads: 0 });
    expect(all).toEqual(one);
  });

  test('a matrix of rank 3 comes back from its singular vectors', async () => {
    const random = seeded(5);
    const left = Float32Array.from({ length: 40 * 3 }, random);
    const right = Float32Array.from({ length: 25 * 3 }, random);
    const rows: number[] = [];
    const columns: number[] = [];
    const values: number[] = [];
    for (let r = 0; r < 40; r++) {
      for (let c = 0; c < 25; c++) {
        rows.push(r);
        columns.push(c);
        values.push(dot(left.subarray(r * 3, r * 3 + 3), right.subarray(c * 3, c * 3 + 3)));
      }
    }
    const matrix = CsrMatrix.fromTriplets({ rows: 40, cols: 25 }, { rows, columns, values });
    const { u, s, v } = await randomizedSvd(matrix, { rank: 3, oversampling: 8, powerIterations: 3, seed: 1 }, {});
    expect(s[0]! >= s[1]! && s[1]! >= s[2]!).toBe(true);
    for (let entry = 0; entry < values.length; entry++) {
      const [r, c] = [rows[entry]!, columns[entry]!];
      const product = [0, 1, 2].reduce((sum, j) => sum + u.data[r * 3 + j]! * s[j]! * v.data[c * 3 + j]!, 0);
      expect(product).toBeCloseTo(values[entry]!, 4);
    }
  });

  const broken: [string, string, CsrMatrix][] = [
    [
      'offsets that do not begin at 0',
      'INVALID_ARGUMENT',
      new CsrMatrix(1, 2, Uint32Array.of(1, 1), Uint32Array.of(0), Float32Array.of(1)),
    ],
    [
      'offsets that end early',
      'INVALID_ARGUMENT',
      new CsrMatrix(1, 2, Uint32Array.of(0, 0), Uint32Array.of(0), Float32Array.of(1)),
    ],
    [
      'offsets that descend',
      'INVALID_ARGUMENT',
      new CsrMatrix(3, 2, Uint32Array.of(0, 2, 1, 2), Uint32Array.of(0, 1), Float32Array.of(1, 1)),
    ],
    [
      'an offset far outside',
      'INVALID_ARGUMENT',
      new CsrMatrix(2, 2, Uint32Array.of(0, 4294967295, 1), Uint32Array.of(0), Float32Array.of(1)),
    ],
    [
      'a column out of range',
      'INVALID_ARGUMENT',
      new CsrMatrix(1, 2, Uint32Array.of(0, 1), Uint32Array.of(2), Float32Array.of(1)),
    ],
    [
      'columns that do not ascend',
      'INVALID_ARGUMENT',
      new CsrMatrix(1, 3, Uint32Array.of(0, 2), Uint32Array.of(1, 1), Float32Array.of(1, 1)),
    ],
    [
      'fewer values than columns',
      'INVALID_ARGUMENT',
      new CsrMatrix(1, 3, Uint32Array.of(0, 2), Uint32Array.of(0, 1), Float32Array.of(1)),
    ],
    ['no offsets', 'INVALID_ARGUMENT', new CsrMatrix(0, 3, new Uint32Array(), new Uint32Array(), new Float32Array())],
    [
      'a value that is not finite',
      'NOT_FINITE',
      new CsrMatrix(1, 2, Uint32Array.of(0, 1), Uint32Array.of(0), Float32Array.of(Number.NaN)),
    ],
  ];
  test.each(broken)('a sparse matrix with %s is refused: %s', async (_, code, matrix) => {
    await expect(alsTrain(matrix, als, {})).rejects.toMatchObject({ code });
    await expect(
      randomizedSvd(matrix, { rank: 1, oversampling: 1, powerIterations: 1, seed: 1 }, {}),
    ).rejects.toMatchObject({ code });
    const items = { data: new Float32Array(matrix.cols * 4), rows: matrix.cols, dim: 4 };
    await expect(alsFoldIn(matrix, items, new Float32Array(16), als, matrix.cols)).rejects.toMatchObject({ code });
  });

  test('an aborted training rejects with ABORTED', async () => {
    const controller = new AbortController();
    const training = alsTrain(twoTastes(), { ...als, iterations: 100_000 }, { signal: controller.signal });
    controller.abort();
    await expect(training).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('shapes that contradict each other are refused', async () => {
    const matrix = twoTastes();
    const items = { data: new Float32Array(9 * 4), rows: 9, dim: 4 };
    await expect(alsFoldIn(matrix, items, new Float32Array(16), als, 10)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    const ten = { data: new Float32Array(10 * 4), rows: 10, dim: 4 };
    await expect(alsFoldIn(matrix, ten, new Float32Array(15), als, 10)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(alsTrain(matrix, { ...als, factors: 0 }, {})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(
      randomizedSvd(matrix, { rank: 11, oversampling: 1, powerIterations: 1, seed: 1 }, {}),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

import { describe, expect, test } from 'vitest';
import { NighError } from '../../src/core/errors.js';
import { describePoint, gridPoints, gridSearch } from '../../src/evaluation/grid-search.js';

const failure = (code: string) => expect.objectContaining({ code });

describe('grid search', () => {
  const grid = { factors: [8, 16, 32], rate: [0.1, 0.5] };

  test('tries every combination once, the last parameter fastest', async () => {
    const tried: unknown[] = [];
    await gridSearch(grid, async (params) => {
      tried.push(params);
      return 1;
    });
    expect(tried).toEqual([
      { factors: 8, rate: 0.1 },
      { factors: 8, rate: 0.5 },
      { factors: 16, rate: 0.1 },
      { factors: 16, rate: 0.5 },
      { factors: 32, rate: 0.1 },
      { factors: 32, rate: 0.5 },
    ]);
  });

  test('finds the best in either direction, and of equal ones the first of the grid', async () => {
    const score = async ({ factors, rate }: Record<string, unknown>) => (Number(factors) % 16 === 0 ? 5 : Number(rate));
    const largest = await gridSearch(grid, score);
    expect(largest.best).toEqual({ params: { factors: 16, rate: 0.1 }, score: 5 });
    expect(largest.trials.map((trial) => trial.score)).toEqual([5, 5, 5, 5, 0.5, 0.1]);
    const smallest = await gridSearch(grid, score, { better: 'smallest' });
    expect(smallest.best.params).toEqual({ factors: 8, rate: 0.1 });
  });

  test('a combination that fails is kept with its reason, behind those that did not', async () => {
    const { best, trials } = await gridSearch({ rate: [9, 1] }, async ({ rate }) => {
      if (rate === 9) throw new NighError('INVALID_ARGUMENT', 'it diverged');
      return 0.25;
    });
    expect(best).toEqual({ params: { rate: 1 }, score: 0.25 });
    expect(trials[1]).toMatchObject({ params: { rate: 9 }, failure: 'it diverged' });
    await expect(gridSearch({ rate: [1, 2] }, async () => Number.NaN)).rejects.toThrow(failure('INVALID_ARGUMENT'));
  });

  test('an abort and a fault of the program end it at once', async () => {
    const controller = new AbortController();
    let tried = 0;
    const search = gridSearch(
      grid,
      async () => {
        tried++;
        controller.abort();
        return 1;
      },
      { signal: controller.signal },
    );
    await expect(search).rejects.toThrow(failure('ABORTED'));
    expect(tried).toBe(1);
    await expect(
      gridSearch(grid, () => {
        throw new TypeError('a fault');
      }),
    ).rejects.toThrow(TypeError);
  });

  test('a grid of nothing, or of too much, is refused', () => {
    expect(() => gridPoints({})).toThrow(failure('INVALID_ARGUMENT'));
    expect(() => gridPoints({ factors: [] })).toThrow(/grid.factors/);
    const many = Array.from({ length: 101 }, (_, at) => at);
    expect(() => gridPoints({ a: many, b: many })).toThrow(/10000/);
  });

  test('a combination is described as it is given on a command line', () => {
    expect(describePoint({ factors: 64, value: 'log', observedOnly: true })).toBe(
      'factors=64 value=log observedOnly=true',
    );
  });
});

import { describe, expect, test } from 'vitest';
import { mulberry32 } from '../../src/core/random.js';
import { medianRatio, pairedDifference } from '../../src/evaluation/bootstrap.js';

describe('a bootstrap interval', () => {
  test('of paired differences covers the true mean about as often as it says', () => {
    const next = mulberry32(5);
    const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const b = Array.from({ length: 40 }, () => 10 * normal());
      const a = b.map((value) => value + 0.3 + normal());
      const { low, high } = pairedDifference(a, b, { resamples: 400, seed: trial });
      if (low <= 0.3 && high >= 0.3) covered++;
    }
    // 95 % of 200, less what percentile intervals of small samples fall short of.
    expect(covered).toBeGreaterThan(175);
    expect(covered).toBeLessThan(200);
  });

  test('of pairs that differ by the same is that difference', () => {
    const found = pairedDifference([3, 4, 5], [1, 2, 3]);
    expect(found).toEqual({ value: 2, low: 2, high: 2 });
  });

  test('of the ratio of medians holds the ratio, is the same for the same seed, and narrows with the spread', () => {
    const before = [100, 110, 90, 105, 95];
    const after = before.map((value) => value * 2);
    const found = medianRatio(before, after);
    expect(found.value).toBe(2);
    expect(found.low).toBeLessThan(2);
    expect(found.high).toBeGreaterThan(2);
    expect(medianRatio(before, after)).toEqual(found);
    const narrow = medianRatio([100, 100.1, 99.9], [200, 200.1, 199.9]);
    expect(narrow.high - narrow.low).toBeLessThan(found.high - found.low);
  });

  test('of nothing, or of pairs without a partner, is refused', () => {
    expect(() => pairedDifference([], [])).toThrow(/at least one/);
    expect(() => pairedDifference([1], [1, 2])).toThrow(/INVALID|expected/);
    expect(() => medianRatio([], [1])).toThrow(/at least one/);
  });
});

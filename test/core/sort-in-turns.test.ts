import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortInTurns } from '../../src/core/sort-in-turns.js';

describe('sortInTurns', () => {
  it('sorts as sort does, equal values in their order, whatever their number', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 6000 }), fc.integer({ min: 1, max: 300 }), async (count, distinct) => {
        const keys = Array.from({ length: count }, (_, i) => Math.imul(i, 2654435761) >>> 7).map((n) => n % distinct);
        const compare = (i: number, j: number) => keys[i]! - keys[j]!;
        const values = Uint32Array.from({ length: count }, (_, i) => i);
        const expected = Uint32Array.from(values).sort(compare);
        expect(await sortInTurns(values, compare)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('lets the event loop run meanwhile, and ends where it is told to', async () => {
    const values = Uint32Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 20_000);
    const abort = new AbortController();
    let turns = 0;
    const ticking = setInterval(() => {
      turns++;
    }, 0);
    try {
      await sortInTurns(Uint32Array.from(values), (a, b) => a - b);
      expect(turns).toBeGreaterThan(0);
      const sorting = sortInTurns(values, (a, b) => a - b, abort.signal);
      abort.abort();
      await expect(sorting).rejects.toMatchObject({ code: 'ABORTED' });
    } finally {
      clearInterval(ticking);
    }
  });
});

import { expect, test } from 'vitest';
import { damageJournals } from '../support/damaged-journals.js';

test.each(Array.from({ length: 100 }, (_, n) => 100 + n))(
  'a journal that is altered anywhere gives an error of ours or the right answers, and the process lives (%i)',
  async (seed) => {
    const { right = 0, ...errors } = await damageJournals(100, seed);
    expect(right + Object.values(errors).reduce((sum, count) => sum + count, 0)).toBe(101);
  },
);

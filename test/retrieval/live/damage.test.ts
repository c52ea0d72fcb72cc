/** A journal with one byte altered; thousands of them in damage.long.test.ts. */
import { expect, test } from 'vitest';
import { damageJournals } from '../support/damaged-journals.js';

test('a journal that is altered anywhere gives an error of ours or the right answers, also after changes, and the process lives', async () => {
  const { right = 0, ...errors } = await damageJournals(50, 1);
  const refused = Object.values(errors).reduce((sum, count) => sum + count, 0);
  expect(right + refused).toBe(51);
  expect(right).toBeGreaterThan(5);
  expect(refused).toBeGreaterThan(5);
});

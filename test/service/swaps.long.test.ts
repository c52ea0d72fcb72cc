import { expect, test } from 'vitest';
import { swapUnderLoad } from './swaps.js';

test('a hundred swaps under load fail no request', async () => {
  const { asked, seen, names } = await swapUnderLoad(100);
  expect(asked).toBeGreaterThan(1000);
  expect(seen).toEqual(names);
}, 600_000);

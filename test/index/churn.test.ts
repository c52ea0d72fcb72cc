import { expect, test } from 'vitest';
import { churn } from './churn.js';

test('after ten rounds of half deleted and a third replaced every vector is found by itself, and recall is that of a fresh build', async () => {
  const { notFound, churned, fresh } = await churn(1_000, 16, 10, { metric: 'cosine', M: 16, efConstruction: 100 });
  expect(notFound).toBe(0);
  expect(churned).toBeGreaterThan(fresh - 0.01);
});

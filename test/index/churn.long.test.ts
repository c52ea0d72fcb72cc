/** Churn on indexes of a size at which a graph matters; churn.test.ts has a small one. */
import { expect, test } from 'vitest';
import { churn } from './churn.js';

test.each([
  ['cosine', 'sq8'],
  ['ip', 'sq8'],
  ['l2', 'none'],
] as const)('ten rounds of half deleted and a third replaced, under %s with %s', async (metric, quantization) => {
  const { notFound, churned, fresh } = await churn(10_000, 64, 10, { metric, quantization });
  console.log(
    `churn, ${metric}, ${quantization}: ${notFound} not found; recall@10 ${churned.toFixed(4)}, fresh ${fresh.toFixed(4)}`,
  );
  if (metric !== 'ip') expect(notFound).toBe(0);
  expect(churned).toBeGreaterThan(fresh - 0.01);
});

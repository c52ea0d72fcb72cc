/** The loaders of packed files and manifests by the ten thousand; damage.test.ts tries some. The loader of index files: npm run test:long -- fuzz. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Damaged } from './damage.js';
import { tryHostileFiles } from './hostile-files.js';

const damaged = new Damaged();
beforeAll(() => damaged.prepare());
afterAll(() => damaged.remove());

const executions = Number(process.env.NIGH_FUZZ_EXECUTIONS ?? 20_000);

test(`of ${executions} files that were altered under right checksums each gives an error of ours or answers`, async () => {
  const { opened } = await tryHostileFiles(damaged, executions, 1_000_000);
  console.log(`hostile files: ${executions} tried, ${opened} of which were opened and asked`);
  expect(opened).toBeGreaterThan(0);
});

import { describe, expect, test } from 'vitest';
import { FlatIndex } from '../../src/index/flat-index.js';
import { HnswIndex } from '../../src/index/hnsw-index.js';
import { clustered } from '../contract/matrices.js';

const matrix = clustered(3000, 32, 31);

describe('native tasks', () => {
  test('progress ascends to the total and ends there', async () => {
    const seen: [number, number][] = [];
    const index = await HnswIndex.build(matrix, {
      metric: 'l2',
      onProgress: (done, total) => seen.push([done, total]),
    });
    index.close();
    expect(seen.at(-1)).toEqual([3000, 3000]);
    for (let i = 1; i < seen.length; i++) expect(seen[i]![0]).toBeGreaterThanOrEqual(seen[i - 1]![0]);
  });

  test('what onProgress throws is what the promise rejects with', async () => {
    const thrown = new RangeError('enough');
    const failing = () => {
      throw thrown;
    };
    await expect(HnswIndex.build(matrix, { metric: 'l2', onProgress: failing })).rejects.toBe(thrown);
    const index = await FlatIndex.build(matrix, { metric: 'l2' });
    await expect(index.searchBatch(matrix, 5, { onProgress: failing })).rejects.toBe(thrown);
    index.close();
  });

  test('one signal stops many tasks at once, and Node has no leak to warn of', async () => {
    const warnings: string[] = [];
    const note = ({ name }: Error) => warnings.push(name);
    process.on('warning', note);
    const abort = new AbortController();
    const { signal } = abort;
    const builds = Array.from({ length: 12 }, () => HnswIndex.build(matrix, { metric: 'l2', signal }));
    const settled = Promise.allSettled(builds);
    abort.abort(new Error('no more'));
    for (const result of await settled) expect(result).toMatchObject({ reason: { code: 'ABORTED' } });
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  test('a native error carries the caller in its stack and the native error as its cause', async () => {
    const index = await FlatIndex.build(matrix, { metric: 'l2' });
    async function askingForTooMuch() {
      await index.search(new Float32Array(5), 1);
    }
    const error: unknown = await askingForTooMuch().catch((reason: unknown) => reason);
    index.close();
    expect(error).toMatchObject({
      name: 'NighError',
      code: 'DIMENSION_MISMATCH',
      cause: { code: 'DIMENSION_MISMATCH' },
    });
    expect(error instanceof Error ? error.stack : '').toContain('askingForTooMuch');
  });

  test('a long task does not hold up a search', async () => {
    const index = await FlatIndex.build(clustered(100, 8, 32), { metric: 'l2' });
    let built = false;
    // Enough work for every thread, more than once.
    const building = Promise.all(Array.from({ length: 4 }, () => HnswIndex.build(matrix, { metric: 'l2' }))).then(
      (indexes) => {
        built = true;
        for (const each of indexes) each.close();
      },
    );
    for (let i = 0; i < 20; i++) await index.search(new Float32Array(8), 3);
    await index.searchBatch({ data: new Float32Array(80), rows: 10, dim: 8 }, 3);
    expect(built).toBe(false);
    await building;
    index.close();
  });
});

import { availableParallelism } from 'node:os';
import { describe, expect, test, vi } from 'vitest';
import { HnswIndex } from '../../src/index/index.js';
import type { SearchOptions } from '../../src/index/vector-index.js';
import { searchAtOnce } from '../../src/retrieval/search-at-once.js';

const dim = 32;
const rows = 2000;
/** Seeded, so that a failure can be repeated. */
function vectors(): Float32Array {
  let seed = 7;
  return Float32Array.from({ length: rows * dim }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed / 2 ** 31 - 1;
  });
}
const data = vectors();
const build = () => HnswIndex.build({ data, rows, dim }, { metric: 'l2' });
const query = (row: number) => data.subarray(row * dim, (row + 1) * dim);

describe('a search that runs where it is quickest', () => {
  test('gives what the index gives, wherever it ran', async () => {
    using index = await build();
    for (const options of [{}, { efSearch: 50 }, { efSearch: 1500 }, { exact: true }] satisfies SearchOptions[]) {
      for (let row = 0; row < 20; row++) {
        expect(await searchAtOnce(index, query(row), 5, options)).toEqual(await index.search(query(row), 5, options));
      }
    }
  });

  test('runs at once where it is short, in the pool where it is long', async () => {
    using index = await build();
    const next = () => new Promise((resolve) => setTimeout(resolve, 5));
    await next();
    expect(searchAtOnce(index, query(1), 5, { efSearch: 20 })).not.toBeInstanceOf(Promise);
    await next();
    const long = searchAtOnce(index, query(1), 5, { efSearch: 10_000 });
    expect(long).toBeInstanceOf(Promise);
    await long;
  });

  test('one turn of the event loop searches no longer than its budget', async () => {
    using index = await build();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const answers = Array.from({ length: 2000 }, (_, row) => searchAtOnce(index, query(row), 10, { efSearch: 64 }));
    expect(answers[0]).not.toBeInstanceOf(Promise);
    expect(answers.at(-1)).toBeInstanceOf(Promise);
    const found = await Promise.all(answers);
    found.forEach(({ ids }, row) => {
      expect(ids[0]).toBe(row);
    });
  });

  test('of many at once, a few wait and the other cores get a share of the rest', async () => {
    using index = await build();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const alone = Array.from({ length: 200 }, (_, row) => index.searchSync(query(row), 10, {}));
    const inPool = vi.spyOn(index, 'search');
    const { signal } = new AbortController();
    let now = 0;
    // Every search takes an eighth of a millisecond by this clock.
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 1 / 16));
    const searches = Array.from({ length: 200 }, (_, row) => searchAtOnce(index, query(row), 10, { signal }));
    clock.mockRestore();
    expect(inPool).toHaveBeenCalledTimes(Math.min(190, 16 * (availableParallelism() - 1)));
    expect(await Promise.all(searches)).toEqual(alone);
  });

  test('a signal that aborts while searches wait or are in the pool is heeded', async () => {
    using index = await build();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const stop = new AbortController();
    const searches = Array.from({ length: 400 }, async (_, row) =>
      searchAtOnce(index, query(row), 10, { efSearch: 300, signal: stop.signal }),
    );
    stop.abort();
    const settled = await Promise.allSettled(searches);
    expect(settled[0]?.status).toBe('fulfilled');
    expect(settled.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'ABORTED' } });
  });

  test('a signal that was aborted is heeded', async () => {
    using index = await build();
    const search = searchAtOnce(index, query(1), 5, { signal: AbortSignal.abort() });
    await expect(search).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('a closed index says so', async () => {
    const index = await build();
    index.close();
    await expect(async () => searchAtOnce(index, query(1), 5, {})).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

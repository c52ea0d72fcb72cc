import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HnswIndex } from '../../src/index/hnsw-index.js';
import { openIndex } from '../../src/index/open-index.js';
import { expectCode, expectSame } from '../contract/expectations.js';
import { clustered, rowOf, scatteredIds } from '../contract/matrices.js';
import { nearest, recall } from '../contract/oracle.js';
import { temporaryDirectory } from '../contract/subjects.js';

const matrix = clustered(1500, 20, 41);
const halves = {
  first: { data: matrix.data.subarray(0, 700 * 20), rows: 700, dim: 20 },
  second: { data: matrix.data.subarray(700 * 20), rows: 800, dim: 20 },
};

describe('HnswIndex', () => {
  const directory = temporaryDirectory();

  test('the same seed on one thread gives the same bytes; another seed gives others', async () => {
    const bytesOf = async (seed: number, name: string) => {
      using index = await HnswIndex.build(matrix, { metric: 'l2', seed, threads: 1 });
      await index.save(join(directory, name));
      return readFileSync(join(directory, name));
    };
    const first = await bytesOf(7, 'a.ann');
    expect((await bytesOf(7, 'b.ann')).equals(first)).toBe(true);
    expect((await bytesOf(8, 'c.ann')).equals(first)).toBe(false);
  });

  test('the parameters are those that were given, after a file too; defaults are the documented ones', async () => {
    using plain = await HnswIndex.build(matrix, { metric: 'ip' });
    expect(plain.params).toMatchObject({ M: 32, efConstruction: 200, seed: 42, quantization: 'sq8' });
    expect(plain.params.alpha).toBeCloseTo(1.1, 6);
    expect(plain.efSearch).toBe(64);
    using tuned = await HnswIndex.build(matrix, {
      metric: 'l2',
      M: 24,
      efConstruction: 90,
      alpha: 1.25,
      seed: 2 ** 50,
      quantization: 'none',
      efSearch: 33,
    });
    await tuned.save(join(directory, 'params.ann'));
    using opened = await openIndex(join(directory, 'params.ann'), { efSearch: 21 });
    expect(tuned.efSearch).toBe(33);
    expect(opened.efSearch).toBe(21);
    for (const index of [tuned, opened]) {
      expect(index instanceof HnswIndex ? index.params : {}).toEqual({
        M: 24,
        efConstruction: 90,
        alpha: 1.25,
        seed: 2 ** 50,
        quantization: 'none',
      });
    }
  });

  test.each<[string, object]>([
    ['M of 1', { M: 1 }],
    ['M of 257', { M: 257 }],
    ['efConstruction of 0', { efConstruction: 0 }],
    ['alpha below 1', { alpha: 0.9 }],
    ['a negative seed', { seed: -1 }],
    ['an unknown quantization', { quantization: 'pq' }],
    ['threads of −1', { threads: -1 }],
    ['efSearch of 0', { efSearch: 0 }],
    ['onProgress that is no function', { onProgress: 5 }],
  ])('%s is refused', async (_, option) => {
    await expectCode(HnswIndex.build(matrix, { metric: 'l2', ...option }), 'INVALID_ARGUMENT');
  });

  test('vectors that were added are found like those that were built', async () => {
    const ids = scatteredIds(1500);
    using index = await HnswIndex.build(halves.first, { metric: 'cosine', ids: ids.slice(0, 700) });
    const before = index.memoryBytes;
    await index.add(halves.second, ids.slice(700));
    expect(index.size).toBe(1500);
    expect(index.memoryBytes).toBeGreaterThan(before);
    let sum = 0;
    for (let r = 0; r < 60; r++) {
      const query = rowOf(clustered(60, 20, 42), r);
      sum += recall(
        index.searchSync(query, 10, { efSearch: 100 }).ids,
        nearest({ matrix, metric: 'cosine', ids }, query, 10),
      );
    }
    expect(sum / 60).toBeGreaterThanOrEqual(0.95);
    for (const r of [0, 699, 700, 1499]) expect(index.searchSync(rowOf(matrix, r), 1).ids[0]).toBe(ids[r]);
    await index.save(join(directory, 'grown.ann'));
    using opened = await openIndex(join(directory, 'grown.ann'), { mode: 'mmap' });
    expectSame(await opened.search(rowOf(matrix, 3), 10), await index.search(rowOf(matrix, 3), 10));
  });

  test('an add that fails leaves the index as it was', async () => {
    using index = await HnswIndex.build(halves.first, { metric: 'cosine' });
    const before = index.searchSync(rowOf(matrix, 5), 20);
    const two = { data: matrix.data.slice(0, 40), rows: 2, dim: 20 };
    const withNaN = { ...two, data: two.data.map((value, at) => (at === 25 ? Number.NaN : value)) };
    await expectCode(index.add(two, [800, 699]), 'DUPLICATE_ID');
    await expectCode(index.add(two, [800, 800]), 'DUPLICATE_ID');
    await expectCode(index.add(two, [800]), 'INVALID_ARGUMENT');
    await expectCode(index.add(two, [800, 0xffffffff]), 'INVALID_ARGUMENT');
    await expectCode(index.add({ ...two, rows: 4, dim: 10 }, [800, 801, 802, 803]), 'DIMENSION_MISMATCH');
    await expectCode(index.add(withNaN, [800, 801]), 'NOT_FINITE');
    await expectCode(index.add({ ...two, data: new Float32Array(40) }, [800, 801]), 'ZERO_VECTOR');
    await expectCode(index.add(two, [800, 801], { signal: AbortSignal.abort() }), 'ABORTED');
    await expectCode(index.add(two, [800, 801], { thread: 1 } as object), 'UNKNOWN_OPTION');
    expect(index.size).toBe(700);
    expectSame(index.searchSync(rowOf(matrix, 5), 20), before);
    await index.add(two, [800, 801]);
    expect(index.size).toBe(702);
  });

  test('an add that is aborted under way leaves an index that answers as before', async () => {
    using index = await HnswIndex.build(halves.first, { metric: 'l2' });
    const query = rowOf(matrix, 5);
    const before = index.searchSync(query, 20, { exact: true });
    const controller = new AbortController();
    const adding = index.add(
      halves.second,
      Uint32Array.from({ length: 800 }, (_, r) => 700 + r),
      { signal: controller.signal },
    );
    setImmediate(() => controller.abort());
    const outcome = await adding.then(
      () => 'added',
      (error: { code: string }) => error.code,
    );
    // Either it was too late, and all are in, or none is.
    if (outcome === 'added') expect(index.size).toBe(1500);
    else {
      expect(outcome).toBe('ABORTED');
      expect(index.size).toBe(700);
      expectSame(index.searchSync(query, 20, { exact: true }), before);
      expect(index.searchSync(rowOf(matrix, 600), 1).ids[0]).toBe(600);
    }
  });

  test('searches while vectors are added see the index before or after, and nothing between', async () => {
    using index = await HnswIndex.build(halves.first, { metric: 'l2' });
    const adds = [];
    for (let part = 0; part < 8; part++) {
      const rows = { data: halves.second.data.subarray(part * 2000, (part + 1) * 2000), rows: 100, dim: 20 };
      adds.push(
        index.add(
          rows,
          Uint32Array.from({ length: 100 }, (_, r) => 700 + part * 100 + r),
        ),
      );
    }
    let adding = true;
    const added = Promise.all(adds).finally(() => {
      adding = false;
    });
    const sizes = new Set<number>();
    while (adding) {
      sizes.add(index.size);
      const { ids, distances } = await index.search(rowOf(matrix, 20), 10);
      expect(ids[0]).toBe(20);
      expect(distances[0]).toBe(0);
      expect(new Set(ids).size).toBe(10);
    }
    await added;
    expect(index.size).toBe(1500);
    for (const size of sizes) expect((size - 700) % 100).toBe(0);
    for (let r = 0; r < 1500; r += 50) expect(index.searchSync(rowOf(matrix, r), 1).ids[0]).toBe(r);
  });
});

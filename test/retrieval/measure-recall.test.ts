import { describe, expect, it } from 'vitest';
import { gatherRows, type Matrix } from '../../src/core/matrix.js';
import { FlatIndex } from '../../src/index/flat-index.js';
import type { BatchResult, VectorIndex } from '../../src/index/vector-index.js';
import { measureRecall } from '../../src/retrieval/measure-recall.js';
import { sampleRows } from '../../src/retrieval/sample-rows.js';
import { seeded } from '../embeddings/support.js';

function randomMatrix(rows: number, dim: number): Matrix {
  const random = seeded(9);
  return { data: Float32Array.from({ length: rows * dim }, () => random() - 0.5), rows, dim };
}

/** An index that answers as another does, but for what `spoil` makes of a batch. */
function spoiled(index: VectorIndex, spoil: (batch: BatchResult, k: number) => BatchResult): VectorIndex {
  return Object.assign(Object.create(index) as VectorIndex, {
    searchBatch: async (...args: Parameters<VectorIndex['searchBatch']>) =>
      spoil(await index.searchBatch(...args), args[1]),
  });
}

describe('measureRecall', () => {
  const matrix = randomMatrix(300, 6);
  const ordinals = Uint32Array.from({ length: 300 }, (_, r) => 2 * r);
  const sampled = sampleRows(300, 200, 1);
  const queries = gatherRows(matrix, sampled);
  const self = sampled.map((r) => ordinals[r]!);
  const build = () => FlatIndex.build(matrix, { metric: 'cosine', ids: ordinals });

  it('is 1 for an exact index, whether or not the queries are stored themselves', async () => {
    const index = await build();
    expect(await measureRecall(index, { matrix, ordinals }, queries, self, { k: 10 })).toEqual({
      recall: 1,
      queries: 200,
    });
    const others = randomMatrix(20, 6);
    expect(await measureRecall(index, { matrix, ordinals }, others, undefined, { k: 10 })).toEqual({
      recall: 1,
      queries: 20,
    });
  });

  it('is the share of true neighbours that an index finds', async () => {
    // The index loses the last three neighbours of every query.
    const lossy = spoiled(await build(), (batch) => ({ ...batch, counts: batch.counts.map((count) => count - 3) }));
    const { recall } = await measureRecall(lossy, { matrix, ordinals }, queries, self, { k: 10 });
    expect(recall).toBeCloseTo(0.7, 10);
  });

  it('does not count the query itself as a neighbour found', async () => {
    const onlySelf = spoiled(await build(), (batch) => ({ ...batch, counts: batch.counts.map(() => 1) }));
    expect((await measureRecall(onlySelf, { matrix, ordinals }, queries, self, { k: 10 })).recall).toBe(0);
  });

  it('counts rows that the index lost', async () => {
    const half = { data: matrix.data.slice(0, 150 * 6), rows: 150, dim: 6 };
    const index = await FlatIndex.build(half, { metric: 'cosine', ids: ordinals.slice(0, 150) });
    const { recall } = await measureRecall(index, { matrix, ordinals }, queries, self, { k: 10 });
    expect(recall).toBeGreaterThan(0.3);
    expect(recall).toBeLessThan(0.7);
  });

  it('does not punish a choice among neighbours that are equally near', async () => {
    // Five places, forty items at each.
    const data = new Float32Array(200 * 2).map((_, i) =>
      i % 2 === 0 ? Math.cos(Math.floor(i / 80)) : Math.sin(Math.floor(i / 80)),
    );
    const same = { data, rows: 200, dim: 2 };
    const numbered = Uint32Array.from({ length: 200 }, (_, r) => r);
    const backwards = numbered.map((r) => 199 - r);
    const index = await FlatIndex.build(
      { ...same, data: gatherRows(same, backwards).data },
      { metric: 'cosine', ids: numbered.map((r) => Math.floor((199 - r) / 40) * 40 + (r % 40)) },
    );
    const { recall } = await measureRecall(index, { matrix: same, ordinals: numbered }, same, numbered, { k: 10 });
    expect(recall).toBe(1);
  });

  it('is 1 of nothing to find, and stops at a signal', async () => {
    const one = { data: Float32Array.of(1, 0), rows: 1, dim: 2 };
    const ids = Uint32Array.of(0);
    const index = await FlatIndex.build(one, { metric: 'cosine', ids });
    expect((await measureRecall(index, { matrix: one, ordinals: ids }, one, ids, { k: 10 })).recall).toBe(1);
    const options = { k: 10, signal: AbortSignal.abort() };
    await expect(measureRecall(index, { matrix: one, ordinals: ids }, one, ids, options)).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

describe('sampleRows', () => {
  it('draws distinct rows in order, evenly, the same for the same seed', () => {
    expect([...sampleRows(5, 10, 1)]).toEqual([0, 1, 2, 3, 4]);
    const drawn = sampleRows(1000, 100, 7);
    expect(drawn).toHaveLength(100);
    expect([...drawn]).toEqual([...new Set(drawn)].sort((a, b) => a - b));
    expect(sampleRows(1000, 100, 7)).toEqual(drawn);
    expect(sampleRows(1000, 100, 8)).not.toEqual(drawn);
    const hits = new Float64Array(10);
    for (let seed = 0; seed < 500; seed++)
      for (const r of sampleRows(1000, 100, seed)) hits[Math.floor(r / 100)]! += 1 / 500;
    for (const mean of hits) expect(Math.abs(mean - 10)).toBeLessThan(0.7);
  });
});

import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { IdSet } from '../../src/index/id-set.js';
import { inspectIndex } from '../../src/index/inspect-index.js';
import { openIndex } from '../../src/index/open-index.js';
import { SparseIndex } from '../../src/index/sparse-index.js';
import { rowOfBatch } from '../contract/expectations.js';
import { temporaryDirectory } from '../contract/subjects.js';

const cols = 40;

/** Rows of small whole numbers, so that many are alike and many have nothing in common. */
const rowsOf = (maxLength: number) =>
  fc.array(
    fc.dictionary(fc.integer({ min: 0, max: cols - 1 }).map(String), fc.integer({ min: 1, max: 3 }), {
      minKeys: 1,
      maxKeys: 5,
    }),
    {
      minLength: 1,
      maxLength,
    },
  );

type SparseRow = Readonly<Record<string, number>>;

function csr(rows: readonly SparseRow[]): CsrMatrix {
  const triplets = rows.flatMap((row, r) => Object.entries(row).map(([column, value]) => [r, Number(column), value]));
  return CsrMatrix.fromTriplets(
    { rows: rows.length, cols },
    {
      rows: triplets.map(([r]) => r!),
      columns: triplets.map(([, column]) => column!),
      values: triplets.map(([, , value]) => value!),
    },
  );
}

/** The cosine in double precision, one pair at a time. */
function cosine(a: SparseRow, b: SparseRow): number {
  const length = (row: SparseRow) => Math.sqrt(Object.values(row).reduce((sum, value) => sum + value * value, 0));
  let dot = 0;
  for (const [column, value] of Object.entries(a)) dot += value * (b[column] ?? 0);
  return dot / (length(a) * length(b));
}

describe('SparseIndex', () => {
  test('finds the true nearest rows under every filter, ties by id', async () => {
    await fc.assert(
      fc.asyncProperty(
        rowsOf(60),
        rowsOf(4),
        fc.integer({ min: 1, max: 70 }),
        fc.option(fc.record({ ids: fc.uniqueArray(fc.integer({ min: 0, max: 80 })), deny: fc.boolean() })),
        fc.integer({ min: 0, max: 2 }),
        async (rows, queries, k, filter, threads) => {
          const ids = Uint32Array.from(rows, (_, r) => rows.length - r);
          using index = await SparseIndex.build(csr(rows), { metric: 'cosine', ids });
          const allowed = (id: number) => filter === null || filter.ids.includes(id) !== filter.deny;
          const set = filter === null ? undefined : filter.deny ? IdSet.deny(filter.ids) : IdSet.allow(filter.ids);
          const batch = await index.searchRows(csr(queries), k, { filter: set, threads });
          queries.forEach((query, q) => {
            const truth = rows
              .map((row, r) => ({ id: ids[r]!, distance: 1 - cosine(query, row) }))
              .filter(({ id }) => allowed(id))
              // Distances that differ in the last bits of a double are one distance.
              .sort((a, b) => (Math.abs(a.distance - b.distance) < 1e-9 ? a.id - b.id : a.distance - b.distance))
              .slice(0, k);
            const found = rowOfBatch(batch, q);
            expect(found.ids.length).toBe(truth.length);
            truth.forEach(({ distance }, i) => {
              expect(found.distances[i]).toBeCloseTo(distance, 5);
              if (i === 0 || found.distances[i]! > found.distances[i - 1]!) return;
              expect(found.ids[i]).toBeGreaterThan(found.ids[i - 1]!);
            });
            for (const [i, id] of found.ids.entries()) {
              expect(1 - cosine(query, rows[rows.length - id]!)).toBeCloseTo(found.distances[i]!, 5);
            }
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  test('rows that are equal tie exactly, over all blocks, with one thread and many', async () => {
    // Three kinds of rows, of which each fills a third of several blocks.
    const kinds: SparseRow[] = [{ 1: 1, 7: 3, 30: 0.1 }, { 1: 2, 9: 0.7 }, { 2: 1 }];
    const rows = Array.from({ length: 9_000 }, (_, r) => kinds[r % 3]!);
    using index = await SparseIndex.build(csr(rows), { metric: 'cosine' });
    for (const threads of [1, 2]) {
      const { ids } = await index.searchRows(csr([kinds[0]!, kinds[1]!]), 3_100, { threads });
      expect([...ids.subarray(0, 3_000)]).toEqual(Array.from({ length: 3_000 }, (_, i) => 3 * i));
      expect([...ids.subarray(3_000, 3_100)]).toEqual(Array.from({ length: 100 }, (_, i) => 3 * i + 1));
      expect([...ids.subarray(3_100, 6_100)]).toEqual(Array.from({ length: 3_000 }, (_, i) => 3 * i + 1));
    }
  });

  test('answers a dense question as a sparse one', async () => {
    const rows: SparseRow[] = [{ 0: 1 }, { 0: 1, 3: 1 }, { 5: 2 }];
    using index = await SparseIndex.build(csr(rows), { metric: 'cosine' });
    const query = new Float32Array(cols);
    query.set([2, 0, 0, 1]);
    const dense = await index.search(query, 3);
    const sparse = await index.searchRows(csr([{ 0: 2, 3: 1 }]), 3);
    expect(dense.ids).toEqual(sparse.ids);
    expect(dense.distances).toEqual(sparse.distances);
    expect(index.searchSync(query, 3).distances).toEqual(dense.distances);
  });

  test('has as many columns as a vocabulary may have words, also in its file', async () => {
    const path = join(temporaryDirectory(), 'wide.ann');
    const wide = new CsrMatrix(
      2,
      3_000_000,
      Uint32Array.of(0, 1, 2),
      Uint32Array.of(5, 2_999_999),
      Float32Array.of(1, 1),
    );
    using index = await SparseIndex.build(wide, { metric: 'cosine' });
    await index.save(path);
    expect(await inspectIndex(path)).toMatchObject({ kind: 'sparse', dim: 3_000_000, count: 2 });
    using opened = await openIndex(path, { mode: 'mmap', verify: true });
    expect((await (opened as SparseIndex).searchRows(wide, 1)).ids).toEqual(Uint32Array.of(0, 1));
  });

  test('refuses rows and queries that are not what they should be', async () => {
    const matrix = csr([{ 1: 1 }]);
    await expect(SparseIndex.build({} as CsrMatrix, { metric: 'cosine' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    const empty = new CsrMatrix(1, 3, Uint32Array.of(0, 0), new Uint32Array(), new Float32Array());
    await expect(SparseIndex.build(empty, { metric: 'cosine' })).rejects.toMatchObject({ code: 'ZERO_VECTOR' });
    const unordered = new CsrMatrix(1, 3, Uint32Array.of(0, 2), Uint32Array.of(2, 1), Float32Array.of(1, 1));
    await expect(SparseIndex.build(unordered, { metric: 'ip' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    using index = await SparseIndex.build(matrix, { metric: 'cosine' });
    await expect(index.searchRows(empty, 1)).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' });
    await expect(index.searchRows(matrix, 0)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const outside = new CsrMatrix(1, cols, Uint32Array.of(0, 1), Uint32Array.of(cols), Float32Array.of(1));
    await expect(index.searchRows(outside, 1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

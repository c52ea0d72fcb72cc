import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BitMatrix, bitBytes } from '../../src/core/matrix.js';
import { FlatIndex } from '../../src/index/flat-index.js';
import { HnswIndex } from '../../src/index/hnsw-index.js';
import { IdSet } from '../../src/index/id-set.js';
import { inspectIndex } from '../../src/index/inspect-index.js';
import { openIndex } from '../../src/index/open-index.js';
import type { SearchResult } from '../../src/index/vector-index.js';
import { expectCode } from '../contract/expectations.js';
import { scatteredIds, seeded } from '../contract/matrices.js';
import { temporaryDirectory } from '../contract/subjects.js';

type BitMetric = 'hamming' | 'jaccard';
type BitIndex = FlatIndex<Uint8Array> | HnswIndex<Uint8Array>;
interface Choice {
  readonly metric: BitMetric;
  readonly ids?: Uint32Array | undefined;
}

/** Rows around a few centres, each bit flipped with a chance: with few bits there are many ties and many equal rows. */
function bits(rows: number, dim: number, seed: number, flip = 0.15): BitMatrix {
  const random = seeded(seed);
  const bytes = bitBytes(dim);
  const data = new Uint8Array(rows * bytes);
  const centres = Array.from({ length: 12 }, () => Array.from({ length: dim }, () => random() < 0.3));
  for (let r = 0; r < rows; r++) {
    const centre = centres[Math.floor(random() * centres.length)]!;
    for (let i = 0; i < dim; i++) {
      if (centre[i] !== random() < flip) data[r * bytes + (i >> 3)]! |= 1 << (i & 7);
    }
  }
  return { data, rows, dim };
}

const rowOf = ({ data, dim }: BitMatrix, r: number) => data.slice(r * bitBytes(dim), (r + 1) * bitBytes(dim));

/** Bit by bit. */
function distance(metric: BitMetric, a: Uint8Array, b: Uint8Array): number {
  let [differing, both, either] = [0, 0, 0];
  for (let i = 0; i < a.length * 8; i++) {
    const [x, y] = [(a[i >> 3]! >> (i & 7)) & 1, (b[i >> 3]! >> (i & 7)) & 1];
    differing += x ^ y;
    both += x & y;
    either += x | y;
  }
  if (metric === 'hamming') return differing;
  return either === 0 ? 0 : Math.fround(1 - both / either);
}

function nearest(
  matrix: BitMatrix,
  { metric, ids }: Choice,
  query: Uint8Array,
  k: number,
  allowed = (_: number) => true,
) {
  return Array.from({ length: matrix.rows }, (_, r) => ({
    id: ids?.[r] ?? r,
    at: distance(metric, query, rowOf(matrix, r)),
  }))
    .filter(({ id }) => allowed(id))
    .sort((a, b) => a.at - b.at || a.id - b.id)
    .slice(0, k);
}

function expectTruth({ ids, distances }: Pick<SearchResult, 'ids' | 'distances'>, truth: ReturnType<typeof nearest>) {
  expect(Array.from(ids)).toEqual(truth.map(({ id }) => id));
  for (const [i, { at }] of truth.entries()) expect(distances[i]).toBeCloseTo(at, 6);
}

const directory = temporaryDirectory();
let files = 0;
async function reopened(built: BitIndex, mode: 'memory' | 'mmap'): Promise<BitIndex> {
  const path = join(directory, `${files++}.ann`);
  await built.save(path);
  built.close();
  return openIndex<Uint8Array>(path, { mode });
}

const engines: [string, (matrix: BitMatrix, choice: Choice) => Promise<BitIndex>][] = [
  ['FlatIndex', (matrix, choice) => FlatIndex.build(matrix, choice)],
  ['HnswIndex', (matrix, choice) => HnswIndex.build(matrix, choice)],
  ['FlatIndex, mapped', async (matrix, choice) => reopened(await FlatIndex.build(matrix, choice), 'mmap')],
  ['HnswIndex, mapped', async (matrix, choice) => reopened(await HnswIndex.build(matrix, choice), 'mmap')],
  ['HnswIndex, from its file', async (matrix, choice) => reopened(await HnswIndex.build(matrix, choice), 'memory')],
];

describe.each(engines)('bits in a %s', (_, build) => {
  test('exact answers are those of a loop over the bits, any size, ids, filter and k; batches and sync too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          rows: fc.integer({ min: 0, max: 60 }),
          dim: fc.integer({ min: 1, max: 150 }),
          k: fc.integer({ min: 1, max: 80 }),
          seed: fc.nat(),
          metric: fc.constantFrom<BitMetric>('hamming', 'jaccard'),
          scattered: fc.boolean(),
          filtered: fc.boolean(),
        }),
        async ({ rows, dim, k, seed, metric, scattered, filtered }) => {
          const matrix = bits(rows, dim, seed);
          const ids = scattered ? scatteredIds(rows) : undefined;
          using index = await build(matrix, { metric, ids });
          expect(index).toMatchObject({ size: rows, dim, metric });
          const allow = (id: number) => !filtered || id % 3 === 0;
          const listed = Array.from({ length: rows }, (_, r) => ids?.[r] ?? r).filter(allow);
          const filter = filtered ? IdSet.allow(listed) : undefined;
          const queries = bits(3, dim, seed + 1);
          const batch = await index.searchBatch(queries, k, { filter, exact: true });
          for (let r = 0; r < 3; r++) {
            const truth = nearest(matrix, { metric, ids }, rowOf(queries, r), k, allow);
            expectTruth(await index.search(rowOf(queries, r), k, { filter, exact: true }), truth);
            expectTruth(index.searchSync(rowOf(queries, r), k, { filter, exact: true }), truth);
            const count = batch.counts[r]!;
            expectTruth(
              { ids: batch.ids.slice(r * k, r * k + count), distances: batch.distances.slice(r * k, r * k + count) },
              truth,
            );
          }
          if (rows > 0) expect(index.vector(ids?.[rows - 1] ?? rows - 1)).toEqual(rowOf(matrix, rows - 1));
          expect(index.vector(0xfffffff0)).toBeUndefined();
        },
      ),
      { numRuns: 40 },
    );
  });

  test.each<[BitMetric, number]>([
    ['hamming', 256],
    ['jaccard', 256],
    ['hamming', 16],
    ['jaccard', 16],
  ])(
    'searches find rows as near as the nearest: %s of %i bits, where few bits make many ties and equal rows',
    async (metric, dim) => {
      const matrix = bits(4000, dim, 5);
      const queries = bits(60, dim, 5);
      using index = await build(matrix, { metric });
      let right = 0;
      for (let r = 0; r < queries.rows; r++) {
        const query = rowOf(queries, r);
        const truth = nearest(matrix, { metric }, query, 10);
        const { ids, distances } = await index.search(query, 10);
        expect(new Set(ids).size).toBe(10);
        for (const [i, id] of ids.entries()) {
          expect(distances[i]).toBeCloseTo(distance(metric, query, rowOf(matrix, id)), 6);
        }
        right += distances.filter((value) => value <= truth[9]!.at + 1e-6).length;
      }
      expect(right / (10 * queries.rows)).toBeGreaterThanOrEqual(0.95);
    },
  );

  test('bit 0 is the lowest of byte 0; empty sets are at distance 0 of each other and 1 of all others', async () => {
    const matrix = { data: Uint8Array.of(1, 0, 0, 1, 3, 0, 0, 0), rows: 4, dim: 9 };
    using hamming = await build(matrix, { metric: 'hamming' });
    expect(Array.from((await hamming.search(Uint8Array.of(3, 0), 4)).distances)).toEqual([0, 1, 2, 3]);
    using jaccard = await build(matrix, { metric: 'jaccard' });
    expectTruth(await jaccard.search(Uint8Array.of(0, 0), 4), [
      { id: 3, at: 0 },
      { id: 0, at: 1 },
      { id: 1, at: 1 },
      { id: 2, at: 1 },
    ]);
  });

  test('bits after the last, other lengths and other arrays are refused', async () => {
    const matrix = bits(20, 12, 1);
    using index = await build(matrix, { metric: 'hamming' });
    const as = <T>(value: unknown): T => value as T;
    await expectCode(index.search(Uint8Array.of(0, 16), 1), 'INVALID_ARGUMENT');
    await expectCode(index.search(new Uint8Array(3), 1), 'DIMENSION_MISMATCH');
    await expectCode(index.search(as(new Float32Array(12)), 1), 'INVALID_ARGUMENT');
    await expectCode(index.searchBatch({ data: Uint8Array.of(0, 16), rows: 1, dim: 12 }, 1), 'INVALID_ARGUMENT');
    await expectCode(index.searchBatch({ data: new Uint8Array(3), rows: 1, dim: 12 }, 1), 'DIMENSION_MISMATCH');
    await expectCode(index.searchBatch({ data: new Uint8Array(2), rows: 1, dim: 13 }, 1), 'DIMENSION_MISMATCH');
    await expectCode(index.searchBatch(as({ data: new Float32Array(12), rows: 1, dim: 12 }), 1), 'INVALID_ARGUMENT');
    await expectCode(
      build({ data: Uint8Array.of(0, 16), rows: 1, dim: 12 }, { metric: 'jaccard' }),
      'INVALID_ARGUMENT',
    );
    await expectCode(build({ data: new Uint8Array(3), rows: 1, dim: 12 }, { metric: 'jaccard' }), 'DIMENSION_MISMATCH');
    await expectCode(
      build(as({ data: new Float32Array(12), rows: 1, dim: 12 }), { metric: 'jaccard' }),
      'INVALID_ARGUMENT',
    );
    await expectCode(build(bits(20, 12, 1), { metric: as('l2') }), 'INVALID_ARGUMENT');
    expect((await index.search(rowOf(matrix, 3), 20)).ids).toContain(3);
    index.close();
    await expectCode(index.search(Uint8Array.of(0, 0), 1), 'CLOSED');
  });
});

describe('bits', () => {
  test('are added to while others search, all or nothing', async () => {
    const first = bits(1000, 40, 7);
    const second = bits(500, 40, 8);
    using index = await HnswIndex.build(first, { metric: 'jaccard' });
    const ids = Uint32Array.from({ length: 500 }, (_, r) => 1000 + r);
    await expectCode(index.add({ data: new Uint8Array(5).fill(255), rows: 1, dim: 39 }, [5000]), 'DIMENSION_MISMATCH');
    const adding = index.add(second, ids);
    await Promise.all(Array.from({ length: 20 }, (_, r) => index.search(rowOf(first, r), 5)));
    await adding;
    const { ids: found, distances } = await index.search(rowOf(second, 17), 50);
    expect(distances[0]).toBe(0);
    expect(found.some((id) => id >= 1000)).toBe(true);
  });

  test('a file says its metric, is as small as its bits, and is refused when a row has bits after its last', async () => {
    const matrix = bits(100, 70, 9);
    const path = join(directory, 'inspected.ann');
    using index = await FlatIndex.build(matrix, { metric: 'hamming' });
    await index.save(path);
    expect(await inspectIndex(path)).toMatchObject({ kind: 'flat', metric: 'hamming', dim: 70, count: 100 });
    expect((await inspectIndex(path)).sections).toContainEqual({ name: 'rows', bytes: 1600 });
    const bytes = readFileSync(path);
    bytes[bytes.length - 65] = 255;
    writeFileSync(path, bytes);
    await expectCode(openIndex(path), 'CHECKSUM_MISMATCH');
  });

  test('there is nothing to quantise', async () => {
    for (const quantization of ['sq8', 'f16'] as const) {
      await expectCode(HnswIndex.build(bits(5, 8, 1), { metric: 'hamming', quantization }), 'INVALID_ARGUMENT');
    }
    await expectCode(FlatIndex.build(bits(5, 8, 1), { metric: 'hamming', quantization: 'sq8' }), 'INVALID_ARGUMENT');
  });
});

describe('quantization', () => {
  const line = (scale: number) => ({
    data: Float32Array.from({ length: 80 }, (_, i) => (i + 1) * scale),
    rows: 20,
    dim: 4,
  });

  test('sq8 is for metrics made of products, and the default there', async () => {
    for (const metric of ['l1', 'chebyshev'] as const) {
      await expectCode(HnswIndex.build(line(1), { metric, quantization: 'sq8' }), 'INVALID_ARGUMENT');
      await expectCode(FlatIndex.build(line(1), { metric, quantization: 'sq8' }), 'INVALID_ARGUMENT');
      using index = await HnswIndex.build(line(1), { metric });
      expect(index.params.quantization).toBe('none');
    }
    using index = await HnswIndex.build(line(1), { metric: 'l2' });
    expect(index.params.quantization).toBe('sq8');
  });

  test('f16 refuses rows beyond its range or below it, at build and at add, and takes any query', async () => {
    await expectCode(HnswIndex.build(line(1e5), { metric: 'l2', quantization: 'f16' }), 'INVALID_ARGUMENT');
    await expectCode(HnswIndex.build(line(1e-9), { metric: 'l1', quantization: 'f16' }), 'INVALID_ARGUMENT');
    using index = await HnswIndex.build(line(1), { metric: 'l2', quantization: 'f16' });
    expect(index.params.quantization).toBe('f16');
    await expectCode(index.add({ data: Float32Array.of(1, 2, 3, 70_000), rows: 1, dim: 4 }, [99]), 'INVALID_ARGUMENT');
    expect(index.size).toBe(20);
    expect((await index.search(Float32Array.of(1e6, 1e6, 1e6, 1e6), 1)).ids[0]).toBe(19);
    using directions = await HnswIndex.build(line(1e5), { metric: 'cosine', quantization: 'f16' });
    expect(directions.size).toBe(20);
  });
});

/** Files of hnswlib, read and written, against the real library. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import hnswlibNode from 'hnswlib-node';
import { describe, expect, test } from 'vitest';
import type { Matrix } from '../../src/core/matrix.js';
import { FlatIndex } from '../../src/index/flat-index.js';
import { HnswIndex } from '../../src/index/hnsw-index.js';
import { openIndex } from '../../src/index/open-index.js';
import type { ProductMetricName } from '../../src/index/vector-index.js';
import { expectCode, expectSame, expectSound } from '../contract/expectations.js';
import { clustered, rowOf } from '../contract/matrices.js';
import { temporaryDirectory } from '../contract/subjects.js';

const { HierarchicalNSW } = hnswlibNode;
const directory = temporaryDirectory();
const path = (name: string) => join(directory, name);
const dim = 12;
const matrix = clustered(2000, dim, 7);
const queries = clustered(100, dim, 7);
const metrics: ProductMetricName[] = ['l2', 'cosine', 'ip'];

function hnswlibOf({ data, rows, dim }: Matrix, metric: ProductMetricName, label = (r: number) => r, room = rows) {
  const graph = new HierarchicalNSW(metric, dim);
  graph.initIndex({ maxElements: room, m: 16, efConstruction: 200, randomSeed: 3 });
  for (let r = 0; r < rows; r++) graph.addPoint(Array.from(data.subarray(r * dim, (r + 1) * dim)), label(r));
  return graph;
}

/** Entry point, top level, and the links of every element on every level. What lies in a list behind its links means nothing. */
function linksOf(file: string): unknown {
  const bytes = readFileSync(file);
  const [count, elementBytes, maxM] = [16, 24, 56].map((at) => Number(bytes.readBigUInt64LE(at)));
  const list = (at: number) =>
    Array.from({ length: bytes.readUInt16LE(at) }, (_, i) => bytes.readUInt32LE(at + 4 + i * 4));
  const elements = Array.from({ length: count! }, (_, r) => [list(96 + r * elementBytes!)]);
  let at = 96 + count! * elementBytes!;
  for (const lists of elements) {
    const end = at + 4 + bytes.readUInt32LE(at);
    for (at += 4; at < end; at += 4 + 4 * maxM!) lists.push(list(at));
  }
  return { maxLevel: bytes.readInt32LE(48), entry: bytes.readUInt32LE(52), elements };
}

/** Share of the true ten neighbours of the queries that `ask` finds. */
async function recallOf(
  truth: Matrix,
  metric: ProductMetricName,
  ask: (query: Float32Array) => Promise<ArrayLike<number>>,
): Promise<number> {
  using exact = await FlatIndex.build(truth, { metric });
  let hits = 0;
  for (let q = 0; q < queries.rows; q++) {
    const query = rowOf(queries, q);
    const wanted = new Set((await exact.search(query, 10)).ids);
    for (const id of Array.from(await ask(query))) if (wanted.has(id)) hits++;
  }
  return hits / queries.rows / 10;
}

describe('importHnswlib', () => {
  test.each(metrics)('gives an index that finds what hnswlib finds, with true distances: %s', async (metric) => {
    const graph = hnswlibOf(matrix, metric);
    const file = path(`import-${metric}.bin`);
    graph.writeIndexSync(file);
    using index = await HnswIndex.importHnswlib(file, { metric, dim });
    expect(index).toMatchObject({ kind: 'hnsw', metric, dim, size: matrix.rows });
    expect(index.params).toMatchObject({ M: 16, efConstruction: 200, quantization: 'sq8' });
    graph.setEf(64);
    const theirs = await recallOf(matrix, metric, async (query) => graph.searchKnn(Array.from(query), 10).neighbors);
    const ours = await recallOf(matrix, metric, async (query) => (await index.search(query, 10)).ids);
    expect(ours).toBeGreaterThanOrEqual(theirs - 0.01);
    expect(ours).toBeGreaterThan(0.95);
    expectSound(await index.search(rowOf(queries, 0), 10), rowOf(queries, 0), { matrix, metric });
  });

  test('keeps the graph: written again, every list is the original one; rebuilt, it is another', async () => {
    const file = path('kept.bin');
    hnswlibOf(matrix, 'l2').writeIndexSync(file);
    using kept = await HnswIndex.importHnswlib(file, { metric: 'l2', quantization: 'none' });
    await kept.exportHnswlib(path('kept-again.bin'));
    expect(linksOf(path('kept-again.bin'))).toEqual(linksOf(file));
    using rebuilt = await HnswIndex.importHnswlib(file, { metric: 'l2', quantization: 'none', graph: 'rebuild' });
    await rebuilt.exportHnswlib(path('rebuilt.bin'));
    expect(linksOf(path('rebuilt.bin'))).not.toEqual(linksOf(file));
  });

  test('gives an index that takes further vectors, is saved and opened', async () => {
    const file = path('grows.bin');
    hnswlibOf(matrix, 'cosine', (r) => r * 3 + 1).writeIndexSync(file);
    using index = await HnswIndex.importHnswlib(file, { metric: 'cosine' });
    const more = clustered(500, dim, 8);
    await index.add(
      more,
      Uint32Array.from({ length: 500 }, (_, r) => 100_000 + r),
    );
    expect(index.size).toBe(2500);
    for (let r = 0; r < 500; r += 7) {
      expect((await index.search(rowOf(more, r), 1)).ids[0]).toBe(100_000 + r);
      expect((await index.search(rowOf(matrix, r), 1)).ids[0]).toBe(r * 3 + 1);
    }
    await index.save(path('grown.ann'));
    using opened = await openIndex(path('grown.ann'));
    expectSame(await opened.search(rowOf(queries, 1), 10), await index.search(rowOf(queries, 1), 10));
  });

  test('reaches every one of many equal vectors, which hnswlib links to each other only', async () => {
    const rows = 600;
    const equal = { data: Float32Array.from({ length: rows * 2 }, (_, at) => Math.floor(at / 400) * 10), rows, dim: 2 };
    const file = path('equal.bin');
    hnswlibOf(equal, 'l2').writeIndexSync(file);
    using index = await HnswIndex.importHnswlib(file, { metric: 'l2' });
    const { ids, stats } = await index.search(Float32Array.of(0, 0), 250, { efSearch: 290 });
    expect(stats.plan).toBe('graph');
    expect(Array.from(ids.slice(0, 200))).toEqual(Array.from({ length: 200 }, (_, r) => r));
    expect(new Set(ids).size).toBe(250);
  });

  test('leaves deleted elements out and finds the others', async () => {
    const graph = hnswlibOf(matrix, 'l2');
    for (let r = 0; r < matrix.rows; r += 3) graph.markDelete(r);
    graph.writeIndexSync(path('deleted.bin'));
    using index = await HnswIndex.importHnswlib(path('deleted.bin'), { metric: 'l2' });
    expect(index.size).toBe(matrix.rows - Math.ceil(matrix.rows / 3));
    expect(index.vector(0)).toBeUndefined();
    for (let r = 1; r < matrix.rows; r += 3) expect((await index.search(rowOf(matrix, r), 1)).ids[0]).toBe(r);
    graph.unmarkDelete(0);
    for (let r = 1; r < matrix.rows; r++) if (r % 3 !== 0) graph.markDelete(r);
    graph.markDelete(0);
    graph.writeIndexSync(path('all-deleted.bin'));
    using nothing = await HnswIndex.importHnswlib(path('all-deleted.bin'), { metric: 'l2' });
    expect(nothing.size).toBe(0);
  });

  test('an index with room for more, an empty one and one of a single vector', async () => {
    hnswlibOf(matrix, 'l2', undefined, 5000).writeIndexSync(path('room.bin'));
    using index = await HnswIndex.importHnswlib(path('room.bin'), { metric: 'l2' });
    expect(index.size).toBe(matrix.rows);
    const empty = new HierarchicalNSW('l2', 4);
    empty.initIndex(10);
    empty.writeIndexSync(path('empty.bin'));
    using none = await HnswIndex.importHnswlib(path('empty.bin'), { metric: 'l2' });
    expect([none.size, none.dim]).toEqual([0, 4]);
    await none.add({ data: Float32Array.of(1, 2, 3, 4), rows: 1, dim: 4 }, [9]);
    expect(Array.from((await none.search(Float32Array.of(0, 0, 0, 0), 3)).ids)).toEqual([9]);
    hnswlibOf({ data: Float32Array.of(1, 2), rows: 1, dim: 2 }, 'l2').writeIndexSync(path('one.bin'));
    using one = await HnswIndex.importHnswlib(path('one.bin'), { metric: 'l2' });
    expect(Array.from((await one.search(Float32Array.of(1, 2), 3)).ids)).toEqual([0]);
  });

  test('a file that Python wrote, with a deleted element and labels of its own', async () => {
    const golden = fileURLToPath(new URL('../data/golden/hnswlib-python.bin', import.meta.url));
    using index = await HnswIndex.importHnswlib(golden, { metric: 'cosine', dim: 8 });
    // Rows r = 0 … 39 of (r % 7, r % 5, r % 3, 1, r, 0, 1, 2) at unit length, labelled 100 + 2r; r = 5 is deleted.
    expect(index.size).toBe(39);
    expect(index.vector(110)).toBeUndefined();
    const query = Float32Array.of(9 % 7, 9 % 5, 9 % 3, 1, 9, 0, 1, 2);
    const { ids, distances } = await index.search(query, 3);
    expect(ids[0]).toBe(118);
    expect(distances[0]).toBeCloseTo(0, 6);
  });

  test('refuses what contradicts the file, and labels that are no ids', async () => {
    const file = path('refused.bin');
    hnswlibOf(matrix, 'l2').writeIndexSync(file);
    await expectCode(HnswIndex.importHnswlib(file, { metric: 'l2', dim: 13 }), 'DIMENSION_MISMATCH');
    await expectCode(HnswIndex.importHnswlib(file, { metric: 'cosine' }), 'INVALID_ARGUMENT');
    await expectCode(HnswIndex.importHnswlib(path('nowhere.bin'), { metric: 'l2' }), 'NOT_FOUND');
    await expectCode(HnswIndex.importHnswlib(directory, { metric: 'l2' }), 'IO');
    await expectCode(HnswIndex.importHnswlib(file, { metric: 'l2', M: 3 } as never), 'UNKNOWN_OPTION');
    const bytes = readFileSync(file);
    const label = Number(bytes.readBigUInt64LE(32)) + 96;
    bytes.writeBigUInt64LE(0xffffffffn, label);
    writeFileSync(file, bytes);
    await expectCode(HnswIndex.importHnswlib(file, { metric: 'l2' }), 'UNSUPPORTED');
    bytes.writeBigUInt64LE(1n, label);
    writeFileSync(file, bytes);
    await expectCode(HnswIndex.importHnswlib(file, { metric: 'l2' }), 'DUPLICATE_ID');
    bytes.writeBigUInt64LE(0n, label);
    bytes.writeFloatLE(Number.NaN, label - 4);
    writeFileSync(file, bytes);
    await expectCode(HnswIndex.importHnswlib(file, { metric: 'l2' }), 'NOT_FINITE');
  });

  test('stops when it is told to', async () => {
    const file = path('aborted.bin');
    hnswlibOf(matrix, 'l2').writeIndexSync(file);
    const signal = AbortSignal.abort();
    await expectCode(HnswIndex.importHnswlib(file, { metric: 'l2', signal }), 'ABORTED');
  });
});

describe('a damaged hnswlib file', () => {
  const small = clustered(60, 3, 5);
  const whole = () => {
    hnswlibOf(small, 'l2').writeIndexSync(path('whole.bin'));
    return readFileSync(path('whole.bin'));
  };
  /** Opens it and, where that succeeds, searches and adds: nothing may crash. */
  async function use(bytes: Buffer): Promise<string> {
    const file = path('damaged.bin');
    writeFileSync(file, bytes);
    try {
      using index = await HnswIndex.importHnswlib(file, { metric: 'l2' });
      for (let r = 0; r < 5; r++) await index.search(rowOf(small, r), 10);
      await index.add({ data: new Float32Array(index.dim), rows: 1, dim: index.dim }, [77_777]);
      return 'opened';
    } catch (error) {
      expect(error).toMatchObject({ name: 'NighError' });
      return (error as { code: string }).code;
    }
  }

  test('every byte of the header flipped is refused, or is a number that means nothing here', async () => {
    const bytes = whole();
    const opened: number[] = [];
    for (let at = 0; at < 96; at++) {
      for (const mask of [0xff, 0x01, 0x80]) {
        const damaged = Buffer.from(bytes);
        damaged[at] = damaged[at]! ^ mask;
        const code = await use(damaged);
        if (code === 'opened') opened.push(at);
        else if (code !== 'DIMENSION_MISMATCH') expect(['FORMAT', 'TRUNCATED']).toContain(code);
      }
    }
    // maxElements (8–15), mult (80–87) and efConstruction (88–95) do not describe the content.
    const meaningless = (at: number) => (at >= 8 && at < 16) || at >= 80;
    expect(opened.filter((at) => !meaningless(at))).toEqual([]);
  });

  test('cut short anywhere, or longer than its content', async () => {
    const bytes = whole();
    for (let length = 0; length < bytes.length; length += length < 200 ? 1 : 37) {
      expect(['FORMAT', 'TRUNCATED'], String(length)).toContain(await use(bytes.subarray(0, length)));
    }
    expect(await use(Buffer.concat([bytes, Buffer.alloc(1)]))).toBe('FORMAT');
  });

  test('links that lead out of the graph, to themselves, above a level, or are too many', async () => {
    const bytes = whole();
    const elementBytes = Number(bytes.readBigUInt64LE(24));
    const altered = (change: (copy: Buffer) => void) => {
      const copy = Buffer.from(bytes);
      change(copy);
      return use(copy);
    };
    expect(await altered((copy) => copy.writeUInt32LE(60, 96 + 4))).toBe('FORMAT');
    expect(await altered((copy) => copy.writeUInt32LE(0, 96 + 4))).toBe('FORMAT');
    expect(await altered((copy) => copy.writeUInt16LE(33, 96))).toBe('FORMAT');
    let at = 96 + 60 * elementBytes;
    const levels: number[] = [];
    const lists: number[] = [];
    for (let r = 0; r < 60; r++) {
      const size = bytes.readUInt32LE(at);
      levels.push(size / 68);
      lists.push(at + 4);
      at += 4 + size;
    }
    const high = levels.findIndex((level) => level > 0);
    const low = levels.indexOf(0);
    expect(
      await altered((copy) => {
        copy.writeUInt16LE(1, lists[high]!);
        copy.writeUInt32LE(low, lists[high]! + 4);
      }),
    ).toBe('FORMAT');
    expect(await altered((copy) => copy.writeUInt32LE(67, lists[high]! - 4))).toBe('FORMAT');
    // The entry point somewhere below the top.
    expect(await altered((copy) => copy.writeUInt32LE(low, 52))).toBe('FORMAT');
    expect(await altered((copy) => copy.writeInt32LE(levels[high]! + 1, 48))).toBe('FORMAT');
  });

  test('any byte replaced: refused, or searched without harm', async () => {
    const bytes = whole();
    for (let at = 96; at < bytes.length; at += 29) {
      const damaged = Buffer.from(bytes);
      damaged[at] = damaged[at]! ^ 0xff;
      await use(damaged);
    }
  });
});

describe('exportHnswlib', () => {
  test.each(metrics)('hnswlib opens the file and finds what the index finds: %s', async (metric) => {
    const ids = Uint32Array.from({ length: matrix.rows }, (_, r) => r);
    using index = await HnswIndex.build(matrix, { metric, ids, M: 16 });
    const file = path(`export-${metric}.bin`);
    const seen: number[] = [];
    await index.exportHnswlib(file, { onProgress: (done) => seen.push(done) });
    expect(seen.at(-1)).toBe(matrix.rows);
    const theirs = new HierarchicalNSW(metric, dim);
    theirs.readIndexSync(file);
    theirs.setEf(100);
    expect(theirs.getCurrentCount()).toBe(matrix.rows);
    const found = await recallOf(matrix, metric, async (query) => theirs.searchKnn(Array.from(query), 10).neighbors);
    expect(found).toBeGreaterThan(metric === 'ip' ? 0.9 : 0.98);
    const { neighbors, distances } = theirs.searchKnn(Array.from(rowOf(queries, 3)), 1);
    const best = await index.search(rowOf(queries, 3), 1);
    expect(neighbors[0]).toBe(best.ids[0]);
    expect(distances[0]! - (metric === 'ip' ? 1 : 0)).toBeCloseTo(best.distances[0]!, 4);
    theirs.resizeIndex(matrix.rows + 1);
    theirs.addPoint(Array.from(rowOf(queries, 3)), 70_000);
    expect(theirs.searchKnn(Array.from(rowOf(matrix, 5)), 10).neighbors.length).toBe(10);
  });

  test('many equal vectors are nodes that hnswlib reaches, each of them', async () => {
    const rows = 600;
    // Four groups of equal vectors among others.
    const data = matrix.data.slice(0, rows * dim);
    for (let r = 0; r < 240; r++) data.set(matrix.data.subarray((r % 4) * dim, (r % 4) * dim + dim), r * dim);
    using index = await HnswIndex.build({ data, rows, dim }, { metric: 'l2', M: 8 });
    await index.exportHnswlib(path('twins.bin'));
    const theirs = new HierarchicalNSW('l2', dim);
    theirs.readIndexSync(path('twins.bin'));
    theirs.setEf(rows);
    for (const r of [0, 1, 2, 3, 300, 555]) {
      const all = theirs.searchKnn(Array.from(data.subarray(r * dim, (r + 1) * dim)), rows).neighbors;
      expect(new Set(all).size).toBe(rows);
    }
    using back = await HnswIndex.importHnswlib(path('twins.bin'), { metric: 'l2' });
    expect(back.params.M).toBe(8);
    expect(new Set((await back.search(rowOf(matrix, 0), rows, { efSearch: rows })).ids).size).toBe(rows);
  });

  test('ids, an empty index and a single vector survive the way there and back', async () => {
    for (const rows of [0, 1, 5]) {
      const ids = Uint32Array.from({ length: rows }, (_, r) => 0xfffffffe - r * 1000);
      using index = await HnswIndex.build({ data: matrix.data.slice(0, rows * dim), rows, dim }, { metric: 'ip', ids });
      await index.exportHnswlib(path('few.bin'));
      const theirs = new HierarchicalNSW('ip', dim);
      theirs.readIndexSync(path('few.bin'));
      expect(theirs.getCurrentCount()).toBe(rows);
      using back = await HnswIndex.importHnswlib(path('few.bin'), { metric: 'ip' });
      expect([back.size, back.dim]).toEqual([rows, dim]);
      for (const id of ids) expect(back.vector(id)).toEqual(index.vector(id));
    }
  });

  test('an aborted export and one to nowhere leave nothing behind', async () => {
    using index = await HnswIndex.build(matrix, { metric: 'l2' });
    await expectCode(index.exportHnswlib(path('gone.bin'), { signal: AbortSignal.abort() }), 'ABORTED');
    expect(() => readFileSync(path('gone.bin'))).toThrow();
    await expectCode(index.exportHnswlib(path('no/such/folder.bin')), 'NOT_FOUND');
    index.close();
    await expectCode(index.exportHnswlib(path('gone.bin')), 'CLOSED');
  });
});

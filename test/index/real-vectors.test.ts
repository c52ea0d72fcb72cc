/** Real descriptors through files: what comes out is what went in, and is found as well as before. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import hnswlibNode from 'hnswlib-node';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Matrix } from '../../src/core/matrix.js';
import { readVectors, writeVectors } from '../../src/data/vector-files/registry.js';
import { FlatIndex } from '../../src/index/flat-index.js';
import { HnswIndex } from '../../src/index/hnsw-index.js';
import { rowOf } from '../contract/matrices.js';
import { temporaryDirectory } from '../contract/subjects.js';

const source = join(process.env.NIGH_DATA ?? '', 'sift-5k/sift-dataset-5k.tsv');
const there = existsSync(source);
if (!there) console.warn('Skipped: tests of real descriptors need NIGH_DATA with sift-5k.');

const directory = temporaryDirectory();
const path = (name: string) => join(directory, name);
const dim = 128;

describe.skipIf(!there)('SIFT descriptors', () => {
  let base: Matrix;
  let queries: Matrix;
  beforeAll(() => {
    // The last column is an id.
    const rows = readFileSync(source, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('\t').slice(0, dim).map(Number));
    const matrixOf = (part: number[][]) => ({ data: Float32Array.from(part.flat()), rows: part.length, dim });
    base = matrixOf(rows.slice(0, 4900));
    queries = matrixOf(rows.slice(4900));
  });

  test('are the same after every format: whole numbers from 0 to 255 fit them all', async () => {
    for (const ending of ['npy', 'fvecs', 'ivecs', 'bvecs', 'fbin', 'ibin', 'u8bin', 'parquet', 'hdf5', 'jsonl']) {
      await writeVectors(path(`sift.${ending}`), { matrix: base });
      const { matrix } = await readVectors(path(`sift.${ending}`));
      expect(Buffer.compare(Buffer.from(matrix.data.buffer), Buffer.from(base.data.buffer)), ending).toBe(0);
    }
  });

  test('an index of hnswlib answers here as there, and one of ours there as here', async () => {
    using exact = await FlatIndex.build(base, { metric: 'l2' });
    const truth = await exact.searchBatch(queries, 10);
    const recall = (found: (query: number) => ArrayLike<number>) => {
      let hits = 0;
      for (let q = 0; q < queries.rows; q++) {
        const wanted = new Set(truth.ids.subarray(q * 10, q * 10 + 10));
        hits += Array.from(found(q)).filter((id) => wanted.has(id)).length;
      }
      return hits / queries.rows / 10;
    };
    const byHnswlib = (file: string) => {
      const graph = new hnswlibNode.HierarchicalNSW('l2', dim);
      graph.readIndexSync(path(file));
      graph.setEf(64);
      return recall((q) => graph.searchKnn(Array.from(rowOf(queries, q)), 10).neighbors);
    };
    const byUs = (index: HnswIndex) => recall((q) => index.searchSync(rowOf(queries, q), 10, { efSearch: 64 }).ids);

    const graph = new hnswlibNode.HierarchicalNSW('l2', dim);
    graph.initIndex({ maxElements: base.rows, m: 16, efConstruction: 200, randomSeed: 1 });
    for (let r = 0; r < base.rows; r++) graph.addPoint(Array.from(rowOf(base, r)), r);
    graph.writeIndexSync(path('theirs.bin'));
    using imported = await HnswIndex.importHnswlib(path('theirs.bin'), { metric: 'l2' });
    expect(byUs(imported)).toBeGreaterThanOrEqual(byHnswlib('theirs.bin') - 0.005);

    using built = await HnswIndex.build(base, { metric: 'l2' });
    await built.exportHnswlib(path('ours.bin'));
    expect(byHnswlib('ours.bin')).toBeGreaterThanOrEqual(byUs(built) - 0.005);
    expect(byHnswlib('ours.bin')).toBeGreaterThan(0.98);
  });
});

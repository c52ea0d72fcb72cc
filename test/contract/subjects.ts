/** The engines that the contract is put to, each as built, as read from its file, and as mapped where it can be. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { CsrMatrix } from '../../src/core/csr-matrix.js';
import { type Matrix, requireMatrix } from '../../src/core/matrix.js';
import { FlatIndex } from '../../src/index/flat-index.js';
import { HnswIndex } from '../../src/index/hnsw-index.js';
import { HnswlibIndex } from '../../src/index/hnswlib-index.js';
import { openIndex } from '../../src/index/open-index.js';
import { SparseIndex } from '../../src/index/sparse-index.js';
import type { MetricName, VectorIndex } from '../../src/index/vector-index.js';

export interface BuildChoice {
  readonly metric: MetricName;
  readonly ids?: Uint32Array | undefined;
  readonly signal?: AbortSignal;
}

export interface Subject {
  readonly name: string;
  build(matrix: Matrix, options: BuildChoice): Promise<VectorIndex>;
  /** Whether its indexes can change; a mapped one refuses with READ_ONLY. Default: there is no such method. */
  readonly changes?: 'allowed' | 'READ_ONLY';
  /** How often a property is tried: fewer where an index costs a thread. */
  readonly runs: number;
}

export const flat: Subject = { name: 'FlatIndex', build: FlatIndex.build, changes: 'allowed', runs: 150 };

export const hnsw: Subject = {
  name: 'HnswIndex on float32 rows',
  build: (matrix, options) => HnswIndex.build(matrix, { ...options, quantization: 'none' }),
  changes: 'allowed',
  runs: 100,
};

export const hnswSq8: Subject = {
  name: 'HnswIndex on int8 codes',
  build: HnswIndex.build,
  changes: 'allowed',
  runs: 100,
};

export const hnswlib: Subject = { name: 'HnswlibIndex', build: HnswlibIndex.build, runs: 12 };

export const sparse: Subject = {
  name: 'SparseIndex',
  build: async (matrix, options) => {
    requireMatrix('matrix', matrix);
    return SparseIndex.build(toCsr(matrix), options);
  },
  runs: 100,
};

/** The entries of a dense matrix that are not zero. */
export function toCsr({ data, rows, dim }: Matrix): CsrMatrix {
  const entries = Array.from(data.keys()).filter((at) => data[at] !== 0);
  return CsrMatrix.fromTriplets(
    { rows, cols: dim },
    {
      rows: entries.map((at) => Math.floor(at / dim)),
      columns: entries.map((at) => at % dim),
      values: entries.map((at) => data[at]!),
    },
  );
}

/** The same engine, but every index went through a file. */
export function reopened(subject: Subject, mode: 'memory' | 'mmap'): Subject {
  const directory = temporaryDirectory();
  let files = 0;
  return {
    name: `${subject.name}, ${mode === 'memory' ? 'read from its file' : 'mapped'}`,
    runs: Math.ceil(subject.runs / 3),
    ...(subject.changes !== undefined && { changes: mode === 'mmap' ? 'READ_ONLY' : subject.changes }),
    build: async (matrix, options) => {
      const built = await subject.build(matrix, options);
      const path = join(directory, `${files++}.ann`);
      await built.save(path);
      built.close();
      return openIndex(path, { mode });
    },
  };
}

/** A directory that is removed after the tests of this file. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nigh-test-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

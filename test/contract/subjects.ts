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
import { type MetricName, productMetricNames, type VectorIndex } from '../../src/index/vector-index.js';

export interface BuildChoice {
  readonly metric: MetricName;
  readonly ids?: Uint32Array | undefined;
  readonly signal?: AbortSignal;
}

export interface Subject {
  readonly name: string;
  build(matrix: Matrix, options: BuildChoice): Promise<VectorIndex>;
  /** The metrics of float32 vectors that it has. */
  readonly metrics: readonly MetricName[];
  /** Whether its indexes can change; a mapped one refuses with READ_ONLY. Default: there is no such method. */
  readonly changes?: 'allowed' | 'READ_ONLY';
  /** The metrics under which they can change. Default: all. */
  readonly changing?: readonly MetricName[];
  /** Whether its indexes are files. Default true. */
  readonly files?: false;
  /** How often a property is tried: fewer where an index costs a thread. */
  readonly runs: number;
}

const floatMetrics = [...productMetricNames, 'l1', 'chebyshev'] as const;

export const flat: Subject = {
  name: 'FlatIndex',
  metrics: floatMetrics,
  build: FlatIndex.build,
  changes: 'allowed',
  changing: productMetricNames,
  runs: 150,
};

export const hnsw: Subject = {
  name: 'HnswIndex on float32 rows',
  metrics: floatMetrics,
  build: (matrix, options) => HnswIndex.build(matrix, { ...options, quantization: 'none' }),
  changes: 'allowed',
  runs: 100,
};

export const hnswSq8: Subject = {
  name: 'HnswIndex on int8 codes',
  metrics: productMetricNames,
  build: HnswIndex.build,
  changes: 'allowed',
  runs: 100,
};

export const hnswF16: Subject = {
  name: 'HnswIndex on half-precision codes',
  metrics: floatMetrics,
  build: (matrix, options) => HnswIndex.build(matrix, { ...options, quantization: 'f16' }),
  changes: 'allowed',
  runs: 50,
};

export const hnswlib: Subject = {
  name: 'HnswlibIndex',
  metrics: productMetricNames,
  build: HnswlibIndex.build,
  runs: 12,
};

export const sparse: Subject = {
  name: 'SparseIndex',
  metrics: productMetricNames,
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
    metrics: subject.metrics,
    ...(subject.changing !== undefined && { changing: subject.changing }),
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

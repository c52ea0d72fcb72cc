import { native } from '../binding/native.js';
import { callNative } from '../binding/native-error.js';
import { runTask, type TaskOptions } from '../binding/task.js';
import { throwIfAborted } from '../core/abort.js';
import { NighError } from '../core/errors.js';
import type { BitMatrix, Matrix, Vector } from '../core/matrix.js';
import { choice, type Field, integer, number, optional, readParams } from '../core/params.js';
import {
  type BuildOptions,
  buildFields,
  defaultQuantization,
  idsFor,
  onlyOneEffort,
  type QuantizationName,
  quantizationNames,
  recallField,
  requireVectors,
} from './build-options.js';
import { MutableNativeIndex } from './mutable-native-index.js';
import { requireDim, requirePath } from './search-arguments.js';
import type { IndexCapabilities } from './vector-index.js';

export interface HnswBuildOptions extends BuildOptions {
  /**
   * Links of a node on the upper layers, 2 to 256; layer 0 has twice as many, rounded up to a multiple of 16. More make
   * fewer and fatter hops: faster searches, a slower build, and 8 bytes more a vector for each. Default 32.
   */
  readonly M?: number | undefined;
  /**
   * Candidate pool while a node looks for its neighbours, 1 to 100,000. More gives a better graph and a slower build. Default 200.
   * In a build of 20,000 rows or more under l2 or cosine, and up to 1,000, a row is compared with those of efConstruction / 16
   * groups of near rows instead, and links to some of the nearest efConstruction · 8/25 (cosine: 10/25), which take 8 bytes each
   * meanwhile.
   */
  readonly efConstruction?: number | undefined;
  /**
   * From 1 to 2: above 1 a node keeps some longer links, which saves hops where there are links to spare. Default 1.1.
   */
  readonly alpha?: number | undefined;
  /** Of the levels, an integer from 0. The same seed on one thread gives the same bytes. Default 42. */
  readonly seed?: number | undefined;
  /**
   * What the traversal reads; true distances are given to the best in every case. `sq8`: int8 codes, up to twice as
   * fast on large catalogues, a quarter more memory; for l2, ip and cosine. `f16`: half-precision values, half more
   * memory, for vectors that int8 codes tell apart too coarsely, and for l1 and chebyshev; their largest value must be from
   * 6.2e-5 to 65,504 in magnitude. `none`: the vectors themselves; all there is for bits. Default `sq8` under l2, ip and
   * cosine, else `none`.
   */
  readonly quantization?: QuantizationName | undefined;
  /** Native threads to use, up to 1,024; 0 = all, which is the default. */
  readonly threads?: number | undefined;
  /** Candidate pool of a search that names none, 1 or more. Not stored in the file. Default 64. */
  readonly efSearch?: number | undefined;
  /**
   * Recall that a search aims at which names neither `recall` nor `efSearch`, above 0 and below 1; only one of the two may be
   * given here. Not stored in the file. Default: `efSearch` decides.
   */
  readonly recall?: number | undefined;
  /**
   * Questions like those that will be asked (at most 1,000 of them are used), by which the recall of every effort is measured
   * at the end of the build. Default: some of the rows themselves, linked last; under inner product also rows turned to where
   * rows are short, since users ask what items do not. Give them where questions are of another kind than rows: only these say
   * what such questions need, and the default may take too much effort for them, or, where they are like neither, miss `recall`.
   */
  readonly calibrationQueries?: Matrix | BitMatrix | undefined;
}

export interface HnswlibImportOptions
  extends TaskOptions,
    Pick<HnswBuildOptions, 'alpha' | 'seed' | 'quantization' | 'threads' | 'efSearch'> {
  /** What the vectors were compared by: the file does not say. */
  readonly metric: (typeof hnswlibMetrics)[number];
  /** Dimensions that the vectors must have. Default: whatever the file has. */
  readonly dim?: number | undefined;
  /**
   * `keep` takes the file's graph, and answers as hnswlib did; `rebuild` takes its vectors alone and builds the graph
   * anew, which takes as long as `build`. Default `rebuild` under `ip`, where this package's search wants links of
   * another kind and needs about twice the `efSearch` on hnswlib's; otherwise `keep`.
   */
  readonly graph?: 'keep' | 'rebuild' | undefined;
}

/** How a graph was built. */
export interface HnswParams {
  readonly M: number;
  readonly efConstruction: number;
  readonly alpha: number;
  readonly seed: number;
  readonly quantization: string;
}

export const defaultEfSearch = 64;

/** What hnswlib compares by. */
export const hnswlibMetrics = ['l2', 'ip', 'cosine'] as const;

/** Checked by requireVectors when the metric is known. */
const vectorsField: Field<Matrix | BitMatrix> = {
  optional: false,
  read: (value) => value as Matrix | BitMatrix,
};

const threads = integer({ min: 0, max: 1024, default: 0 });

const schema = {
  ...buildFields,
  M: integer({ min: 2, max: 256, default: 32 }),
  efConstruction: integer({ min: 1, max: 100_000, default: 200 }),
  alpha: number({ min: 1, max: 2, default: 1.1 }),
  seed: integer({ min: 0, default: 42 }),
  quantization: optional(choice(quantizationNames)),
  threads,
  efSearch: optional(integer({ min: 1 })),
  recall: optional(recallField),
  calibrationQueries: optional(vectorsField),
};

const importSchema = {
  metric: choice(hnswlibMetrics),
  dim: optional(integer({ min: 1, max: 65_536 })),
  graph: optional(choice(['keep', 'rebuild'])),
  alpha: schema.alpha,
  seed: schema.seed,
  quantization: schema.quantization,
  threads,
  efSearch: schema.efSearch,
  signal: schema.signal,
  onProgress: schema.onProgress,
};

const exportSchema = { signal: schema.signal, onProgress: schema.onProgress };

/**
 * Approximate search on a hierarchical navigable small-world graph (Malkov and Yashunin, "Efficient and robust
 * approximate nearest neighbor search using hierarchical navigable small world graphs", TPAMI 2020). The distances of
 * an answer are the true float32 ones; what may be missing is a neighbour, the less likely the larger `efSearch` is.
 */
export class HnswIndex<V extends Vector = Float32Array> extends MutableNativeIndex<V> {
  override readonly kind = 'hnsw';
  override readonly capabilities: IndexCapabilities = {
    sync: true,
    nativeFilter: true,
    mapped: true,
    range: true,
    exact: false,
    mutable: !this.native.readOnly,
  };

  /**
   * An index over the rows of `matrix` (rows × dim float32, copied), built off the event loop on all cores. The matrix
   * must neither change nor be transferred to another thread before the promise settles. Under cosine the rows are
   * stored at unit length. `onProgress` counts inserted rows.
   *
   * ```ts
   * const index = await HnswIndex.build({ data, rows: n, dim: 100 }, { metric: 'cosine' });
   * const { ids, distances } = await index.search(query, 10, { efSearch: 128 });
   * ```
   * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, DUPLICATE_ID,
   * ABORTED, OUT_OF_MEMORY
   */
  static build(matrix: Matrix, options: HnswBuildOptions): Promise<HnswIndex>;
  /** The same of bits (rows × dim), under hamming and jaccard. */
  static build(matrix: BitMatrix, options: HnswBuildOptions): Promise<HnswIndex<Uint8Array>>;
  static async build(matrix: Matrix | BitMatrix, options: HnswBuildOptions): Promise<HnswIndex<Vector>> {
    const { ids, calibrationQueries, efSearch, recall, ...rest } = readParams(schema, options, '');
    const {
      metric,
      M,
      efConstruction,
      alpha,
      seed,
      quantization = defaultQuantization(metric),
      threads,
      ...task
    } = rest;
    requireVectors('matrix', metric, matrix);
    onlyOneEffort(efSearch, recall);
    if (calibrationQueries !== undefined) {
      requireVectors('calibrationQueries', metric, calibrationQueries);
      requireDim('calibrationQueries', calibrationQueries.dim, matrix.dim);
    }
    const list = idsFor(matrix, ids);
    const index = await runTask(task, (control) =>
      native().NativeIndex.buildHnsw(
        matrix.data,
        matrix.rows,
        matrix.dim,
        list,
        metric,
        M,
        efConstruction,
        alpha,
        seed,
        quantization,
        calibrationQueries?.data ?? matrix.data.subarray(0, 0),
        calibrationQueries?.rows ?? 0,
        threads,
        control,
      ),
    );
    throwIfAborted(task.signal);
    return new HnswIndex(index, efSearch ?? defaultEfSearch, recall);
  }

  /**
   * Reads an index file that hnswlib wrote, in any of its languages. Labels become ids; elements that are marked as
   * deleted are left out. `M` and `efConstruction` come from the file, and its graph is kept (see `graph`), except that
   * elements that no link leads to get one. Where it cannot be kept (M above 256, or deleted elements, through which
   * the links of others lead) it is built anew. Everything is checked before it is used, but the file has no checksum: what was
   * altered into something valid is taken for true. `onProgress` counts elements.
   *
   * ```ts
   * const index = await HnswIndex.importHnswlib('index.bin', { metric: 'cosine' });
   * ```
   * @throws NighError NOT_FOUND, IO, FORMAT, TRUNCATED, DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR (cosine),
   * DUPLICATE_ID, UNSUPPORTED (a label above 4294967294), INVALID_ARGUMENT (also a vector whose length is not 1 under
   * cosine), UNKNOWN_OPTION, CAPACITY, ABORTED, OUT_OF_MEMORY
   */
  static async importHnswlib(path: string, options: HnswlibImportOptions): Promise<HnswIndex> {
    requirePath(path);
    const {
      metric,
      dim,
      graph,
      alpha,
      seed,
      quantization = defaultQuantization(metric),
      threads,
      efSearch,
      ...task
    } = readParams(importSchema, options, '');
    const index = await runTask(task, (control) =>
      native().NativeIndex.importHnswlib(
        path,
        metric,
        dim ?? 0,
        (graph ?? (metric === 'ip' ? 'rebuild' : 'keep')) === 'rebuild',
        alpha,
        seed,
        quantization,
        threads,
        control,
      ),
    );
    throwIfAborted(task.signal);
    return new HnswIndex(index, efSearch ?? defaultEfSearch);
  }

  /**
   * Writes a file that hnswlib opens, which appears whole or not at all: ids become labels, rows are of unit length
   * under cosine, and the graph is this one. Under `ip` the links of the upper layers are written on layer 0 too, since
   * hnswlib's search comes down with one vector alone; its lists are then longer. `onProgress` counts vectors.
   * @throws NighError IO, NOT_FOUND, UNSUPPORTED for another metric, CLOSED, INVALID_ARGUMENT, UNKNOWN_OPTION, ABORTED
   */
  async exportHnswlib(path: string, options: TaskOptions = {}): Promise<void> {
    requirePath(path);
    const task = readParams(exportSchema, options, '');
    if (!hnswlibMetrics.some((metric) => metric === this.metric)) {
      throw new NighError('UNSUPPORTED', `hnswlib compares by ${hnswlibMetrics.join(', ')}, not by ${this.metric}.`);
    }
    await runTask(task, (control) => this.native.exportHnswlib(path, control));
  }

  /** How the graph was built. @throws NighError CLOSED */
  get params(): HnswParams {
    const params = callNative(() => this.native.params);
    if (params === null) throw new NighError('INTERNAL', 'An hnsw index without parameters.');
    return params;
  }
}

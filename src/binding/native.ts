/**
 * The native addon: its interface as TypeScript sees it, and the one place that loads it.
 *
 * Every argument is passed explicitly: defaults live in the layers above. What the addon throws, or rejects with, is an
 * Error with a `code`; see native-error.ts. A function that gives a promise works off the event loop. Typed arrays are
 * not copied: they must neither change nor be transferred to another thread before the promise settles.
 */
import { createRequire } from 'node:module';
import { NighError } from '../core/errors.js';
import type { Vector } from '../core/matrix.js';
import { ownPackage } from '../core/package-root.js';
import { fromNative } from './native-error.js';
import type { NativeModels } from './native-models.js';

/** Counts and stops one task. Made before the task, handed to it, asked and told from outside. */
export interface NativeTaskControl {
  cancel(): void;
  /** Units of work done so far; what a unit is, the task decides. */
  readonly done: number;
  /** Units in all; 0 until the task knows. */
  readonly total: number;
}

export interface NativeIdSet {
  and(other: NativeIdSet): NativeIdSet;
  or(other: NativeIdSet): NativeIdSet;
  not(): NativeIdSet;
  has(id: number): boolean;
  /** Ascending. */
  listedIds(): Uint32Array;
  readonly listed: number;
  /** Whether members are all ids but the listed ones. */
  readonly complement: boolean;
}

/** Where searchSync leaves its answer: shared by all indexes of a thread, overwritten by its next search. */
export interface AnswerBuffers {
  readonly ids: Uint32Array;
  readonly distances: Float32Array;
  /** Plan, rows visited, distances computed. */
  readonly stats: Float64Array;
}

export interface NativeStats {
  readonly plan: number;
  readonly visited: number;
  readonly distances: number;
}

export interface NativeInspection {
  readonly kind: string;
  readonly metric: string;
  readonly dim: number;
  readonly count: number;
  readonly fileBytes: number;
  readonly version: number;
  readonly sections: readonly { readonly name: string; readonly bytes: number }[];
}

export interface NativeHnswParams {
  readonly M: number;
  readonly efConstruction: number;
  readonly alpha: number;
  readonly seed: number;
  readonly quantization: string;
}

export interface NativeVerifyReport {
  readonly live: number;
  readonly removed: number;
  readonly dangling: number;
  readonly unreachable: number;
  readonly notFound: number;
  readonly repaired: number;
}

/** k, efSearch, refineFactor, exact (0 or 1), recall (0: efSearch decides), within: six numbers in one argument. */
export type SearchSettings = Float64Array;

/** The settings of an exact search for k neighbours. */
export function exactSearch(k: number): SearchSettings {
  return Float64Array.of(k, 1, 1, 1, 0, Number.POSITIVE_INFINITY);
}

export interface NativeIndex {
  /** How many neighbours lie in the answer buffers, or −1 − n where they have no room for the n found. */
  searchSync(query: Vector, settings: SearchSettings, filter: NativeIdSet | null): number;
  /**
   * Plan, visited and distances as float64, then the ids as uint32, then the distances as float32. The query and the settings are
   * copied.
   */
  search(
    query: Vector,
    settings: SearchSettings,
    filter: NativeIdSet | null,
    control: NativeTaskControl | null,
  ): Promise<ArrayBuffer>;
  /** Fills ids and distances (rows × k) and counts (rows). */
  searchBatch(
    queries: Vector,
    rows: number,
    dim: number,
    settings: SearchSettings,
    filter: NativeIdSet | null,
    ids: Uint32Array,
    distances: Float32Array,
    counts: Uint32Array,
    threads: number,
    control: NativeTaskControl | null,
  ): Promise<NativeStats>;
  /** searchBatch for sparse queries. Throws UNSUPPORTED where the kind is not sparse. */
  searchRows(
    ...args: [
      ...queries: CsrArguments,
      settings: SearchSettings,
      filter: NativeIdSet | null,
      ids: Uint32Array,
      distances: Float32Array,
      counts: Uint32Array,
      threads: number,
      control: NativeTaskControl | null,
    ]
  ): Promise<NativeStats>;
  /** This and the four after it throw UNSUPPORTED where the kind cannot change. */
  add(
    data: Vector,
    rows: number,
    dim: number,
    ids: Uint32Array,
    threads: number,
    control: NativeTaskControl | null,
  ): Promise<void>;
  replace(
    data: Vector,
    rows: number,
    dim: number,
    ids: Uint32Array,
    addMissing: boolean,
    threads: number,
    control: NativeTaskControl | null,
  ): Promise<void>;
  /** How many of the ids were there. */
  remove(ids: Uint32Array, ignoreMissing: boolean, threads: number, control: NativeTaskControl | null): Promise<number>;
  compact(threads: number, control: NativeTaskControl | null): Promise<void>;
  verify(
    repair: boolean,
    efSearch: number,
    threads: number,
    control: NativeTaskControl | null,
  ): Promise<NativeVerifyReport>;
  /** Tells the garbage collector how much memory the index holds by now; nothing on a closed one. */
  hasChanged(): void;
  /** Copies the stored vector into `out` (dim values) and gives whether the id is known. */
  vector(id: number, out: Vector): boolean;
  save(path: string): Promise<void>;
  /** Throws UNSUPPORTED unless it is an hnsw index. */
  exportHnswlib(path: string, control: NativeTaskControl | null): Promise<void>;
  /** Everything but close() throws CLOSED from now on; tasks under way finish. */
  close(): void;
  readonly kind: string;
  readonly metric: string;
  readonly dim: number;
  readonly size: number;
  readonly memoryBytes: number;
  /** Whether changes throw READ_ONLY or UNSUPPORTED. */
  readonly readOnly: boolean;
  /** How an hnsw index was built; null for other kinds. */
  readonly params: NativeHnswParams | null;
}

interface NativeIndexClass {
  buildFlat(
    data: Vector,
    rows: number,
    dim: number,
    ids: Uint32Array | null,
    metric: string,
    quantization: string,
    control: NativeTaskControl | null,
  ): Promise<NativeIndex>;
  buildHnsw(
    data: Vector,
    rows: number,
    dim: number,
    ids: Uint32Array | null,
    metric: string,
    M: number,
    efConstruction: number,
    alpha: number,
    seed: number,
    quantization: string,
    calibrationQueries: Vector,
    calibrationRows: number,
    threads: number,
    control: NativeTaskControl | null,
  ): Promise<NativeIndex>;
  buildSparse(
    ...args: [...rows: CsrArguments, ids: Uint32Array | null, metric: string, control: NativeTaskControl | null]
  ): Promise<NativeIndex>;
  /**
   * `mapped`: the file is mapped, and its sections are checked only where `verify` says so; otherwise it is read and
   * checked.
   */
  open(path: string, mapped: boolean, verify: boolean): Promise<NativeIndex>;
  /** Reads a file of hnswlib. `dim` 0 takes any. */
  importHnswlib(
    path: string,
    metric: string,
    dim: number,
    rebuild: boolean,
    alpha: number,
    seed: number,
    quantization: string,
    threads: number,
    control: NativeTaskControl | null,
  ): Promise<NativeIndex>;
  /** Reads the header alone. */
  inspect(path: string): Promise<NativeInspection>;
  /** The buffers of searchSync, with room for at least k neighbours: new ones where they had to grow. */
  answerBuffers(k: number): AnswerBuffers;
}

/** Offsets, columns, values, number of columns. */
export type CsrArguments = [offsets: Uint32Array, columns: Uint32Array, values: Float32Array, cols: number];

export type AlsArguments = [
  factors: number,
  iterations: number,
  unobservedWeight: number,
  regularization: number,
  frequencyExponent: number,
  initStddev: number,
  seed: number,
  cgSteps: number,
  dislikes: boolean,
  threads: number,
];

/** Users, items, user biases, item biases: filled by the solver. */
export type RatingFactorArguments = [
  users: Float32Array,
  items: Float32Array,
  userBiases: Float32Array,
  itemBiases: Float32Array,
];

export interface NativeAddon extends NativeModels {
  readonly NativeIndex: NativeIndexClass;
  readonly IdSet: {
    allow(ids: Uint32Array): NativeIdSet;
    deny(ids: Uint32Array): NativeIdSet;
  };
  readonly TaskControl: new () => NativeTaskControl;
  simd(): { readonly level: string; readonly available: readonly string[] };
  alsTrain(
    ...args: [
      ...matrix: CsrArguments,
      ...params: AlsArguments,
      features: Float32Array | null,
      rows: number,
      dim: number,
      featureRegularization: number,
      map: Float32Array | null,
      userFactors: Float32Array,
      itemFactors: Float32Array,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  alsGramian(
    factors: Float32Array,
    rows: number,
    dim: number,
    unobservedWeight: number,
    threads: number,
    out: Float32Array,
  ): Promise<void>;
  alsFoldIn(
    ...args: [
      ...histories: CsrArguments,
      itemFactors: Float32Array,
      rows: number,
      dim: number,
      gramian: Float32Array,
      means: Float32Array | null,
      ...params: AlsArguments,
      otherSideTotal: number,
      out: Float32Array,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  randomizedSvd(
    ...args: [
      ...matrix: CsrArguments,
      rank: number,
      oversampling: number,
      powerIterations: number,
      seed: number,
      threads: number,
      u: Float32Array,
      s: Float32Array,
      v: Float32Array,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  ratingSgd(
    ...args: [
      ...ratings: CsrArguments,
      factors: number,
      epochs: number,
      learningRate: number,
      regularization: number,
      initStddev: number,
      seed: number,
      threads: number,
      mean: number,
      sigmoid: boolean,
      low: number,
      span: number,
      ...out: RatingFactorArguments,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  ratingAls(
    ...args: [
      ...ratings: CsrArguments,
      factors: number,
      iterations: number,
      regularization: number,
      initStddev: number,
      seed: number,
      threads: number,
      mean: number,
      ...out: RatingFactorArguments,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  ratingFoldIn(
    ...args: [
      ...ratings: CsrArguments,
      weights: Float32Array | null,
      items: Float32Array,
      rows: number,
      dim: number,
      itemBiases: Float32Array,
      mean: number,
      regularization: number,
      threads: number,
      users: Float32Array,
      userBiases: Float32Array,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  sparseKnn(
    ...args: [
      ...queries: CsrArguments,
      ...base: CsrArguments,
      same: boolean,
      ...params: KnnArguments,
      ids: Uint32Array,
      similarities: Float32Array,
      counts: Uint32Array,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  sparseKnnMeans(
    ...args: [
      ...matrix: CsrArguments,
      targets: Float32Array,
      pairRows: Uint32Array,
      pairColumns: Uint32Array,
      ...params: KnnArguments,
      out: Float32Array,
      control: NativeTaskControl | null,
    ]
  ): Promise<void>;
  kmeans(
    data: Float32Array,
    rows: number,
    dim: number,
    clusters: number,
    spherical: boolean,
    maxIterations: number,
    tolerance: number,
    seed: number,
    threads: number,
    centroids: Float32Array,
    assignments: Uint32Array,
    inertias: Float64Array,
    control: NativeTaskControl | null,
  ): Promise<number>;
  pca(
    data: Float32Array,
    rows: number,
    dim: number,
    components: number,
    threads: number,
    mean: Float32Array,
    variances: Float64Array,
    directions: Float32Array,
    projected: Float32Array,
    control: NativeTaskControl | null,
  ): Promise<void>;
}

/** Measure (by its number in native/train/sparse_knn.h), k, minSupport, shrinkage, threads. */
export type KnnArguments = [measure: number, k: number, minSupport: number, shrinkage: number, threads: number];

let loaded: NativeAddon | undefined;

/**
 * The addon, loaded at the first call.
 * @throws NighError NATIVE_MISSING when it was not built for this platform, or cannot be loaded; CPU_UNSUPPORTED on a processor that is older
 * than x86-64-v2
 */
export function native(): NativeAddon {
  loaded ??= load();
  return loaded;
}

function load(): NativeAddon {
  const { root } = ownPackage();
  const require = createRequire(import.meta.url);
  const find: (directory: string) => NativeAddon = require('node-gyp-build');
  try {
    return find(root);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'CPU_UNSUPPORTED') throw fromNative(cause);
    throw new NighError(
      'NATIVE_MISSING',
      `The native core of nigh is not built for ${process.platform}-${process.arch}: run \`npm run build\` in its repository, ` +
        `or \`npm rebuild nigh\` where it is a dependency (this needs a C++20 compiler, make and Python 3). (${reasonOf(cause)})`,
      { cause },
    );
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
}

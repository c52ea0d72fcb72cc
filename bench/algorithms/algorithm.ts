import type { Matrix } from 'nigh/index';
import type { BenchDataset } from '../datasets/dataset.js';

/** One engine under test, with its build parameters: build it into a file, open that, set its effort, ask it. */
export interface Algorithm {
  /** Of the engine, as `--peers` takes it. */
  readonly engine: string;
  /** In tables. */
  readonly name: string;
  /** Build parameters, as text: printed, and part of the key under which a built index is kept. */
  readonly parameters: string;
  /** Whether it is ours: always built anew, because it changes. */
  readonly ours: boolean;
  /** Efforts below this are the same as this. */
  leastEffort(k: number): number;
  /** Whether a build uses the threads that it is given; otherwise it has one. */
  readonly buildsInParallel: boolean;
  /** Of the engine's package. */
  version(): string;
  /** Builds an index and saves it as `path`, a file or a folder. Seconds of the build alone, without the saving. */
  build(dataset: BenchDataset, path: string, threads: number): Promise<{ readonly seconds: number }>;
  /** Opens what was built, as the engine's users do. */
  open(dataset: Pick<BenchDataset, 'metric' | 'base'>, path: string, how?: OpenMode): Promise<Opened>;
  /** The ways of opening that it has; the first is what queries are timed with. */
  readonly openModes: readonly OpenMode[];
}

export type OpenMode = 'memory' | 'mapped';

export interface Opened {
  /** Sets how hard the next queries search: the larger, the better and slower. */
  setEffort(effort: number): void;
  /** Ids of the k nearest of one query, as the engine gives them, on the calling thread. */
  query(vector: Float32Array, k: number): ArrayLike<number | bigint>;
  /** The same off the calling thread, where the engine can. */
  queryAsync?(vector: Float32Array, k: number): Promise<ArrayLike<number | bigint>>;
  /** Many queries in one call on so many threads, where the engine can. */
  queryBatch?(queries: Matrix, k: number, threads: number): Promise<void>;
  /** Asks for a recall instead of an effort, where the engine can. */
  queryForRecall?(vector: Float32Array, k: number, recall: number): ArrayLike<number | bigint>;
  close(): void;
}

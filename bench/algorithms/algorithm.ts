import type { Matrix } from 'nigh/index';
import type { BenchDataset } from '../datasets/dataset.js';
import type { BuildTime } from './timed-build.js';

/** One engine with its build parameters, as a grid names it: enough for a child process to find it again. */
export interface AlgorithmSpec {
  /** Of the grid, unique in it. */
  readonly key: string;
  /** Name in registry.ts. */
  readonly engine: string;
  /** In tables; the engine's own where the grid has none. */
  readonly label?: string | undefined;
  /** What the engine's builder takes. */
  readonly build: Readonly<Record<string, unknown>>;
}

/** One engine under test, with its build parameters: build it into a file, open that, set its effort, ask it. */
export interface Algorithm {
  /** In tables. */
  readonly name: string;
  /** Build parameters, as text: printed, and part of the key under which a built index is kept. */
  readonly parameters: string;
  /** Whether it is ours. */
  readonly ours: boolean;
  /** What an effort is, in the engine's own word; undefined where there is only one. */
  readonly effort: string | undefined;
  /** Efforts below this are the same as this. */
  leastEffort(k: number): number;
  /** Whether a build uses the threads that it is given; otherwise it has one. */
  readonly buildsInParallel: boolean;
  /** Of the engine's package. */
  version(): string;
  /** What else a built index depends on: of ours the compiled core, which changes without its version. */
  fingerprint?(): string;
  /** Builds an index and saves it as `path`, a file or a folder. */
  build(dataset: BenchDataset, path: string, threads: number): Promise<BuildTime>;
  /** Bytes of what `build` saved, where that is not the file or folder itself. */
  savedBytes?(path: string): Promise<number>;
  /** Opens what was built, as the engine's users do. */
  open(dataset: Pick<BenchDataset, 'metric' | 'base'>, path: string, how?: OpenMode): Promise<Opened>;
  /** The ways of opening that it has; the first is what queries are timed with. */
  readonly openModes: readonly OpenMode[];
}

export type OpenMode = 'memory' | 'mapped';

export type Answer = ArrayLike<number | bigint>;

/** An open index; of `query` and `queryAsync` it has at least one, and the first is timed where it has both. */
export interface Opened {
  /** Sets how hard the next queries search: the larger, the better and slower. */
  setEffort(effort: number): void;
  /** Ids of the k nearest of one query, as the engine gives them, on the calling thread. */
  query?(vector: Float32Array, k: number): Answer;
  /** The same off the calling thread, where the engine can. */
  queryAsync?(vector: Float32Array, k: number): Promise<Answer>;
  /** Many queries in one call on so many threads, where the engine can. */
  queryBatch?(queries: Matrix, k: number, threads: number): Promise<void>;
  /** Asks for a recall instead of an effort, where the engine can. */
  queryForRecall?(vector: Float32Array, k: number, recall: number): Answer;
  /** What one query reads, where the engine tells. */
  counts?(vector: Float32Array, k: number): { readonly visited: number; readonly distances: number };
  /** From now on only these ids may be returned; undefined lifts that. Where the engine can. */
  setFilter?(ids: Uint32Array | undefined): void;
  close(): void;
}

/** One query of an engine that may only be able to answer later. */
export function ask(opened: Opened, vector: Float32Array, k: number): Answer | Promise<Answer> {
  if (opened.query !== undefined) return opened.query(vector, k);
  if (opened.queryAsync !== undefined) return opened.queryAsync(vector, k);
  throw new Error('an engine that cannot be asked');
}

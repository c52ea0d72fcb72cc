import type { BenchDataset } from '../datasets/dataset.js';

/** One engine under test: build it, set its effort, ask it. */
export interface Algorithm {
  readonly name: string;
  /** Build parameters, printed with the result. */
  readonly parameters: string;
  build(dataset: BenchDataset): Promise<Built>;
}

export interface Built {
  /** Sets how hard the next queries search: the larger, the better and slower. */
  setEffort(effort: number): void;
  /** Ids of the k nearest of one query, as the engine gives them, on the calling thread. */
  query(vector: Float32Array, k: number): ArrayLike<number>;
  /** Bytes of the saved index. */
  fileBytes(): Promise<number>;
  close(): void;
}

import type { Matrix, MetricName } from 'nigh/index';

/** Base vectors to index and queries to ask: what one benchmark runs on. */
export interface BenchDataset {
  readonly name: string;
  /** One line: where it comes from, or seed and law of a generated one. */
  readonly about: string;
  readonly metric: MetricName;
  readonly base: Matrix;
  readonly queries: Matrix;
}

/** One dataset a file; `load` may download into the cache. */
export interface BenchDatasetSource {
  readonly name: string;
  load(limits: { readonly queries: number; readonly rows?: number | undefined }): Promise<BenchDataset>;
}

import type { Matrix } from '../../core/matrix.js';
import type { FetchContext } from '../load-context.js';

/** One distinct id a row. */
export type VectorIds = Uint32Array | readonly string[];

/** What a file of vectors holds. */
export interface VectorTable {
  /** One vector a row; every value is finite. */
  readonly matrix: Matrix;
  /** Absent where neither the file nor another names the rows. Whole numbers below 2^32 come as a Uint32Array. */
  readonly ids?: VectorIds;
}

/** Where in a file the vectors and ids are; each format takes those that mean something to it. */
export interface VectorPlaces {
  /**
   * Parquet and JSONL: the column with the vectors, a list of numbers; Parquet also takes several columns, one a
   * dimension. Default: `vector`, else, in Parquet, `embedding`, else the only list column, else all columns of numbers but
   * the ids'.
   */
  readonly vectorColumn?: string | readonly string[] | undefined;
  /** Parquet and JSONL: the column with the ids. Default: `id`, where there is one. */
  readonly idColumn?: string | undefined;
  /** HDF5: the dataset with the vectors. Default: `train`, as ann-benchmarks has it. */
  readonly dataset?: string | undefined;
}

/** What reads and writes one kind of file. One implementation a file; all are listed in registry.ts. */
export interface VectorFormat {
  readonly name: string;
  /** Endings of file names, with the dot. */
  readonly endings: readonly string[];
  /** Which of VectorPlaces it takes. */
  readonly places: readonly (keyof VectorPlaces)[];
  /** Whether ids lie in the file itself. */
  readonly holdsIds: boolean;
  /** @throws NighError NOT_FOUND, IO, FORMAT, TRUNCATED, INVALID_RECORD, MISSING_COLUMN, NOT_FINITE, DUPLICATE_ID, ABORTED */
  read(path: string, places: VectorPlaces, context: FetchContext): Promise<VectorTable>;
  /** Fills a new file. @throws NighError INVALID_ARGUMENT for a value that the format cannot hold, ABORTED */
  write(path: string, table: VectorTable, context: FetchContext): Promise<void>;
}

import { type Field, type ParamsOf, readParams, type Schema } from '../../core/params.js';
import type { Dataset } from '../dataset.js';

/** How far a download or the reading of a file has come. */
export interface LoadProgress {
  readonly stage: 'download' | 'read';
  /** The dataset or file, for people. */
  readonly name: string;
  /** Bytes. */
  readonly done: number;
  /** Bytes; undefined where the size is not known in advance. */
  readonly total?: number;
}

/** The surroundings in which a dataset is loaded. */
export interface LoadContext {
  /** What relative paths in the options are relative to: the directory of the recipe. */
  readonly baseDirectory: string;
  /** Aborting rejects with ABORTED and leaves nothing half-written. */
  readonly signal?: AbortSignal;
  /** Called at most some ten times a second, and once at the end of each file. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Where NIGH_DATA, NIGH_CACHE, XDG_CACHE_HOME and HOME are looked up. Default: `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What reads one kind of dataset. One implementation a file; all are listed in registry.ts. */
export interface DatasetSource<Options> {
  /** The name in a recipe's `dataset.source`. */
  readonly name: string;
  /**
   * Checks the recipe's options and fills in the defaults; touches no file.
   * @param options the whole `dataset`, to be read by `readSourceOptions`
   * @param path where in the recipe the options are, for messages
   * @throws NighError UNKNOWN_OPTION, INVALID_ARGUMENT with the path of the key
   */
  parse(options: Readonly<Record<string, unknown>>, path: string): Options;
  /**
   * @throws NighError NOT_FOUND, MISSING_COLUMN, INVALID_RECORD, EMPTY_DATASET, FORMAT, TRUNCATED, IO, UNKNOWN_DATASET,
   * DOWNLOAD_FAILED, CHECKSUM_MISMATCH, ABORTED
   */
  load(options: Options, context: LoadContext): Promise<Dataset>;
}

/** The keys that every source shares; the registry reads them. */
const shared: Readonly<Record<'source' | 'filter', Field<unknown>>> = {
  source: { read: (value) => value, optional: true },
  filter: { read: (value) => value, optional: true },
};

/**
 * Reads the options of a source by its schema, beside the keys that every source shares.
 * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION with the path of the key
 */
export function readSourceOptions<S extends Schema>(schema: S, options: unknown, path: string): ParamsOf<S> {
  return readParams({ ...schema, ...shared }, options, path) as ParamsOf<S>;
}

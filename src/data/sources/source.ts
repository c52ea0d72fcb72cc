import { type Field, type ParamsOf, readParams, type Schema } from '../../core/params.js';
import type { Dataset } from '../dataset.js';
import type { LoadContext } from '../load-context.js';

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
const shared: Readonly<Record<'source' | 'filter' | 'join', Field<unknown>>> = {
  source: { read: (value) => value, optional: true },
  filter: { read: (value) => value, optional: true },
  join: { read: (value) => value, optional: true },
};

/**
 * Reads the options of a source by its schema, beside the keys that every source shares.
 * @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION with the path of the key
 */
export function readSourceOptions<S extends Schema>(schema: S, options: unknown, path: string): ParamsOf<S> {
  return readParams({ ...schema, ...shared }, options, path) as ParamsOf<S>;
}

import type { FileMetaData, SchemaTree } from 'hyparquet';
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { joinPath } from '../../core/params.js';
import { fileError } from '../file-error.js';
import { completeMapping, type MappedOptions, mappedSchema } from './column-mapping.js';
import { standardInput } from './find-files.js';
import { loadMapped, type RecordReader } from './load-mapped.js';
import { missingColumn } from './record-values.js';
import { type DatasetSource, readSourceOptions } from './source.js';

/** So many rows of a row group are in memory at a time. */
const rowsAtOnce = 50_000;

/**
 * As `csv`, but of Parquet files, whose columns have names and types of their own: ids are texts or whole numbers, tags are lists of texts (or
 * texts with a separator), dates are dates, times or ISO 8601. A column may hold nulls.
 */
export const parquetSource: DatasetSource<MappedOptions> = {
  name: 'parquet',

  parse(options, path) {
    const parsed = completeMapping(readSourceOptions(mappedSchema, options, path), path);
    for (const key of ['items', 'interactions'] as const) {
      const mapping = parsed[key];
      if (mapping?.header !== undefined) {
        throw new NighError('UNKNOWN_OPTION', `${joinPath(path, `${key}.header`)}: Parquet names its columns itself.`);
      }
      if (mapping?.path === standardInput) {
        throw new NighError(
          'INVALID_ARGUMENT',
          `${joinPath(path, `${key}.path`)}: expected a file, since Parquet is read from its end; got the standard input.`,
        );
      }
    }
    return parsed;
  },

  load(options, context) {
    return loadMapped(options, context, readRecords);
  },
};

const readRecords: RecordReader = async ({ path }, columns, context, visit) => {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const file = await asyncBufferFromFile(path).catch((error: unknown) => {
    throw fileError(path, error);
  });
  const metadata = await parquetMetadataAsync(file).catch((cause: unknown) => {
    throw damaged(path, cause);
  });
  const present = parquetSchema(metadata).children.map(({ element }: SchemaTree) => element.name);
  const missing = columns.find(({ name }) => !present.includes(name));
  if (missing !== undefined) throw missingColumn(path, missing.name, present);
  const wanted = [...new Set(columns.map(({ name }) => name))];
  for (const [rowStart, rowEnd] of ranges(metadata)) {
    throwIfAborted(context.signal);
    const rows = await parquetReadObjects({
      file,
      metadata,
      columns: wanted,
      rowStart,
      rowEnd,
      compressors,
    }).catch((cause: unknown) => {
      throw damaged(path, cause);
    });
    rows.forEach((row, at) => {
      visit(
        columns.map(({ name }) => plain(row[name])),
        rowStart + at + 1,
      );
    });
    const done = Math.round((file.byteLength * rowEnd) / Math.max(1, Number(metadata.num_rows)));
    context.onProgress?.({ stage: 'read', name: path, done, total: file.byteLength });
  }
};

function* ranges(metadata: FileMetaData): Generator<[begin: number, end: number]> {
  let begin = 0;
  for (const group of metadata.row_groups) {
    const end = begin + Number(group.num_rows);
    for (; begin < end; begin = Math.min(end, begin + rowsAtOnce)) yield [begin, Math.min(end, begin + rowsAtOnce)];
  }
}

/** What JSON would have in the place of a value of Parquet. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    // As a number it would be another one.
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
  }
  if (value instanceof Date) return value.toISOString();
  return Array.isArray(value) ? value.filter((each) => each !== null && each !== undefined) : value;
}

function damaged(path: string, cause: unknown): NighError {
  const known = fileError(path, cause);
  if (known.code !== 'IO' || (cause as NodeJS.ErrnoException).code !== undefined) return known;
  return new NighError('FORMAT', `${path}: not a readable Parquet file: ${(cause as Error).message}`, { cause });
}

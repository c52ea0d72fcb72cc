/** Files of vectors by the ending of their name. A new format is one file and one line here. */
import { extname } from 'node:path';
import { invalidArgument, NighError } from '../../core/errors.js';
import { findNotFinite, type Matrix, requireMatrix } from '../../core/matrix.js';
import { didYouMean } from '../../core/nearest-name.js';
import { checked, choice, optional, readParams, text } from '../../core/params.js';
import { writeAtomically } from '../../core/write-atomically.js';
import type { LoadProgress } from '../load-context.js';
import { fbin, i8bin, ibin, u8bin } from './bin.js';
import { hdf5 } from './hdf5.js';
import { readIdFile, writeIdFile } from './id-file.js';
import { jsonl } from './jsonl.js';
import { npy } from './npy.js';
import { parquet } from './parquet.js';
import { toVectorIds } from './row-collector.js';
import { bvecs, fvecs, ivecs } from './vecs.js';
import type { VectorFormat, VectorIds, VectorPlaces, VectorTable } from './vector-file.js';

const formats: readonly VectorFormat[] = [npy, fvecs, ivecs, bvecs, fbin, ibin, u8bin, i8bin, parquet, hdf5, jsonl];

const formatNames = formats.map(({ name }) => name);

export interface VectorFileOptions {
  /** `npy`, `fvecs`, `ivecs`, `bvecs`, `fbin`, `ibin`, `u8bin`, `i8bin`, `parquet`, `hdf5` or `jsonl`. Default: by the ending of the name. */
  readonly format?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadVectorsOptions extends VectorFileOptions, VectorPlaces {
  /** A text file with one id a line. Default: the ids in the file itself, where it holds any. */
  readonly ids?: string | undefined;
  /** Called with bytes read, some ten times a second. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

const fileFields = {
  format: optional(choice(formatNames)),
  signal: optional(checked('an AbortSignal', (value): value is AbortSignal => value instanceof AbortSignal)),
};

type Progress = NonNullable<ReadVectorsOptions['onProgress']>;

/** The fields of VectorPlaces, for readParams. */
export const placeFields = {
  /** Where a file of named columns has the vectors: one column of lists, or several of numbers. */
  vectorColumn: optional(
    checked(
      'the name of a column, or several',
      (value): value is string | readonly string[] =>
        typeof value === 'string' ||
        (Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string')),
    ),
  ),
  /** Where such a file has the ids. */
  idColumn: optional(text()),
  /** Which dataset of an HDF5 file has the vectors. */
  dataset: optional(text()),
};

const readSchema = {
  ...fileFields,
  ...placeFields,
  ids: optional(text()),
  onProgress: optional(checked('a function', (value): value is Progress => typeof value === 'function')),
};

/**
 * Reads vectors from a file: npy, fvecs, ivecs, bvecs, fbin, ibin, u8bin, i8bin, Parquet, HDF5 or JSONL, as float32. Beside the
 * matrix that is returned, some megabytes of the file are in memory at a time.
 *
 * ```ts
 * const { matrix, ids } = await readVectors('vectors.npy', { ids: 'ids.txt' });
 * ```
 * @throws NighError NOT_FOUND, IO, FORMAT, TRUNCATED, INVALID_RECORD, MISSING_COLUMN, NOT_FINITE, DUPLICATE_ID, EMPTY_DATASET,
 * INVALID_ARGUMENT, UNKNOWN_OPTION, OUT_OF_MEMORY, ABORTED
 */
export async function readVectors(path: string, options: ReadVectorsOptions = {}): Promise<VectorTable> {
  const { format: formatName, ids: idFile, signal, onProgress, ...places } = readParams(readSchema, options, '');
  const format = formatOf(path, formatName);
  requirePlaces(format, places);
  if (idFile !== undefined && places.idColumn !== undefined) {
    throw new NighError('INVALID_ARGUMENT', 'ids: expected either a file of ids or an idColumn, got both.');
  }
  const context = { ...(signal === undefined ? {} : { signal }), ...(onProgress === undefined ? {} : { onProgress }) };
  const table = await format.read(path, places, context);
  if (idFile === undefined) return table;
  const ids = await readIdFile(idFile, context);
  if (ids.length !== table.matrix.rows) {
    throw new NighError(
      'INVALID_ARGUMENT',
      `${idFile}: expected ${table.matrix.rows} ids, one for every row of ${path}, got ${ids.length}.`,
    );
  }
  return { matrix: table.matrix, ids };
}

/** What writeVectors wrote. */
export interface WrittenVectors {
  /** The file of ids beside the vectors, where the format holds none itself and there are ids. */
  readonly ids?: string;
}

/**
 * Writes vectors to a file of any of those formats, by the ending of its name. It appears whole or not at all and replaces one of
 * the same name. Where the format holds no ids, they go to a text file beside it, one a line: `vectors.ids.txt` for
 * `vectors.npy`, which is in place before the vectors are.
 * @param table ids are optional: distinct texts or uint32 numbers, one a row
 * @throws NighError IO, NOT_FOUND, INVALID_ARGUMENT (also a value that an integer format cannot hold), DIMENSION_MISMATCH,
 * NOT_FINITE, DUPLICATE_ID, UNKNOWN_OPTION, ABORTED
 */
export async function writeVectors(
  path: string,
  table: { readonly matrix: Matrix; readonly ids?: VectorIds | undefined },
  options: VectorFileOptions = {},
): Promise<WrittenVectors> {
  const { format: formatName, signal } = readParams(fileFields, options, '');
  const format = formatOf(path, formatName);
  const { matrix, ids } = table;
  requireMatrix('matrix', matrix);
  const notFinite = findNotFinite(matrix.data);
  if (notFinite >= 0) {
    throw new NighError(
      'NOT_FINITE',
      `matrix: row ${Math.floor(notFinite / matrix.dim)} holds ${matrix.data[notFinite]}, expected finite numbers.`,
    );
  }
  if (ids !== undefined) {
    if (ids.length !== matrix.rows) throw invalidArgument('ids', `${matrix.rows}, one a row`, ids.length);
    toVectorIds('ids', Array.from<string | number>(ids), (row) => `row ${row}`);
  }
  const context = signal === undefined ? {} : { signal };
  const beside = ids !== undefined && !format.holdsIds ? idFileBeside(path) : undefined;
  await writeAtomically(path, async (temporary) => {
    await format.write(temporary, ids === undefined ? { matrix } : { matrix, ids }, context);
    if (beside !== undefined && ids !== undefined) await writeIds(beside, ids, signal);
  });
  return beside === undefined ? {} : { ids: beside };
}

/** Writes ids to a text file, one a line, atomically. @throws NighError IO, NOT_FOUND, INVALID_ARGUMENT, ABORTED */
export function writeIds(path: string, ids: VectorIds, signal?: AbortSignal): Promise<void> {
  return writeAtomically(path, (temporary) => writeIdFile(temporary, ids, signal === undefined ? {} : { signal }));
}

/** Whether a name ends like that of a file of vectors. */
export function isVectorFile(path: string): boolean {
  return byEnding(path) !== undefined;
}

/** `vectors.npy` → `vectors.ids.txt`. */
export function idFileBeside(path: string): string {
  return `${path.slice(0, path.length - extname(path).length)}.ids.txt`;
}

/** @throws NighError INVALID_ARGUMENT naming the endings */
export function formatOf(path: string, name: string | undefined): VectorFormat {
  const format = name === undefined ? byEnding(path) : formats.find((known) => known.name === name);
  if (format !== undefined) return format;
  const endings = formats.flatMap((known) => known.endings);
  const hint = didYouMean(extname(path), endings) || ` Known: ${endings.join(', ')}.`;
  throw new NighError('INVALID_ARGUMENT', `${path}: not a file of vectors by the ending of its name.${hint}`);
}

function byEnding(path: string): VectorFormat | undefined {
  const name = path.toLowerCase();
  return formats.find(({ endings }) => endings.some((ending) => name.endsWith(ending)));
}

/** @throws NighError UNKNOWN_OPTION */
function requirePlaces(format: VectorFormat, places: VectorPlaces): void {
  for (const [key, value] of Object.entries(places)) {
    if (value === undefined || format.places.some((known) => known === key)) continue;
    throw new NighError('UNKNOWN_OPTION', `${key}: a file of format ${format.name} has none.`);
  }
}

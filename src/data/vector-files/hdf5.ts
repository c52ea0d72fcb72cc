/** HDF5 through h5wasm, which is loaded when a file of the kind is used; ann-benchmarks has its vectors in `train` and `test`. */
import { resolve } from 'node:path';
import type { Dataset, File as HdfFile } from 'h5wasm';
import { breathe } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { FetchContext } from '../load-context.js';
import { BinaryReader, matrixFor, requireFiniteRows } from './binary-file.js';
import type { VectorFormat, VectorTable } from './vector-file.js';

const defaultDataset = 'train';
const valuesAtOnce = 1 << 20;
const signature = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');

export const hdf5: VectorFormat = {
  name: 'hdf5',
  endings: ['.hdf5', '.h5'],
  places: ['dataset'],
  holdsIds: false,

  async read(path, { dataset: name = defaultDataset }, context) {
    await requireSignature(path);
    return withFile(path, 'r', async (file) => {
      const found = file.get(name);
      const datasets = file.keys();
      if (found === null || !('slice' in found)) {
        const hint = didYouMean(name, datasets) || ` It has: ${datasets.join(', ')}.`;
        throw new NighError('MISSING_COLUMN', `${path}: there is no dataset ${JSON.stringify(name)}.${hint}`);
      }
      return { matrix: await readMatrix(path, name, found, context) };
    });
  },

  write(path, { matrix }: VectorTable, context) {
    return withFile(path, 'w', async (file) => {
      const { data, rows, dim } = matrix;
      if (rows === 0)
        throw new NighError('INVALID_ARGUMENT', 'matrix: expected at least one row for an HDF5 file, got none.');
      await breathe(context.signal);
      file.create_dataset({ name: defaultDataset, data, shape: [rows, dim], dtype: '<f' });
    });
  },
};

async function readMatrix(path: string, name: string, dataset: Dataset, context: FetchContext) {
  const [rows, dim, ...more] = dataset.shape ?? [];
  if (rows === undefined || dim === undefined || more.length > 0) {
    throw new NighError(
      'FORMAT',
      `${path}: expected a dataset ${name} of two dimensions, got shape (${dataset.shape}).`,
    );
  }
  const matrix = matrixFor(path, rows, dim);
  const step = Math.max(1, Math.floor(valuesAtOnce / dim));
  for (let begin = 0; begin < rows; begin += step) {
    await breathe(context.signal);
    const end = Math.min(rows, begin + step);
    const values = dataset.slice([[begin, end], []]);
    if (!isNumbers(values) || values.length !== (end - begin) * dim) {
      throw new NighError('FORMAT', `${path}: expected numbers in the dataset ${name}, got ${dataset.dtype}.`);
    }
    const at = begin * dim;
    for (let i = 0; i < values.length; i++) matrix.data[at + i] = Number(values[i]);
    context.onProgress?.({ stage: 'read', name: path, done: end * dim * 4, total: rows * dim * 4 });
  }
  requireFiniteRows(path, matrix);
  return matrix;
}

function isNumbers(values: unknown): values is Float32Array | BigInt64Array {
  return ArrayBuffer.isView(values) && !(values instanceof DataView);
}

/** What is no HDF5 file at all is told apart before the library, which says little, sees it. */
async function requireSignature(path: string): Promise<void> {
  const start = await BinaryReader.use(path, {}, (reader) => reader.take(Math.min(8, reader.size)));
  if (!start.equals(signature)) throw new NighError('FORMAT', `${path}: not an HDF5 file.`);
}

async function withFile<T>(path: string, mode: 'r' | 'w', use: (file: HdfFile) => Promise<T>): Promise<T> {
  const library = await import('h5wasm/node');
  // Otherwise the C library prints what it meets to stderr and goes on.
  (await library.ready).activate_throwing_error_handler();
  let file: HdfFile | undefined;
  try {
    file = new library.File(resolve(path), mode);
    return await use(file);
  } catch (cause) {
    if (cause instanceof NighError) throw cause;
    const what = mode === 'r' ? 'not a readable HDF5 file' : 'cannot be written';
    throw new NighError(
      mode === 'r' ? 'FORMAT' : 'IO',
      `${path}: ${what}: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  } finally {
    file?.close();
  }
}

import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { NighError } from '../../core/errors.js';
import type { VectorIds } from '../../data/vector-files/vector-file.js';
import type { VectorIndex } from '../../index/vector-index.js';
import { collectionDirectory } from '../collections.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../errors.js';
import { printJson, printLine } from '../output.js';
import { Progress } from '../progress.js';
import { bytes, counted } from '../quantities.js';

interface ExportOptions {
  readonly to: string;
  readonly as?: string;
  readonly space?: string;
  readonly of?: 'items' | 'users';
  readonly json: boolean;
}

/** `nigh export`: the vectors of an index file or of a collection's space, or an index for hnswlib. */
export function addExportCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('export')
    .description('write the vectors of an index file or of a space, or an index that hnswlib opens')
    .argument('<index>', 'an index file (.ann), or a built collection by name or directory')
    .requiredOption('--to <file>', 'npy, fvecs, ivecs, bvecs, fbin, ibin, u8bin, i8bin, Parquet, HDF5 or JSONL')
    .option('--as <format>', 'hnswlib, or the format of the vectors (default: by the ending of the name)')
    .option('--space <name>', "of a collection: the space (default: the recipe's first)")
    .addOption(new Option('--of <what>', 'of a collection: whose vectors (default: items)').choices(['items', 'users']))
    .option('--json', 'what was written, as one JSON document', false)
    .addHelpText(
      'after',
      `
Parquet and JSONL hold the ids. Beside the other formats they are written to a text file, one a line: vectors.ids.txt for vectors.npy;
not where they are just the numbers of the rows. For hnswlib the ids of an index are the labels; those of a collection are the line
numbers, from 0, of the text file beside it.

Examples:
  $ nigh export items.ann --to vectors.npy
  $ nigh export items.ann --as hnswlib --to index.bin
  $ nigh export movies --space cf --to cf.parquet`,
    )
    .action((from: string, options: ExportOptions) => exportFrom(from, options, context));
}

/** What was written. */
interface Written {
  readonly path: string;
  readonly format: string;
  readonly dim: number;
  readonly count: number;
  readonly fileBytes: number;
  /** The file of ids beside it. */
  readonly ids?: string;
}

async function exportFrom(from: string, options: ExportOptions, { signal }: CommandContext): Promise<void> {
  const { json, as, of, to } = options;
  const isFile = statSync(from, { throwIfNoEntry: false })?.isFile() === true;
  if (isFile && (options.space !== undefined || of !== undefined)) {
    throw new UsageError('INVALID_ARGUMENT', '--space and --of are of collections; this is an index file.', 'export');
  }
  if (as === 'hnswlib' && of === 'users') {
    throw new UsageError('INVALID_ARGUMENT', '--of: users have no graph that hnswlib could open.', 'export');
  }
  if (as !== 'hnswlib') await requireFormat(to, as);
  const progress = new Progress();
  await progress.prepare();
  let written: Omit<Written, 'fileBytes'>;
  try {
    written = isFile
      ? await exportIndex(from, options, progress, signal)
      : await exportSpace(from, options, progress, signal);
    progress.end();
  } catch (error) {
    progress.abandon();
    throw error;
  }
  const { size: fileBytes } = await stat(to);
  if (json) {
    printJson({ ...written, fileBytes });
    return;
  }
  printLine(
    `${to}: ${written.format}, ${counted(written.count, 'vector')} of ${written.dim} dimensions, ${bytes(fileBytes)}`,
  );
  if (written.ids !== undefined) printLine(`${written.ids}: the id of every row`);
}

/** A format that does not exist is known before anything is read. */
async function requireFormat(path: string, name: string | undefined): Promise<void> {
  const { formatOf } = await import('../../data/vector-files/registry.js');
  try {
    formatOf(path, name);
  } catch (error) {
    if (error instanceof NighError) throw new UsageError(error.code, error.message, 'export');
    throw error;
  }
}

type Export = Promise<Omit<Written, 'fileBytes'>>;

async function exportIndex(path: string, { to, as }: ExportOptions, progress: Progress, signal: AbortSignal): Export {
  const { openIndex } = await import('../../index/open-index.js');
  progress.begin(`reading ${basename(path)}`);
  const index = await openIndex(path);
  try {
    if (as === 'hnswlib') return await writeHnswlib(index, to, progress, signal);
    const { storedVectors } = await import('../../index/stored-vectors.js');
    const onProgress = (done: number, total: number) => progress.update(done, total, 'vectors');
    const { matrix, ids } = await storedVectors(index, { signal, onProgress });
    return await write(to, as, { matrix, ids }, progress, signal);
  } finally {
    index.close();
  }
}

async function exportSpace(
  name: string,
  { to, as, space: wanted, of = 'items' }: ExportOptions,
  progress: Progress,
  signal: AbortSignal,
): Export {
  const directory = collectionDirectory(name);
  const [{ Collection }, { spaceVectors }] = await Promise.all([
    import('../../retrieval/collection.js'),
    import('../../retrieval/space-vectors.js'),
  ]);
  progress.begin(`reading ${name}`);
  const collection = await Collection.open(directory, 'mmap');
  try {
    const space = collection.requireSpace(wanted ?? collection.manifest.spaces[0]?.name ?? '');
    if (as !== 'hnswlib') {
      return await write(to, as, await spaceVectors(collection, space, of, signal), progress, signal);
    }
    const { idFileBeside, writeIds } = await import('../../data/vector-files/registry.js');
    const ids = Array.from({ length: collection.catalogue.size }, (_, item) => collection.catalogue.id(item));
    const beside = idFileBeside(to);
    await writeIds(beside, ids, signal);
    return { ...(await writeHnswlib(space.forUsers, to, progress, signal)), ids: beside };
  } finally {
    collection.close();
  }
}

/** @throws NighError UNSUPPORTED for an index that has no graph of ours */
async function writeHnswlib(index: VectorIndex, to: string, progress: Progress, signal: AbortSignal): Export {
  const { HnswIndex } = await import('../../index/hnsw-index.js');
  if (!(index instanceof HnswIndex)) {
    throw new NighError(
      'UNSUPPORTED',
      `An index of kind ${index.kind} has no graph to write for hnswlib; one of kind hnsw has.`,
    );
  }
  progress.begin(`writing ${basename(to)}`);
  await index.exportHnswlib(to, { signal, onProgress: (done, total) => progress.update(done, total, 'vectors') });
  return { path: to, format: 'hnswlib', dim: index.dim, count: index.size };
}

async function write(
  to: string,
  as: string | undefined,
  { matrix, ids }: { readonly matrix: { data: Float32Array; rows: number; dim: number }; readonly ids: VectorIds },
  progress: Progress,
  signal: AbortSignal,
): Export {
  const { formatOf, writeVectors } = await import('../../data/vector-files/registry.js');
  progress.begin(`writing ${basename(to)}`);
  const format = formatOf(to, as);
  const needless = !format.holdsIds && ids instanceof Uint32Array && ids.every((id, row) => id === row);
  const beside = await writeVectors(to, needless ? { matrix } : { matrix, ids }, { format: as, signal });
  return { path: to, format: format.name, dim: matrix.dim, count: matrix.rows, ...beside };
}

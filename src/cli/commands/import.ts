import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import type { VectorTable } from '../../data/vector-files/vector-file.js';
import type { HnswIndex } from '../../index/hnsw-index.js';
import { type MetricName, metricNames, type VectorIndex } from '../../index/vector-index.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../errors.js';
import { repeated, wholeNumber } from '../option-values.js';
import { printJson, printLine } from '../output.js';
import { Progress } from '../progress.js';
import { bytes, counted } from '../quantities.js';

interface ImportOptions {
  readonly to: string;
  readonly metric: MetricName;
  readonly kind: 'hnsw' | 'flat';
  readonly from?: string;
  readonly ids?: string;
  readonly idColumn?: string;
  readonly vectorColumn: readonly string[];
  readonly dataset?: string;
  readonly dim?: number;
  readonly graph?: 'keep' | 'rebuild';
  readonly json: boolean;
}

/** `nigh import`: vectors, or an index of hnswlib, become an index file. */
export function addImportCommand(nigh: Command, context: CommandContext): void {
  nigh
    .command('import')
    .description('make an index file of vectors, or of an index that hnswlib wrote')
    .argument('<file>', 'vectors: npy, fvecs, ivecs, bvecs, fbin, ibin, u8bin, i8bin, Parquet, HDF5 or JSONL')
    .requiredOption('--to <file>', 'the index file to write')
    .addOption(new Option('--metric <name>', 'what close means').choices(metricNames).makeOptionMandatory())
    .addOption(new Option('--kind <name>', 'the kind of index').choices(['hnsw', 'flat']).default('hnsw'))
    .option('--from <format>', 'hnswlib, or the format of the vectors (default: by the ending of the name)')
    .option('--ids <file>', 'a text file with one id a line (default: ids in the file, else the number of the row)')
    .option('--id-column <name>', 'Parquet, JSONL: the column with the ids (default: id)')
    .option(
      '--vector-column <name>',
      'Parquet, JSONL: the column with the vectors; repeat it for one column a dimension',
      repeated,
      [],
    )
    .option('--dataset <name>', 'HDF5: the dataset with the vectors (default: train)')
    .option('--dim <number>', 'dimensions that the vectors must have', wholeNumber('--dim', 1, 1_048_576))
    .addOption(
      new Option('--graph <what>', 'hnswlib: keep its graph, or build it anew (default: keep; rebuild for ip)').choices(
        ['keep', 'rebuild'],
      ),
    )
    .option('--json', 'what was written, as one JSON document', false)
    .addHelpText(
      'after',
      `
An index holds whole numbers as ids. Where the ids are texts, it holds row numbers, and the ids are written beside it, one a line:
items.ids.txt for items.ann.

Examples:
  $ nigh import vectors.npy --metric cosine --to items.ann --ids ids.txt
  $ nigh import index.bin --from hnswlib --metric l2 --to items.ann`,
    )
    .action((file: string, options: ImportOptions) => importFile(file, options, context));
}

async function importFile(file: string, options: ImportOptions, { signal }: CommandContext): Promise<void> {
  refuseContradictions(options);
  const progress = new Progress();
  await progress.prepare();
  try {
    progress.begin(`reading ${basename(file)}`);
    const { index, ids } = await (options.from === 'hnswlib' ? importHnswlib : importVectors)(
      file,
      options,
      progress,
      signal,
    );
    try {
      progress.begin(`writing ${basename(options.to)}`);
      const beside = ids === undefined ? undefined : await writeIdsBeside(options.to, ids, signal);
      signal.throwIfAborted();
      await index.save(options.to);
      progress.end();
      await report(index, beside, options);
    } finally {
      index.close();
    }
  } catch (error) {
    progress.abandon();
    throw error;
  }
}

/** Options that mean nothing together are wrong usage, whatever the file. */
function refuseContradictions({ from, kind, ids, idColumn, vectorColumn, dataset, graph }: ImportOptions): void {
  const hnswlib = from === 'hnswlib';
  const wrong: [given: boolean, message: string][] = [
    [hnswlib && kind === 'flat', '--kind: an index of hnswlib becomes one of kind hnsw.'],
    [hnswlib && ids !== undefined, '--ids: an index of hnswlib has its labels as ids.'],
    [
      hnswlib && (idColumn ?? dataset ?? vectorColumn[0]) !== undefined,
      '--from: an index of hnswlib has no columns and no datasets.',
    ],
    [!hnswlib && graph !== undefined, '--graph: only an index of hnswlib (--from hnswlib) has a graph to keep.'],
    [ids !== undefined && idColumn !== undefined, '--ids: expected a file of ids or --id-column, got both.'],
  ];
  for (const [given, message] of wrong) if (given) throw new UsageError('INVALID_ARGUMENT', message, 'import');
}

interface Imported {
  readonly index: VectorIndex;
  /** Ids that the index cannot hold itself, by row. */
  readonly ids?: readonly string[];
}

async function importHnswlib(
  file: string,
  { metric, dim, graph }: ImportOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Imported> {
  const { HnswIndex, hnswlibMetrics } = await import('../../index/hnsw-index.js');
  const known = hnswlibMetrics.find((name) => name === metric);
  if (known === undefined) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `--metric: hnswlib compares by ${hnswlibMetrics.join(', ')}, not by ${metric}.`,
      'import',
    );
  }
  const onProgress = (done: number, total: number) => progress.update(done, total, 'vectors');
  return { index: await HnswIndex.importHnswlib(file, { metric: known, dim, graph, signal, onProgress }) };
}

async function importVectors(
  file: string,
  options: ImportOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Imported> {
  const { from, metric, kind, ids: idFile, idColumn, vectorColumn, dataset, dim } = options;
  const { readVectors } = await import('../../data/vector-files/registry.js');
  const { matrix, ids } = await readVectors(file, {
    format: from,
    ids: idFile,
    idColumn,
    dataset,
    vectorColumn: vectorColumn.length > 1 ? vectorColumn : vectorColumn[0],
    signal,
    onProgress: ({ done, total }) => progress.update(done, total ?? 0, 'bytes'),
  });
  if (dim !== undefined && matrix.dim !== dim) {
    const { NighError } = await import('../../core/errors.js');
    throw new NighError('DIMENSION_MISMATCH', `${file}: expected vectors of ${dim} values, got ${matrix.dim}.`);
  }
  progress.begin('indexing');
  const numbers = ids instanceof Uint32Array ? ids : undefined;
  const common = {
    metric,
    ids: numbers,
    signal,
    onProgress: (done: number, total: number) => progress.update(done, total, 'vectors'),
  };
  const index = await build(kind, matrix, common);
  return ids === undefined || ids instanceof Uint32Array ? { index } : { index, ids };
}

async function build(
  kind: ImportOptions['kind'],
  matrix: VectorTable['matrix'],
  options: Parameters<typeof HnswIndex.build>[1],
): Promise<VectorIndex> {
  if (kind === 'flat') return (await import('../../index/flat-index.js')).FlatIndex.build(matrix, options);
  return (await import('../../index/hnsw-index.js')).HnswIndex.build(matrix, options);
}

async function writeIdsBeside(path: string, ids: readonly string[], signal: AbortSignal): Promise<string> {
  const { idFileBeside, writeIds } = await import('../../data/vector-files/registry.js');
  const beside = idFileBeside(path);
  await writeIds(beside, ids, signal);
  return beside;
}

async function report(index: VectorIndex, ids: string | undefined, { to, json }: ImportOptions): Promise<void> {
  const { kind, metric, dim, size: count } = index;
  const fileBytes = (await stat(to)).size;
  if (json) {
    printJson({ path: to, kind, metric, dim, count, fileBytes, ...(ids === undefined ? {} : { ids }) });
    return;
  }
  printLine(`${to}: ${kind}, ${metric}, ${counted(count, 'vector')} of ${dim} dimensions, ${bytes(fileBytes)}`);
  if (ids !== undefined) printLine(`${ids}: the id of every row`);
}

/** Parquet through hyparquet and hyparquet-writer, which are loaded when a file of the kind is used. Read one row group at a time. */
import type { FileMetaData, SchemaTree } from 'hyparquet';
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';
import { fileError } from '../file-error.js';
import { RowCollector } from './row-collector.js';
import type { VectorFormat, VectorPlaces, VectorTable } from './vector-file.js';

const rowGroupRows = 10_000;
/** More rows than this in one group are read piece by piece. */
const rowsAtOnce = 50_000;

export const parquet: VectorFormat = {
  name: 'parquet',
  endings: ['.parquet'],
  places: ['vectorColumn', 'idColumn'],
  holdsIds: true,

  async read(path, places, context) {
    const { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema } = await import('hyparquet');
    const { compressors } = await import('hyparquet-compressors');
    const collector = new RowCollector(path, (row) => `row ${row}`);
    const file = await asyncBufferFromFile(path).catch((error: unknown) => {
      throw fileError(path, error);
    });
    const metadata = await parquetMetadataAsync(file).catch((cause: unknown) => {
      throw damaged(path, cause);
    });
    const { vector, id } = chosenColumns(path, parquetSchema(metadata), places);
    const columns = id === undefined ? vector : [id, ...vector];
    for (const [begin, end] of ranges(metadata)) {
      throwIfAborted(context.signal);
      const cells = new Map(columns.map((name) => [name, new Array<unknown>(end - begin)]));
      await parquetRead({
        file,
        metadata,
        columns: [...cells.keys()],
        rowStart: begin,
        rowEnd: end,
        compressors,
        onChunk: ({ columnName, columnData, rowStart, rowEnd }) => {
          const column = cells.get(columnName);
          for (let r = Math.max(rowStart, begin); r < Math.min(rowEnd, end); r++) {
            if (column !== undefined) column[r - begin] = columnData[r - rowStart];
          }
        },
      }).catch((cause: unknown) => {
        throw damaged(path, cause);
      });
      const lists = vector.map((name) => cells.get(name)!);
      const whole = isListColumn(parquetSchema(metadata), vector);
      for (let r = 0; r < end - begin; r++) {
        if (id !== undefined) collector.pushId(cells.get(id)![r]);
        collector.push(whole ? lists[0]![r] : lists.map((list) => list[r]));
      }
      context.onProgress?.({
        stage: 'read',
        name: path,
        done: Math.round((file.byteLength * end) / Number(metadata.num_rows)),
        total: file.byteLength,
      });
    }
    return collector.table();
  },

  async write(path, table, context) {
    const { fileWriter, ParquetWriter } = await import('hyparquet-writer');
    const { matrix, ids } = table;
    const writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: [
        { name: 'root', num_children: ids === undefined ? 1 : 2 },
        ...(ids === undefined ? [] : [idSchema(ids)]),
        { name: 'vector', repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
      ],
    });
    for (let begin = 0; begin < matrix.rows; begin += rowGroupRows) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      throwIfAborted(context.signal);
      await writer.write({ columnData: columnsOf(table, begin), rowGroupSize: rowGroupRows });
    }
    await writer.finish();
  },
};

function* ranges(metadata: FileMetaData): Generator<[begin: number, end: number]> {
  let begin = 0;
  for (const group of metadata.row_groups) {
    const end = begin + Number(group.num_rows);
    for (; begin < end; begin = Math.min(end, begin + rowsAtOnce)) yield [begin, Math.min(end, begin + rowsAtOnce)];
  }
}

const numeric = new Set(['FLOAT', 'DOUBLE', 'INT32', 'INT64']);

/** @throws NighError MISSING_COLUMN */
function chosenColumns(
  path: string,
  schema: SchemaTree,
  { vectorColumn, idColumn }: VectorPlaces,
): { vector: readonly string[]; id: string | undefined } {
  const names = schema.children.map(({ element }) => element.name);
  const require = (name: string): string => {
    if (names.includes(name)) return name;
    const hint = didYouMean(name, names) || ` It has: ${names.join(', ')}.`;
    throw new NighError('MISSING_COLUMN', `${path}: there is no column ${JSON.stringify(name)}.${hint}`);
  };
  const id = idColumn === undefined ? names.find((name) => name === 'id') : require(idColumn);
  if (vectorColumn !== undefined) return { vector: [vectorColumn].flat().map(require), id };
  const lists = schema.children.filter(({ children }) => children.length > 0).map(({ element }) => element.name);
  const named = lists.find((name) => name === 'vector') ?? lists.find((name) => name === 'embedding');
  if (named !== undefined) return { vector: [named], id };
  if (lists.length === 1) return { vector: lists, id };
  const numbers = schema.children
    .filter(({ element, children }) => children.length === 0 && numeric.has(element.type ?? '') && element.name !== id)
    .map(({ element }) => element.name);
  if (lists.length > 1 || numbers.length === 0) {
    throw new NighError('MISSING_COLUMN', `${path}: which column has the vectors? It has: ${names.join(', ')}.`);
  }
  return { vector: numbers, id };
}

function isListColumn(schema: SchemaTree, [name, ...others]: readonly string[]): boolean {
  const column = schema.children.find(({ element }) => element.name === name);
  return others.length === 0 && (column?.children.length ?? 0) > 0;
}

function idSchema(ids: NonNullable<VectorTable['ids']>) {
  return ids instanceof Uint32Array
    ? ({ name: 'id', type: 'INT64', repetition_type: 'REQUIRED' } as const)
    : ({ name: 'id', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' } as const);
}

function columnsOf({ matrix: { data, rows, dim }, ids }: VectorTable, begin: number) {
  const count = Math.min(rowGroupRows, rows - begin);
  const vectors = Array.from({ length: count }, (_, i) =>
    Array.from(data.subarray((begin + i) * dim, (begin + i + 1) * dim)),
  );
  const names = Array.from({ length: count }, (_, i) =>
    ids instanceof Uint32Array ? BigInt(ids[begin + i]!) : ids?.[begin + i],
  );
  return [...(ids === undefined ? [] : [{ name: 'id', data: names }]), { name: 'vector', data: vectors }];
}

function damaged(path: string, cause: unknown): NighError {
  const known = fileError(path, cause);
  if (known.code !== 'IO' || (cause as NodeJS.ErrnoException).code !== undefined) return known;
  return new NighError('FORMAT', `${path}: not a readable Parquet file: ${(cause as Error).message}`, { cause });
}

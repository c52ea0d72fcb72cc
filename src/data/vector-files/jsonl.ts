/** A JSON object a line: `{ "id": "tt0114709", "vector": [0.1, …] }`. Read decompressed where the name ends in `.gz`. */
import { NighError } from '../../core/errors.js';
import { isPlainObject } from '../../core/params.js';
import { readLines } from '../sources/read-lines.js';
import { writePieces } from './binary-file.js';
import { RowCollector } from './row-collector.js';
import type { VectorFormat, VectorTable } from './vector-file.js';

export const jsonl: VectorFormat = {
  name: 'jsonl',
  endings: ['.jsonl', '.ndjson', '.jsonl.gz', '.ndjson.gz'],
  places: ['vectorColumn', 'idColumn'],
  holdsIds: true,

  async read(path, { vectorColumn = 'vector', idColumn }, context) {
    if (typeof vectorColumn !== 'string') {
      throw new NighError('INVALID_ARGUMENT', 'vectorColumn: a JSONL file has each vector in one key.');
    }
    const lines: number[] = [];
    const collector = new RowCollector(path, (row) => `line ${lines[row]}`);
    let withIds = idColumn !== undefined;
    await readLines(path, 'utf-8', context, (text, line) => {
      if (text.trim() === '') return;
      const record = parseRecord(path, text, line);
      if (lines.length === 0) withIds ||= Object.hasOwn(record, 'id');
      lines.push(line);
      const cell = (key: string): unknown => {
        if (Object.hasOwn(record, key)) return record[key];
        throw new NighError(
          'MISSING_COLUMN',
          `${path}:${line}: there is no key ${JSON.stringify(key)}; it has: ${Object.keys(record).join(', ')}.`,
        );
      };
      if (withIds) collector.pushId(cell(idColumn ?? 'id'));
      collector.push(cell(vectorColumn));
    });
    return collector.table();
  },

  write(path, table, context) {
    return writePieces(path, pieces(table), context);
  },
};

function parseRecord(path: string, text: string, line: number): Record<string, unknown> {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (cause) {
    throw new NighError('INVALID_RECORD', `${path}:${line}: not valid JSON (${(cause as Error).message}).`, { cause });
  }
  if (!isPlainObject(record))
    throw new NighError('INVALID_RECORD', `${path}:${line}: expected a JSON object on each line.`);
  return record;
}

function* pieces({ matrix: { data, rows, dim }, ids }: VectorTable): Generator<Buffer> {
  for (let r = 0; r < rows; r++) {
    const vector = Array.from(data.subarray(r * dim, (r + 1) * dim), shortest);
    yield Buffer.from(`${JSON.stringify(ids === undefined ? { vector } : { id: ids[r], vector })}\n`);
  }
}

/** The number with the fewest digits that is this float32. */
function shortest(value: number): number {
  for (const digits of [7, 8]) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

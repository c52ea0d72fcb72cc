import { NighError } from '../../core/errors.js';
import type { FetchContext } from '../load-context.js';
import { type DelimitedFormat, readDelimited } from './delimited.js';
import { missingColumn } from './record-values.js';

export interface TableFormat extends DelimitedFormat {
  /** Names of the columns of a file that does not begin with them. Default: its first line has them. */
  readonly header?: readonly string[];
}

/**
 * Calls `visit` with some columns of every record of a delimited text file, in the order in which they are asked for.
 * @throws NighError as readDelimited; MISSING_COLUMN; INVALID_RECORD for a record with more or fewer fields than columns;
 * EMPTY_DATASET for a file without its header line
 */
export async function readTable(
  path: string,
  format: TableFormat,
  columns: readonly string[],
  context: FetchContext,
  visit: (cells: string[], line: number) => void,
): Promise<void> {
  let width = 0;
  let positions: readonly number[] | undefined;
  const setHeader = (header: readonly string[]) => {
    width = header.length;
    positions = columns.map((column) => positionOf(column, header, path));
  };
  if (format.header !== undefined) setHeader(format.header);
  await readDelimited(path, format, context, (fields, line) => {
    if (positions === undefined) {
      setHeader(fields);
      return;
    }
    if (fields.length !== width) {
      throw new NighError('INVALID_RECORD', `${path}:${line}: expected ${width} fields, got ${fields.length}.`);
    }
    visit(
      positions.map((position) => fields[position]!),
      line,
    );
  });
  if (positions === undefined) {
    throw new NighError('EMPTY_DATASET', `${path}: the file is empty; its first line should name the columns.`);
  }
}

function positionOf(column: string, header: readonly string[], path: string): number {
  const position = header.indexOf(column);
  if (position === -1) throw missingColumn(path, column, header);
  if (header.indexOf(column, position + 1) !== -1) {
    throw new NighError('INVALID_RECORD', `${path}: the column ${JSON.stringify(column)} occurs twice.`);
  }
  return position;
}

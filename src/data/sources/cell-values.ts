import { cleanTags, invalidRecord, parseNumber } from './record-values.js';

/** Where a cell is, for messages. */
export interface CellPlace {
  readonly path: string;
  readonly line: number;
  readonly column: string;
}

/** A cell of a CSV file is a text; of a JSONL file, any JSON value. Undefined, null and the empty text are all "unknown". */
export type Cell = unknown;

/** @throws NighError INVALID_RECORD for a value that is neither text nor number nor unknown */
export function textOf(cell: Cell, place: CellPlace): string | undefined {
  if (isUnknown(cell)) return undefined;
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number') return String(cell);
  throw wrong(place, 'a text or a number', cell);
}

/** @throws NighError INVALID_RECORD for an unknown value too */
export function idOf(cell: Cell, place: CellPlace): string {
  const id = textOf(cell, place);
  if (id === undefined) throw wrong(place, 'an id', cell);
  return id;
}

/** @throws NighError INVALID_RECORD for a value that is neither a finite number, written or not, nor unknown */
export function numberOf(cell: Cell, place: CellPlace): number | undefined {
  if (isUnknown(cell)) return undefined;
  const value = typeof cell === 'string' ? parseNumber(cell) : cell;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(place, 'a number', cell);
  return value;
}

const isoDate =
  /^(?<day>\d{4}(?:-\d{2}(?:-\d{2})?)?)(?:(?<=-\d{2}-\d{2})[T ](?<time>\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(?<zone>Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * ISO 8601 → Unix seconds. A time without a zone is UTC, so that every machine reads the same.
 * @throws NighError INVALID_RECORD for a value that is neither such a date nor unknown
 */
export function dateOf(cell: Cell, place: CellPlace): number | undefined {
  if (isUnknown(cell)) return undefined;
  const groups = typeof cell === 'string' ? isoDate.exec(cell.trim())?.groups : undefined;
  if (groups?.day === undefined) throw wrong(place, 'an ISO 8601 date', cell);
  const { day, time, zone } = groups;
  const midnight = new Date(day);
  // 30 February would silently become 1 March.
  const exists = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
  const milliseconds = time === undefined ? midnight.getTime() : Date.parse(`${day}T${time}${zone ?? 'Z'}`);
  if (!exists || Number.isNaN(milliseconds)) throw wrong(place, 'a date that exists', cell);
  return milliseconds / 1000;
}

/** @throws NighError INVALID_RECORD for a value that is neither a text nor a list of texts nor unknown */
export function tagsOf(cell: Cell, place: CellPlace, separator: string): string[] | undefined {
  if (isUnknown(cell)) return undefined;
  if (typeof cell === 'string') return cleanTags(cell.split(separator));
  if (!Array.isArray(cell) || !cell.every((tag) => typeof tag === 'string'))
    throw wrong(place, 'a list of texts', cell);
  return cleanTags(cell);
}

function isUnknown(cell: Cell): cell is undefined | null | '' {
  return cell === undefined || cell === null || cell === '';
}

function wrong({ path, line, column }: CellPlace, expected: string, actual: Cell) {
  return invalidRecord(path, line, column, expected, actual);
}

import { describe, NighError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';

/** Where a record is, for messages. */
export function place(path: string, line: number): string {
  return `${path}:${line}`;
}

/** INVALID_RECORD with file, line and field. */
export function invalidRecord(path: string, line: number, field: string, expected: string, actual: unknown): NighError {
  return new NighError(
    'INVALID_RECORD',
    `${place(path, line)}: ${field}: expected ${expected}, got ${describe(actual)}.`,
  );
}

/** Gives a NighError about a record the file and line that its thrower could not know; a wrong argument is then a wrong record. */
export function atRecord<T>(path: string, line: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof NighError)) throw error;
    const code = error.code === 'INVALID_ARGUMENT' ? 'INVALID_RECORD' : error.code;
    throw new NighError(code, `${place(path, line)}: ${error.message}`, { cause: error });
  }
}

/** A finite decimal number, or undefined: the empty text, `NaN`, `Infinity` and `0x10` are none. */
export function parseNumber(text: string): number | undefined {
  const trimmed = text.trim();
  const value = Number(trimmed);
  return trimmed === '' || !Number.isFinite(value) || /^[+-]?0[xob]/i.test(trimmed) ? undefined : value;
}

/** @throws NighError INVALID_RECORD unless the text is a finite number */
export function requireNumber(path: string, line: number, field: string, text: string): number {
  const value = parseNumber(text);
  if (value === undefined) throw invalidRecord(path, line, field, 'a number', text);
  return value;
}

/** Trimmed, without empty ones and repetitions, in their order; undefined where none is left. */
export function cleanTags(tags: Iterable<string>): string[] | undefined {
  const clean = new Set<string>();
  for (const tag of tags) {
    const trimmed = tag.trim();
    if (trimmed !== '') clean.add(trimmed);
  }
  return clean.size === 0 ? undefined : [...clean];
}

/** @throws NighError MISSING_COLUMN naming what is there and what is near */
export function missingColumn(path: string, wanted: string, present: readonly string[]): NighError {
  const columns = present.map((name) => JSON.stringify(name)).join(', ');
  return new NighError(
    'MISSING_COLUMN',
    `${path}: there is no column ${JSON.stringify(wanted)}.${didYouMean(wanted, present)} It has ${columns || 'none'}.`,
  );
}

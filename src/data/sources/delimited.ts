import { finished } from 'node:stream/promises';
import { CsvError, Parser } from 'csv-parse';
import { describe, NighError } from '../../core/errors.js';
import type { FetchContext } from '../load-context.js';
import { readText, type TextEncoding } from './read-text.js';

export interface DelimitedFormat {
  /** What stands between two fields: any text, for instance `,` or `::`. */
  readonly delimiter: string;
  /** Whether fields may stand in double quotes as in RFC 4180; else a quote is an ordinary character. */
  readonly quotes: boolean;
  readonly encoding: TextEncoding;
}

/** A quoted field may hold line ends; so many characters without an end of the record mean that a quote was never meant to open. */
const longestRecord = 1 << 24;

/**
 * Calls `visit` with the fields of every record of a delimited text file and the number of the line on which it begins, from 1.
 * Empty lines are skipped. Lines end in `\n` or `\r\n`; inside a quoted field both are kept as they are. Memory: a chunk and a record.
 * @throws NighError as readText; INVALID_RECORD for a misplaced or missing quote or a record without end, with file and line; and
 * whatever `visit` throws, which ends the reading
 */
export async function readDelimited(
  path: string,
  format: DelimitedFormat,
  context: FetchContext,
  visit: (fields: string[], line: number) => void,
): Promise<void> {
  const parser = new RecordParser(format, visit);
  // Whoever waits for the parser gets its error; without a listener it would end the process besides.
  parser.on('error', () => {});
  try {
    for await (const text of readText(path, format.encoding, context, () => parser.line - 1)) {
      await written(parser, text);
      if (parser.refusal !== undefined) break;
      if (parser.isEndless(text.length)) throw endless(path, parser.line);
    }
    // A last line without its end, or with half of a `\r\n`, becomes one like the others; a further empty line counts for nothing.
    if (parser.refusal === undefined) await finished(parser.end('\n'), { readable: false });
  } catch (error) {
    if (parser.refusal === undefined) {
      throw error instanceof CsvError ? invalidQuotes(path, parser.line, error) : error;
    }
  } finally {
    parser.destroy();
  }
  if (parser.refusal !== undefined) throw parser.refusal.error;
}

/** Resolves when the parser has taken the text. */
function written(parser: Parser, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/**
 * Hands every record on where csv-parse would put it into the stream's queue. The option `on_record` is there for this too, but copies
 * all its counters for every record, which takes longer than parsing it.
 *
 * Lines are those that editors count, by their `\n`. csv-parse knows on which line a record ends, and takes every `\r` inside a field
 * for the end of one.
 */
class RecordParser extends Parser {
  /** What `visit` has thrown; the rest of the text is for nobody then. */
  refusal: { readonly error: unknown } | undefined;
  readonly #visit: (fields: string[], line: number) => void;
  /** The line on which the last record ended, and what csv-parse had counted there. */
  #last = 0;
  #lines = 0;
  #emptyLines = 0;
  /** How many records and empty lines had ended, and how many characters have come since. */
  #ends = 0;
  #length = 0;

  constructor({ delimiter, quotes }: DelimitedFormat, visit: (fields: string[], line: number) => void) {
    super({
      delimiter,
      quote: quotes,
      // Not left to be discovered, which would take the first line end for that of all lines, and is slow up to there.
      record_delimiter: ['\r\n', '\n'],
      skip_empty_lines: true,
      relax_column_count: true,
      max_record_size: longestRecord,
    });
    this.#visit = visit;
  }

  /** The line on which the record begins that is being read. */
  get line(): number {
    return this.#last + 1 + this.info.empty_lines - this.#emptyLines;
  }

  override push(fields: string[] | null): boolean {
    if (fields === null) return super.push(null);
    if (this.refusal !== undefined) return true;
    const begin = this.line;
    const isOneLine = this.info.lines - this.#lines === begin - this.#last;
    this.#last = isOneLine ? begin : begin + lineEnds(fields);
    this.#lines = this.info.lines;
    this.#emptyLines = this.info.empty_lines;
    try {
      this.#visit(fields, begin);
    } catch (error) {
      this.refusal = { error };
    }
    return true;
  }

  /**
   * Whether so many more characters make the record that is being read too long. `max_record_size` counts what is in the fields, but a
   * file may hold nothing but delimiters.
   */
  isEndless(more: number): boolean {
    const ends = this.info.records + this.info.empty_lines;
    this.#length = ends === this.#ends ? this.#length + more : 0;
    this.#ends = ends;
    return this.#length > longestRecord;
  }
}

function lineEnds(fields: readonly string[]): number {
  let count = 0;
  for (const field of fields) {
    for (let at = field.indexOf('\n'); at !== -1; at = field.indexOf('\n', at + 1)) count++;
  }
  return count;
}

function invalidQuotes(path: string, line: number, error: CsvError): NighError {
  const invalid = (what: string) => new NighError('INVALID_RECORD', `${path}:${line}: ${what}`, { cause: error });
  const rule = 'Quotes must enclose the whole field, and are doubled inside it.';
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return invalid('a quote in the record that begins here is never closed.');
    case 'INVALID_OPENING_QUOTE':
      return invalid(`a quote inside an unquoted field, after ${describe(error.field)}. ${rule}`);
    case 'CSV_INVALID_CLOSING_QUOTE':
      return invalid(`text after a closing quote. ${rule}`);
    case 'CSV_MAX_RECORD_SIZE':
      return endless(path, line, error);
    default:
      return invalid(error.message);
  }
}

function endless(path: string, line: number, cause?: unknown): NighError {
  return new NighError(
    'INVALID_RECORD',
    `${path}:${line}: the record is longer than ${longestRecord} characters; perhaps a quote is never closed.`,
    { cause },
  );
}

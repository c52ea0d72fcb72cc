import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DelimitedFormat, readDelimited } from '../../../src/data/sources/delimited.js';
import { nighError } from '../support/expect-error.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const csv: DelimitedFormat = { delimiter: ',', quotes: true, encoding: 'utf-8' };

async function read(content: string | Uint8Array, format: DelimitedFormat = csv, name = 'table.csv') {
  const directory = await temporaryDirectory({ [name]: content });
  const records: string[][] = [];
  const lines: number[] = [];
  await readDelimited(join(directory, name), format, {}, (fields, line) => {
    records.push(fields);
    lines.push(line);
  });
  return { records, lines };
}

/** Fields that look for trouble. */
const field = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'ü', '€', '😀', ' ', ',', ';', '"', '\n', '|'), maxLength: 6 }),
  fc.string({ maxLength: 4 }).map((text) => text.replaceAll('\r', '')),
);

/** As a careful program would write it, or as one that quotes everything. */
function written(value: string, delimiter: string, always: boolean): string {
  // Any part of the delimiter: `:` before `::` would read as `::` before `:`.
  const quoted = always || [...delimiter, '"', '\n'].some((special) => value.includes(special));
  return quoted ? `"${value.replaceAll('"', '""')}"` : value;
}

describe('readDelimited', () => {
  it('reads random tables as csv-parse does', async () => {
    const tables = fc.record({
      rows: fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 8 }),
      delimiter: fc.constantFrom(',', ';', '|', '::'),
      always: fc.boolean(),
      end: fc.constantFrom('\n', ''),
    });
    await fc.assert(
      fc.asyncProperty(tables, async ({ rows, delimiter, always, end }) => {
        const text =
          rows.map((row) => row.map((value) => written(value, delimiter, always)).join(delimiter)).join('\n') + end;
        const { records } = await read(text, { ...csv, delimiter });
        expect(records).toEqual(rows);
        expect(records).toEqual(parse(text, { delimiter, relax_column_count: true, skip_empty_lines: true }));
      }),
      { numRuns: 150 },
    );
  });

  it('gives the line on which a record begins, also after one that runs over several', async () => {
    const { records, lines } = await read('a,b\n"1\n2\n3",x\n\ny,"z"\n');
    expect(records).toEqual([
      ['a', 'b'],
      ['1\n2\n3', 'x'],
      ['y', 'z'],
    ]);
    expect(lines).toEqual([1, 2, 6]);
  });

  it('reads CRLF, a byte-order mark, a last line without an end, and empty fields', async () => {
    const { records } = await read('\ufeffa,b\r\n,"q, "\r\n1,');
    expect(records).toEqual([
      ['a', 'b'],
      ['', 'q, '],
      ['1', ''],
    ]);
  });

  it('takes quotes for ordinary characters where they have no meaning', async () => {
    const { records } = await read('5" disk::"x\n', { ...csv, delimiter: '::', quotes: false });
    expect(records).toEqual([['5" disk', '"x']]);
  });

  it('reads latin1 where the format says so', async () => {
    const bytes = Buffer.from('Les Misérables,1995\n', 'latin1');
    expect((await read(bytes, { ...csv, encoding: 'latin1' })).records).toEqual([['Les Misérables', '1995']]);
    await expect(read(bytes)).rejects.toEqual(nighError('INVALID_RECORD', 'utf-8', 'encoding'));
  });

  it('reads gzip, whatever the chunks are cut through', async () => {
    const rows = Array.from({ length: 40_000 }, (_, at) => [`användare ${at}`, `€${at % 97}`, 'x'.repeat(at % 31)]);
    const text = rows.map((row) => row.join(',')).join('\n');
    expect((await read(gzipSync(text), csv, 'table.csv.gz')).records).toEqual(rows);
    expect((await read(text)).records).toEqual(rows);
  });

  it('says that a gzip file is cut short or damaged', async () => {
    const whole = gzipSync('a,b\n'.repeat(1000));
    await expect(read(whole.subarray(0, -12), csv, 't.gz')).rejects.toEqual(nighError('TRUNCATED', 't.gz'));
    await expect(read('no gzip', csv, 't.gz')).rejects.toEqual(nighError('FORMAT', 't.gz'));
  });

  it.each([
    ['a quote that is never closed', 'a,b\n1,"x\ny,z\n', ['table.csv:2', 'never closed']],
    ['a quote inside an unquoted field', 'a,b\n\n5" disk,3" disk\n', ['table.csv:3', 'unquoted']],
    ['text after a closing quote', '"a"b,c\n', ['table.csv:1', 'closing']],
  ])('refuses %s, with file and line', async (_, text, texts) => {
    await expect(read(text)).rejects.toEqual(nighError('INVALID_RECORD', ...texts));
  });

  it('gives up in linear time on a quote that is never closed in a large file', async () => {
    await expect(read(`"${'a,b\n'.repeat(1_000_000)}`)).rejects.toEqual(nighError('INVALID_RECORD', 'table.csv:1'));
  });

  it('says that a file is not there, or is a directory', async () => {
    const directory = await temporaryDirectory();
    const missing = readDelimited(join(directory, 'none.csv'), csv, {}, () => {});
    await expect(missing).rejects.toEqual(nighError('NOT_FOUND', 'none.csv'));
    await expect(readDelimited(directory, csv, {}, () => {})).rejects.toEqual(nighError('IO', directory));
  });

  it('stops when it is aborted, and closes the file', async () => {
    const directory = await temporaryDirectory({ 'table.csv': 'a,b\n'.repeat(500_000) });
    const controller = new AbortController();
    let seen = 0;
    const reading = readDelimited(join(directory, 'table.csv'), csv, { signal: controller.signal }, () => {
      if (++seen === 10) controller.abort();
    });
    await expect(reading).rejects.toEqual(nighError('ABORTED'));
    expect(seen).toBeLessThan(500_000);
  });

  it('reports progress up to the last byte', async () => {
    const directory = await temporaryDirectory({ 'table.csv': 'a,b\n'.repeat(1000) });
    const reports: unknown[] = [];
    const context = { onProgress: (progress: unknown) => reports.push(progress) };
    await readDelimited(join(directory, 'table.csv'), csv, context, () => {});
    const name = join(directory, 'table.csv');
    expect(reports.at(-1)).toEqual({ stage: 'read', name, done: 4000, total: 4000 });
  });
});

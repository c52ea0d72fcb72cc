import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NighError } from '../../../src/core/errors.js';
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
  fc.string({
    unit: fc.constantFrom('a', 'ü', '€', '😀', ' ', ',', ';', '"', '\n', '\r', '\r\n', '|', '::'),
    maxLength: 6,
  }),
  fc.string({ maxLength: 4 }),
);

/** As a careful program would write it, or as one that quotes everything. */
function written(value: string, delimiter: string, always: boolean): string {
  // Any part of the delimiter: `:` before `::` would read as `::` before `:`.
  const quoted = always || value === '' || [...delimiter, '"', '\n', '\r'].some((special) => value.includes(special));
  return quoted ? `"${value.replaceAll('"', '""')}"` : value;
}

/** A file, and what it should be read as. */
interface WrittenTable {
  readonly text: string;
  readonly rows: readonly string[][];
  readonly lines: readonly number[];
}

const tables: fc.Arbitrary<WrittenTable & { delimiter: string }> = fc
  .record({
    rows: fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
    emptyLines: fc.array(fc.nat({ max: 2 }), { minLength: 9, maxLength: 9 }),
    delimiter: fc.constantFrom(',', ';', '|', '::', '\t'),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    always: fc.boolean(),
    ended: fc.boolean(),
  })
  .map(({ rows, emptyLines, delimiter, lineEnd, always, ended }) => {
    let text = '';
    const lines: number[] = [];
    for (const [at, row] of rows.entries()) {
      text += lineEnd.repeat(emptyLines[at] ?? 0);
      lines.push(text.split('\n').length);
      text += row.map((value) => written(value, delimiter, always)).join(delimiter) + lineEnd;
    }
    return { text: ended ? text : text.slice(0, -lineEnd.length), rows, lines, delimiter };
  });

/** The size of the pieces in which a file is read. */
const piece = 1 << 16;

/** Files of this process that are open, by their paths. */
async function openFiles(): Promise<string[]> {
  const numbers = await readdir('/proc/self/fd');
  return Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => '')));
}

describe('readDelimited', () => {
  it('reads what was written, and says on which line each record begins', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ text, rows, lines, delimiter }) => {
        expect(await read(text, { ...csv, delimiter })).toEqual({ records: rows, lines });
      }),
      { numRuns: 300 },
    );
  });

  it('reads the same wherever a file is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.nat({ max: 60 }), async ({ text, rows, lines, delimiter }, before) => {
        const first = 'x'.repeat(piece - 1 - before);
        const { records, lines: begins } = await read(`${first}\n${text}`, { ...csv, delimiter });
        expect(records).toEqual([[first], ...rows]);
        expect(begins).toEqual([1, ...lines.map((line) => line + 1)]);
      }),
      { numRuns: 200 },
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

  it('keeps the line ends of a quoted field, and does not take a lone CR for one', async () => {
    const { records, lines } = await read('"1\r\n2",a\rb\r\n3,"4\r5\n6"\n7,8\r');
    expect(records).toEqual([
      ['1\r\n2', 'a\rb'],
      ['3', '4\r5\n6'],
      ['7', '8'],
    ]);
    expect(lines).toEqual([1, 3, 5]);
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
    ['a quote in the last line of a record', 'a,b\r\n"1\r\n2",5" disk\r\n', ['table.csv:2', 'after "5"']],
    ['a quote that is opened by the last character', 'a,b\n1,"', ['table.csv:2', 'never closed']],
  ])('refuses %s, with file and line', async (_, text, texts) => {
    await expect(read(text)).rejects.toEqual(nighError('INVALID_RECORD', ...texts));
  });

  it('gives up in linear time on a quote that is never closed in a large file', async () => {
    await expect(read(`"${'a,b\n'.repeat(1_000_000)}`)).rejects.toEqual(nighError('INVALID_RECORD', 'table.csv:1'));
  });

  it('bounds a record that has no end', async () => {
    const long = nighError('INVALID_RECORD', 'table.csv:3', 'longer than');
    await expect(read(`a\n\n"${'a,b\n'.repeat(5_000_000)}`)).rejects.toEqual(long);
    await expect(read(`a\n\n${','.repeat(20_000_000)}`)).rejects.toEqual(long);
  });

  it('reads any number of empty lines', async () => {
    const { records, lines } = await read(`${'\n'.repeat(20_000_000)}a`);
    expect([records, lines]).toEqual([[['a']], [20_000_001]]);
  });

  it('says after which line the text is in another encoding', async () => {
    const bytes = Buffer.concat([Buffer.from('"1\n2",b\n\n'.repeat(piece)), Buffer.from([0xff, 0x0a])]);
    const reading = read(bytes);
    await expect(reading).rejects.toEqual(nighError('INVALID_RECORD', 'utf-8'));
    // Somewhere in the last piece, whose lines have four characters on average.
    const line = Number(/after line (\d+) /.exec(await reading.then(() => '', String))?.[1]);
    expect(line).toBeGreaterThan(3 * piece - piece / 3);
    expect(line).toBeLessThanOrEqual(3 * piece);
  });

  it.each([
    ['an error', new TypeError('no such user')],
    ['a NighError', new NighError('DUPLICATE_ID', 'twice')],
    ['nothing', undefined],
  ])('passes on %s that a visitor throws, as it is, and reads no further', async (_, thrown) => {
    for (const [text, at] of [
      ['a,b\n'.repeat(100_000), 2],
      ['a,b\n'.repeat(100_000), 90_000],
      ['a,b\nc,d', 2],
      ['a,b\nc,d\n5" disk', 2],
    ] as const) {
      const path = join(await temporaryDirectory({ 'table.csv': text }), 'table.csv');
      let seen = 0;
      const reading = readDelimited(path, csv, {}, () => {
        if (++seen === at) throw thrown;
      });
      expect(
        await reading.then(
          () => 'read to the end',
          (error: unknown) => ({ error }),
        ),
      ).toEqual({ error: thrown });
      expect(seen).toBe(at);
    }
  });

  it.skipIf(process.platform !== 'linux').each(['table.csv', 'table.csv.gz'])(
    'has closed %s when it ends, by whatever cause',
    async (name) => {
      const text = `${'a,b\n'.repeat(100_000)}5" disk\n${'a,b\n'.repeat(100_000)}`;
      const path = join(await temporaryDirectory({ [name]: name.endsWith('.gz') ? gzipSync(text) : text }), name);
      const controller = new AbortController();
      const visits = [
        () => {},
        () => controller.abort(),
        () => {
          throw new Error('enough');
        },
      ];
      for (const visit of visits) {
        await expect(readDelimited(path, csv, { signal: controller.signal }, visit)).rejects.toThrow();
        expect(await openFiles()).not.toContain(path);
      }
    },
  );

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

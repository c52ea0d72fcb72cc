import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLines } from '../../../src/data/sources/read-lines.js';
import { nighError } from '../support/expect-error.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

async function read(content: string | Uint8Array, name = 'lines.txt') {
  const directory = await temporaryDirectory({ [name]: content });
  const lines: [string, number][] = [];
  await readLines(join(directory, name), 'utf-8', {}, (line, number) => lines.push([line, number]));
  return lines;
}

/** The size of the pieces in which a file is read. */
const piece = 1 << 16;

describe('readLines', () => {
  it('gives every line without its end, and its number, wherever the file is cut into pieces', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'ü', '€', '😀', ' ', '"'), maxLength: 6 });
    const file = fc.record({
      lines: fc.array(line, { maxLength: 12 }),
      lineEnd: fc.constantFrom('\n', '\r\n'),
      ended: fc.boolean(),
      before: fc.nat({ max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(file, async ({ lines, lineEnd, ended, before }) => {
        const first = 'x'.repeat(piece - lineEnd.length - before);
        const all = [first, ...lines];
        // An end without a line before it is no line, and a line of nothing at the end needs its end to be one.
        const isEnded = ended || all.at(-1) === '';
        const found = await read(all.join(lineEnd) + (isEnded ? lineEnd : ''));
        expect(found).toEqual(all.map((text, at) => [text, at + 1]));
      }),
      { numRuns: 100 },
    );
  });

  it('skips a byte-order mark, and decompresses', async () => {
    expect(await read(gzipSync('\ufeffa\nb'), 'lines.gz')).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(await read('')).toEqual([]);
  });

  it('says after which line the text is in another encoding, and that a line has no end', async () => {
    const bytes = Buffer.concat([Buffer.from('a\n'.repeat(piece)), Buffer.from([0xff])]);
    await expect(read(bytes)).rejects.toEqual(nighError('INVALID_RECORD', `after line ${piece} `, 'utf-8'));
    await expect(read(`a\n${'b'.repeat(20_000_000)}`)).rejects.toEqual(nighError('INVALID_RECORD', 'lines.txt:2'));
  });

  it('passes on what a visitor throws, as it is, and reads no further', async () => {
    const path = join(await temporaryDirectory({ 'lines.txt': 'a\n'.repeat(100_000) }), 'lines.txt');
    const thrown = new TypeError('no such user');
    let seen = 0;
    const reading = readLines(path, 'utf-8', {}, () => {
      if (++seen === 50_000) throw thrown;
    });
    await expect(reading).rejects.toBe(thrown);
    expect(seen).toBe(50_000);
  });
});

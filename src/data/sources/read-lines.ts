import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { fileError } from '../file-error.js';
import { ByteMeter, type FetchContext, metered } from '../load-context.js';

/** `latin1` is read as windows-1252, its superset, as everywhere on the web. */
export type TextEncoding = 'utf-8' | 'latin1';

/** A line longer than this, in characters, is taken for a file that is not text. */
const longestLine = 1 << 24;

/** 256 KiB of CSV are parsed in some milliseconds: the event loop stays free. */
const chunkBytes = 1 << 18;

/**
 * Calls `visit` with every line of a text file and its number, from 1, without its `\n` or `\r\n`. A file whose name ends in `.gz`
 * is decompressed. A byte-order mark is skipped. Memory: a chunk and a line.
 * @throws NighError NOT_FOUND, IO, TRUNCATED and FORMAT for a damaged gzip file, INVALID_RECORD for text in another encoding or a
 * line without end, ABORTED, and whatever `visit` throws
 */
export async function readLines(
  path: string,
  encoding: TextEncoding,
  context: FetchContext,
  visit: (line: string, number: number) => void,
): Promise<void> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let rest = '';
  let number = 0;
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (error) {
      throw new NighError(
        'INVALID_RECORD',
        `${path}: the text after line ${number} is not ${encoding}; set "encoding" if it is another.`,
        { cause: error },
      );
    }
  };
  const take = (text: string): void => {
    let begin = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', begin)) {
      const line = begin === 0 ? rest + text.slice(0, end) : text.slice(begin, end);
      begin = end + 1;
      number++;
      visit(line.endsWith('\r') ? line.slice(0, -1) : line, number);
    }
    rest = begin === 0 ? rest + text : text.slice(begin);
    if (rest.length > longestLine) {
      throw new NighError(
        'INVALID_RECORD',
        `${path}:${number + 1}: the line is longer than ${longestLine} characters.`,
      );
    }
  };
  try {
    const size = (await stat(path)).size;
    const meter = new ByteMeter(context, 'read', path, size);
    for await (const chunk of openText(path, meter)) {
      throwIfAborted(context.signal);
      take(decode(chunk));
    }
    take(decode());
    if (rest !== '') visit(rest.endsWith('\r') ? rest.slice(0, -1) : rest, number + 1);
    meter.finish();
  } catch (error) {
    throw fileError(path, error);
  }
}

function openText(path: string, meter: ByteMeter): AsyncIterable<Uint8Array> {
  const file = metered(createReadStream(path, { highWaterMark: chunkBytes }), meter);
  if (!path.endsWith('.gz')) return file;
  // Whoever reads from the last stream gets the error of any of them; the callback has nothing to add.
  return pipeline(file, createGunzip({ chunkSize: chunkBytes }), () => {});
}

import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { fileError } from '../file-error.js';
import { ByteMeter, type FetchContext, metered } from '../load-context.js';
import { standardInput } from './find-files.js';

/** `latin1` is read as windows-1252, its superset, as everywhere on the web. */
export type TextEncoding = 'utf-8' | 'latin1';

/** So much is parsed in some milliseconds, between which the event loop runs. */
const chunkBytes = 1 << 16;

/**
 * The text of a file, or of the standard input (`-`), in pieces, cut anywhere between two characters. A file whose name ends in `.gz` is decompressed. A byte-order mark
 * is skipped. Whoever stops reading finds the file closed.
 * @param linesRead how many lines the caller has taken so far: where text that cannot be decoded is said to be
 * @throws NighError NOT_FOUND, IO, TRUNCATED and FORMAT for a damaged gzip file, INVALID_RECORD for text in another encoding, ABORTED
 */
export async function* readText(
  path: string,
  encoding: TextEncoding,
  context: FetchContext,
  linesRead: () => number,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (error) {
      throw new NighError(
        'INVALID_RECORD',
        `${path}: the text after line ${linesRead()} is not ${encoding}; set "encoding" if it is another.`,
        { cause: error },
      );
    }
  };
  try {
    if (path === standardInput) {
      yield* decoded(
        metered(process.stdin, new ByteMeter(context, 'read', 'standard input', undefined)),
        decode,
        context,
      );
      return;
    }
    const file = await open(path);
    try {
      const meter = new ByteMeter(context, 'read', path, (await file.stat()).size);
      yield* decoded(bytesOf(file, path, meter), decode, context);
      meter.finish();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(path, error);
  }
}

async function* decoded(
  chunks: AsyncIterable<Uint8Array>,
  decode: (bytes?: Uint8Array) => string,
  { signal }: FetchContext,
): AsyncGenerator<string, void, undefined> {
  for await (const chunk of chunks) {
    throwIfAborted(signal);
    yield decode(chunk);
  }
  yield decode();
}

function bytesOf(file: FileHandle, path: string, meter: ByteMeter): AsyncIterable<Uint8Array> {
  const bytes = metered(file.createReadStream({ highWaterMark: chunkBytes }), meter);
  if (!path.endsWith('.gz')) return bytes;
  // Whoever reads from the last stream gets the error of any of them; the callback has nothing to add.
  return pipeline(bytes, createGunzip({ chunkSize: chunkBytes }), () => {});
}

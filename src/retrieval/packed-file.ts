/** Files of a generation: written with msgpackr, flushed to disk, and read back only if they are what was written. */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Packr } from 'msgpackr';
import { NighError } from '../core/errors.js';

/** What a file must be. */
export interface FileStamp {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

// moreTypes keeps typed arrays what they are; without it a Float32Array comes back as a Buffer.
const packr = new Packr({ moreTypes: true, useRecords: true });

/** @throws NighError IO */
export async function writePacked(path: string, value: unknown): Promise<void> {
  await writeDurable(path, packr.pack(value));
}

/**
 * @returns what was packed; its shape is for the caller to check
 * @throws NighError NOT_FOUND, IO, TRUNCATED, CHECKSUM_MISMATCH, FORMAT
 */
export async function readPacked(path: string, stamp: FileStamp): Promise<unknown> {
  return unpackBytes(await readFileStamped(path, stamp), path);
}

/** What `writePacked` wrote, from wherever it was kept. @throws NighError FORMAT */
export function unpackBytes(bytes: Uint8Array, name: string): unknown {
  try {
    return packr.unpack(bytes);
  } catch (cause) {
    throw new NighError('FORMAT', `${name}: cannot be decoded: ${(cause as Error).message}`, { cause });
  }
}

/** Writes a whole new file and flushes it to disk. @throws NighError IO */
export async function writeDurable(path: string, content: Uint8Array | string): Promise<void> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new NighError('IO', `${path}: cannot be written: ${(cause as Error).message}`, { cause });
  }
}

/** Flushes a file, or the entries of a directory, to disk. @throws NighError IO */
export async function flush(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } catch (cause) {
      // Windows cannot flush a directory, and needs it less: its renames are journaled.
      if (process.platform !== 'win32') throw cause;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new NighError('IO', `${path}: cannot be flushed to disk: ${(cause as Error).message}`, { cause });
  }
}

/** A directory that stays after a loss of power, with those above it that are not there yet. @throws NighError IO */
export async function makeDirectory(directory: string): Promise<void> {
  let made: string | undefined;
  try {
    made = await mkdir(directory, { recursive: true });
  } catch (cause) {
    throw new NighError('IO', `${directory}: cannot be made: ${(cause as Error).message}`, { cause });
  }
  if (made === undefined) return;
  for (let at = resolve(directory); at.length >= made.length; at = dirname(at)) await flush(dirname(at));
}

/** Length and checksum of a file, read as a stream. @throws NighError NOT_FOUND, IO */
export async function stampFile(path: string): Promise<FileStamp> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    const file = await open(path, 'r');
    for await (const chunk of file.createReadStream({ highWaterMark: 1 << 20 })) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
  } catch (cause) {
    throw readError(path, cause);
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** @throws NighError NOT_FOUND, IO, TRUNCATED */
export async function requireLength(path: string, { bytes }: FileStamp): Promise<void> {
  let actual: number;
  try {
    actual = (await stat(path)).size;
  } catch (cause) {
    throw readError(path, cause);
  }
  if (actual !== bytes) throw new NighError('TRUNCATED', `${path}: expected ${bytes} bytes, got ${actual}.`);
}

/** A whole file, if it is what was written. @throws NighError NOT_FOUND, IO, TRUNCATED, CHECKSUM_MISMATCH */
export async function readFileStamped(path: string, stamp: FileStamp): Promise<Buffer> {
  await requireLength(path, stamp);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw readError(path, cause);
  }
  if (createHash('sha256').update(bytes).digest('hex') !== stamp.sha256) {
    throw new NighError('CHECKSUM_MISMATCH', `${path}: the content is not what was written.`);
  }
  return bytes;
}

function readError(path: string, cause: unknown): NighError {
  const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  return new NighError(missing ? 'NOT_FOUND' : 'IO', `${path}: ${(cause as Error).message}`, { cause });
}

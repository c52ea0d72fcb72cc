import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted } from '../../core/abort.js';
import { type ErrorCode, NighError } from '../../core/errors.js';
import type { Manifest } from '../generation.js';
import { type FileStamp, requireLength, stampFile } from '../packed-file.js';

/** A file of a generation that is not what was written. */
export interface DamagedFile {
  readonly name: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What files hold, by the place where they lie: generations share files, which need to be read once. */
export class FileReader {
  readonly #known = new Map<string, FileStamp>();
  bytesRead = 0;

  /** @throws NighError NOT_FOUND, IO */
  async stamp(path: string): Promise<FileStamp> {
    const place = await stat(path).then(
      ({ dev, ino }) => `${dev}:${ino}`,
      () => path,
    );
    const known = this.#known.get(place);
    if (known !== undefined) return known;
    const stamp = await stampFile(path);
    this.bytesRead += stamp.bytes;
    this.#known.set(place, stamp);
    return stamp;
  }
}

/**
 * Reads every file that a manifest lists and compares it with its checksum.
 * @returns those that are missing, cannot be read, or are not what was written
 * @throws NighError ABORTED
 */
export async function checkFiles(
  directory: string,
  { files }: Manifest,
  reader: FileReader,
  signal?: AbortSignal,
  onProgress?: (name: string, done: number, total: number) => void,
): Promise<DamagedFile[]> {
  const damaged: DamagedFile[] = [];
  const all = Object.entries(files);
  for (const [done, [name, stamp]] of all.entries()) {
    throwIfAborted(signal);
    onProgress?.(name, done, all.length);
    try {
      await requireStamp(join(directory, name), stamp, reader);
    } catch (cause) {
      if (!(cause instanceof NighError)) throw cause;
      damaged.push({ name, code: cause.code, message: cause.message });
    }
  }
  onProgress?.('', all.length, all.length);
  return damaged;
}

/** @throws NighError NOT_FOUND, IO, TRUNCATED, CHECKSUM_MISMATCH */
export async function requireStamp(path: string, stamp: FileStamp, reader: FileReader): Promise<void> {
  await requireLength(path, stamp);
  if ((await reader.stamp(path)).sha256 !== stamp.sha256) {
    throw new NighError('CHECKSUM_MISMATCH', `${path}: the content is not what was written.`);
  }
}

/**
 * lmdb maps its file and believes it: a file that is none of its own, or that is shorter than it says, ends the process. So it is looked at first.
 *
 * The file begins with two pages that say the same of two transactions, the older and the newer: 24 bytes of a page's head, then
 * magic 0xBEEFC0DE, version, …, page size (at 48), …, last page (at 144), transaction (at 152).
 */
import { type FileHandle, open } from 'node:fs/promises';
import { NighError } from '../../core/errors.js';

/** Its name in the directory of a journal. */
export const journalFile = 'data.mdb';

const magic = 0xbeefc0de;
const headBytes = 168;
const smallestPage = 256;
const largestPage = 0x10000;

/**
 * Refuses a file that lmdb must not be given. One that is shorter than it says is lengthened with zeros where it may be written to: then a page
 * that is missed is an error of the one change that lay there.
 * @param isWritten whether another process may be writing to it
 * @throws NighError FORMAT, TRUNCATED, IO
 */
export async function checkDataFile(path: string, write: boolean, isWritten: boolean): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, write ? 'r+' : 'r');
    const { size } = await file.stat();
    const pageSize = (await head(file, 0, path, size)).readUInt32LE(48);
    if (pageSize < smallestPage || pageSize > largestPage || (pageSize & (pageSize - 1)) !== 0) {
      throw new NighError('FORMAT', `${path}: a page of ${pageSize} bytes is none of lmdb.`);
    }
    const heads = [await head(file, 0, path, size), await head(file, pageSize, path, size)];
    const newest = heads.reduce((a, b) => (a.readBigUInt64LE(152) > b.readBigUInt64LE(152) ? a : b));
    const wanted = (newest.readBigUInt64LE(144) + 1n) * BigInt(pageSize);
    if (BigInt(size) >= wanted) return;
    // Pages at the end may have been given back before they were ever written; more than that is not to be believed. While another process
    // writes they are its own business.
    if (!write && isWritten) return;
    if (!write || wanted > BigInt(size) * 64n + 0x1000000n) {
      throw new NighError('TRUNCATED', `${path}: expected ${wanted} bytes, got ${size}.`);
    }
    await file.truncate(Number(wanted));
  } catch (cause) {
    if (cause instanceof NighError) throw cause;
    throw new NighError('IO', `${path}: ${(cause as Error).message}`, { cause });
  } finally {
    await file?.close();
  }
}

async function head(file: FileHandle, at: number, path: string, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(headBytes);
  const { bytesRead } = await file.read(bytes, 0, headBytes, at);
  if (bytesRead < headBytes)
    throw new NighError('TRUNCATED', `${path}: it ends within its first pages, at ${size} bytes.`);
  if (bytes.readUInt32LE(24) !== magic) throw new NighError('FORMAT', `${path}: this is no file of lmdb.`);
  return bytes;
}

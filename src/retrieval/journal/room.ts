/**
 * lmdb says of a write that failed more than it has room for (lmdb 3.5.6, mdb.c: a message of up to 110 bytes in 100), which may end the
 * process. A disk that is full must not: so the room of a commit is taken before it, at the end of the file, where a failure is an error.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { NighError } from '../../core/errors.js';

/** What is taken at a time, so that most commits find it there. */
const step = 1 << 20;
const longestChunk = 1 << 18;

/**
 * Lengthens a file with zeros, which are written, so that the disk has given their room.
 * @param used bytes of it that are in use; those after them are free
 * @param wanted free bytes
 * @returns the length of the file
 * @throws NighError IO; what is in use is then as it was
 */
export async function makeRoom(path: string, used: number, wanted: number): Promise<number> {
  return withFile(path, 'there is no room for another change', async (file) => {
    let { size } = await file.stat();
    if (size >= used + wanted) return size;
    const end = used + Math.ceil(wanted / step) * step;
    const chunk = Buffer.alloc(Math.min(longestChunk, end - size));
    while (size < end) size += (await file.write(chunk, 0, Math.min(chunk.length, end - size), size)).bytesWritten;
    return size;
  });
}

/** Cuts a file that nobody writes to down to what is in use. @throws NighError IO */
export async function giveRoomBack(path: string, used: number): Promise<void> {
  await withFile(path, 'it cannot be cut to its length', async (file) => {
    if ((await file.stat()).size > used) await file.truncate(used);
  });
}

async function withFile<T>(path: string, problem: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r+');
    return await use(file);
  } catch (cause) {
    throw new NighError('IO', `${path}: ${problem}: ${(cause as Error).message}`, { cause });
  } finally {
    await file?.close();
  }
}

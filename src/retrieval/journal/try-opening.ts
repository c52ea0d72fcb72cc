/**
 * Where a call of lmdb's own fails while it opens its files, it uses what it has freed, and the process ends (lmdb 3.5.6, src/env.cpp:
 * `openEnv` deletes its context and then closes with it). So everything that it is about to do is tried first, where a failure is an error.
 */
import { randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, type FileHandle, link, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NighError } from '../../core/errors.js';
import { journalFile } from './data-file.js';

const lockFile = 'lock.mdb';
/** What lmdb makes of an empty lock file, and of an empty journal. */
const lockBytes = 8272;
const firstBytes = 16_384;

/**
 * Opens the files of a journal as lmdb will, and makes sure of their room where they are new. Only a failure between this and lmdb's own
 * call still ends the process.
 * @param readOnly whether lmdb will only read; it writes to its lock file all the same, unless the file system cannot be written to
 * @returns whether the lock file will say that somebody reads here
 * @throws NighError IO
 */
export async function tryOpening(directory: string, readOnly: boolean): Promise<boolean> {
  const data = join(directory, journalFile);
  if (existsSync(data)) await withFile(data, readOnly ? 'r' : 'r+', async () => {});
  else {
    // Not under its own name: others take that for a journal.
    const room = join(directory, `${journalFile}.room`);
    await withFile(room, 'w', async (file) => {
      await file.writeFile(Buffer.alloc(firstBytes));
      await file.sync();
    });
    await rm(room, { force: true });
  }
  const lock = join(directory, lockFile);
  try {
    if (!existsSync(lock)) await makeLockFile(lock);
    // Not opened where it is there: who closes it takes away the locks that this process may have on it.
    await access(lock, constants.R_OK | constants.W_OK);
    return true;
  } catch (cause) {
    if (!readOnly || (cause as NodeJS.ErrnoException).code !== 'EROFS') throw cannotBeOpened(lock, cause);
    return false;
  }
}

/**
 * Written in full, because lmdb would only set its length, and be ended by the system where the disk then has no room for what it writes; beside
 * its place, because another process may fill it from the moment that it is there.
 */
async function makeLockFile(lock: string): Promise<void> {
  const draft = `${lock}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(draft, Buffer.alloc(lockBytes), { flag: 'wx', mode: 0o664 });
    await link(draft, lock);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  } finally {
    await rm(draft, { force: true });
  }
}

async function withFile(path: string, flags: string, use: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    const file = await open(path, flags, 0o664);
    try {
      await use(file);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw cannotBeOpened(path, cause);
  }
}

function cannotBeOpened(path: string, cause: unknown): NighError {
  return new NighError('IO', `${path}: cannot be opened as a journal: ${(cause as Error).message}`, { cause });
}

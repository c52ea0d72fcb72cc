import { randomBytes } from 'node:crypto';
import { access, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { NighError } from './errors.js';

/**
 * A file that appears whole or not at all, replacing one of the same name: `write` fills a temporary file beside it, which is
 * flushed and renamed, and the directory flushed. After an error nothing is left.
 * @throws NighError NOT_FOUND where the directory is missing, IO, and what `write` throws if that is a NighError
 */
export async function writeAtomically(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const target = resolve(path);
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await access(dirname(target)); // said here, whatever `write` would make of it
    await write(temporary);
    await flush(temporary, 'r+');
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {}); // the cause is what matters
    throw failure(path, cause);
  }
  // Some systems cannot flush a directory; the file is there all the same.
  await flush(dirname(target), 'r').catch(() => {});
}

async function flush(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function failure(path: string, cause: unknown): NighError {
  if (cause instanceof NighError) return cause;
  const { code, message } =
    cause instanceof Error ? (cause as NodeJS.ErrnoException) : { code: '', message: `${cause}` };
  if (code === 'ENOENT') return new NighError('NOT_FOUND', `${path}: there is no such directory.`, { cause });
  return new NighError('IO', `${path}: cannot be written: ${message}`, { cause });
}

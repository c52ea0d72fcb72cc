/**
 * The journals that lie in a collection, whoever they belong to: `journal`, and `journal-<random>` of what was restored. Which of them is written
 * to is said by the live generation, so that whoever makes another generation the live one may have to keep writers out.
 */
import { randomBytes } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BuildLock } from '../build-lock.js';
import { journalPlace } from '../journal/journal.js';
import { flush, makeDirectory } from '../packed-file.js';

const folderPattern = /^journal(?:-[0-9a-f]{12})?$/;

/** @throws an error of node:fs */
export async function journalFolders(collection: string): Promise<string[]> {
  return (await readdir(collection)).filter((name) => folderPattern.test(name)).sort();
}

/**
 * Removes the journals that are none of these: they hold what users did who may have been forgotten since. What is written to is that of the live
 * generation, and stays so while nobody else has the build lock, which the caller holds.
 * @throws an error of node:fs, NighError IO
 */
export async function removeJournalsBut(collection: string, named: ReadonlySet<string>): Promise<void> {
  for (const folder of await journalFolders(collection)) {
    if (named.has(folder)) continue;
    const path = join(collection, folder);
    if (path === dirname(journalPlace(collection).lock)) {
      // The lock of the writers lies in it, whatever journal they write to.
      for (const name of await readdir(path)) {
        if (!name.startsWith('LOCK')) await rm(join(path, name), { recursive: true, force: true });
      }
      continue;
    }
    const moved = join(collection, `removing-${randomBytes(6).toString('hex')}`);
    await rename(path, moved);
    await flush(collection);
    await rm(moved, { recursive: true, force: true });
  }
}

/** Keeps everybody from writing to a collection. @throws NighError LOCKED naming who writes, IO */
export async function lockWriting(collection: string, doing: string): Promise<BuildLock> {
  const { lock } = journalPlace(collection);
  await makeDirectory(dirname(lock));
  return BuildLock.at(lock, doing);
}

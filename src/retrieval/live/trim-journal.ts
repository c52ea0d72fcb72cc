import { join } from 'node:path';
import { NighError } from '../../core/errors.js';
import { BuildLock } from '../build-lock.js';
import { generations, readManifest } from '../generation.js';
import { journalPlace } from '../journal/journal.js';
import type { Writer } from './writer.js';

/**
 * Removes from the journal what every generation on disk has in it: whatever `nigh rollback` goes back to can be brought up to date.
 * While a build runs, which reads how far the journal goes back, nothing is removed; the next compaction will.
 * @returns how many changes were removed
 * @throws NighError IO, FORMAT
 */
export async function trimJournal(collection: string, writer: Writer): Promise<number> {
  let lock: BuildLock;
  try {
    lock = await BuildLock.acquire(collection);
  } catch (cause) {
    if (cause instanceof NighError && cause.code === 'LOCKED') return 0;
    throw cause;
  }
  try {
    const upTo = await heldByAll(collection, writer.journal.directory);
    if (upTo <= writer.journal.trimmed) return 0;
    // An append that erases a forgotten user writes entries again: none may be under way.
    return await writer.exclusively(() => writer.journal.trim(upTo));
  } finally {
    await lock.release();
  }
}

/** The last change that every generation of this journal has in it; 0 where the manifest of one cannot be read, which may have fewer. */
async function heldByAll(collection: string, journal: string): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (const { name } of await generations(collection)) {
    const manifest = await readManifest(join(collection, name)).catch(() => undefined);
    if (manifest === undefined) return 0;
    if (journalPlace(collection, manifest).directory === journal) least = Math.min(least, manifest.journal ?? 0);
  }
  return Number.isFinite(least) ? least : 0;
}

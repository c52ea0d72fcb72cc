import { join, resolve } from 'node:path';
import { NighError } from '../../core/errors.js';
import { optional, readParams, text } from '../../core/params.js';
import { BuildLock } from '../build-lock.js';
import { Collection } from '../collection.js';
import { generationNumber, generations, liveGeneration, nameLive, readManifest } from '../generation.js';
import { journalPlace } from '../journal/journal.js';
import { checkFiles, FileReader } from './check-files.js';
import { checkJournal } from './check-journal.js';
import { lockWriting } from './journal-folders.js';

export interface RollbackOptions {
  /** The generation to go to (`gen-000003`). Default: the newest of those before the live one. */
  readonly to?: string | undefined;
}

export interface Rollback {
  /** The generation that was live before; undefined where CURRENT was lost. */
  readonly from: string | undefined;
  /** The generation that is live now. */
  readonly to: string;
  /** All that are on disk, oldest first. */
  readonly generations: readonly string[];
}

/**
 * Makes an older generation the live one again, from one moment to the next. It is opened first, every byte of it checked, and every change of its
 * journal: what is damaged does not go live. Nothing is removed: `to` also leads forward again. Whoever has the collection open notices as after a build.
 * @throws NighError UNKNOWN_COLLECTION, NOT_FOUND where there is no such generation, LOCKED (also while somebody writes to the live one whose
 * journal the other does not have, since one of the two was restored), INVALID_ARGUMENT, UNKNOWN_OPTION, and what
 * opening a damaged generation throws; nothing has changed then
 */
export async function rollbackCollection(directory: string, options: RollbackOptions = {}): Promise<Rollback> {
  const { to: wanted } = readParams({ to: optional(text()) }, options, '');
  const collection = resolve(directory);
  const names = await generationNames(collection);
  if (names.length === 0) throw new NighError('UNKNOWN_COLLECTION', `${collection}: no collection was built here.`);
  const lock = await BuildLock.acquire(collection);
  try {
    const from = await liveOrLost(collection);
    const to = wanted === undefined ? before(names, from) : names.find((name) => name === wanted);
    if (to === undefined) {
      const asked = wanted === undefined ? `generation before ${from}` : `generation ${JSON.stringify(wanted)}`;
      throw new NighError('NOT_FOUND', `${collection}: there is no ${asked}. On disk: ${names.join(', ')}.`);
    }
    await requireSound(join(collection, to));
    const manifest = await readManifest(join(collection, to));
    await checkJournal(journalPlace(collection, manifest), manifest.journal ?? 0);
    if (to !== from) await goTo(collection, from, to);
    return { from, to, generations: names };
  } finally {
    await lock.release();
  }
}

/**
 * Makes a generation live that lies there. Where its journal is another than that of the live one nobody may be writing: what they wrote from
 * then on would be in a journal that is not asked any more.
 * @param from the live one, if that is known
 * @throws NighError LOCKED naming who writes, IO, and what reading its manifest throws
 */
export async function goTo(collection: string, from: string | undefined, to: string): Promise<void> {
  const { journalFolder } = await readManifest(join(collection, to));
  const maybeLive = from === undefined ? await generationNames(collection) : [from];
  const same = await Promise.all(
    maybeLive.map((name) =>
      readManifest(join(collection, name)).then(
        (manifest) => manifest.journalFolder === journalFolder,
        () => false,
      ),
    ),
  );
  const writing = same.includes(false)
    ? await lockWriting(collection, 'making another generation of this collection live')
    : undefined;
  try {
    await nameLive(collection, to);
  } finally {
    await writing?.release();
  }
}

/** @throws NighError for the first file that is not what was written, and what opening throws */
export async function requireSound(directory: string): Promise<void> {
  const [damaged] = await checkFiles(directory, await readManifest(directory), new FileReader());
  if (damaged !== undefined) throw new NighError(damaged.code, damaged.message);
  await (await Collection.openGeneration(directory, 'mmap')).closeAll();
}

/** Names of the generations that are on disk, oldest first; none where there is no such directory. @throws NighError IO */
export async function generationNames(collection: string): Promise<string[]> {
  try {
    return (await generations(collection)).sort((a, b) => a.number - b.number).map(({ name }) => name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new NighError('IO', `${collection}: ${(cause as Error).message}`, { cause });
  }
}

/** The newest before the live one; the newest of all where CURRENT does not say which is live. */
function before(names: readonly string[], live: string | undefined): string | undefined {
  const at = live === undefined ? names.length : names.indexOf(live);
  // A live generation that is gone is no bar: what is older by its number is older.
  return at >= 0
    ? names[at - 1]
    : names.filter((name) => live !== undefined && generationNumber(name) < generationNumber(live)).at(-1);
}

/** A CURRENT that was damaged is what one goes back from, so it does not stand in the way. @throws NighError IO */
export async function liveOrLost(collection: string): Promise<string | undefined> {
  try {
    return await liveGeneration(collection);
  } catch (cause) {
    if (cause instanceof NighError && cause.code === 'FORMAT') return undefined;
    throw cause;
  }
}

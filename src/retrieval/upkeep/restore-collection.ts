/**
 * One file → collection.
 *
 * The backup is unpacked into a directory that nobody reads, every file compared with its checksum on the way; what came out is opened as a
 * collection would be, and every change of its journal read; and only then it goes live, as a new generation and by the same steps as a build. Whatever fails before leaves what
 * was there as it was, and what was live before stays on disk to go back to.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { throwIfAborted } from '../../core/abort.js';
import { describe, invalidArgument, NighError } from '../../core/errors.js';
import { flag, readParams } from '../../core/params.js';
import { BuildLock } from '../build-lock.js';
import { Collection, collectionFiles } from '../collection.js';
import {
  generationNumber,
  liveGeneration,
  manifestName,
  pruneGenerations,
  readManifest,
  Staging,
} from '../generation.js';
import { journalFile } from '../journal/data-file.js';
import { Journal, journalPlace } from '../journal/journal.js';
import { flush, makeDirectory } from '../packed-file.js';
import { type BackupOptions, backupSchema } from './backup-collection.js';
import { type BackupHead, backupHeadName, backupJournal, generationFolder, readHead } from './backup-format.js';
import { checkJournal } from './check-journal.js';
import { lockWriting } from './journal-folders.js';
import { generationNames } from './rollback.js';

export interface RestoreOptions extends BackupOptions {
  /** Whether to put the backup in the place of a collection that is there; its live generation stays to go back to. Default false. */
  readonly force?: boolean | undefined;
}

export interface Restore {
  readonly directory: string;
  readonly collection: string;
  /** The generation that is live now. */
  readonly generation: string;
  /** What it was called when it was backed up, and when that was. */
  readonly backedUp: { readonly generation: string; readonly createdAt: string };
  /** What was live before, if anything. */
  readonly previous: string | undefined;
  /** What went wrong after the backup was live: an old generation that could not be removed. */
  readonly warnings: readonly string[];
}

/** The one that is restored, and the one that was live. */
const keptGenerations = 2;

/** A head is some kilobytes; what claims to be much longer is none. */
const longestHead = 64 << 20;

/**
 * Unpacks a backup into a collection directory, made if it is not there, checks all of it, and makes it live.
 * @throws NighError NOT_FOUND, IO, FORMAT, TRUNCATED, CHECKSUM_MISMATCH, VERSION_UNSUPPORTED, INVALID_ARGUMENT where there is a collection
 * already and `force` is not set, LOCKED, ABORTED, UNKNOWN_OPTION; what was there is then as it was
 */
export async function restoreCollection(
  path: string,
  directory: string,
  options: RestoreOptions = {},
): Promise<Restore> {
  const settings = readParams({ ...backupSchema, force: flag({ default: false }) }, options, '');
  if (typeof path !== 'string' || path === '') throw invalidArgument('path', 'the path of a backup', path);
  const collection = resolve(directory);
  await refuseToReplace(collection, settings.force);
  // Told before anything is made: a file that is no backup must not leave an empty collection.
  await readBackup(path, async () => 'stop');
  await makeDirectory(collection);
  const lock = await BuildLock.acquire(collection);
  let writing: BuildLock | undefined;
  try {
    const previous = await refuseToReplace(collection, settings.force);
    // What is written to the journal of the present collection would not be in the one that takes its place.
    writing = await lockWriting(collection, 'restoring this collection');
    const staging = await Staging.begin(collection);
    // A folder of its own: the journal that is there is of another collection, or of other changes.
    const journalFolder = `journal-${randomBytes(6).toString('hex')}`;
    try {
      return await unpack(path, collection, staging, journalFolder, previous, settings);
    } catch (cause) {
      const live = await liveGeneration(collection).catch(() => undefined);
      // Once it is live it must stay, whatever failed afterwards.
      const isLive = live !== undefined && live !== previous;
      const left = isLive ? [unpackedJournal(journalFolder)] : [unpackedJournal(journalFolder), journalFolder];
      const removed = left.map((folder) => rm(join(collection, folder), { recursive: true, force: true }));
      await Promise.allSettled([staging.discard(), ...removed]);
      throw cause;
    }
  } finally {
    await writing?.release();
    // Where there is a collection somebody may be about to write to it.
    if (!(await mayBeWrittenTo(collection))) await rmdir(dirname(journalPlace(collection).lock)).catch(() => {});
    await lock.release();
  }
}

async function unpack(
  path: string,
  collection: string,
  staging: Staging,
  journalFolder: string,
  previous: string | undefined,
  { signal, onProgress }: BackupOptions,
): Promise<Restore> {
  let recipe: Buffer | undefined;
  const found = new Set<string>();
  let done = 0;
  const head = await readBackup(path, async (entry, known) => {
    throwIfAborted(signal);
    const total = Object.values(known.files).reduce((sum, { bytes }) => sum + bytes, 0);
    const { name } = entry.header;
    if (!Object.hasOwn(known.files, name) || found.has(name)) {
      throw new NighError('FORMAT', `${path}: holds a file ${describe(name)} too many.`);
    }
    found.add(name);
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of checkedEntry(path, entry, known)) {
        throwIfAborted(signal);
        done += chunk.length;
        onProgress?.(done, total);
        yield chunk;
      }
    };
    if (name.startsWith(generationFolder)) {
      const to = staging.path(name.slice(generationFolder.length));
      await pipeline(counted, createWriteStream(to, { flags: 'wx' }));
    } else if (name === backupJournal) {
      const folder = join(collection, unpackedJournal(journalFolder));
      await makeDirectory(folder);
      const to = join(folder, journalFile);
      await pipeline(counted, createWriteStream(to, { flags: 'wx' }));
      await flush(to);
    } else {
      const chunks: Uint8Array[] = [];
      for await (const chunk of counted()) chunks.push(chunk);
      recipe = Buffer.concat(chunks);
    }
    return 'go on';
  });
  const missing = Object.keys(head.files).filter((name) => !found.has(name));
  if (missing.length > 0) throw new NighError('TRUNCATED', `${path}: lacks ${missing.join(', ')}.`);
  const generation = await goLive(path, head, collection, staging, journalFolder);
  const backedUp = { generation: head.generation, createdAt: head.createdAt };
  const warnings = await tidy(collection, generation, previous, recipe);
  return { directory: collection, collection: head.collection, generation, backedUp, previous, warnings };
}

/** After the swap: nothing here may fail any more. */
async function tidy(
  collection: string,
  generation: string,
  previous: string | undefined,
  recipe: Buffer | undefined,
): Promise<string[]> {
  const work = [pruneGenerations(collection, keptGenerations, generation, previous)];
  if (recipe !== undefined) work.push(keepRecipe(recipe, join(collection, collectionFiles.recipe)));
  const settled = await Promise.allSettled(work);
  return settled.flatMap((result) => (result.status === 'rejected' ? [`${(result.reason as Error).message}`] : []));
}

/** Opens what was unpacked, as any reader would, and commits it under a number that this collection has not had. */
async function goLive(
  path: string,
  head: BackupHead,
  collection: string,
  staging: Staging,
  journalFolder: string,
): Promise<string> {
  await (await Collection.openGeneration(staging.directory, 'mmap')).closeAll();
  const manifest = await readManifest(staging.directory);
  if (manifest.name !== head.collection || manifest.generation !== head.generation) {
    throw new NighError('FORMAT', `${path}: its head and its manifest are of two collections.`);
  }
  const unpacked = join(staging.directory, manifestName);
  await rm(unpacked).catch((cause) => {
    throw new NighError('IO', `${unpacked}: ${(cause as Error).message}`, { cause });
  });
  const stamps = await staging.stampFiles();
  for (const [name, { sha256 }] of Object.entries(manifest.files)) {
    if (stamps[name]?.sha256 !== sha256) {
      throw new NighError('CHECKSUM_MISMATCH', `${path}: ${name} is not what the manifest lists.`);
    }
  }
  const fits = await journalGoesLive(head, collection, manifest.journal ?? 0, journalFolder);
  // The number of the backup where that is free and the highest: it is what the collection was called. No later build may have the name of one
  // that made vectors of the journal.
  const generation = await staging.nextName(Math.max(...[head.generation, ...(fits ?? [])].map(generationNumber)));
  const { journalFolder: _, ...others } = manifest;
  // Its journal knows by this name what its vectors were made by.
  const fit = manifest.fit ?? manifest.generation;
  await staging.commit({ ...others, generation, ...(fits === undefined ? {} : { journalFolder, fit }) });
  return generation;
}

/**
 * Reads what was unpacked of the journal, and puts it in its place, which no generation names yet.
 * @param included the last change that the generation has in it
 * @returns who made the vectors in it; undefined where the usual place is as good, since nothing was ever changed
 */
async function journalGoesLive(
  head: BackupHead,
  collection: string,
  included: number,
  journalFolder: string,
): Promise<ReadonlySet<string> | undefined> {
  const to = join(collection, journalFolder);
  const directory = join(collection, unpackedJournal(journalFolder));
  const unpacked = { directory, lock: join(directory, 'LOCK') };
  if (!Object.hasOwn(head.files, backupJournal)) {
    if (included === 0 && !Journal.exists(journalPlace(collection))) return undefined;
    // One that is empty, and goes on with the numbers: the journal that is there is not its own.
    await makeDirectory(directory);
    if (included > 0) await (await Journal.open(unpacked, included, true)).close();
  }
  const fits = (await checkJournal(unpacked, included))?.fits ?? new Set();
  await flush(directory);
  await rename(directory, to).catch((cause) => {
    throw new NighError('IO', `${to}: cannot be made: ${(cause as Error).message}`, { cause });
  });
  return fits;
}

/** Where the journal lies until it was read: whoever begins after this one was killed removes it as what was left of a build. */
function unpackedJournal(journalFolder: string): string {
  return journalFolder.replace('journal-', 'building-');
}

/** Whether there is a collection, or what may be one. */
async function mayBeWrittenTo(collection: string): Promise<boolean> {
  return liveGeneration(collection).then(
    (live) => live !== undefined,
    () => true,
  );
}

type Entry = AsyncIterable<Uint8Array> & {
  readonly header: { readonly name: string; readonly type: string };
  resume(): void;
};

/**
 * Calls `visit` with every file of a backup but its head; after `stop` the rest is left unread.
 * @throws NighError NOT_FOUND, IO, FORMAT, TRUNCATED, and what `visit` throws
 */
async function readBackup(
  path: string,
  visit: (entry: Entry, head: BackupHead) => Promise<'go on' | 'stop'>,
): Promise<BackupHead> {
  const archive = extract();
  // Whoever reads the entries gets the error of any stage.
  pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), archive as unknown as NodeJS.WritableStream).catch(
    () => {},
  );
  let head: BackupHead | undefined;
  try {
    for await (const each of archive) {
      const entry = each as unknown as Entry;
      if (head === undefined) head = await headOf(entry, path);
      else if ((await visit(entry, head)) === 'stop') break;
      entry.resume();
    }
  } catch (cause) {
    throw readFailure(path, cause);
  } finally {
    archive.destroy();
  }
  if (head === undefined) throw new NighError('TRUNCATED', `${path}: an empty file, not a backup of nigh.`);
  return head;
}

async function headOf(entry: Entry, path: string): Promise<BackupHead> {
  if (entry.header.name !== backupHeadName) {
    throw new NighError('FORMAT', `${path}: not a backup of nigh (its first file is ${describe(entry.header.name)}).`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of entry) {
    bytes += chunk.length;
    if (bytes > longestHead) throw new NighError('FORMAT', `${path}: its head is longer than any.`);
    chunks.push(chunk);
  }
  return readHead(Buffer.concat(chunks), path);
}

async function* checkedEntry(path: string, entry: Entry, { files }: BackupHead): AsyncGenerator<Uint8Array> {
  const { name } = entry.header;
  const stamp = files[name];
  const hash = createHash('sha256');
  for await (const chunk of entry) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== stamp?.sha256) {
    throw new NighError('CHECKSUM_MISMATCH', `${path}: ${name} is not what was backed up.`);
  }
}

/** @returns the live generation, if there is one @throws NighError INVALID_ARGUMENT */
async function refuseToReplace(collection: string, force: boolean): Promise<string | undefined> {
  if (force) return liveGeneration(collection).catch(() => undefined);
  // A CURRENT that cannot be read is a collection too.
  const live = await liveGeneration(collection);
  if (live === undefined && (await generationNames(collection)).length === 0) return undefined;
  throw new NighError(
    'INVALID_ARGUMENT',
    `${collection}: holds a collection already (${live ?? 'without CURRENT'}). With --force (in a program: force) the backup takes its place, and what is live now stays on disk.`,
  );
}

/** As a build does: a recipe that lies there is left alone. */
async function keepRecipe(json: Buffer, path: string): Promise<void> {
  await writeFile(path, json, { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw new NighError('IO', `${path}: ${cause.message}`, { cause });
  });
}

/** tar-stream throws plain errors, without a code: they are about the format. */
function readFailure(path: string, cause: unknown): unknown {
  if (cause instanceof NighError || !(cause instanceof Error)) return cause;
  if ('code' in cause) {
    return new NighError(cause.code === 'ENOENT' ? 'NOT_FOUND' : 'IO', `${path}: ${cause.message}`, { cause });
  }
  const code = /unexpected end/i.test(cause.message) ? 'TRUNCATED' : 'FORMAT';
  return new NighError(code, `${path}: the backup cannot be read: ${cause.message}.`, { cause });
}

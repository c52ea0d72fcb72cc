/**
 * Collection → one file, while it is asked, built and rolled back.
 *
 * A generation never changes, so one moment of the collection is the generation that CURRENT names at it. All of its files are opened before
 * the first is read: what is open can be read to its end even if a build removes the generation meanwhile. Each is compared with its checksum
 * on the way: what is damaged is not backed up. Then comes a copy of the journal as lmdb has it at one moment, while others write to it. The
 * backup appears whole, flushed, or not at all.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { throwIfAborted } from '../../core/abort.js';
import { invalidArgument, NighError } from '../../core/errors.js';
import { checked, optional, readParams } from '../../core/params.js';
import { writeAtomically } from '../../core/write-atomically.js';
import { collectionFiles } from '../collection.js';
import { liveGeneration, type Manifest, manifestName, readManifest } from '../generation.js';
import { journalFile } from '../journal/data-file.js';
import { Journal, journalPlace, Trimmed } from '../journal/journal.js';
import { type FileStamp, stampFile } from '../packed-file.js';
import {
  type BackupHead,
  backupHeadName,
  backupJournal,
  backupVersion,
  generationFolder,
  packHead,
} from './backup-format.js';
import { checkJournal } from './check-journal.js';

export interface BackupOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with bytes done and in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Backup {
  readonly path: string;
  readonly collection: string;
  readonly generation: string;
  readonly files: number;
  readonly bytes: number;
}

type Progress = (done: number, total: number) => void;

export const backupSchema = {
  signal: optional(checked('an AbortSignal', (value): value is AbortSignal => value instanceof AbortSignal)),
  onProgress: optional(checked('a function', (value): value is Progress => typeof value === 'function')),
};

/** One file of the backup to be: open, or small and read already. */
interface Source {
  readonly name: string;
  readonly path: string;
  readonly stamp: FileStamp;
  readonly content: FileHandle | Buffer;
}

/**
 * Writes the live generation of a collection to one file, which replaces a file of that name once it is complete.
 * @throws NighError UNKNOWN_COLLECTION, NOT_FOUND (also where the directory of `path` is missing), IO, TRUNCATED, CHECKSUM_MISMATCH, FORMAT,
 * VERSION_UNSUPPORTED, ABORTED, INVALID_ARGUMENT, UNKNOWN_OPTION; there is no new file then
 */
export async function backupCollection(directory: string, path: string, options: BackupOptions = {}): Promise<Backup> {
  const { signal, onProgress } = readParams(backupSchema, options, '');
  if (typeof path !== 'string' || path === '') throw invalidArgument('path', 'the path of a file', path);
  const collection = resolve(directory);
  const { manifest, sources, journal } = await openAll(
    collection,
    `${resolve(path)}.${randomBytes(6).toString('hex')}.journal`,
    signal,
  );
  try {
    if (journal !== undefined) sources.push(journal);
    const head: BackupHead = {
      version: journal === undefined ? backupVersion - 1 : backupVersion,
      collection: manifest.name,
      generation: manifest.generation,
      createdAt: new Date().toISOString(),
      files: Object.fromEntries(sources.map(({ name, stamp }) => [name, stamp])),
    };
    await writeAtomically(path, (temporary) => writeTar(temporary, head, sources, signal, onProgress));
    const { size: bytes } = await stat(path);
    return {
      path: resolve(path),
      collection: manifest.name,
      generation: manifest.generation,
      files: sources.length,
      bytes,
    };
  } finally {
    await closeAll(sources);
  }
}

/** The live generation, and a journal with every change that it lacks. */
async function openAll(
  collection: string,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<{ manifest: Manifest; sources: Source[]; journal: Source | undefined }> {
  for (;;) {
    const { manifest, sources } = await openLive(collection);
    try {
      // After the generation: then it holds every change that is in that, and some that came since.
      return { manifest, sources, journal: await copiedJournal(collection, manifest, folder, signal) };
    } catch (cause) {
      await closeAll(sources);
      // Compactions may have replaced this generation, and trimmed what it lacks, since it was opened.
      if (cause instanceof Trimmed && (await liveGeneration(collection)) !== manifest.generation) continue;
      throw cause;
    }
  }
}

/** Every file of the live generation, open. */
async function openLive(collection: string): Promise<{ manifest: Manifest; sources: Source[] }> {
  let generation = await liveGeneration(collection);
  while (generation !== undefined) {
    try {
      return await openGeneration(collection, generation);
    } catch (cause) {
      // Builds may have replaced and pruned this generation since its name was read.
      const live = await liveGeneration(collection);
      if (live === generation) throw cause;
      generation = live;
    }
  }
  throw new NighError('UNKNOWN_COLLECTION', `${collection}: no collection was built here.`);
}

async function openGeneration(
  collection: string,
  generation: string,
): Promise<{ manifest: Manifest; sources: Source[] }> {
  const directory = join(collection, generation);
  const manifest = await readManifest(directory);
  const sources: Source[] = [];
  try {
    sources.push(await small(`${generationFolder}${manifestName}`, join(directory, manifestName)));
    for (const [name, stamp] of Object.entries(manifest.files)) {
      const path = join(directory, name);
      sources.push({ name: `${generationFolder}${name}`, path, stamp, content: await open(path, 'r') });
    }
    const recipe = await small(collectionFiles.recipe, join(collection, collectionFiles.recipe)).catch(() => undefined);
    if (recipe !== undefined) sources.push(recipe);
    return { manifest, sources };
  } catch (cause) {
    await closeAll(sources);
    throw readFailure(directory, cause);
  }
}

/** The journal as it is now, every change of it read, open; undefined where there is none. */
async function copiedJournal(
  collection: string,
  manifest: Manifest,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Source | undefined> {
  const [place, included] = [journalPlace(collection, manifest), manifest.journal ?? 0];
  if (!Journal.exists(place)) {
    await checkJournal(place, included);
    return undefined;
  }
  const journal = await Journal.open(place, 0, false);
  // lmdb takes a folder with a dot in its name for a file.
  const inner = join(folder, 'journal');
  try {
    await mkdir(folder);
    await mkdir(inner);
    await journal.copyTo(inner);
    await checkJournal({ directory: inner, lock: join(inner, 'LOCK') }, included, signal);
    const copy = join(inner, journalFile);
    return { name: backupJournal, path: copy, stamp: await stampFile(copy), content: await open(copy, 'r') };
  } catch (cause) {
    throw readFailure(folder, cause);
  } finally {
    await journal.close();
    // What is open can be read to its end.
    await rm(folder, { recursive: true, force: true });
  }
}

async function small(name: string, path: string): Promise<Source> {
  const content = await readFile(path);
  return { name, path, content, stamp: { bytes: content.length, sha256: sha256(content) } };
}

async function writeTar(
  path: string,
  head: BackupHead,
  sources: readonly Source[],
  signal: AbortSignal | undefined,
  onProgress: Progress | undefined,
): Promise<void> {
  const archive = pack();
  const written = pipeline(archive as unknown as NodeJS.ReadableStream, createWriteStream(path, { flags: 'wx' }));
  const fill = async () => {
    const mtime = new Date(head.createdAt);
    const headBytes = packHead(head);
    archive.entry({ name: backupHeadName, mtime }, headBytes);
    const total = sources.reduce((sum, { stamp }) => sum + stamp.bytes, 0);
    let done = 0;
    for (const source of sources) {
      const header = { name: source.name, size: source.stamp.bytes, mtime };
      const entry = archive.entry(header) as unknown as NodeJS.WritableStream;
      const ended = new Promise<void>((settle, reject) => {
        entry.once('close', settle);
        entry.once('error', reject);
      });
      ended.catch(() => {}); // also thrown by whatever broke the archive
      for await (const chunk of checkedChunks(source)) {
        throwIfAborted(signal);
        if (!entry.write(chunk)) await drained(entry, written);
        done += chunk.length;
        onProgress?.(done, total);
      }
      entry.end();
      await Promise.race([ended, written]);
    }
    archive.finalize();
  };
  try {
    await Promise.all([fill(), written]);
  } catch (cause) {
    (archive as unknown as { destroy(reason: unknown): void }).destroy(cause);
    await written.catch(() => {});
    throw cause;
  }
}

/** Goes on when there is room; if writing the file has failed there never will be. */
async function drained(entry: NodeJS.EventEmitter, written: Promise<void>): Promise<void> {
  await Promise.race([new Promise<void>((settle) => entry.once('drain', settle)), written]);
}

/** The bytes of a file, as many as were stamped; the last come after all were compared with the checksum. */
async function* checkedChunks({ path, stamp, content }: Source): AsyncGenerator<Uint8Array> {
  if (Buffer.isBuffer(content)) {
    yield content;
    return;
  }
  const { size } = await content.stat();
  if (size !== stamp.bytes) throw new NighError('TRUNCATED', `${path}: expected ${stamp.bytes} bytes, got ${size}.`);
  const hash = createHash('sha256');
  try {
    for await (const chunk of content.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 20 })) {
      hash.update(chunk as Buffer);
      yield chunk as Buffer;
    }
  } catch (cause) {
    throw readFailure(path, cause);
  }
  if (hash.digest('hex') !== stamp.sha256) {
    throw new NighError('CHECKSUM_MISMATCH', `${path}: the content is not what was written.`);
  }
}

async function closeAll(sources: readonly Source[]): Promise<void> {
  await Promise.allSettled(sources.map(({ content }) => (Buffer.isBuffer(content) ? undefined : content.close())));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function readFailure(path: string, cause: unknown): unknown {
  if (cause instanceof NighError || !(cause instanceof Error) || !('code' in cause)) return cause;
  return new NighError(cause.code === 'ENOENT' ? 'NOT_FOUND' : 'IO', `${path}: ${cause.message}`, { cause });
}

/**
 * Generations on disk.
 *
 *   <collection>/CURRENT            the name of the live generation
 *   <collection>/gen-000001/        never changed after it was named: manifest.json and the files it lists
 *   <collection>/building-<random>/ a build under way, or what is left of one that was killed
 *   <collection>/removing-<random>/ a generation or a journal that is being removed, or what is left of it
 *
 * A generation goes live in this order, so that a crash at any moment leaves the old one live and whole: every file flushed, the
 * manifest written, the directory flushed, renamed to its number, the collection flushed, CURRENT written beside, flushed, and
 * renamed into place.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, NighError } from '../core/errors.js';
import { isPlainObject } from '../core/params.js';
import { readJsonFile } from '../data/read-json-file.js';
import type { LeftOutSpace } from './left-out.js';
import { requireManifest } from './manifest-shape.js';
import { type FileStamp, flush, stampFile, writeDurable } from './packed-file.js';
import type { BuildRecord } from './reuse/space-record.js';
import type { Taste } from './taste.js';
import type { CollectionInfo, SpaceInfo } from './types.js';
import { removeJournalsBut } from './upkeep/journal-folders.js';

/** What `manifest.json` of this release holds. */
export const manifestVersion = 1;

export interface SpaceManifest extends SpaceInfo {
  /** The recipe's, if it has one. */
  readonly efSearch?: number;
  /** The recipe's, if it has one: then it has no efSearch. */
  readonly recall?: number;
}

/** Readable description of a generation; its checksum covers all of it. */
export interface Manifest {
  readonly version: number;
  readonly generation: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly createdAt: string;
  readonly buildSeconds: number;
  readonly dataset: { readonly name: string; readonly licence: string; readonly source: string };
  readonly items: number;
  readonly users: number;
  readonly interactions: number;
  readonly recallFloor: number;
  /** The changes of the journal that are in it, by the number of the last; absent where it was built from its dataset alone. */
  readonly journal?: number;
  /** The folder of its journal, beside the generations; absent where it is `journal`, as it is but for what was restored. */
  readonly journalFolder?: string;
  /** The generation in which its embeddings were fitted, where that is an earlier one. */
  readonly fit?: string;
  /** Absent in collections built before there was one. */
  readonly taste?: Taste;
  /** How many items have a picture here; absent where the recipe keeps none. */
  readonly pictures?: number;
  readonly spaces: readonly SpaceManifest[];
  /** Absent where every space of the recipe was built. */
  readonly leftOut?: readonly LeftOutSpace[];
  /** What the build was made of that it comes from, by compactions, repairs and backups; absent where that was before there was one. */
  readonly made?: BuildRecord;
  /** Of what is kept elsewhere than in its files: tables of a database. */
  readonly tableBytes?: number;
  /** Every other file of the generation, by name. */
  readonly files: Readonly<Record<string, FileStamp>>;
}

/** What is told about a generation. */
export function toInfo({
  version: _,
  made: _made,
  files,
  spaces,
  journal: _journal,
  journalFolder: _folder,
  fit: _fit,
  tableBytes = 0,
  ...info
}: Manifest): CollectionInfo {
  return {
    ...info,
    spaces: spaces.map(({ efSearch: _efSearch, recall: _recall, ...space }) => space),
    bytesOnDisk: Object.values(files).reduce((sum, { bytes }) => sum + bytes, tableBytes),
  };
}

const current = 'CURRENT';
export const manifestName = 'manifest.json';
const generationPattern = /^gen-(\d{6,})$/;
/** What a killed build can leave: its directory or one that it was removing, or a pointer or lock that was not moved into place. */
const leftoverPattern = /^(?:(?:building|removing)-[0-9a-f]{12}|CURRENT\.[0-9a-f]{12}|LOCK\.[0-9a-f.]+(?:draft)?)$/;

/**
 * The name of the live generation, or undefined for a collection that was never built.
 * @throws NighError IO, FORMAT
 */
export async function liveGeneration(collection: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(join(collection, current), 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new NighError('IO', `${join(collection, current)}: ${(cause as Error).message}`, { cause });
  }
  const name = text.trim();
  if (!generationPattern.test(name)) {
    throw new NighError(
      'FORMAT',
      `${join(collection, current)}: expected the name of a generation, got ${describe(name)}.`,
    );
  }
  return name;
}

/**
 * Reads and checks a manifest.
 * @throws NighError NOT_FOUND, IO, FORMAT, CHECKSUM_MISMATCH, VERSION_UNSUPPORTED
 */
export async function readManifest(directory: string): Promise<Manifest> {
  const path = join(directory, manifestName);
  const value = await readJsonFile(path);
  if (!isPlainObject(value)) throw new NighError('FORMAT', `${path}: expected an object, got ${describe(value)}.`);
  const { checksum, ...manifest } = value;
  if (typeof manifest.version === 'number' && manifest.version > manifestVersion) {
    throw new NighError(
      'VERSION_UNSUPPORTED',
      `${path}: written as version ${manifest.version}; this release reads up to ${manifestVersion}.`,
    );
  }
  if (checksum !== checksumOf(manifest)) {
    throw new NighError('CHECKSUM_MISMATCH', `${path}: the content does not match its checksum.`);
  }
  return requireManifest(manifest, path);
}

/** Writes the manifest of a generation that is not named yet, flushed to disk. @throws NighError IO */
export async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  const text = JSON.stringify({ ...manifest, checksum: checksumOf(manifest) }, null, 2);
  await writeDurable(join(directory, manifestName), `${text}\n`);
}

/**
 * Makes a generation that lies there, flushed, the live one: from one moment to the next, and so that it stays after a loss of power.
 * @throws NighError IO; CURRENT is then what it was, unless only the last flush failed
 */
export async function nameLive(collection: string, generation: string): Promise<void> {
  const pointer = join(collection, `${current}.${randomBytes(6).toString('hex')}`);
  try {
    await writeDurable(pointer, `${generation}\n`);
    await rename(pointer, join(collection, current));
  } catch (cause) {
    await rm(pointer, { force: true }).catch(() => {}); // the cause is what matters
    if (cause instanceof NighError) throw cause;
    throw new NighError('IO', `${join(collection, current)}: cannot be replaced: ${(cause as Error).message}`, {
      cause,
    });
  }
  await flush(collection);
}

/** A build under way: a directory that nobody reads until it is committed. */
export class Staging {
  readonly #collection: string;
  readonly directory: string;

  private constructor(collection: string, directory: string) {
    this.#collection = collection;
    this.directory = directory;
  }

  /** Clears what killed builds left, and begins. The caller holds the collection's lock. @throws NighError IO */
  static async begin(collection: string): Promise<Staging> {
    try {
      for (const name of await readdir(collection)) {
        if (leftoverPattern.test(name)) await rm(join(collection, name), { recursive: true, force: true });
      }
      const directory = join(collection, `building-${randomBytes(6).toString('hex')}`);
      await mkdir(directory);
      return new Staging(collection, directory);
    } catch (cause) {
      throw new NighError('IO', `${collection}: a build cannot begin here: ${(cause as Error).message}`, { cause });
    }
  }

  /** Path of a file of the coming generation. */
  path(name: string): string {
    return join(this.directory, name);
  }

  /**
   * The name that the generation will have: after those that are there, and those whose embedders they have, since journals know by these names
   * what their vectors were made by.
   * @param least the lowest number to take
   * @throws an error of node:fs
   */
  async nextName(least = 1): Promise<string> {
    const there = await generations(this.#collection);
    const fits = await Promise.all(
      there.map(({ name }) =>
        readManifest(join(this.#collection, name)).then(
          ({ fit }) => (fit === undefined ? 0 : generationNumber(fit)),
          () => 0,
        ),
      ),
    );
    const next = Math.max(least, ...there.map(({ number }) => number + 1), ...fits.map((fit) => fit + 1));
    return `gen-${String(next).padStart(6, '0')}`;
  }

  /** Length and checksum of every file so far, flushed to disk. @throws NighError IO */
  async stampFiles(): Promise<Record<string, FileStamp>> {
    const stamps: Record<string, FileStamp> = {};
    for (const name of (await readdir(this.directory)).sort()) {
      await flush(this.path(name));
      stamps[name] = await stampFile(this.path(name));
    }
    return stamps;
  }

  /** Makes the generation the live one. @throws NighError IO; the old one is then still live, unless only the last flush failed */
  async commit(manifest: Manifest): Promise<void> {
    await writeManifest(this.directory, manifest);
    await flush(this.directory);
    try {
      await rename(this.directory, join(this.#collection, manifest.generation));
      await flush(this.#collection);
      await nameLive(this.#collection, manifest.generation);
    } catch (cause) {
      // Once CURRENT names the generation it must stay, whatever the last flush said.
      if ((await liveGeneration(this.#collection).catch(() => undefined)) !== manifest.generation) {
        await removeGeneration(this.#collection, manifest.generation).catch(() => {}); // the cause is what matters
      }
      throw new NighError('IO', `${this.#collection}: the new generation cannot go live: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

/**
 * Removes all generations but the live one and the newest others, `keep` in all. `previous` (the one that was live before) is
 * the first of the others, so that there is always something to go back to. Then removes the journals that belong to none of those that stay.
 * The caller holds the collection's lock.
 */
export async function pruneGenerations(
  collection: string,
  keep: number,
  live: string,
  previous: string | undefined,
): Promise<void> {
  const rank = (name: string) => (name === live ? 2 : name === previous ? 1 : 0);
  const all = (await generations(collection)).sort((a, b) => rank(b.name) - rank(a.name) || b.number - a.number);
  const kept = Math.max(1, keep);
  for (const { name } of all.slice(kept)) await removeGeneration(collection, name);
  const manifests = await Promise.all(
    all.slice(0, kept).map(({ name }) => readManifest(join(collection, name)).catch(() => undefined)),
  );
  // Of a manifest that cannot be read, nobody knows which journal is its own.
  if (manifests.includes(undefined)) return;
  await removeJournalsBut(collection, new Set(manifests.map((manifest) => manifest?.journalFolder ?? 'journal')));
}

/** From one moment to the next it is none any more: whoever is killed while its files are removed leaves no half of a generation. */
async function removeGeneration(collection: string, name: string): Promise<void> {
  const moved = join(collection, `removing-${randomBytes(6).toString('hex')}`);
  try {
    await rename(join(collection, name), moved);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw cause;
  }
  // After a loss of power it must not be back under its name with some of its files gone.
  await flush(collection);
  await rm(moved, { recursive: true, force: true });
}

/** The generations that are on disk, in no order. @throws an error of node:fs */
export async function generations(collection: string): Promise<{ name: string; number: number }[]> {
  return (await readdir(collection)).flatMap((name) => {
    const number = generationPattern.exec(name)?.[1];
    return number === undefined ? [] : [{ name, number: Number(number) }];
  });
}

/** The number in the name of a generation; 0 where it is none. */
export function generationNumber(name: string): number {
  return Number(generationPattern.exec(name)?.[1] ?? 0);
}

function checksumOf(manifest: unknown): string {
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
}

/**
 * Recipe → collection.
 *
 * 1. Take the collection's lock; clear what a killed build left.
 * 2. Load the dataset.
 * 3. For every space: fit the embedding, build its indexes, measure their recall against exact search, write its files.
 * 4. Write items, users, interactions and the recipe; flush and checksum every file.
 * 5. Name the generation in CURRENT (generation.ts), and remove the oldest.
 *
 * Until step 5 nothing that is live was touched: a build that fails, is aborted or is killed leaves the old generation live.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { throwIfAborted } from '../core/abort.js';
import { describe } from '../core/errors.js';
import { checked, integer, optional, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import type { FittedSpace } from '../embeddings/embedding.js';
import { BuildLock } from './build-lock.js';
import { buildOrder } from './build-order.js';
import { type BuildProgress, type StageTiming, Stopwatch } from './build-progress.js';
import { buildSpace } from './build-space.js';
import { Catalogue } from './catalogue.js';
import { collectionFiles } from './collection.js';
import {
  liveGeneration,
  type Manifest,
  manifestVersion,
  pruneGenerations,
  readManifest,
  type SpaceManifest,
  Staging,
  toInfo,
} from './generation.js';
import { type LeftOutSpace, leftOutSpaces } from './left-out.js';
import { makeDirectory, writeDurable, writePacked } from './packed-file.js';
import { pictureFiles, writePictures } from './pictures.js';
import type { Recipe } from './recipe.js';
import { SeenLists } from './seen-lists.js';
import { StringIndex } from './string-index.js';
import type { CollectionInfo } from './types.js';
import { type EarlierGeneration, shareUnchanged } from './upkeep/share-files.js';

export interface BuildOptions {
  /** Stops the build; what was live stays live. */
  readonly signal?: AbortSignal;
  /** Called at most some ten times a second per stage. */
  readonly onProgress?: (progress: BuildProgress) => void;
  /** Native threads; 0 (default) = all. */
  readonly threads?: number;
  /** Generations to keep, the new one included. Default 2: one to go back to. */
  readonly keep?: number;
}

export interface BuildSummary {
  readonly info: CollectionInfo;
  /** In the order of the work. */
  readonly timings: readonly StageTiming[];
  /** What went wrong after the new generation was live: an old one that could not be removed. */
  readonly warnings: readonly string[];
}

/**
 * Builds a new generation of a collection and makes it the live one.
 * @param directory the collection, made if it is not there
 * @throws NighError LOCKED while another build runs, RECALL_FLOOR, ABORTED, IO, INVALID_ARGUMENT, UNKNOWN_OPTION, and what the
 * dataset's source and the embeddings throw
 */
export async function buildCollection(
  recipe: Recipe,
  directory: string,
  options: BuildOptions = {},
): Promise<BuildSummary> {
  const { signal, onProgress, threads, keep } = readParams(optionsSchema, options, '');
  const collection = resolve(directory);
  throwIfAborted(signal);
  await makeDirectory(collection);
  const lock = await BuildLock.acquire(collection);
  try {
    const previous = await liveGeneration(collection);
    const staging = await Staging.begin(collection);
    const stopwatch = new Stopwatch();
    let manifest: Manifest;
    try {
      const earlier = await earlierGeneration(collection, previous);
      manifest = await buildGeneration(recipe, { staging, stopwatch, signal, onProgress, threads, earlier });
    } catch (cause) {
      // The cause is what matters; a directory that cannot be removed now is cleared by the next build.
      await Promise.allSettled([staging.discard()]);
      throw cause;
    }
    const warnings = await tidy(recipe, collection, keep, manifest.generation, previous);
    return { info: toInfo(manifest), timings: stopwatch.timings, warnings };
  } finally {
    await lock.release();
  }
}

/** The live generation, if its manifest can be read: one that is damaged is no reason not to build. */
async function earlierGeneration(
  collection: string,
  generation: string | undefined,
): Promise<EarlierGeneration | undefined> {
  if (generation === undefined) return undefined;
  const directory = join(collection, generation);
  const manifest = await readManifest(directory).catch(() => undefined);
  return manifest && { directory, manifest };
}

interface Work {
  readonly staging: Staging;
  /** The live generation, with which the new one shares what is the same. */
  readonly earlier: EarlierGeneration | undefined;
  readonly stopwatch: Stopwatch;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: BuildProgress) => void) | undefined;
  readonly threads: number;
}

async function buildGeneration(recipe: Recipe, work: Work): Promise<Manifest> {
  const { staging, stopwatch, signal, onProgress } = work;
  const dataset = await stopwatch.time('dataset', undefined, () =>
    recipe.dataset.load({
      baseDirectory: recipe.baseDirectory,
      ...(signal === undefined ? {} : { signal }),
      onProgress: ({ stage, name, done, total = 0 }) => onProgress?.({ stage, subject: name, done, total }),
    }),
  );
  const { name, title, description, recallFloor, taste } = recipe;
  const { spaces, leftOut } = await buildSpaces(recipe, dataset, work);
  throwIfAborted(signal);
  await stopwatch.time('write', undefined, () => writeCatalogue(recipe, dataset, work));
  const pictures = recipe.pictures
    ? await stopwatch.time('write', undefined, () => keepPictures(dataset, work))
    : undefined;
  throwIfAborted(signal);
  const { origin, items, users, interactions } = dataset;
  return stopwatch.time('write', undefined, async () => {
    const files = await staging.stampFiles();
    if (work.earlier !== undefined) await shareUnchanged(work.earlier, staging, files);
    const manifest: Manifest = {
      version: manifestVersion,
      generation: await staging.nextName(),
      name,
      title,
      description,
      createdAt: new Date().toISOString(),
      buildSeconds: stopwatch.elapsedSeconds,
      dataset: { name: origin.name, licence: origin.licence, source: origin.source },
      items: items.size,
      users: users.size,
      interactions: interactions.entries,
      ...(work.earlier?.manifest.journalFolder === undefined
        ? {}
        : { journalFolder: work.earlier.manifest.journalFolder }),
      recallFloor,
      taste,
      ...(pictures === undefined ? {} : { pictures }),
      spaces,
      ...(leftOut.length === 0 ? {} : { leftOut }),
      files,
    };
    throwIfAborted(signal);
    await staging.commit(manifest);
    return manifest;
  });
}

/** What was built, in the order of the recipe. A fitted space is kept as long as another that uses it is to come. */
async function buildSpaces(
  recipe: Recipe,
  dataset: Dataset,
  work: Work,
): Promise<{ readonly spaces: SpaceManifest[]; readonly leftOut: readonly LeftOutSpace[] }> {
  const { recallFloor, baseDirectory } = recipe;
  const all = buildOrder(recipe.spaces, 'spaces');
  const leftOut = await leftOutSpaces(all);
  const order = all.filter(({ name }) => !leftOut.some((space) => space.name === name));
  const built = new Map<string, SpaceManifest>();
  const fitted = new Map<string, FittedSpace>();
  for (const [at, space] of order.entries()) {
    throwIfAborted(work.signal);
    const done = await buildSpace(space, dataset, { ...work, recallFloor, baseDirectory, spaces: fitted });
    built.set(space.name, done.manifest);
    fitted.set(space.name, done.fitted);
    for (const name of fitted.keys()) {
      if (!order.slice(at + 1).some(({ uses }) => uses.includes(name))) fitted.delete(name);
    }
  }
  return { spaces: recipe.spaces.flatMap(({ name }) => built.get(name) ?? []), leftOut };
}

async function writeCatalogue(recipe: Recipe, dataset: Dataset, { staging, onProgress }: Work): Promise<void> {
  const files: [name: string, write: (path: string) => Promise<void>][] = [
    [collectionFiles.items, (path) => writePacked(path, Catalogue.pack(dataset))],
    [collectionFiles.users, (path) => writePacked(path, StringIndex.index(dataset.users.terms))],
    [collectionFiles.interactions, (path) => writePacked(path, SeenLists.pack(dataset))],
    [collectionFiles.recipe, (path) => writeDurable(path, recipe.json)],
  ];
  for (const [done, [subject, write]] of files.entries()) {
    onProgress?.({ stage: 'write', subject, done, total: files.length });
    await write(staging.path(subject));
  }
}

function keepPictures(dataset: Dataset, { staging, signal, onProgress }: Work): Promise<number> {
  return writePictures(dataset, {
    path: (name) => staging.path(name),
    signal,
    onProgress: (done, total) => onProgress?.({ stage: 'write', subject: pictureFiles.bytes, done, total }),
  });
}

/** After the swap: nothing here may fail the build any more. */
async function tidy(
  recipe: Recipe,
  collection: string,
  keep: number,
  live: string,
  previous: string | undefined,
): Promise<string[]> {
  const [kept, pruned] = await Promise.allSettled([
    keepRecipe(recipe, join(collection, collectionFiles.recipe)),
    pruneGenerations(collection, keep, live, previous),
  ]);
  const warnings: string[] = [];
  if (kept.status === 'rejected')
    warnings.push(`The recipe was not kept beside the collection: ${message(kept.reason)}`);
  else if (kept.value !== undefined) warnings.push(kept.value);
  if (pruned.status === 'rejected') warnings.push(`An old generation was not removed: ${message(pruned.reason)}`);
  return warnings;
}

/** The collection carries its recipe. One that lies there is left alone; where it is another, that is worth a word. */
async function keepRecipe({ json }: Recipe, path: string): Promise<string | undefined> {
  try {
    await writeFile(path, json, { flag: 'wx' });
    return undefined;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  }
  if ((await readFile(path, 'utf8')) === json) return undefined;
  return `${path} is another recipe than the one that was built; it was left alone.`;
}

function message(reason: unknown): string {
  return reason instanceof Error ? reason.message : describe(reason);
}

const optionsSchema = {
  signal: optional(checked('an AbortSignal', (value): value is AbortSignal => value instanceof AbortSignal)),
  onProgress: optional(checked('a function', (value): value is ProgressCallback => typeof value === 'function')),
  threads: integer({ min: 0, max: 1024, default: 0 }),
  keep: integer({ min: 1, max: 1000, default: 2 }),
};

type ProgressCallback = NonNullable<BuildOptions['onProgress']>;

/**
 * Recipe → collection.
 *
 * 1. Take the collection's lock; clear what a killed build left.
 * 2. Load the dataset, and tell which spaces would come out as they are in the live generation (reuse/plan-build.ts).
 * 3. For every other space: fit the embedding, build its indexes, measure their recall against exact search, write its files. Those are taken over.
 * 4. Write items, users, interactions and the recipe; flush and checksum every file.
 * 5. Name the generation in CURRENT (generation.ts), and remove the oldest.
 *
 * Until step 5 nothing that is live was touched: a build that fails, is aborted or is killed leaves the old generation live.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { throwIfAborted } from '../core/abort.js';
import { describe, NighError } from '../core/errors.js';
import { checked, flag, integer, optional, readParams } from '../core/params.js';
import type { Dataset } from '../data/dataset.js';
import type { Input } from '../data/load-context.js';
import type { FittedSpace } from '../embeddings/embedding.js';
import { BuildLock } from './build-lock.js';
import { type BuildProgress, type StageTiming, Stopwatch } from './build-progress.js';
import { buildSpace } from './build-space.js';
import { Catalogue } from './catalogue.js';
import { collectionFiles } from './collection.js';
import {
  generations,
  liveGeneration,
  type Manifest,
  manifestVersion,
  pruneGenerations,
  readManifest,
  type SpaceManifest,
  Staging,
  toInfo,
} from './generation.js';
import { Journal, journalPlace } from './journal/journal.js';
import { makeDirectory, writeDurable, writePacked } from './packed-file.js';
import { pictureFiles, writePictures } from './pictures.js';
import type { Recipe } from './recipe.js';
import { traced } from './reuse/dataset-inputs.js';
import { type BuildPlan, filesOf, planBuild, type WorkPlan } from './reuse/plan-build.js';
import { digest, madeOf, type SpaceRecord, sumsOf } from './reuse/space-record.js';
import { takeOver } from './reuse/take-over.js';
import { SeenLists } from './seen-lists.js';
import { StringIndex } from './string-index.js';
import type { CollectionInfo } from './types.js';
import { journalFolders } from './upkeep/journal-folders.js';
import { type EarlierGeneration, shareUnchanged } from './upkeep/share-files.js';

export interface BuildOptions {
  /** Stops the build; what was live stays live. */
  readonly signal?: AbortSignal;
  /** Called at most some ten times a second per stage. */
  readonly onProgress?: (progress: BuildProgress) => void;
  /** Native threads, up to 1,024; 0 (default) = all. */
  readonly threads?: number;
  /** Generations to keep, the new one included, 1 to 1,000. Default 2: one to go back to. */
  readonly keep?: number;
  /**
   * Take over the spaces of the live generation that would come out the same, and where all is the same make no new generation: what a build was
   * made of is kept, part by part, and compared. Default false: everything is made.
   */
  readonly reuse?: boolean;
  /**
   * Build also where changes that were folded in by compactions are in the journal no more: where the dataset lacks them they are undone.
   * Default false: such a build is refused. What the journal holds is kept either way.
   */
  readonly dropFolded?: boolean;
  /** What `-` as a path of the recipe's dataset means: a stream of Node, or any async iterable of bytes or text. Default: the standard input. */
  readonly input?: Input;
}

export interface BuildSummary {
  readonly info: CollectionInfo;
  /** In the order of the work. */
  readonly timings: readonly StageTiming[];
  /** What went wrong after the new generation was live: an old one that could not be removed. */
  readonly warnings: readonly string[];
  /** What was made, taken over or left out, and why. */
  readonly plan: BuildPlan;
}

/** What a build was: its summary, or that there was nothing to do. */
interface Built {
  readonly manifest: Manifest;
  readonly plan: BuildPlan;
}

/**
 * Builds a new generation of a collection and makes it the live one.
 * @param directory the collection, made if it is not there
 * @throws NighError LOCKED while another build runs, INVALID_ARGUMENT also where folded changes would be undone (see `dropFolded`), FORMAT also
 * where nobody knows which journal is the live one's, RECALL_FLOOR, ABORTED, IO, UNKNOWN_OPTION, and what the dataset's source and the embeddings
 * throw
 */
export async function buildCollection(
  recipe: Recipe,
  directory: string,
  options: BuildOptions = {},
): Promise<BuildSummary> {
  const { signal, onProgress, threads, keep, reuse, dropFolded, input } = readParams(optionsSchema, options, '');
  const collection = resolve(directory);
  throwIfAborted(signal);
  await makeDirectory(collection);
  const lock = await BuildLock.acquire(collection);
  try {
    const previous = await liveGeneration(collection);
    const staging = await Staging.begin(collection);
    const stopwatch = new Stopwatch();
    let built: Built;
    try {
      const earlier = await earlierGeneration(collection, previous);
      const journalFolder = await ownJournal(collection, previous, earlier);
      const trimmed = await trimmedChanges(collection, journalFolder);
      if (trimmed > 0 && !dropFolded) throw wouldUndo(collection, trimmed);
      built = await buildGeneration(recipe, {
        staging,
        stopwatch,
        signal,
        onProgress,
        threads,
        earlier,
        reuse,
        journalFolder,
        trimmed,
        input,
      });
    } catch (cause) {
      // The cause is what matters; a directory that cannot be removed now is cleared by the next build.
      await Promise.allSettled([staging.discard()]);
      throw cause;
    }
    const { manifest, plan } = built;
    if (plan.unchanged) await staging.discard();
    const before = plan.unchanged ? undefined : previous;
    const warnings = await tidy(recipe, collection, keep, manifest.generation, before);
    return { info: toInfo(manifest), timings: stopwatch.timings, warnings, plan };
  } finally {
    await lock.release();
  }
}

/**
 * What `buildCollection` would do with `reuse`, and why. Reads the dataset, and the files of spaces that would be taken over; changes nothing.
 * @throws NighError ABORTED, IO, FORMAT, UNKNOWN_OPTION, INVALID_ARGUMENT, and what the dataset's source throws
 */
export async function planCollection(
  recipe: Recipe,
  directory: string,
  options: Pick<BuildOptions, 'signal' | 'onProgress' | 'input'> = {},
): Promise<BuildPlan> {
  const { signal, onProgress, input } = optionsSchema;
  const given = readParams({ signal, onProgress, input }, options, '');
  const collection = resolve(directory);
  const dataset = await load(recipe, given);
  const earlier = await earlierGeneration(collection, await liveGeneration(collection));
  const { generation, spaces, unchanged } = await planBuild(recipe, dataset, earlier);
  return { generation, spaces, unchanged };
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

/**
 * The folder of the journal whose changes the new generation goes on with: that of the live one, undefined for the usual place. Where that one's
 * manifest is lost it is known as long as there is one journal.
 * @throws NighError FORMAT where there are several: the changes of one would be lost, and those of another made that are none of this collection
 */
async function ownJournal(
  collection: string,
  live: string | undefined,
  earlier: EarlierGeneration | undefined,
): Promise<string | undefined> {
  if (earlier !== undefined) return earlier.manifest.journalFolder;
  if ((await generations(collection)).length === 0) return undefined;
  const usual = journalPlace(collection);
  const folders = (await journalFolders(collection)).filter(
    (folder) => folder !== basename(usual.directory) || Journal.exists(usual),
  );
  if (folders.length > 1) {
    throw new NighError(
      'FORMAT',
      `${collection}: ${live === undefined ? 'CURRENT is missing' : `the manifest of ${live} cannot be read`}, so that nobody knows which of the journals ${folders.join(', ')} holds the changes of what is live. Make a generation live whose manifest can be read (nigh rollback), or restore a backup; to build without the changes, move these folders away.`,
    );
  }
  const [folder] = folders;
  return folder === basename(usual.directory) ? undefined : folder;
}

/** How many changes the journal has no more. The caller holds the collection's lock, so it stays so. */
async function trimmedChanges(collection: string, journalFolder: string | undefined): Promise<number> {
  const place = journalPlace(collection, journalFolder === undefined ? {} : { journalFolder });
  if (!Journal.exists(place)) return 0;
  const journal = await Journal.open(place, 0, false);
  try {
    return journal.trimmed;
  } finally {
    await journal.close();
  }
}

function wouldUndo(collection: string, trimmed: number): NighError {
  return new NighError(
    'INVALID_ARGUMENT',
    `${collection}: the changes up to ${trimmed} were folded into its generations and are in the journal no more; a build from the dataset undoes those that the dataset lacks. With --drop-folded (in a program: dropFolded) it is built all the same.`,
  );
}

interface Work {
  readonly staging: Staging;
  /** The live generation, with which the new one shares what is the same. */
  readonly earlier: EarlierGeneration | undefined;
  readonly stopwatch: Stopwatch;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: BuildProgress) => void) | undefined;
  readonly threads: number;
  /** Whether spaces of it are taken over. */
  readonly reuse: boolean;
  /** Where its journal is, if not in its usual place. */
  readonly journalFolder: string | undefined;
  /** Changes up to this one are in the journal no more. */
  readonly trimmed: number;
  readonly input: Input | undefined;
}

function load(
  { dataset, baseDirectory }: Recipe,
  { signal, onProgress, input }: Pick<Work, 'signal' | 'onProgress' | 'input'>,
): Promise<Dataset> {
  return dataset.load({
    baseDirectory,
    ...(signal === undefined ? {} : { signal }),
    ...(input === undefined ? {} : { input }),
    onProgress: ({ stage, name, done, total = 0 }) => onProgress?.({ stage, subject: name, done, total }),
  });
}

async function buildGeneration(recipe: Recipe, work: Work): Promise<Built> {
  const { staging, stopwatch, signal } = work;
  const dataset = await stopwatch.time('dataset', undefined, () => load(recipe, work));
  const planned = await planBuild(recipe, dataset, work.reuse ? work.earlier : undefined);
  const plan: BuildPlan = {
    generation: planned.generation,
    spaces: planned.spaces,
    unchanged: planned.unchanged,
  };
  if (plan.unchanged) return { manifest: work.earlier!.manifest, plan };
  const { name, title, description, recallFloor, taste } = recipe;
  const { leftOut } = planned;
  const { spaces, records } = await buildSpaces(recipe, dataset, planned, work);
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
      ...(work.journalFolder === undefined ? {} : { journalFolder: work.journalFolder }),
      ...(work.trimmed === 0 ? {} : { journal: work.trimmed }),
      recallFloor,
      taste,
      ...(pictures === undefined ? {} : { pictures }),
      spaces,
      ...(leftOut.length === 0 ? {} : { leftOut }),
      made: {
        dataset: planned.digests.whole,
        recipe: digest(recipe.json),
        files: sumsOf(files, Object.values(collectionFiles)),
        spaces: Object.fromEntries(
          [...records].map(([space, record]) => [space, { ...record, files: sumsOf(files, filesOf(space)) }]),
        ),
      },
      files,
    };
    throwIfAborted(signal);
    await staging.commit(manifest);
    return { manifest, plan };
  });
}

/** What was built, in the order of the recipe, and what of. A fitted space is kept as long as another that uses it is to come. */
async function buildSpaces(
  recipe: Recipe,
  dataset: Dataset,
  { order, taken, digests }: WorkPlan,
  work: Work,
): Promise<{
  readonly spaces: SpaceManifest[];
  readonly records: ReadonlyMap<string, Pick<SpaceRecord, 'made' | 'inputs'>>;
}> {
  const { recallFloor, baseDirectory } = recipe;
  const built = new Map<string, SpaceManifest>();
  const records = new Map<string, Pick<SpaceRecord, 'made' | 'inputs'>>();
  const fitted = new Map<string, FittedSpace>();
  for (const [at, space] of order.entries()) {
    throwIfAborted(work.signal);
    const { name } = space;
    const known = taken.get(name);
    if (known !== undefined) {
      await takeOver(work.earlier!, work.staging, known.record);
      built.set(name, known.manifest);
      records.set(name, known.record);
      continue;
    }
    // Before the fit: a file that changes meanwhile is another one for the next build.
    const made = await madeOf(recipe, space);
    const watched = traced(dataset, digests);
    const done = await buildSpace(space, watched.dataset, { ...work, recallFloor, baseDirectory, spaces: fitted });
    built.set(name, done.manifest);
    records.set(name, { made, inputs: watched.inputs() });
    fitted.set(name, done.fitted);
    for (const earlier of fitted.keys()) {
      if (!order.slice(at + 1).some(({ uses }) => uses.includes(earlier))) fitted.delete(earlier);
    }
  }
  return { spaces: recipe.spaces.flatMap(({ name }) => built.get(name) ?? []), records };
}

async function writeCatalogue(recipe: Recipe, dataset: Dataset, { staging, signal, onProgress }: Work): Promise<void> {
  const files: [name: string, write: (path: string) => Promise<void>][] = [
    [collectionFiles.items, async (path) => writePacked(path, await Catalogue.pack(dataset, signal))],
    [collectionFiles.users, async (path) => writePacked(path, await StringIndex.index(dataset.users.terms, signal))],
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
  reuse: flag({ default: false }),
  dropFolded: flag({ default: false }),
  input: optional(
    checked(
      'an async iterable',
      (value): value is Input => typeof (value as Input)?.[Symbol.asyncIterator] === 'function',
    ),
  ),
};

type ProgressCallback = NonNullable<BuildOptions['onProgress']>;

/**
 * What can be mended of a damaged collection, as a new generation; nothing that lies there is touched.
 *
 * 1. CURRENT lost: the newest generation that is whole goes live.
 * 2. For every damaged file of the live generation, the first that helps:
 *    a. the same file, sound, in another generation;
 *    b. the recipe: beside the collection;
 *    c. an index of which vectors and ids are whole: built again from them, as the recipe says.
 * 3. An index whose file is whole, and in which vectors are not found: linked again; below the recall floor: built again.
 * 4. Everything else is shared with the damaged generation, checksums and recall are taken anew, and the new generation goes live.
 *
 * Where something cannot be mended nothing is changed, and what would help is said.
 */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { isPlainObject, readParams } from '../../core/params.js';
import type { Vectors } from '../../embeddings/embedding.js';
import { HnswIndex } from '../../index/hnsw-index.js';
import { openIndex } from '../../index/open-index.js';
import { salvageVectors } from '../../index/salvage-vectors.js';
import type { MetricName, VectorIndex } from '../../index/vector-index.js';
import { buildIndex } from '../build-index.js';
import { BuildLock } from '../build-lock.js';
import { recallAt } from '../build-space.js';
import { collectionFiles } from '../collection.js';
import { type Manifest, readManifest, type SpaceManifest, Staging } from '../generation.js';
import { type FileStamp, readFileStamped } from '../packed-file.js';
import { type IndexSettings, parseIndex } from '../recipe.js';
import type { IndexInfo } from '../types.js';
import { FileReader, requireStamp } from './check-files.js';
import { calibrationOf, type IndexFile, indexFiles, recallOf, stored } from './check-space.js';
import { generationNames, goTo, liveOrLost, requireSound } from './rollback.js';
import { shareFile } from './share-files.js';
import {
  type Finding,
  type Verification,
  type VerifyCollectionOptions,
  verifyCollection,
  verifySchema,
} from './verify-collection.js';

/** What was, or would have to be, done about a file. */
export interface Mending {
  readonly subject: string;
  readonly how: string;
}

export interface Repair {
  /** What was wrong. */
  readonly before: Verification;
  /** What was done; empty where nothing was wrong, and where something could not be mended. */
  readonly mended: readonly Mending[];
  /** What cannot be mended here, and what would help. */
  readonly beyond: readonly Mending[];
  /** The collection as it is now. */
  readonly after: Verification;
}

/**
 * Verifies a collection and mends what can be mended, in a new generation that goes live; the damaged one stays on disk. Where anything
 * cannot be mended nothing is changed.
 * @throws NighError LOCKED, RECALL_FLOOR, and what `verifyCollection` throws
 */
export async function repairCollection(directory: string, options: VerifyCollectionOptions = {}): Promise<Repair> {
  const settings = readParams(verifySchema, options, '');
  const collection = resolve(directory);
  const before = await verifyCollection(collection, options);
  if (before.sound) return { before, mended: [], beyond: [], after: before };
  const lock = await BuildLock.acquire(collection);
  try {
    const mended: Mending[] = [];
    let current = before;
    // What went live while it was verified is not to be replaced by what was mended of the one before.
    if ((await liveOrLost(collection)) !== before.generation) current = await verifyCollection(collection, options);
    if (current.sound) return { before, mended, beyond: [], after: current };
    if (current.findings.some(({ check }) => check === 'pointer')) {
      const found = await newestWhole(collection);
      if (found === undefined) return { before, mended, beyond: [beyondHelp(current.findings[0]!)], after: current };
      await goTo(collection, current.generation, found);
      mended.push({ subject: 'CURRENT', how: `names ${found}, the newest generation that is whole` });
      current = await verifyCollection(collection, options);
    }
    const beyond = await mend(collection, current, { ...settings, mended });
    const after = mended.length === 0 ? current : await verifyCollection(collection, options);
    return { before, mended, beyond, after };
  } finally {
    await lock.release();
  }
}

interface Mender {
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
  readonly mended: Mending[];
}

/** Brings one file of the new generation about. */
type Make = (staging: Staging, name: string) => Promise<IndexInfo | undefined>;

/** @returns what cannot be mended; if there is anything, nothing was done */
async function mend(collection: string, { generation, findings }: Verification, mender: Mender): Promise<Mending[]> {
  // Generations that are not live are only kept to go back to: they are not rebuilt.
  const own = findings.filter((finding) => finding.generation === generation);
  const others = findings.filter((finding) => finding.generation !== generation && finding.check !== 'pointer');
  const old = others.map(({ generation: name, subject }) => ({
    subject: `${name}/${subject}`,
    how: 'belongs to an older generation: it can no longer be gone back to',
  }));
  if (own.length === 0 || generation === undefined) return old;
  const unreadable = own.find(({ check, subject }) => check === 'manifest' || subject === generation);
  if (unreadable !== undefined) return [...old, beyondHelp(unreadable)];

  const manifest = await readManifest(join(collection, generation));
  const plan = new Map<string, { readonly how: string; readonly make: Make }>();
  const beyond: Mending[] = [];
  for (const subject of new Set(own.map((finding) => finding.subject))) {
    const about = own.filter((finding) => finding.subject === subject);
    const remedy = await remedyFor(collection, manifest, subject, about, mender);
    if (remedy === undefined) beyond.push(beyondHelp(about[0]!));
    else plan.set(subject, remedy);
  }
  if (beyond.length > 0) return [...old, ...beyond];

  const staging = await Staging.begin(collection);
  try {
    await commitMended(collection, manifest, staging, plan, mender.signal);
  } catch (cause) {
    await Promise.allSettled([staging.discard()]);
    throw cause;
  }
  for (const [subject, { how }] of plan) mender.mended.push({ subject, how });
  return old;
}

async function commitMended(
  collection: string,
  manifest: Manifest,
  staging: Staging,
  plan: ReadonlyMap<string, { readonly make: Make }>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const from = join(collection, manifest.generation);
  const remade = new Map<string, IndexInfo>();
  for (const name of Object.keys(manifest.files)) {
    if (!plan.has(name)) await shareFile(join(from, name), staging.path(name));
  }
  // The recipe says how indexes are built, and users ask the questions that the recommending index is measured by.
  const rank = (name: string) => (name === collectionFiles.recipe ? 0 : name.endsWith('.users.ann') ? 1 : 2);
  const order = [...plan].sort(([a], [b]) => rank(a) - rank(b));
  for (const [name, { make }] of order) {
    throwIfAborted(signal);
    const info = await make(staging, name);
    if (info !== undefined) remade.set(name, info);
  }
  const files = await staging.stampFiles();
  for (const [name, { sha256 }] of Object.entries(manifest.files)) {
    if (!plan.has(name) && files[name]?.sha256 !== sha256) {
      throw new NighError('CHECKSUM_MISMATCH', `${join(from, name)}: the content changed while it was taken over.`);
    }
  }
  const spaces = manifest.spaces.map((space) => withInfo(space, manifest, remade));
  const createdAt = new Date().toISOString();
  throwIfAborted(signal);
  // What the journal holds was made by the embedders of the damaged one, which are these.
  const fit = manifest.fit ?? manifest.generation;
  await staging.commit({ ...manifest, generation: await staging.nextName(), createdAt, fit, spaces, files });
}

function withInfo(space: SpaceManifest, manifest: Manifest, remade: ReadonlyMap<string, IndexInfo>): SpaceManifest {
  const infos = indexFiles(manifest).flatMap(({ name, role, space: of }) => {
    const info = remade.get(name);
    return info === undefined || of.name !== space.name || role === 'users' ? [] : [[role, info] as const];
  });
  return { ...space, ...Object.fromEntries(infos) };
}

async function remedyFor(
  collection: string,
  manifest: Manifest,
  subject: string,
  findings: readonly Finding[],
  mender: Mender,
): Promise<{ how: string; make: Make } | undefined> {
  const index = indexFiles(manifest).find(({ name }) => name === subject);
  const path = join(collection, manifest.generation, subject);
  if (findings.every(({ check }) => check === 'reachability' || check === 'recall')) {
    return (
      index && { how: 'linked again, or built again from its vectors', make: relinked(path, manifest, index, mender) }
    );
  }
  const stamp = manifest.files[subject];
  if (stamp === undefined || findings.some(({ check }) => check !== 'checksum')) return undefined;
  const twin = await soundTwin(collection, manifest, subject, stamp);
  if (twin !== undefined) {
    const make: Make = async (staging, name) => {
      await shareFile(twin, staging.path(name));
      return index?.info;
    };
    return { how: `taken from ${twin}`, make };
  }
  if (index === undefined) return undefined;
  const vectors = await salvageVectors(path).catch(() => undefined);
  if (vectors === undefined) return undefined;
  return {
    how: 'built again from its vectors, which are whole',
    make: (staging, name) =>
      rebuilt(
        { matrix: vectors.matrix, ordinals: vectors.ids },
        vectors.metric,
        manifest,
        index,
        staging,
        name,
        mender,
      ),
  };
}

/** A sound file of the same content, elsewhere in the collection. */
async function soundTwin(
  collection: string,
  manifest: Manifest,
  name: string,
  stamp: FileStamp,
): Promise<string | undefined> {
  const others = (await generationNames(collection)).filter((other) => other !== manifest.generation).reverse();
  const places = others.map((other) => join(collection, other, name));
  if (name === collectionFiles.recipe) places.push(join(collection, collectionFiles.recipe));
  for (const place of places) {
    const isTwin = await requireStamp(place, stamp, new FileReader()).then(
      () => true,
      () => false,
    );
    if (isTwin) return place;
  }
  return undefined;
}

function relinked(path: string, manifest: Manifest, file: IndexFile, mender: Mender): Make {
  return async (staging, name) => {
    const effort = file.space.efSearch === undefined ? {} : { efSearch: file.space.efSearch };
    using index = await openIndex(path, effort);
    const vectors = await stored(index, mender);
    if (index instanceof HnswIndex) {
      await index.verify({ repair: true, signal: mender.signal, threads: mender.threads });
      const info = await measured(index, vectors, file, staging, mender);
      if (file.info === undefined || info.recallAt10 >= manifest.recallFloor) return saved(index, info, staging, name);
    }
    return rebuilt(vectors, index.metric, manifest, file, staging, name, mender);
  };
}

async function rebuilt(
  vectors: Vectors,
  metric: MetricName,
  manifest: Manifest,
  file: IndexFile,
  staging: Staging,
  name: string,
  mender: Mender,
): Promise<IndexInfo | undefined> {
  const settings = file.role === 'users' ? ({ kind: 'flat' } as const) : await settingsOf(staging, manifest, file);
  const { threads, signal } = mender;
  const calibrationQueries = await calibrationOf(staging.directory, vectors, file);
  const index = await buildIndex(vectors, metric, settings, {
    threads,
    signal,
    calibrationQueries,
    onProgress: () => {},
  });
  try {
    const info = await measured(index, vectors, file, staging, mender);
    if (file.info !== undefined && info.recallAt10 < manifest.recallFloor) {
      throw new NighError(
        'RECALL_FLOOR',
        `${name}, built again, finds ${info.recallAt10.toFixed(4)} of the true ${recallAt} nearest, below the floor of ${manifest.recallFloor}.`,
      );
    }
    return await saved(index, info, staging, name);
  } finally {
    index.close();
  }
}

async function measured(
  index: VectorIndex,
  vectors: Vectors,
  file: IndexFile,
  staging: Staging,
  mender: Mender,
): Promise<Omit<IndexInfo, 'fileBytes'>> {
  const { kind, metric, dim, size: count } = index;
  const measure = file.role !== 'users';
  const { recall, queries } = measure
    ? await recallOf(staging.directory, index, vectors, file, mender)
    : { recall: 1, queries: 0 };
  return { kind, metric, dim, count, recallAt10: recall, queries };
}

async function saved(
  index: VectorIndex,
  info: Omit<IndexInfo, 'fileBytes'>,
  staging: Staging,
  name: string,
): Promise<IndexInfo> {
  await index.save(staging.path(name));
  return { ...info, fileBytes: (await stat(staging.path(name))).size };
}

/** How the recipe wants the indexes of the space; the recipe of the generation lies in the new one by then. */
async function settingsOf(staging: Staging, manifest: Manifest, { space, info }: IndexFile): Promise<IndexSettings> {
  const stamp = manifest.files[collectionFiles.recipe];
  const recipe: unknown =
    stamp === undefined
      ? {}
      : JSON.parse((await readFileStamped(staging.path(collectionFiles.recipe), stamp)).toString());
  const spaces = isPlainObject(recipe) && isPlainObject(recipe.spaces) ? recipe.spaces : {};
  const own = spaces[space.name];
  const index = isPlainObject(own) ? own.index : undefined;
  return parseIndex(index ?? { kind: info?.kind ?? 'hnsw' }, `spaces.${space.name}.index`);
}

async function newestWhole(collection: string): Promise<string | undefined> {
  for (const name of (await generationNames(collection)).reverse()) {
    const whole = await requireSound(join(collection, name)).then(
      () => true,
      (cause: unknown) => {
        if (cause instanceof NighError) return false;
        throw cause;
      },
    );
    if (whole) return name;
  }
  return undefined;
}

function beyondHelp({ check, subject, message }: Finding): Mending {
  const remedy =
    check === 'journal'
      ? 'Restore a backup; or, to go on without its changes, move the folder of the journal away and build the collection again.'
      : 'Go back with nigh rollback, restore a backup, or build the collection again.';
  return { subject, how: `cannot be rebuilt from what is left (${message}) ${remedy}` };
}

/**
 * A state of a collection → a new generation that holds it: the changes of the journal are folded in, and nothing is fitted anew.
 *
 * 1. Take the collection's build lock. Writes go on: the state is one moment, and what comes after it stays in the journal.
 * 2. Number the items and users that are there anew, in their order.
 * 3. For every space: gather its vectors, build its indexes by the recipe, measure their recall, copy its model.
 * 4. Write items, users and interactions; name the change up to which they go in the manifest.
 * 5. Name the generation in CURRENT, and remove the oldest.
 *
 * Until step 5 nothing that is live was touched: whatever happens before leaves the old generation and the whole journal. Once CURRENT names the
 * new generation it is used, whatever fails after that; then nothing that the old one needs is removed.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { breathe, throwIfAborted } from '../../core/abort.js';
import { CsrMatrix } from '../../core/csr-matrix.js';
import { NighError, reasonOf } from '../../core/errors.js';
import { isPlainObject } from '../../core/params.js';
import type { Column } from '../../data/dataset.js';
import type { Vectors } from '../../embeddings/embedding.js';
import { BuildLock } from '../build-lock.js';
import { type BuildProgress, Stopwatch } from '../build-progress.js';
import { buildIndexes, type SpaceContent } from '../build-space.js';
import { Catalogue } from '../catalogue.js';
import { type Collection, collectionFiles } from '../collection.js';
import {
  liveGeneration,
  type Manifest,
  manifestVersion,
  pruneGenerations,
  type SpaceManifest,
  Staging,
} from '../generation.js';
import { writePacked } from '../packed-file.js';
import { pictureFiles } from '../pictures.js';
import { type IndexSettings, parseIndex } from '../recipe.js';
import { SeenLists } from '../seen-lists.js';
import { userVector } from '../similar-users.js';
import { type Space, spaceFiles } from '../space.js';
import { StringIndex } from '../string-index.js';
import { shareFile } from '../upkeep/share-files.js';

export interface CompactOptions {
  /** Stops the work; what was live stays live. */
  readonly signal?: AbortSignal | undefined;
  /** Called at most some ten times a second per stage. */
  readonly onProgress?: ((progress: BuildProgress) => void) | undefined;
  /** Native threads; 0 = all. */
  readonly threads: number;
  /** Generations to keep, the new one included. */
  readonly keep: number;
}

/** Rows between two turns of the event loop. */
const rowsAtOnce = 500;

/** Ordinals of a state that are in use, and what each becomes. */
interface Renumbering {
  readonly old: readonly number[];
  /** By old ordinal; of one that is not in use it says nothing. */
  readonly renumbered: Uint32Array;
}

/** A generation that went live. */
export interface Compacted {
  /** What failed after that. */
  readonly warnings: readonly string[];
  /** Whether it is certain to be live after a loss of power too. */
  readonly isFlushed: boolean;
}

/**
 * @param sequence the last change that the state knows
 * @throws NighError LOCKED while a build runs or where another generation went live, RECALL_FLOOR, ABORTED, IO; then nothing has changed
 */
export async function compactInto(
  directory: string,
  state: Collection,
  sequence: number,
  { signal, onProgress, threads, keep }: CompactOptions,
): Promise<Compacted> {
  const lock = await BuildLock.acquire(directory);
  try {
    const { generation } = state.manifest;
    const previous = await liveGeneration(directory);
    if (previous !== generation) {
      throw new NighError('LOCKED', `${previous} went live since ${generation} was opened: reopen before compacting.`);
    }
    const staging = await Staging.begin(directory);
    const stopwatch = new Stopwatch();
    let manifest: Manifest | undefined;
    try {
      const build = { staging, stopwatch, threads, signal, onProgress, recallFloor: state.manifest.recallFloor };
      const source = join(directory, state.manifest.generation);
      const items = renumber(state.catalogue.size, (item) => state.catalogue.isLive(item));
      const gone = new Set(state.seen.gone);
      const users = renumber(state.users.size, (user) => !gone.has(user));
      const settings = await indexSettings(source);
      const spaces: SpaceManifest[] = [];
      for (const space of state.spaces) {
        throwIfAborted(signal);
        const { embedding, blocks, popularity, notes } = state.manifest.spaces.find(({ name }) => name === space.name)!;
        const content = await contentOf(state, space, items, users, signal);
        const index = settings(space.name);
        spaces.push(
          await buildIndexes({ name: space.name, embedding, index }, build, { ...content, blocks, popularity, notes }),
        );
        const model = spaceFiles.model(space.name);
        await shareFile(join(source, model), staging.path(model));
      }
      const interactions = await interactionsOf(state, items, users, signal);
      await writePacked(staging.path(collectionFiles.items), await packItems(state, items, signal));
      const names = await allOf(users, (user) => state.users.at(user), signal);
      await writePacked(staging.path(collectionFiles.users), await StringIndex.index(names, signal));
      await writePacked(staging.path(collectionFiles.interactions), SeenLists.pack(interactions));
      for (const name of [collectionFiles.recipe, ...Object.values(pictureFiles)]) {
        if (state.manifest.files[name] !== undefined) await shareFile(join(source, name), staging.path(name));
      }
      const files = await staging.stampFiles();
      manifest = {
        ...state.manifest,
        version: manifestVersion,
        generation: await staging.nextName(),
        createdAt: new Date().toISOString(),
        buildSeconds: stopwatch.elapsedSeconds,
        items: items.old.length,
        users: users.old.length,
        interactions: interactions.interactions.entries,
        journal: sequence,
        fit: state.manifest.fit ?? state.manifest.generation,
        spaces,
        files,
      };
      throwIfAborted(signal);
      await staging.commit(manifest);
    } catch (cause) {
      const live = await liveGeneration(directory).catch(() => undefined);
      if (manifest !== undefined && live === manifest.generation) {
        return { warnings: [`The new generation is live: ${reasonOf(cause)}`], isFlushed: false };
      }
      await Promise.allSettled([staging.discard()]);
      throw cause;
    }
    return { warnings: await prune(directory, keep, manifest.generation, previous), isFlushed: true };
  } finally {
    await lock.release();
  }
}

/**
 * Keeps so many generations, the live one among them.
 * @returns what failed
 * @throws NighError LOCKED while a build runs, IO
 */
export async function keepGenerations(directory: string, keep: number): Promise<string[]> {
  const lock = await BuildLock.acquire(directory);
  try {
    const live = await liveGeneration(directory);
    return live === undefined ? [] : await prune(directory, keep, live, undefined);
  } finally {
    await lock.release();
  }
}

async function prune(directory: string, keep: number, live: string, previous: string | undefined): Promise<string[]> {
  return pruneGenerations(directory, keep, live, previous).then(
    () => [],
    (cause: unknown) => [`An old generation was not removed: ${reasonOf(cause)}`],
  );
}

function renumber(size: number, isThere: (ordinal: number) => boolean): Renumbering {
  const old: number[] = [];
  const renumbered = new Uint32Array(size);
  for (let ordinal = 0; ordinal < size; ordinal++) {
    if (!isThere(ordinal)) continue;
    renumbered[ordinal] = old.length;
    old.push(ordinal);
  }
  return { old, renumbered };
}

/** How the recipe of a generation wants the indexes of its spaces. */
async function indexSettings(generation: string): Promise<(space: string) => IndexSettings> {
  const recipe: unknown = JSON.parse(await readFile(join(generation, collectionFiles.recipe), 'utf8'));
  const spaces = isPlainObject(recipe) && isPlainObject(recipe.spaces) ? recipe.spaces : {};
  return (name) => {
    const space = spaces[name];
    return parseIndex((isPlainObject(space) ? space.index : undefined) ?? {}, `spaces.${name}.index`);
  };
}

async function contentOf(
  state: Collection,
  space: Space,
  items: Renumbering,
  users: Renumbering,
  signal: AbortSignal | undefined,
): Promise<SpaceContent> {
  const { similar, recommend } = space.indexes;
  const vectorOf = (item: number) => similar.vector(item);
  return {
    similar:
      similar.kind === 'sparse'
        ? await gatherSparse(items, similar.dim, vectorOf, signal)
        : { vectors: await gather(items, similar.dim, vectorOf, signal), metric: similar.metric },
    users: recommend && {
      recommend: await gather(items, recommend.dim, (item) => recommend.vector(item), signal),
      vectors: await gather(users, recommend.dim, (user) => userVector(state, space, user), signal),
    },
  };
}

/** The vectors of those that have one, under their new ordinals. */
async function gather(
  { old }: Renumbering,
  dim: number,
  vectorOf: (ordinal: number) => Float32Array | undefined | Promise<Float32Array | undefined>,
  signal: AbortSignal | undefined,
): Promise<Vectors> {
  const data = new Float32Array(old.length * dim);
  const ordinals: number[] = [];
  for (const [to, from] of old.entries()) {
    if (to % rowsAtOnce === 0) await breathe(signal);
    const vector = await vectorOf(from);
    if (vector === undefined) continue;
    data.set(vector, ordinals.length * dim);
    ordinals.push(to);
  }
  const rows = ordinals.length;
  return { matrix: { data: data.subarray(0, rows * dim), rows, dim }, ordinals: Uint32Array.from(ordinals) };
}

/** As `gather`; the zeros are held of one row at a time. */
async function gatherSparse(
  { old }: Renumbering,
  dim: number,
  vectorOf: (ordinal: number) => Float32Array | undefined,
  signal: AbortSignal | undefined,
): Promise<{ readonly sparse: CsrMatrix; readonly ordinals: Uint32Array }> {
  const offsets = [0];
  const columns: number[] = [];
  const values: number[] = [];
  const ordinals: number[] = [];
  for (const [to, from] of old.entries()) {
    if (to % rowsAtOnce === 0) await breathe(signal);
    const vector = vectorOf(from);
    if (vector === undefined) continue;
    for (let column = 0; column < dim; column++) {
      const value = vector[column]!;
      if (value === 0) continue;
      columns.push(column);
      values.push(value);
    }
    offsets.push(columns.length);
    ordinals.push(to);
  }
  const sparse = new CsrMatrix(
    ordinals.length,
    dim,
    Uint32Array.from(offsets),
    Uint32Array.from(columns),
    Float32Array.from(values),
  );
  return { sparse, ordinals: Uint32Array.from(ordinals) };
}

async function interactionsOf(
  { seen }: Collection,
  items: Renumbering,
  users: Renumbering,
  signal: AbortSignal | undefined,
): Promise<{ readonly interactions: CsrMatrix; readonly timestamps?: Float64Array }> {
  const offsets = new Uint32Array(users.old.length + 1);
  const columns = new Uint32Array(seen.interactions);
  const values = new Float32Array(seen.interactions);
  const timestamps = new Float64Array(seen.interactions).fill(Number.NaN);
  let hasTimes = false;
  let at = 0;
  for (const [to, user] of users.old.entries()) {
    if (to % rowsAtOnce === 0) await breathe(signal);
    // Ordinals keep their order, so that items still ascend.
    for (const { item, value, timestamp } of seen.pastOf(user)) {
      columns[at] = items.renumbered[item]!;
      values[at] = value;
      if (timestamp !== undefined) {
        timestamps[at] = timestamp;
        hasTimes = true;
      }
      at++;
    }
    offsets[to + 1] = at;
  }
  const interactions = new CsrMatrix(users.old.length, items.old.length, offsets, columns, values);
  return { interactions, ...(hasTimes ? { timestamps } : {}) };
}

async function packItems(
  { catalogue }: Collection,
  items: Renumbering,
  signal: AbortSignal | undefined,
): ReturnType<typeof Catalogue.pack> {
  const columns = new Map<string, Column>();
  for (const [name, { type, read }] of catalogue.columns) {
    columns.set(name, { type, values: await allOf(items, read, signal) } as Column);
  }
  const titles = await allOf(items, (item) => catalogue.title(item), signal);
  const terms = await allOf(items, (item) => catalogue.id(item), signal);
  return Catalogue.pack({ items: { terms }, titles, columns }, signal);
}

/** What is said of each. */
async function allOf<T>(
  { old }: Renumbering,
  read: (ordinal: number) => T,
  signal: AbortSignal | undefined,
): Promise<T[]> {
  const all: T[] = [];
  for (const [at, ordinal] of old.entries()) {
    if (at % rowsAtOnce === 0) await breathe(signal);
    all.push(read(ordinal));
  }
  return all;
}

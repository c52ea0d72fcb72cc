import { join } from 'node:path';
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { type Block, weighBlocks } from '../embeddings/blocks.js';
import type { HistoryFolder } from '../embeddings/embedding.js';
import type { PopularityDimension } from '../embeddings/popularity.js';
import { lookUpEmbedding } from '../embeddings/registry.js';
import { openIndex } from '../index/open-index.js';
import type { IndexKind, VectorIndex } from '../index/vector-index.js';
import { vectorsOf } from '../index/vectors-of.js';
import type { Manifest, SpaceManifest } from './generation.js';
import { DirectoryFiles, type GenerationFiles } from './generation-files.js';
import { openAll } from './open-all.js';
import { requireLength } from './packed-file.js';
import type { AnyQuery } from './query-options.js';

/** The files of a space within a generation. */
export const spaceFiles = {
  /** What items are compared with each other by. */
  similar: (space: string) => `${space}.ann`,
  /** Item vectors under inner product. */
  recommend: (space: string) => `${space}.recommend.ann`,
  /** User vectors. */
  users: (space: string) => `${space}.users.ann`,
  model: (space: string) => `${space}.model.msgpack`,
};

/** Items to take a user's taste from, by ordinal. */
export interface HistoryItems {
  readonly items: Uint32Array;
  /** Relative to one plain interaction, one an item: below 0 for what was disliked. */
  readonly weights: Float32Array;
}

/** What the items of a space are searched in. */
export interface SpaceIndexes {
  readonly similar: VectorIndex;
  /** Only where users have vectors. */
  readonly recommend: VectorIndex | undefined;
}

/** The indexes of a space as it was built. */
export interface StoredIndexes extends SpaceIndexes {
  readonly users: VectorIndex | undefined;
}

/** One space of an open generation. */
export class Space {
  readonly #manifest: SpaceManifest;
  readonly name: string;
  /** What the vectors are made of, where they are blocks side by side. */
  readonly blocks: readonly Block[];
  /** Where the vectors of `forUsers` say how popular an item is. */
  readonly popularity: PopularityDimension | undefined;
  /** Pool size of a graph search, where the recipe sets one. */
  readonly efSearch: number | undefined;
  /** Wanted recall of a graph search, where the recipe sets it instead. */
  readonly recall: number | undefined;
  /** Which items are like this one: item vectors under cosine, or their likeness under inner product. */
  readonly similar: VectorIndex;
  /** Item vectors under inner product; only where users have vectors. */
  readonly #recommend: VectorIndex | undefined;
  readonly #users: VectorIndex | undefined;
  /** Whose vector is not what was fitted. */
  readonly #isOutdated: (user: number) => boolean;
  readonly #fold: HistoryFolder | undefined;
  /** Whether fold-in reads dislikes. */
  readonly #foldsDislikes: boolean;
  /** Whether an item has a vector, where the index itself would have to be asked for it. */
  readonly #has: ((item: number) => boolean) | undefined;

  private constructor(
    manifest: SpaceManifest,
    similar: VectorIndex,
    recommend: VectorIndex | undefined,
    users: VectorIndex | undefined,
    fold: HistoryFolder | undefined,
    isOutdated: (user: number) => boolean = () => false,
    has?: (item: number) => boolean,
  ) {
    this.#manifest = manifest;
    this.name = manifest.name;
    this.efSearch = manifest.efSearch;
    this.recall = manifest.recall;
    this.blocks = manifest.blocks ?? [];
    this.popularity = recommend === undefined ? undefined : manifest.popularity;
    this.similar = similar;
    this.#recommend = recommend;
    this.#users = users;
    this.#fold = fold;
    this.#isOutdated = isOutdated;
    this.#has = has;
    this.#foldsDislikes = lookUpEmbedding(manifest.embedding)?.foldsDislikes === true;
  }

  /** @throws NighError NOT_FOUND, IO, TRUNCATED, CHECKSUM_MISMATCH, FORMAT, VERSION_UNSUPPORTED */
  static async open(
    directory: string,
    manifest: Manifest,
    space: SpaceManifest,
    mode: 'memory' | 'mmap',
  ): Promise<Space> {
    const open = async (name: string, kind: IndexKind | undefined): Promise<VectorIndex | undefined> => {
      const stamp = manifest.files[name];
      if (stamp === undefined) return undefined;
      const path = join(directory, name);
      await requireLength(path, stamp);
      // hnswlib-node cannot map its file.
      return openIndex(path, kind === 'hnswlib' ? {} : { mode, verify: true });
    };
    const [similar, recommend, users] = await openAll([
      open(spaceFiles.similar(space.name), space.similar.kind),
      open(spaceFiles.recommend(space.name), space.recommend?.kind),
      open(spaceFiles.users(space.name), 'flat'),
    ]);
    try {
      if (similar === undefined) {
        throw new NighError('FORMAT', `${directory}: the manifest lists no index of space ${space.name}.`);
      }
      return new Space(
        space,
        similar,
        recommend,
        users,
        await openFolder(new DirectoryFiles(directory, manifest), space),
      );
    } catch (cause) {
      for (const index of [similar, recommend, users]) index?.close();
      throw cause;
    }
  }

  /**
   * A space over indexes that are open already, wherever they are.
   * @param has whether an item has a vector
   * @throws NighError FORMAT, and what reading its model throws
   */
  static async over(
    manifest: SpaceManifest,
    { similar, recommend, users }: StoredIndexes,
    files: GenerationFiles,
    has: (item: number) => boolean,
  ): Promise<Space> {
    return new Space(manifest, similar, recommend, users, await openFolder(files, manifest), () => false, has);
  }

  /**
   * The same space with changes on top: over other indexes of the same kinds, with the users whose fitted vector no longer holds. These are
   * placed by their past, which takes a fold-in; where the space has none, what was fitted stays.
   */
  with(
    { similar, recommend }: SpaceIndexes,
    isGone: (user: number) => boolean,
    isOutdated: (user: number) => boolean,
  ): Space {
    const outdated = (user: number) => isGone(user) || (this.#fold !== undefined && isOutdated(user));
    return new Space(this.#manifest, similar, recommend, this.#users, this.#fold, outdated);
  }

  /** Its indexes of items. */
  get indexes(): SpaceIndexes {
    return { similar: this.similar, recommend: this.#recommend };
  }

  /** Vectors of users, as they were fitted. */
  get fittedUsers(): VectorIndex | undefined {
    return this.#users;
  }

  /** Whether a past places somebody as the fit would have. */
  get folds(): boolean {
    return this.#fold !== undefined;
  }

  /** What a user's vector is searched in: by inner product where users have vectors, otherwise by direction. */
  get forUsers(): VectorIndex {
    return this.#recommend ?? this.similar;
  }

  /** The item's own vector, or undefined if the space says nothing about it. */
  async itemVector(item: number): Promise<Float32Array | undefined> {
    return this.similar.vectors === undefined
      ? this.similar.vector(item)
      : (await this.itemVectors(Uint32Array.of(item)))[0];
  }

  /** The same of several, in their order. */
  itemVectors(items: Uint32Array, signal?: AbortSignal): Promise<(Float32Array | undefined)[]> {
    return vectorsOf(this.similar, items, signal);
  }

  /** Whether the space says anything about an item. */
  hasItem(item: number): boolean {
    return this.#has === undefined ? this.similar.vector(item) !== undefined : this.#has(item);
  }

  /** Whether users have vectors here. */
  get hasUsers(): boolean {
    return this.#users !== undefined;
  }

  /** The user's vector as it was fitted; undefined where there is none, or where it no longer holds. */
  async userVector(user: number): Promise<Float32Array | undefined> {
    if (this.#users === undefined || this.#isOutdated(user)) return undefined;
    return (await vectorsOf(this.#users, Uint32Array.of(user)))[0];
  }

  /**
   * A vector for somebody of this taste, for a search in `forUsers`: what they liked folded in where users have vectors, otherwise the
   * weighted mean of the items' directions, at unit length. Items without a vector are passed over; undefined if nothing that they
   * liked is left, or if the directions cancel out.
   */
  async historyVector({ items, weights }: HistoryItems): Promise<Float32Array | undefined> {
    const index = this.forUsers;
    const vectors: Float32Array[] = [];
    const confidences: number[] = [];
    const known: number[] = [];
    const stored = await vectorsOf(index, items);
    items.forEach((item, i) => {
      const vector = stored[i];
      const isUnread = this.#fold !== undefined && !this.#foldsDislikes && weights[i]! < 0;
      if (vector === undefined || weights[i] === 0 || isUnread) return;
      known.push(item);
      vectors.push(vector);
      confidences.push(weights[i]!);
    });
    if (!confidences.some((weight) => weight > 0)) return undefined;
    if (this.#fold === undefined) return meanDirection(vectors, confidences);
    return this.#fold({
      items: Uint32Array.from(known),
      vectors: stack(vectors, index.dim),
      weights: Float32Array.from(confidences),
    });
  }

  /**
   * The vector that asks with these weights of its blocks; undefined where it has none of those that weigh something.
   * @throws NighError INVALID_ARGUMENT for a block that the space has not
   */
  weigh(vector: Float32Array | undefined, weights: AnyQuery['weights']): Float32Array | undefined {
    return vector === undefined || weights === undefined ? vector : weighBlocks(vector, this.blocks, weights);
  }

  close(): void {
    this.similar.close();
    this.#recommend?.close();
    this.#users?.close();
  }
}

async function openFolder(files: GenerationFiles, space: SpaceManifest): Promise<HistoryFolder | undefined> {
  const embedding = lookUpEmbedding(space.embedding);
  if (embedding === undefined) return space.users === 0 ? undefined : refuseNewcomers(space);
  return embedding.openFolder?.(await files.readModel(spaceFiles.model(space.name)));
}

/** Whether its users could be joined by a newcomer is not known here; how, even less. */
function refuseNewcomers({ name, embedding }: SpaceManifest): HistoryFolder {
  return () => {
    throw new NighError(
      'UNSUPPORTED',
      `The space ${name} was made by the embedding ${JSON.stringify(embedding)}, which is not registered here: it cannot place newcomers.`,
    );
  };
}

function stack(vectors: readonly Float32Array[], dim: number): Matrix {
  const data = new Float32Array(vectors.length * dim);
  vectors.forEach((vector, r) => {
    data.set(vector, r * dim);
  });
  return { data, rows: vectors.length, dim };
}

function meanDirection(vectors: readonly Float32Array[], weights: readonly number[]): Float32Array | undefined {
  const dim = vectors[0]!.length;
  const sum = new Float64Array(dim);
  let total = 0;
  vectors.forEach((vector, r) => {
    for (let d = 0; d < dim; d++) sum[d] = sum[d]! + weights[r]! * vector[d]!;
    total += Math.abs(weights[r]!);
  });
  const length = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0));
  // Opposite directions can cancel to rounding noise, which points nowhere.
  return length < 1e-5 * total ? undefined : Float32Array.from(sum, (value) => value / length);
}

/** What is asked of every vector index of a space, beside the checksum of its file. */
import { join } from 'node:path';
import { NighError } from '../../core/errors.js';
import { gatherRows, type Matrix } from '../../core/matrix.js';
import { isPlainObject } from '../../core/params.js';
import type { Vectors } from '../../embeddings/embedding.js';
import { lookUpEmbedding } from '../../embeddings/registry.js';
import { FlatIndex } from '../../index/flat-index.js';
import { defaultEfSearch, HnswIndex } from '../../index/hnsw-index.js';
import { openIndex } from '../../index/open-index.js';
import { storedVectors } from '../../index/stored-vectors.js';
import type { VectorIndex, VerifyReport } from '../../index/vector-index.js';
import { calibrationSeed, recallAt, recallQueries, recallSeed } from '../build-space.js';
import type { Manifest, SpaceManifest } from '../generation.js';
import { measureRecall, type Recall } from '../measure-recall.js';
import { readPacked } from '../packed-file.js';
import { sampleRows } from '../sample-rows.js';
import { spaceFiles } from '../space.js';
import type { IndexInfo } from '../types.js';

/** An index file of a generation, and what the manifest says of it. */
export interface IndexFile {
  readonly name: string;
  readonly space: SpaceManifest;
  readonly role: 'similar' | 'recommend' | 'users';
  /** Absent for users, of whose index the manifest says nothing. */
  readonly info: IndexInfo | undefined;
  /** How many ordinals there are: the ids of its vectors are below. */
  readonly ordinals: number;
  /** How many vectors it should hold. */
  readonly count: number;
}

/** What was found out about an index. */
export interface CheckedIndex {
  readonly file: string;
  readonly space: string;
  readonly kind: string;
  readonly vectors: number;
  /** Vectors that no path of links leads to, that a search for them does not find, and links that lead nowhere. */
  readonly unreachable: number;
  readonly notFound: number;
  readonly dangling: number;
  /** Mean recall@10 of the sample; undefined for an index whose every answer is the true one. */
  readonly recallAt10: number | undefined;
  readonly queries: number;
}

export interface IndexCheck {
  readonly index: CheckedIndex;
  /** What is wrong, of which kind. */
  readonly faults: readonly { readonly check: 'vocabulary' | 'reachability' | 'recall'; readonly message: string }[];
}

export interface CheckOptions {
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The index files of a generation. */
export function indexFiles({ spaces, files, items, users }: Manifest): IndexFile[] {
  return spaces.flatMap((space) => {
    const of = (name: string, role: IndexFile['role'], info: IndexInfo | undefined, ordinals: number, count: number) =>
      files[name] === undefined && info === undefined ? [] : [{ name, space, role, info, ordinals, count }];
    return [
      ...of(spaceFiles.similar(space.name), 'similar', space.similar, items, space.similar.count),
      ...of(spaceFiles.recommend(space.name), 'recommend', space.recommend, items, space.recommend?.count ?? 0),
      ...of(spaceFiles.users(space.name), 'users', undefined, users, space.users),
    ];
  });
}

/**
 * Checks an index whose file is what was written: its ids against the vocabulary, every vector found by itself, and recall over the questions
 * that the build asked.
 * @throws NighError what opening it throws, ABORTED
 */
export async function checkIndex(
  directory: string,
  manifest: Manifest,
  file: IndexFile,
  options: CheckOptions,
): Promise<IndexCheck> {
  const { space } = file;
  const effort = space.efSearch === undefined ? {} : { efSearch: space.efSearch };
  using index = await opened(join(directory, file.name), file.info?.kind, effort);
  const faults: { check: 'vocabulary' | 'reachability' | 'recall'; message: string }[] = [];
  const checked = { file: file.name, space: space.name, kind: index.kind, vectors: index.size };
  const vectors = index.kind === 'sparse' ? undefined : await stored(index, options);
  for (const message of vocabularyFaults(index, file, vectors?.ordinals)) faults.push({ check: 'vocabulary', message });

  const graph = await reachability(index, space, options);
  if (graph.unreachable + graph.notFound + graph.dangling > 0) {
    const message = `${file.name}: ${graph.unreachable} vectors are reached by no link, ${graph.notFound} are not found by a search for them, and ${graph.dangling} links lead nowhere.`;
    faults.push({ check: 'reachability', message });
  }
  const recall =
    vectors === undefined || isExact(index) ? undefined : await recallOf(directory, index, vectors, file, options);
  if (recall !== undefined && recall.recall < manifest.recallFloor) {
    const message = `${file.name} finds ${recall.recall.toFixed(4)} of the true ${recallAt} nearest (${recall.queries} queries), below the floor of ${manifest.recallFloor}.`;
    faults.push({ check: 'recall', message });
  }
  const { unreachable, notFound, dangling } = graph;
  const measured = { recallAt10: recall?.recall, queries: recall?.queries ?? 0 };
  return { index: { ...checked, unreachable, notFound, dangling, ...measured }, faults };
}

/** Whether a stored model is one of the space's embedding. @throws NighError FORMAT and what reading it throws */
export async function checkModel(directory: string, manifest: Manifest, space: SpaceManifest): Promise<void> {
  const name = spaceFiles.model(space.name);
  const stamp = manifest.files[name];
  const embedding = lookUpEmbedding(space.embedding);
  if (stamp === undefined || embedding?.openFolder === undefined) return;
  const model = await readPacked(join(directory, name), stamp);
  if (!isPlainObject(model)) throw new NighError('FORMAT', `${join(directory, name)}: expected an object.`);
  embedding.openFolder(model);
}

/** Recall as the build measured it: the same questions, the same effort. */
export async function recallOf(
  directory: string,
  index: VectorIndex,
  vectors: Vectors,
  { space, role }: Pick<IndexFile, 'space' | 'role'>,
  { signal, onProgress }: CheckOptions,
): Promise<Recall> {
  const { queries, self } = await questionsOf(directory, vectors, { space, role }, recallSeed);
  return measureRecall(index, vectors, queries, self, {
    k: recallAt,
    efSearch: space.efSearch,
    wantedRecall: index.kind === 'hnsw' ? space.recall : undefined,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/** Other questions than recall is measured by, to find efforts by; undefined where the vectors themselves are asked. */
export async function calibrationOf(
  directory: string,
  vectors: Vectors,
  { space, role }: Pick<IndexFile, 'space' | 'role'>,
): Promise<Matrix | undefined> {
  if (role !== 'recommend') return undefined;
  return (await questionsOf(directory, vectors, { space, role }, calibrationSeed)).queries;
}

async function questionsOf(
  directory: string,
  { matrix, ordinals }: Vectors,
  { space, role }: Pick<IndexFile, 'space' | 'role'>,
  seed: number,
): Promise<{ queries: Matrix; self: Uint32Array | undefined }> {
  if (role !== 'recommend') {
    const sampled = sampleRows(matrix.rows, recallQueries, seed);
    return { queries: gatherRows(matrix, sampled), self: sampled.map((r) => ordinals[r]!) };
  }
  using users = await opened(join(directory, spaceFiles.users(space.name)), 'flat', {});
  const asking = await stored(users, {});
  return { queries: gatherRows(asking.matrix, sampleRows(asking.matrix.rows, recallQueries, seed)), self: undefined };
}

type Opened = VectorIndex & Disposable;

export async function opened(
  path: string,
  kind: string | undefined,
  effort: { readonly efSearch?: number },
): Promise<Opened> {
  return openIndex(path, kind === 'hnswlib' ? effort : { ...effort, mode: 'mmap', verify: true });
}

export async function stored(index: VectorIndex, { signal }: Pick<CheckOptions, 'signal'>): Promise<Vectors> {
  const { matrix, ids } = await storedVectors(index, signal === undefined ? {} : { signal });
  return { matrix, ordinals: ids };
}

function isExact(index: VectorIndex): boolean {
  return index.capabilities.exact;
}

function vocabularyFaults(index: VectorIndex, file: IndexFile, ids: Uint32Array | undefined): string[] {
  const faults: string[] = [];
  const { info } = file;
  if (index.size !== file.count) {
    faults.push(`${file.name} holds ${index.size} vectors, and the manifest says ${file.count}.`);
  }
  if (info !== undefined && (index.kind !== info.kind || index.metric !== info.metric || index.dim !== info.dim)) {
    faults.push(
      `${file.name} is ${index.kind}, ${index.metric}, of ${index.dim} dimensions; the manifest says ${info.kind}, ${info.metric}, ${info.dim}.`,
    );
  }
  const largest = ids?.at(-1);
  if (largest !== undefined && largest >= file.ordinals) {
    const what = file.role === 'users' ? 'users' : 'items';
    faults.push(`${file.name} has a vector of number ${largest}, and there are ${file.ordinals} ${what}.`);
  }
  return faults;
}

const soundGraph: Pick<VerifyReport, 'unreachable' | 'notFound' | 'dangling'> = {
  unreachable: 0,
  notFound: 0,
  dangling: 0,
};

/** Whether every vector is found by itself. Indexes of hnswlib do not show their links, and are judged by their recall. */
async function reachability(
  index: VectorIndex,
  space: SpaceManifest,
  { threads, signal, onProgress }: CheckOptions,
): Promise<typeof soundGraph> {
  if (!(index instanceof HnswIndex || index instanceof FlatIndex)) return soundGraph;
  return index.verify({ threads, signal, onProgress, efSearch: space.efSearch ?? defaultEfSearch });
}

import { stat } from 'node:fs/promises';
import type { CsrMatrix } from '../core/csr-matrix.js';
import { NighError } from '../core/errors.js';
import { gatherRows, type Matrix } from '../core/matrix.js';
import type { Dataset } from '../data/dataset.js';
import type { Block } from '../embeddings/blocks.js';
import type { FittedSpace, Vectors } from '../embeddings/embedding.js';
import { SparseIndex } from '../index/sparse-index.js';
import type { MetricName, VectorIndex } from '../index/vector-index.js';
import { buildIndex } from './build-index.js';
import type { BuildProgress, Stopwatch } from './build-progress.js';
import type { SpaceManifest, Staging } from './generation.js';
import { measureRecall } from './measure-recall.js';
import { writePacked } from './packed-file.js';
import type { IndexSettings, SpaceRecipe } from './recipe.js';
import { sampleRows } from './sample-rows.js';
import { spaceFiles } from './space.js';
import type { IndexInfo } from './types.js';

export interface IndexBuild {
  readonly staging: Staging;
  readonly stopwatch: Stopwatch;
  readonly recallFloor: number;
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: BuildProgress) => void) | undefined;
}

export interface SpaceBuild extends IndexBuild {
  /** What relative paths of the recipe are relative to. */
  readonly baseDirectory: string;
  /** The spaces that it uses, by name. */
  readonly spaces: ReadonlyMap<string, FittedSpace>;
}

/** Every index answers so many sampled queries before it may go live. */
export const recallQueries = 1_000;
export const recallSeed = 42;
export const calibrationSeed = 43;
/** The k of the recall that is measured. */
export const recallAt = 10;

/** What the indexes of a space are made of. */
export interface SpaceContent {
  /** What items are compared with each other by. */
  readonly similar:
    | { readonly vectors: Vectors; readonly metric: MetricName }
    | { readonly sparse: CsrMatrix; readonly ordinals: Uint32Array };
  /** What users find items by, and their own vectors. */
  readonly users?: { readonly recommend: Vectors; readonly vectors: Vectors } | undefined;
  readonly blocks?: readonly Block[] | undefined;
  readonly popularity?: SpaceManifest['popularity'] | undefined;
  readonly notes?: SpaceManifest['notes'] | undefined;
}

/** A space as far as its indexes go. */
export type IndexedSpace = Pick<SpaceRecipe, 'name' | 'embedding' | 'index'>;

/**
 * Fits one space, builds and measures its indexes and writes its files.
 * @throws NighError RECALL_FLOOR, ABORTED, IO, and what the embedding throws
 */
export async function buildSpace(
  recipe: SpaceRecipe,
  dataset: Dataset,
  build: SpaceBuild,
): Promise<{ readonly manifest: SpaceManifest; readonly fitted: FittedSpace }> {
  const { staging, stopwatch, signal } = build;
  const space = recipe.name;
  const fitted = await stopwatch.time('embedding', space, () =>
    recipe.fit(dataset, {
      threads: build.threads,
      baseDirectory: build.baseDirectory,
      spaces: build.spaces,
      ...(signal === undefined ? {} : { signal }),
      onProgress: (done, total) =>
        build.onProgress?.({ stage: 'embedding', space, subject: recipe.embedding, done, total }),
    }),
  );
  await stopwatch.time('write', space, () => writePacked(staging.path(spaceFiles.model(space)), fitted.model));
  const { items, users, likeness, sparse, blocks, popularity, notes } = fitted;
  const { ordinals } = items;
  const manifest = await buildIndexes(recipe, build, {
    similar:
      sparse === undefined
        ? { vectors: { matrix: likeness ?? items.matrix, ordinals }, metric: likeness === undefined ? 'cosine' : 'ip' }
        : { sparse, ordinals },
    users: users && { recommend: items, vectors: users },
    blocks,
    popularity,
    notes,
  });
  return { manifest, fitted };
}

/**
 * Builds and measures the indexes of a space and writes their files.
 * @throws NighError RECALL_FLOOR, ABORTED, IO
 */
export async function buildIndexes(
  space: IndexedSpace,
  build: IndexBuild,
  { similar: content, users, blocks, popularity, notes }: SpaceContent,
): Promise<SpaceManifest> {
  const { name, embedding, index } = space;
  const similar =
    'sparse' in content
      ? await buildSparse(space, build, content.sparse, content.ordinals)
      : await buildSimilar(space, build, content.vectors, content.metric);
  const recommend =
    users &&
    (await buildMeasured(space, build, {
      file: spaceFiles.recommend(name),
      vectors: users.recommend,
      metric: 'ip',
      queries: gatherRows(users.vectors.matrix, sampleRows(users.vectors.matrix.rows, recallQueries, recallSeed)),
      calibrationQueries: gatherRows(
        users.vectors.matrix,
        sampleRows(users.vectors.matrix.rows, recallQueries, calibrationSeed),
      ),
      self: undefined,
    }));
  if (users !== undefined) await storeUsers(name, users.vectors, build);
  return {
    name,
    embedding,
    dim: similar.dim,
    items: similar.count,
    users: users?.vectors.ordinals.length ?? 0,
    similar,
    ...(recommend === undefined ? {} : { recommend }),
    ...(blocks === undefined ? {} : { blocks }),
    ...(popularity === undefined ? {} : { popularity }),
    ...('efSearch' in index && index.efSearch !== undefined ? { efSearch: index.efSearch } : {}),
    ...('recall' in index && index.recall !== undefined ? { recall: index.recall } : {}),
    ...(notes === undefined ? {} : { notes }),
  };
}

/** @throws NighError RECALL_FLOOR */
function buildSimilar(
  space: IndexedSpace,
  build: IndexBuild,
  { matrix, ordinals }: Vectors,
  metric: MetricName,
): Promise<IndexInfo> {
  const sampled = sampleRows(matrix.rows, recallQueries, recallSeed);
  return buildMeasured(space, build, {
    file: spaceFiles.similar(space.name),
    vectors: { matrix, ordinals },
    metric,
    queries: gatherRows(matrix, sampled),
    self: sampled.map((r) => ordinals[r]!),
  });
}

/** Sparse rows are searched exactly, so there is no recall to measure. */
async function buildSparse(
  { name }: IndexedSpace,
  { staging, stopwatch, signal, onProgress }: IndexBuild,
  rows: CsrMatrix,
  ids: Uint32Array,
): Promise<IndexInfo> {
  const file = spaceFiles.similar(name);
  const index = await stopwatch.time('index', name, () =>
    SparseIndex.build(rows, {
      metric: 'cosine',
      ids,
      signal,
      onProgress: (done, total) => onProgress?.({ stage: 'index', space: name, subject: file, done, total }),
    }),
  );
  try {
    const path = staging.path(file);
    await stopwatch.time('write', name, () => index.save(path));
    const { kind, metric, dim, size: count } = index;
    return { kind, metric, dim, count, fileBytes: (await stat(path)).size, recallAt10: 1, queries: 0 };
  } finally {
    index.close();
  }
}

interface IndexPlan {
  readonly file: string;
  readonly vectors: Vectors;
  readonly metric: MetricName;
  /** What recall is measured with. */
  readonly queries: Matrix;
  /** Other questions of the same kind, to find efforts by; the vectors themselves where undefined. */
  readonly calibrationQueries?: Matrix;
  /** Ids of the queries where they are stored vectors themselves. */
  readonly self: Uint32Array | undefined;
}

/** @throws NighError RECALL_FLOOR */
async function buildMeasured(recipe: IndexedSpace, build: IndexBuild, plan: IndexPlan): Promise<IndexInfo> {
  const { signal, stopwatch } = build;
  const space = recipe.name;
  const index = await builtIndex(space, recipe.index, build, plan);
  try {
    const efSearch = 'efSearch' in recipe.index ? recipe.index.efSearch : undefined;
    const wantedRecall = 'recall' in recipe.index ? recipe.index.recall : undefined;
    const { recall, queries } = await stopwatch.time('recall', space, () =>
      measureRecall(index, plan.vectors, plan.queries, plan.self, {
        k: recallAt,
        efSearch,
        wantedRecall,
        signal,
        onProgress: (done, total) => build.onProgress?.({ stage: 'recall', space, subject: plan.file, done, total }),
      }),
    );
    if (recall < build.recallFloor) {
      throw new NighError(
        'RECALL_FLOOR',
        `The space ${space}: ${plan.file} finds ${recall.toFixed(4)} of the true ${recallAt} nearest (${queries} queries), ` +
          `below the floor of ${build.recallFloor}. Raise efSearch or recall, efConstruction or M of its index, or lower recallFloor.`,
      );
    }
    const path = build.staging.path(plan.file);
    await stopwatch.time('write', space, () => index.save(path));
    return {
      kind: index.kind,
      metric: index.metric,
      dim: index.dim,
      count: index.size,
      fileBytes: (await stat(path)).size,
      recallAt10: recall,
      queries,
    };
  } finally {
    index.close();
  }
}

/** User vectors are looked up by id, and searched exactly for similar users. */
async function storeUsers(space: string, users: Vectors, build: IndexBuild): Promise<void> {
  const plan = { file: spaceFiles.users(space), vectors: users, metric: 'ip' as const };
  const index = await builtIndex(space, { kind: 'flat' }, build, plan);
  try {
    await build.stopwatch.time('write', space, () => index.save(build.staging.path(plan.file)));
  } finally {
    index.close();
  }
}

function builtIndex(
  space: string,
  settings: IndexSettings,
  { stopwatch, threads, signal, onProgress }: IndexBuild,
  { file, vectors, metric, calibrationQueries }: Pick<IndexPlan, 'file' | 'vectors' | 'metric' | 'calibrationQueries'>,
): Promise<VectorIndex> {
  return stopwatch.time('index', space, () =>
    buildIndex(vectors, metric, settings, {
      threads,
      signal,
      calibrationQueries,
      onProgress: (done, total) => onProgress?.({ stage: 'index', space, subject: file, done, total }),
    }),
  );
}

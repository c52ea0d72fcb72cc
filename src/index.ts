/**
 * `nigh`: vector indexes, datasets, collections and answers. The subpaths hold less: `nigh/index` vector indexes alone,
 * `nigh/embeddings` what makes vectors, `nigh/service` the HTTP service.
 */

export { errorKinds } from './core/errors.js';
export {
  type DatasetSpec,
  fetchDataset,
  type LocatedDataset,
  loadDataset,
  type NamedDataset,
  namedDatasets,
  type ReadVectorsOptions,
  readVectors,
  readWordVectors,
  type VectorFileOptions,
  type VectorIds,
  type VectorTable,
  type WordFilter,
  type WordVectors,
  type WrittenVectors,
  writeVectors,
} from './data/index.js';
export * from './index/index.js';
export {
  type Answer,
  type AnswerStats,
  type AttributeValue,
  type BuildOptions as CollectionBuildOptions,
  type BuildProgress,
  type BuildStage,
  type BuildSummary,
  buildCollection,
  type CollectionInfo,
  type EmbeddedSpace,
  type EmbedOptions,
  embedSpace,
  type HistoryEntry,
  type IndexInfo,
  type Item,
  loadRecipe,
  parseRecipe,
  type QueryOptions,
  type Recipe,
  type RecommendOptions,
  type Result,
  Retriever,
  type SpaceInfo,
  type SpaceRecipe,
  type StageTiming,
  type Taste,
} from './retrieval/index.js';

/** Collections: building them and asking them. */
export { type BuildOptions, type BuildSummary, buildCollection } from './build-collection.js';
export type { BuildProgress, BuildStage, StageTiming } from './build-progress.js';
export { type EmbeddedSpace, type EmbedOptions, embedSpace } from './embed-space.js';
export { loadRecipe, parseRecipe, type Recipe, type SpaceRecipe } from './recipe.js';
export { Retriever } from './retriever.js';
export type { Taste } from './taste.js';
export type {
  Answer,
  AnswerStats,
  AttributeValue,
  CollectionInfo,
  HistoryEntry,
  IndexInfo,
  Item,
  QueryOptions,
  RecommendOptions,
  Result,
  SpaceInfo,
} from './types.js';

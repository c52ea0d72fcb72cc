/** Collections: building them and asking them. */
export { type BuildOptions, type BuildSummary, buildCollection, planCollection } from './build-collection.js';
export type { BuildProgress, BuildStage, StageTiming } from './build-progress.js';
export { type EmbeddedSpace, type EmbedOptions, embedSpace } from './embed-space.js';
export type { AttributeTest, Condition, Where, WhereValue } from './filters/predicate.js';
export type { LeftOutSpace } from './left-out.js';
export type { CompactOptions } from './live/compact.js';
export type { ChangeOptions, InteractionInput, ItemFields } from './live/item-fields.js';
export type { Compaction, JournalInfo } from './live/open-collection.js';
export { NeighborBlock, type NeighborRow } from './neighbors/block.js';
export {
  streamNeighbors,
  type WriteNeighborsOptions,
  type WrittenNeighbors,
  writeNeighbors,
} from './neighbors/files/write-neighbors.js';
export { Neighbors } from './neighbors/neighbors.js';
export type { NeighborsOptions, Shard } from './neighbors/options.js';
export { defaultStages } from './pipeline/answer.js';
export type { Adjustments, Candidates, Ranked, Request as StageRequest, Scored, Stages } from './pipeline/stages.js';
export { loadRecipe, parseRecipe, type Recipe, type SpaceRecipe } from './recipe.js';
export { Retriever, type RetrieverOptions } from './retriever.js';
export type { BuildPlan, PlannedSpace } from './reuse/plan-build.js';
export type { Taste } from './taste.js';
export type {
  Answer,
  AnswerExplanation,
  AnswerStats,
  AttributeValue,
  CollectionInfo,
  Fallback,
  FilteredItem,
  HistoryEntry,
  IndexInfo,
  Item,
  NearestItem,
  QueryOptions,
  Question,
  RecommendOptions,
  Result,
  ResultExplanation,
  SimilarUser,
  SimilarUsersAnswer,
  SimilarUsersOptions,
  SourceStats,
  SpaceInfo,
  StageName,
} from './types.js';
export { type Backup, type BackupOptions, backupCollection } from './upkeep/backup-collection.js';
export type { CheckedIndex } from './upkeep/check-space.js';
export { type Mending, type Repair, repairCollection } from './upkeep/repair-collection.js';
export { type Restore, type RestoreOptions, restoreCollection } from './upkeep/restore-collection.js';
export { type Rollback, type RollbackOptions, rollbackCollection } from './upkeep/rollback.js';
export {
  type Finding,
  type Verification,
  type VerifyCollectionOptions,
  type VerifyProgress,
  verifyCollection,
} from './upkeep/verify-collection.js';

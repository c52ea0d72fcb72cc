/** `nigh/evaluation`: protocols, baselines, neighbourhood models and what measures them. */
export { type SparseKnnParams, type SparseNeighbors, sparseKnn } from '../binding/sparse-knn.js';
export { CsrMatrix } from '../core/csr-matrix.js';
export { Vocabulary } from '../core/vocabulary.js';
export { readBenchmarkResult } from './benchmark/compare.js';
export {
  type BenchmarkResult,
  benchmarkResult,
  type CurvePoint,
  type DatasetResult,
  type EngineResult,
} from './benchmark/result.js';
export { type MeasuredPoint, median, qpsAtRecall, quantile, roundsAtRecall } from './benchmark/speed.js';
export { type IndexTrial, type IndexTuning, type TuneContext, type TuneTask, tuneIndex } from './benchmark/tune.js';
export { type CollectionTuning, type TuneCollectionOptions, tuneCollection } from './benchmark/tune-collection.js';
export { type BootstrapOptions, type Interval, medianRatio, pairedDifference } from './bootstrap.js';
export { decilesOf, ratios } from './deciles.js';
export { evaluateRanking, type RankingContext, type RankingFigures, type RankingResult } from './evaluate-ranking.js';
export { evaluateRating, type RatingContext, type RatingResult } from './evaluate-rating.js';
export {
  type EvaluateContext,
  type EvaluateOptions,
  evaluateRecipe,
  type RankedRow,
  type RecipeEvaluation,
} from './evaluate-recipe.js';
export {
  describePoint,
  type Grid,
  type GridPoint,
  type GridSearchOptions,
  type GridSearchResult,
  type GridTrial,
  gridPoints,
  gridSearch,
} from './grid-search.js';
export * from './list-metrics.js';
export type { FitContext, Pairs, RankingModel, RankingQuestion, RatingModel, Trainer } from './model.js';
export { type BiasParams, biasesTrainer } from './models/biases.js';
export { closenessOf, contentKnnTrainer, cosineOfSets, type ItemSimilarity } from './models/content-rating.js';
export { easeRankingTrainer } from './models/ease-ranking.js';
export { type KnnRankingParams, knnRankingTrainer } from './models/knn-ranking.js';
export { type KnnRatingParams, knnRatingTrainer } from './models/knn-rating.js';
export { mfRatingTrainer } from './models/mf-rating.js';
export { nmfRatingTrainer } from './models/nmf-rating.js';
export { rankByRating } from './models/rank-by-rating.js';
export { popularityTrainer, randomRankingTrainer, weightedRatingTrainer } from './models/ranking-baselines.js';
export {
  globalMeanTrainer,
  itemMeanTrainer,
  normalTrainer,
  randomRatingTrainer,
  userMeanTrainer,
} from './models/rating-baselines.js';
export { type SimilarityName, similarityNames } from './models/similarity.js';
export {
  type ApproximateOptions,
  approximateSpaceTrainer,
  spaceTrainer,
  type TrainableSpace,
} from './models/space-model.js';
export { type FewShotOptions, fewShot } from './protocols/few-shot.js';
export { type ItemColdOptions, itemCold } from './protocols/item-cold.js';
export { givenFolds, kFold } from './protocols/k-fold.js';
export { type LeaveOneOutOptions, leaveOneOut } from './protocols/leave-one-out.js';
export { randomSplit } from './protocols/random-split.js';
export type { Split } from './protocols/split.js';
export { type StrongGeneralizationOptions, strongGeneralization } from './protocols/strong-generalization.js';
export { temporalSplit } from './protocols/temporal-split.js';
export * from './ranking-metrics.js';
export { mae, rmse } from './rating-metrics.js';
export { type ProtocolOptions, protocolNames } from './recipe-splits.js';
export { measureStability, type Stability, type StabilityContext } from './stability.js';
export type { RecipeGrid, SpaceTuning } from './tune-recipe.js';

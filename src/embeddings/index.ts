/** `nigh/embeddings`: what turns a dataset into vectors. */
export {
  type Kmeans,
  type KmeansOptions,
  kmeans,
  type Pca,
  type PcaOptions,
  pca,
  project,
} from '../binding/clustering.js';
export { ridgeMap } from '../binding/train-linear.js';
export { CsrMatrix } from '../core/csr-matrix.js';
export { NighError } from '../core/errors.js';
export { type Matrix, row, zeros } from '../core/matrix.js';
export type { Column, Dataset, DatasetOrigin } from '../data/dataset.js';
export { type AlsParams, als } from './als.js';
export { type AlsModel, foldIn, foldInItem, readAlsModel } from './als-model.js';
export type { Block } from './blocks.js';
export { type BprModel, type BprModelParams, type BprParams, bpr, fitBpr, parseBpr } from './bpr.js';
export { type ConcatParams, concat } from './concat.js';
export { type EaseParams, ease } from './ease.js';
export {
  type EaseFactorParams,
  type EaseFactors,
  type EaseModel,
  type EaseModelParams,
  easeScores,
  factorizeEase,
  fitEase,
  parseEase,
} from './ease-model.js';
export type {
  Audience,
  AudienceFolder,
  Content,
  Embedder,
  Embedding,
  FitContext,
  FittedSpace,
  History,
  HistoryFolder,
  Vectors,
} from './embedding.js';
export { type FeaturesParams, features } from './features/features.js';
export { type GloveParams, glove } from './glove.js';
export { type ImageParams, image } from './image/image.js';
export {
  fitItem2vec,
  type Item2vecModel,
  type Item2vecModelParams,
  type Item2vecParams,
  item2vec,
  parseItem2vec,
} from './item2vec.js';
export { type MfSpaceParams, mf } from './mf.js';
export {
  fitMf,
  foldInRatedItems,
  foldInRatings,
  type MfModel,
  type MfParams,
  parseMf,
  predictRatings,
} from './mf-model.js';
export { fitNmf, type NmfModel, type NmfModelParams, type NmfParams, nmf, parseNmf } from './nmf.js';
export { type OnnxTextParams, onnxText } from './onnx-text/onnx-text.js';
export { type OnnxTowerParams, onnxTower } from './onnx-tower/onnx-tower.js';
export { askingPopularity, type PopularityDimension, weightedRatings } from './popularity.js';
export { type PrecomputedParams, precomputed } from './precomputed.js';
export { embeddingNames, findEmbedding, registerEmbedding } from './registry.js';
export { fitSvd, parseSvd, type SvdModel, type SvdModelParams, type SvdParams, svd } from './svd.js';
export type { FieldRule, FieldRules } from './text-fields.js';
export { type TfidfParams, tfidf } from './tfidf.js';
export { createTokenizer, type Language, type Tokenizer, type TokenizerParams } from './tokenize.js';

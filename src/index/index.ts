/** `nigh/index`: vector indexes alone. Loads no recommender code and no HTTP. */

export { simd } from '../binding/simd.js';
export { CsrMatrix } from '../core/csr-matrix.js';
export { type ErrorCode, NighError } from '../core/errors.js';
export type { BitMatrix, Matrix, MatrixOf, Vector } from '../core/matrix.js';
export type { BuildOptions, QuantizationName } from './build-options.js';
export { type FlatBuildOptions, FlatIndex } from './flat-index.js';
export {
  type HnswBuildOptions,
  HnswIndex,
  type HnswlibImportOptions,
  type HnswParams,
} from './hnsw-index.js';
export { type HnswlibBuildOptions, HnswlibIndex } from './hnswlib-index.js';
export type { Ids } from './id-list.js';
export { IdSet } from './id-set.js';
export { type IndexInspection, inspectIndex } from './inspect-index.js';
export { type OpenedIndex, type OpenOptions, openIndex } from './open-index.js';
export { SparseIndex } from './sparse-index.js';
export { adjustedCosineRows, pearsonRows, spearmanRows } from './transforms.js';
export {
  type BatchOptions,
  type BatchResult,
  type ChangeOptions,
  type IndexCapabilities,
  type IndexKind,
  isMutable,
  isSync,
  type MetricName,
  type MutableVectorIndex,
  type RemoveOptions,
  type ReplaceOptions,
  type SearchOptions,
  type SearchPlan,
  type SearchResult,
  type SearchStats,
  type SyncVectorIndex,
  type VectorIndex,
  type VerifyOptions,
  type VerifyReport,
} from './vector-index.js';

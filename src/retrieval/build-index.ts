import type { Matrix } from '../core/matrix.js';
import type { Vectors } from '../embeddings/embedding.js';
import { FlatIndex } from '../index/flat-index.js';
import { HnswIndex } from '../index/hnsw-index.js';
import { HnswlibIndex } from '../index/hnswlib-index.js';
import type { MetricName, VectorIndex } from '../index/vector-index.js';
import { chooseIndexKind } from './choose-index.js';
import type { IndexSettings } from './recipe.js';

export interface BuildIndexContext {
  /** Native threads, 0 = all; hnswlib-node always builds on one. */
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
  /** Questions of another kind than the indexed vectors, to measure recall by; the vectors themselves where undefined. */
  readonly calibrationQueries?: Matrix | undefined;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * Builds the kind of index that a recipe asks for; ids are the ordinals of the vectors.
 * @throws NighError ABORTED, OUT_OF_MEMORY, ZERO_VECTOR, NOT_FINITE
 */
export function buildIndex(
  { matrix, ordinals }: Vectors,
  metric: MetricName,
  settings: IndexSettings,
  { threads, signal, calibrationQueries, onProgress }: BuildIndexContext,
): Promise<VectorIndex> {
  const common = { metric, ids: ordinals, signal, onProgress };
  if (settings.kind === 'hnswlib') return HnswlibIndex.build(matrix, { ...common, ...graphOf(settings) });
  if (
    settings.kind === 'flat' ||
    (settings.kind === 'auto' && chooseIndexKind(matrix.rows, matrix.dim, metric) === 'flat')
  ) {
    return FlatIndex.build(matrix, common);
  }
  return HnswIndex.build(matrix, {
    ...common,
    ...graphOf(settings),
    quantization: settings.quantization,
    calibrationQueries,
    threads,
  });
}

function graphOf({ M, efConstruction }: Extract<IndexSettings, { kind: 'hnsw' | 'auto' | 'hnswlib' }>) {
  return { M, efConstruction };
}

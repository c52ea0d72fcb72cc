import { native } from '../binding/native.js';
import { runTask } from '../binding/task.js';
import { NighError } from '../core/errors.js';
import { isHnswlibContainer } from './hnswlib-magic.js';
import { requirePath } from './search-arguments.js';
import { type IndexKind, isMetricName, type MetricName } from './vector-index.js';

/** What the header of an index file says. */
export interface IndexInspection {
  readonly kind: IndexKind;
  readonly metric: MetricName;
  readonly dim: number;
  /** Number of vectors. */
  readonly count: number;
  readonly fileBytes: number;
  /** Of the file format. */
  readonly version: number;
  /** The parts of the file and their bytes. */
  readonly sections: readonly { readonly name: string; readonly bytes: number }[];
}

/**
 * Reads the header of an index file, and nothing else of it.
 * @throws NighError NOT_FOUND, IO, FORMAT, TRUNCATED, CHECKSUM_MISMATCH, VERSION_UNSUPPORTED, INVALID_ARGUMENT
 */
export async function inspectIndex(path: string): Promise<IndexInspection> {
  requirePath(path);
  if (await isHnswlibContainer(path)) {
    const { readContainer } = await import('./hnswlib-container.js');
    const { metric, dim, count, fileBytes, version, ids, graph } = await readContainer(path);
    const sections = [
      { name: 'ids', bytes: ids.bytes },
      { name: 'graph', bytes: graph.bytes },
    ];
    return { kind: 'hnswlib', metric, dim, count, fileBytes, version, sections };
  }
  const { kind, metric, ...rest } = await runTask({}, () => native().NativeIndex.inspect(path));
  if ((kind !== 'flat' && kind !== 'hnsw' && kind !== 'sparse') || !isMetricName(metric)) {
    throw new NighError('INTERNAL', `The native core named an unknown kind or metric, ${kind}, ${metric}.`);
  }
  return { kind, metric, ...rest };
}

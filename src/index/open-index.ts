import { native } from '../binding/native.js';
import { runTask } from '../binding/task.js';
import { NighError } from '../core/errors.js';
import type { Vector } from '../core/matrix.js';
import { choice, flag, integer, optional, readParams } from '../core/params.js';
import { onlyOneEffort, recallField } from './build-options.js';
import { FlatIndex } from './flat-index.js';
import { defaultEfSearch, HnswIndex } from './hnsw-index.js';
import { HnswlibIndex } from './hnswlib-index.js';
import { isHnswlibContainer } from './hnswlib-magic.js';
import { requirePath } from './search-arguments.js';
import { SparseIndex } from './sparse-index.js';

export interface OpenOptions {
  /**
   * `memory` reads the file and checks every byte of it. `mmap` maps it: open at once whatever the size, memory shared
   * between processes, and read from disk where it is touched; the file must not change while it is open. Default
   * `memory`.
   */
  readonly mode?: 'memory' | 'mmap' | undefined;
  /** With `mmap`: read the whole file now and check its checksums. Default false; `memory` always checks. */
  readonly verify?: boolean | undefined;
  /** Candidate pool of a search that names none, in graph indexes, 1 or more. Default 64. */
  readonly efSearch?: number | undefined;
  /**
   * Recall that a search aims at which names neither `recall` nor `efSearch`, in hnsw indexes; only one of the two may be given
   * here. Default: `efSearch` decides.
   */
  readonly recall?: number | undefined;
}

const schema = {
  mode: choice(['memory', 'mmap'], { default: 'memory' }),
  verify: optional(flag()),
  efSearch: optional(integer({ min: 1 })),
  recall: optional(recallField),
};

/** An index of whatever kind; of bits there are two. */
export type OpenedIndex<V extends Vector = Float32Array> = V extends Float32Array
  ? FlatIndex | HnswIndex | HnswlibIndex | SparseIndex
  : FlatIndex<V> | HnswIndex<V>;

/**
 * Opens an index file, of whatever kind it is. One under hamming or jaccard is opened as `openIndex<Uint8Array>(path)`.
 *
 * ```ts
 * using index = await openIndex('items.ann', { mode: 'mmap' });
 * ```
 * @throws NighError NOT_FOUND, IO, FORMAT, TRUNCATED, CHECKSUM_MISMATCH, VERSION_UNSUPPORTED, UNSUPPORTED,
 * OPTIONAL_PACKAGE, INVALID_ARGUMENT, UNKNOWN_OPTION, OUT_OF_MEMORY
 */
export async function openIndex<V extends Vector = Float32Array>(
  path: string,
  options: OpenOptions = {},
): Promise<OpenedIndex<V>> {
  // What vectors are is known to the file; V is what the caller says of it.
  return (await openAny(path, options)) as OpenedIndex<V>;
}

async function openAny(
  path: string,
  options: OpenOptions,
): Promise<FlatIndex | HnswIndex | HnswlibIndex | SparseIndex> {
  requirePath(path);
  const { mode, verify = false, recall, ...rest } = readParams(schema, options, '');
  onlyOneEffort(rest.efSearch, recall);
  const { efSearch = defaultEfSearch } = rest;
  if (await isHnswlibContainer(path)) {
    if (recall !== undefined)
      throw new NighError('UNSUPPORTED', `${path}: an index of kind "hnswlib" knows no recall.`);
    if (mode === 'mmap') throw new NighError('UNSUPPORTED', `${path}: an index of kind "hnswlib" cannot be mapped.`);
    return HnswlibIndex.open(path, { efSearch });
  }
  const index = await runTask({}, () => native().NativeIndex.open(path, mode === 'mmap', verify));
  if (index.kind === 'flat') return new FlatIndex(index, 1);
  return index.kind === 'sparse' ? new SparseIndex(index, 1) : new HnswIndex(index, efSearch, recall);
}

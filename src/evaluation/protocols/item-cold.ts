import type { CsrMatrix } from '../../core/csr-matrix.js';
import { invalidArgument, NighError } from '../../core/errors.js';
import { shuffled } from '../../core/random.js';
import { percent } from './random-split.js';
import { requireShare, type Split, splitEntries } from './split.js';

export interface ItemColdOptions {
  /** The items to hold out, or the share of those with interactions that is drawn with the seed. */
  readonly cold: Uint32Array | { readonly share: number; readonly seed: number };
  /** Whether held-out items compete among themselves, or with the whole catalogue. */
  readonly pool: 'cold' | 'catalogue';
}

/**
 * Some items have no interaction in training; all of theirs are held out.
 * @throws NighError INVALID_ARGUMENT, EMPTY_DATASET when no item, or every item, would be cold
 */
export function itemCold(matrix: CsrMatrix, { cold, pool }: ItemColdOptions): Split {
  const items = coldItems(matrix, cold);
  const isCold = new Uint8Array(matrix.cols);
  for (const item of items) isCold[item] = 1;
  const heldOut = Uint8Array.from(matrix.columns, (item) => isCold[item]!);
  if (!heldOut.includes(1) || !heldOut.includes(0)) {
    throw new NighError(
      'EMPTY_DATASET',
      `cold items: ${items.length} of ${matrix.cols} items leave no interactions to ${heldOut.includes(1) ? 'train on' : 'ask for'}.`,
    );
  }
  const split = splitEntries(
    matrix,
    heldOut,
    pool === 'cold' ? 'cold items among themselves' : 'cold items in the catalogue',
    `all interactions of ${items.length} items are held out; ranked are ${pool === 'cold' ? 'those items' : 'all items'}`,
  );
  return pool === 'cold' ? { ...split, pool: items } : split;
}

/** Ascending. @throws NighError INVALID_ARGUMENT */
export function coldItems(matrix: CsrMatrix, cold: ItemColdOptions['cold']): Uint32Array {
  if (cold instanceof Uint32Array) {
    const outside = cold.find((item) => item >= matrix.cols);
    if (outside !== undefined) throw invalidArgument('cold', `items below ${matrix.cols}`, outside);
    return Uint32Array.from(new Set(cold)).sort();
  }
  requireShare('cold.share', cold.share);
  const counts = matrix.columnCounts();
  const touched = Uint32Array.from(counts.keys()).filter((item) => counts[item]! > 0);
  const size = Math.round(touched.length * cold.share);
  if (size === 0) {
    throw new NighError('EMPTY_DATASET', `cold items: ${percent(cold.share)} of ${touched.length} items is none.`);
  }
  return shuffled(touched.length, cold.seed)
    .subarray(0, size)
    .map((at) => touched[at]!)
    .sort();
}

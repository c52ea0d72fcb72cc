import type { CsrMatrix } from '../../core/csr-matrix.js';
import { shuffled } from '../../core/random.js';
import { requireEntries, requireShare, type Split, splitEntries } from './split.js';

/**
 * One split: a share of all interactions, above 0 and below 1, drawn with the seed, is held out.
 * @throws NighError INVALID_ARGUMENT, EMPTY_DATASET below two interactions
 */
export function randomSplit(
  matrix: CsrMatrix,
  { testShare, seed }: { readonly testShare: number; readonly seed: number },
): Split {
  requireShare('testShare', testShare);
  requireEntries(matrix, 'random split', 2);
  const held = Math.min(matrix.entries - 1, Math.max(1, Math.round(matrix.entries * testShare)));
  const heldOut = new Uint8Array(matrix.entries);
  for (const entry of shuffled(matrix.entries, seed).subarray(0, held)) heldOut[entry] = 1;
  const definition = `a random ${percent(testShare)} of the interactions is held out (seed ${seed})`;
  return splitEntries(matrix, heldOut, 'random split', definition);
}

/** `20 %`. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

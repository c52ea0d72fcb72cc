import type { CsrMatrix } from '../../core/csr-matrix.js';
import { invalidArgument, NighError } from '../../core/errors.js';
import { percent } from './random-split.js';
import { requireEntries, requireShare, type Split, splitEntries } from './split.js';

/**
 * One moment cuts all interactions: what came after it is held out, so that nothing is learnt from the future of anybody (Ji, Sun,
 * Zhang and Li, "A critical study on data leakage in recommender system offline evaluation", TOIS 2023). The moment is chosen so that
 * about `testShare` come after it; interactions of the same second stay together.
 * @throws NighError INVALID_ARGUMENT, EMPTY_DATASET when all interactions are of one moment
 */
export function temporalSplit(
  matrix: CsrMatrix,
  { timestamps, testShare }: { readonly timestamps: Float64Array | undefined; readonly testShare: number },
): Split {
  requireShare('testShare', testShare);
  requireEntries(matrix, 'temporal split', 2);
  if (timestamps === undefined || timestamps.length !== matrix.entries) {
    throw invalidArgument('timestamps', `${matrix.entries} times, one for every interaction`, timestamps);
  }
  const sorted = timestamps.slice().sort();
  const first = sorted[0]!;
  const last = sorted[sorted.length - 1]!;
  if (!(first < last)) {
    throw new NighError(
      'EMPTY_DATASET',
      'temporal split: expected interactions of different times, got one time for all.',
    );
  }
  const wanted = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * (1 - testShare)))]!;
  // At the first moment nothing would be left to learn from.
  const moment = wanted > first ? wanted : sorted.find((time) => time > first)!;
  const heldOut = new Uint8Array(matrix.entries);
  for (let e = 0; e < timestamps.length; e++) heldOut[e] = timestamps[e]! >= moment ? 1 : 0;
  const share = percent(heldOut.reduce((sum, bit) => sum + bit, 0) / matrix.entries);
  const when = new Date(moment * 1000).toISOString().slice(0, 19);
  return splitEntries(matrix, heldOut, 'temporal split', `all interactions from ${when} on (${share}) are held out`);
}

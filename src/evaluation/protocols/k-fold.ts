import type { CsrMatrix } from '../../core/csr-matrix.js';
import { invalidArgument } from '../../core/errors.js';
import { shuffled } from '../../core/random.js';
import { requireCount, requireEntries, type Split, splitEntries } from './split.js';

/**
 * k splits: the interactions are shuffled with the seed and dealt into k parts whose sizes differ by at most one; each part is held
 * out once.
 * @throws NighError INVALID_ARGUMENT, EMPTY_DATASET when there are fewer interactions than folds
 */
export function kFold(matrix: CsrMatrix, { folds, seed }: { readonly folds: number; readonly seed: number }): Split[] {
  requireCount('folds', folds, 2);
  requireEntries(matrix, 'k-fold', folds);
  const order = shuffled(matrix.entries, seed);
  return Array.from({ length: folds }, (_, fold) => {
    const heldOut = new Uint8Array(matrix.entries);
    for (let at = fold; at < order.length; at += folds) heldOut[order[at]!] = 1;
    return splitEntries(
      matrix,
      heldOut,
      `fold ${fold + 1} of ${folds}`,
      `each of ${folds} random parts of the interactions is held out once (seed ${seed})`,
    );
  });
}

/**
 * Splits that somebody else made, such as u1–u5 of MovieLens 100K.
 * @throws NighError INVALID_ARGUMENT when a pair's matrices differ in shape
 */
export function givenFolds(
  folds: readonly { readonly name: string; readonly train: CsrMatrix; readonly test: CsrMatrix }[],
  definition: string,
): Split[] {
  return folds.map(({ name, train, test }) => {
    if (train.rows !== test.rows || train.cols !== test.cols) {
      throw invalidArgument(
        `test of ${name}`,
        `${train.rows} × ${train.cols} as its training matrix`,
        `${test.rows} × ${test.cols}`,
      );
    }
    const users = Uint32Array.from({ length: train.rows }, (_, user) => user);
    return { name, definition, train, test, histories: train, users };
  });
}
